"""The benchmark of rules measures what it says, on a small scale."""

from __future__ import annotations

import time
from pathlib import Path

from floorwalker.evaluation.benchmarks import rules


def test_every_figure_with_a_bar_is_measured(tmp_path: Path) -> None:
    outcome = rules.run(
        folder=tmp_path, clock=time.perf_counter, rounds=1, rules=12, reloaded=30, singles=20, batches=2
    )
    assert set(rules.BARS) <= set(outcome["metrics"])
    assert all(value > 0 for value in outcome["metrics"].values())
    assert outcome["data"]["rules"] == 12
    assert outcome["data"]["share_fired"] > 0
    assert len(list((tmp_path / "rules").rglob("*.yaml"))) == 30
