"""`floorwalker train` on a simulated shop, on a shop's own files with few labels, and with none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.features.live import LiveFeatures
from floorwalker.learning.shop.recording import open_recording
from floorwalker.pipeline.models import ShopModels

pytestmark = pytest.mark.slow


def run(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "floorwalker.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == code, done.stderr[-2000:]
    return done


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    run("simulate", "--events", 60_000, "--seed", 7, "--days", 30, "--out", folder / "data")
    return folder / "data"


@pytest.fixture(scope="module")
def trained(shop: Path, tmp_path_factory) -> tuple[Path, dict]:
    out = tmp_path_factory.mktemp("trained") / "models"
    return out, json.loads(run("train", shop, "--out", out, "--quick", "--json").stdout)


def test_a_simulated_shop_gives_models_that_serve_loads(trained):
    out, facts = trained
    assert facts["left_out"] == 0
    assert sum(facts["proven"].values()) > 50
    models = ShopModels.load(out, LiveFeatures(seed=0).names)
    assert not models.lost
    assert models.fusion is not None
    assert {"behaviour", "relation", "content", "series", "context"} <= set(models.parts)
    assert not list(out.rglob("*.pkl"))
    assert (out / "fusion" / "manifest.json").exists()


def test_live_its_risk_lies_where_the_harm_is(trained, shop):
    """A shop this small has hardly a campaign that is not learned from: this is no measure of anything."""
    out, _ = trained
    models = ShopModels.load(out, LiveFeatures(seed=0).names)
    recording = open_recording(out / "recording")
    truth = (
        recording.named()
        .select("id")
        .join(pl.read_parquet(shop / "truth.parquet"), on="id", how="left", maintain_order="left")
    )
    risk = []
    for _, batch, features in recording.batches(size=5_000):
        widened = models.widen(batch, features, moves=True)
        signals = models.judge(batch, widened, _silent(len(batch))).signals
        risk.append(np.max([signal.score for signal in signals] or [np.zeros(len(batch), np.float32)], axis=0))
    bad = (truth["phase"] == "harmful").to_numpy()
    risks = np.concatenate(risk)
    assert risks[bad].mean() > 5 * risks[(truth["phase"] == "").to_numpy()].mean()


def _silent(size: int):
    from floorwalker.detectors.signal import Signal

    return Signal("anomaly", "", None, np.zeros(size, np.float32), [[] for _ in range(size)], False)


def test_a_second_training_of_the_same_events_reads_none_again(trained, shop):
    out, first = trained
    done = run("train", shop, "--out", out, "--quick", "--json")
    assert "recorded before" in done.stderr
    assert json.loads(done.stdout)["proven"] == first["proven"]


def test_hundreds_of_a_shops_own_labels_are_enough(shop, tmp_path):
    truth = pl.read_parquet(shop / "truth.parquet").filter(pl.col("phase") == "harmful").head(300)
    labels = truth.select(pl.col("id").alias("subject"), "abuse_type")
    labels.write_csv(tmp_path / "labels.csv")
    done = run(
        "train", "--events", shop / "events.parquet", "--labels", tmp_path / "labels.csv", "--out", tmp_path / "models",
        "--quick", "--modalities", "anomaly,relation,memory", "--json",
    )  # fmt: skip
    facts = json.loads(done.stdout)
    assert set(facts["proven"]) == set(ABUSE_TYPES)
    assert ShopModels.load(tmp_path / "models", LiveFeatures(seed=0).names).fusion is not None


def test_without_labels_it_learns_what_needs_none(shop, tmp_path):
    facts = json.loads(
        run(
            "train",
            "--events",
            shop / "events.parquet",
            "--out",
            tmp_path / "models",
            "--quick",
            "--json",
            "--modalities",
            "behaviour,relation",
        ).stdout
    )
    assert facts["labels"] == "none"
    models = ShopModels.load(tmp_path / "models", LiveFeatures(seed=0).names)
    assert models.fusion is None
    assert "behaviour" in models.parts


def test_too_few_labels_say_how_many_there_are(shop, tmp_path):
    (tmp_path / "labels.csv").write_text("subject,abuse_type\nnobody,promotion_abuse\n", "utf-8")
    done = run(
        "train", "--events", shop / "events.parquet", "--labels", tmp_path / "labels.csv", "--out", tmp_path / "models",
        code=2,
    )  # fmt: skip
    assert "promotion_abuse" in done.stderr
    assert "at least 8" in done.stderr


def test_processes_of_torchrun_train_together_and_one_of_them_writes(shop: Path, tmp_path: Path) -> None:
    """Sequences of unequal lengths have unequal numbers of pieces: the processes must not wait in different ones."""
    own, out = tmp_path / "own", tmp_path / "models"
    own.mkdir()
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "floorwalker.cli",
        "train", str(shop), "--out", str(out), "--quick", "--modalities", "behaviour", "--json",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=500, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(own)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    # One document, of the first process; the other's folder is gone.
    assert json.loads(done.stdout)["left_out"] == 0
    assert not list(own.glob("floorwalker-train-*"))
    models = ShopModels.load(out, LiveFeatures(seed=0).names)
    assert not models.lost
    assert "behaviour" in models.parts
