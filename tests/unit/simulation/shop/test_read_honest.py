"""What is read back of a simulation to be sent to a server: honest entries alone, or everybody's with their truth."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from floorwalker.errors import InputError
from floorwalker.simulation.shop.run import simulate
from floorwalker.simulation.shop.scenario import Scenario
from floorwalker.simulation.shop.streaming import read_honest

SMALL = Scenario(events=6_000, seed=4, days=3, malicious_share=0.03, only=("carding", "fake_group_buys"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("shop")
    simulate(SMALL, made, cores=1)
    return made


def test_a_replay_knows_what_is_harmful(folder: Path) -> None:
    truth = pl.read_parquet(folder / "truth.parquet")
    everybody = list(read_honest(folder, everybody=True))
    assert [entry.event.id for entry in everybody] == truth["id"].to_list()
    for name in ("phase", "skill", "loss_minor", "campaign"):
        assert [getattr(entry.truth, name) for entry in everybody] == truth[name].to_list()
    assert any(entry.truth.phase == "harmful" for entry in everybody)
    honest = list(read_honest(folder))
    assert [one.event.id for one in honest] == [one.event.id for one in everybody if not one.truth.adversary]


def test_files_of_two_runs_are_refused(folder: Path, tmp_path: Path) -> None:
    pl.read_parquet(folder / "events.parquet").write_parquet(tmp_path / "events.parquet")
    pl.read_parquet(folder / "truth.parquet").reverse().write_parquet(tmp_path / "truth.parquet")
    with pytest.raises(InputError, match="different events"):
        list(read_honest(tmp_path))
