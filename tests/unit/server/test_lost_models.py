"""Trained models that are gone from an installation: decisions and `/ready` name each of them."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from floorwalker.detectors.anomaly_series.live import LiveSeries
from floorwalker.detectors.content.live import LiveContent
from floorwalker.events.event import Event
from floorwalker.features.live import Limits, LiveFeatures
from floorwalker.models.artefacts import MANIFEST
from floorwalker.pipeline.models import MISSING
from floorwalker.pipeline.pipeline import Pipeline
from floorwalker.server.calibration import read_calibration
from floorwalker.server.installation import Installation
from floorwalker.server.routes.system import ready
from floorwalker.server.startup import install_models, make_pipeline
from floorwalker.testing.shop_models import telling_fusion

pytest.importorskip("lightgbm")

START = 1_760_000_000_000_000
SMALL = Limits(rows={}, other_rows=200, sketches=64)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    content, series = LiveContent(), LiveSeries()
    content.save(folder / "content", facts={})
    series.save(folder / "series", facts={})
    telling_fusion(
        LiveFeatures(seed=0).names, (*content.outputs, *series.outputs), "account_events_1h", above=10,
        at="coupon_redeem", abuse="promotion_abuse",
    ).save(folder / "fusion", facts={})  # fmt: skip
    return folder


@pytest.fixture
def installation(models: Path, tmp_path: Path) -> Installation:
    found = Installation(tmp_path / "data")
    install_models(found, models)
    return found


def decide(made: Pipeline) -> Any:
    event = Event(id="e-1", type="coupon_redeem", at=START, received_at=START, account="a-1", coupons=("TEN",))
    return made.advance(made.batch([event]), np.arange(1)).decisions[0]


def shown(made: Pipeline) -> tuple[int, dict[str, str]]:
    """Status and `degraded` of `/ready` in a server that decides with this pipeline."""
    service = SimpleNamespace(ready="", engine=SimpleNamespace(failure="", pipeline=made), degraded={})
    request = SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(service=service)))
    answer = asyncio.run(ready.fn(request))
    return answer.status_code, json.loads(answer.content)["degraded"]


def test_a_whole_installation_lacks_nothing(installation: Installation) -> None:
    made = make_pipeline(installation, limits=SMALL)
    assert decide(made).degraded == ("anomaly.unusual_activity",)
    assert shown(made) == (200, {})


def test_a_fusion_that_is_gone_is_named(installation: Installation) -> None:
    shutil.rmtree(installation.trained / "fusion")
    made = make_pipeline(installation, limits=SMALL)
    decision = decide(made)
    assert "fusion" in decision.degraded
    assert decision.versions["fusion"] == "lost"
    assert shown(made) == (200, {"fusion": MISSING})
    # The command that compares labels with risks names it as decisions do.
    assert read_calibration(installation, now=START)["fusion"] == "lost"


def test_all_models_that_are_gone_are_named(installation: Installation) -> None:
    shutil.rmtree(installation.trained)
    made = make_pipeline(installation, limits=SMALL)
    assert {"content", "series", "fusion"} <= set(decide(made).degraded)
    assert shown(made) == (200, dict.fromkeys(("content", "series", "fusion"), MISSING))


def test_a_missing_part_is_named_beside_broken_ones(installation: Installation) -> None:
    shutil.rmtree(installation.trained / "content")
    (installation.trained / "series" / "series.json").write_text("{}", "utf-8")
    manifest = installation.trained / "fusion" / MANIFEST
    manifest.write_text(json.dumps(json.loads(manifest.read_text("utf-8")) | {"version": 9}), "utf-8")
    made = make_pipeline(installation, limits=SMALL)
    assert {"content", "series", "fusion"} <= set(decide(made).degraded)
    status, degraded = shown(made)
    assert (status, set(degraded)) == (200, {"content", "series", "fusion"})
    assert "not the file of its manifest" in degraded["series"]


def test_a_part_that_failed_is_named(installation: Installation) -> None:
    made = make_pipeline(installation, limits=SMALL)

    def fail(*given: object) -> None:
        raise ValueError("worn out")

    made.models.parts["content"].advance = fail  # type: ignore[method-assign,assignment]
    assert "content" in decide(made).degraded
    assert shown(made) == (200, {"content": "ValueError: worn out"})


def test_other_models_are_not_missed_for_those_before(installation: Installation, models: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "content", tmp_path / "fewer" / "content")
    install_models(installation, tmp_path / "fewer")
    made = make_pipeline(installation, limits=SMALL)
    assert set(made.models.parts) == {"content"}
    assert shown(made) == (200, {})


def test_an_installation_without_the_list_starts_as_before(installation: Installation) -> None:
    installation.trained_parts.unlink()
    assert shown(make_pipeline(installation, limits=SMALL)) == (200, {})
    shutil.rmtree(installation.trained / "fusion")
    assert shown(make_pipeline(installation, limits=SMALL)) == (200, {})
    shutil.rmtree(installation.trained)
    assert not make_pipeline(installation, limits=SMALL).models.parts
