"""The benchmark of live features, at a size that takes seconds; its figures are not judged here."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from floorwalker.errors import UsageError
from floorwalker.evaluation.benchmarks import features as bench
from floorwalker.evaluation.benchmarks._feature_traffic import make_newcomers, make_traffic
from floorwalker.features.live import DEFAULT, Limits, LiveFeatures

LIMITS = Limits(rows={}, other_rows=3_000, sketches=500)


def test_the_document_has_every_figure_that_has_a_bar(tmp_path: Path) -> None:
    ticks = itertools.count()
    outcome = bench.run(
        folder=tmp_path, clock=lambda: float(next(ticks)), rounds=1, events=1_000, warm=2_000, river_events=1_000,
        live_entities=8_000,
    )  # fmt: skip
    metrics = outcome["metrics"]
    assert set(bench.BARS) <= set(metrics)
    assert metrics["features_per_event"] >= 60
    assert metrics["entities"] >= 5
    assert metrics["live_entities"] >= 8_000
    # Pages that an earlier test gave back may serve again: then the process does not grow.
    assert metrics["bytes_per_entity"] >= 0
    # One tick of the clock a side: as many events a second on both.
    assert metrics["speedup_river"] == 1.0


def test_sizes_that_make_no_whole_batches_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="multiples of 1,000"):
        bench.run(folder=tmp_path, clock=float, events=1_500)


def test_river_counts_what_live_features_count() -> None:
    """Within one bucket of 10 seconds both windows hold the same events."""
    (batch,) = make_traffic(300, seed=3)
    batch.at[:] = batch.at[0]
    batch.received_at[:] = batch.at[0]
    declared = [
        feature for feature in DEFAULT if feature.name in ("ip_events_1h", "account_orders_1d", "account_spent_1d")
    ]
    live = LiveFeatures(declared, seed=1, limits=LIMITS)
    found = live.advance(batch)
    river = bench.RiverFeatures(declared)
    for row, answer in enumerate(river.advance(batch)):
        assert answer == [float(found.column(feature.name)[row]) for feature in declared]


def test_on_shop_traffic_with_evictions_any_batching_gives_the_same_bits() -> None:
    whole = LiveFeatures(DEFAULT, seed=5, limits=Limits(rows={}, other_rows=60, sketches=40))
    parts = LiveFeatures(DEFAULT, seed=5, limits=Limits(rows={}, other_rows=60, sketches=40))
    batches = make_traffic(6_000, seed=2, accounts=2_000)
    for batch in batches:
        together = whole.advance(batch)
        apart = [
            parts.advance(batch.take(range(start, min(start + 37, len(batch))))).values
            for start in range(0, len(batch), 37)
        ]
        assert np.concatenate(apart).tobytes() == together.values.tobytes()
    figures = whole.figures()
    assert figures == parts.figures()
    assert figures["evicted.account"] > 100
    assert figures["evicted.session"] > 100


def test_newcomers_are_new_in_eight_tables() -> None:
    live = LiveFeatures(DEFAULT, seed=5, limits=LIMITS)
    for batch in make_newcomers(500, seed=1):
        live.advance(batch)
    rows = {name: count for name, count in live.figures().items() if name.startswith("rows.") and count}
    assert sum(rows.values()) >= 8 * 500
