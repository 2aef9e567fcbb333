"""The benchmark of detectors, at a size that takes seconds; its figures are not judged here."""

from __future__ import annotations

import time

import pytest

from floorwalker.evaluation.benchmarks import detectors
from floorwalker.evaluation.document import figure

pytest.importorskip("lightgbm")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_detector_is_measured_beside_what_one_would_take_instead(tmp_path) -> None:
    outcome = detectors.run(
        folder=tmp_path, clock=time.perf_counter, rounds=2, singles=5, batches=2, warm=3000, decisions=False
    )
    metrics = outcome["metrics"]
    names = {"rules", "anomaly", "behaviour", "relation", "series", "context", "memory", "fusion"}
    assert {*metrics["single_us"]} == {*metrics["batch_us_per_event"]} == names
    assert metrics["single_event_us"] >= max(metrics["single_us"].values())
    assert {"pyod_isolation_forest", "river_half_space_trees"} <= {*outcome["baselines"]}
    assert all(row["seconds"] > 0 for row in metrics["training"].values())
    measured = {key for key in outcome["bars"] if figure(metrics, key) is not None}
    assert {"single_event_us", "batch_events_per_second"} <= measured
