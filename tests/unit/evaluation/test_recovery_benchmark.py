from __future__ import annotations

import time
from pathlib import Path

import pytest

from floorwalker.evaluation.benchmarks import recovery


@pytest.mark.slow
def test_a_small_installation_is_filled_once_killed_and_served_again(tmp_path: Path) -> None:
    said: list[str] = []

    def measure() -> dict[str, object]:
        outcome = recovery.run(
            folder=tmp_path, clock=time.perf_counter, rounds=1, events=12_000, accounts=4_000, behind=4_000,
            progress=said.append,
        )  # fmt: skip
        data, figures = outcome["data"], outcome["metrics"]
        assert data["events"] == 12_000
        assert data["decisions"] == 1_200
        assert data["accounts"] > 2_000
        # What was decided after a restart is journalled behind the snapshot as well.
        assert 4_000 <= figures["counted_again"] <= 4_000 + 4
        assert 0 < figures["listening_seconds"] <= figures["ready_seconds"] <= figures["restart_seconds"]
        assert set(figures["stages"]) == {"snapshot_read", "state_restored", "replay"}
        assert len(figures["all_seconds"]) == 1
        return dict(figures)

    measure()
    assert any("journalled" in text for text in said)
    said.clear()
    measure()
    assert not any("journalled" in text for text in said), "the folder is filled once"
