"""A training into the folder of an earlier one leaves none of the earlier models there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from floorwalker.errors import UsageError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import NUMBER_FIELDS
from floorwalker.learning.shop import training
from floorwalker.learning.shop.earlier import remove_earlier
from floorwalker.learning.shop.labels import SCHEMA
from floorwalker.learning.shop.plan import TrainingPlan
from floorwalker.learning.shop.recording import KEYS, Recording
from floorwalker.models.artefacts import save_artefact

COUNT = 4000
PLAN = TrainingPlan(COUNT // 2, COUNT * 3 // 4, modalities=("anomaly",), threads=1)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording(
        folder=tmp_path / "recording", names=("one", "two"),
        features=np.random.default_rng(0).normal(size=(COUNT, 2)).astype(np.float32),
        numbers=np.full((COUNT, len(NUMBER_FIELDS)), np.nan, np.float32), keys=np.zeros((COUNT, len(KEYS)), np.uint64),
        type=np.zeros(COUNT, np.int16), at=np.arange(COUNT, dtype=np.int64), received_at=np.arange(COUNT), left_out=0,
        first_fault="",
        _parts={"row": np.zeros(0, np.int64), "entity": np.zeros(0, np.int8), "key": np.zeros(0, np.uint64)},
    )  # fmt: skip


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder of an earlier training, with what must stay in it."""
    folder = tmp_path / "models"
    for name in ("behaviour", "content", "fusion", "memory/model_0", "memory"):
        save_artefact(folder / name, name=name, version=1, files={"model.json": b"{}"}, facts={})
    for name in ("recording", "unfinished", "texts"):
        (folder / name).mkdir()
    # Somebody's own folder, and one that only stands for another.
    (folder / "series").mkdir()
    (folder / "series" / "notes.txt").write_text("mine", "utf-8")
    save_artefact(tmp_path / "elsewhere", name="relation", version=1, files={"model.json": b"{}"}, facts={})
    (folder / "relation").symlink_to(tmp_path / "elsewhere")
    return folder


KEPT = ["recording", "relation", "series", "texts", "unfinished"]


def test_only_what_training_wrote_goes(out: Path) -> None:
    assert remove_earlier(out) == ["fusion", "memory", "content", "behaviour"]
    assert sorted(path.name for path in out.iterdir()) == KEPT
    assert (out / "series" / "notes.txt").exists()
    assert remove_earlier(out / "nowhere") == []


def test_a_training_without_labels_leaves_no_earlier_fusion(recording: Recording, out: Path) -> None:
    said: list[str] = []
    training.train_without_labels(recording, out, PLAN, progress=said.append)
    assert sorted(path.name for path in out.iterdir()) == KEPT
    assert "fusion, memory, content, behaviour" in said[0]


def test_one_that_ends_early_leaves_no_fusion(recording: Recording, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*given: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "add_series", stop)
    plan = replace(PLAN, modalities=("series",))
    known = np.full((COUNT, len(ABUSE_TYPES)), np.nan, np.float32)
    known[:100, 0] = 1
    with pytest.raises(KeyboardInterrupt):
        training.train_shop(recording, pl.DataFrame(schema=SCHEMA), out, plan, known=known)
    assert not (out / "fusion").exists()


def test_one_that_is_refused_leaves_the_models_as_they_were(recording: Recording, out: Path) -> None:
    known = np.full((COUNT, len(ABUSE_TYPES)), np.nan, np.float32)
    with pytest.raises(UsageError):
        training.train_shop(recording, pl.DataFrame(schema=SCHEMA), out, PLAN, known=known)
    assert (out / "fusion" / "model.json").exists()


def test_labels_of_nobody_are_told_from_too_few(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = pl.DataFrame([("event", "nobody", "scraping", 1.0, 0, 1.0)], schema=SCHEMA, orient="row")
    proofs = np.full((COUNT, len(ABUSE_TYPES)), np.nan, np.float32)
    monkeypatch.setattr(training, "proofs_of", lambda *given, **named: proofs)
    monkeypatch.setattr(training, "spread_proofs", lambda recording, proofs: proofs)
    with pytest.raises(UsageError, match=r"none of the 1 labels names an event.*leave --labels out"):
        training.train_shop(recording, labels, None, PLAN)
    proofs[5, 0] = 1
    with pytest.raises(UsageError, match=r"proven events by abuse type.*at least 8.*leave --labels out"):
        training.train_shop(recording, labels, None, PLAN)
