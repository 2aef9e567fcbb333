"""Bars decide the exit code only where they are asked to."""

from __future__ import annotations

import sys

import pytest

import floorwalker.evaluation.benchmarks.scan as benchmark
from floorwalker.cli import main


@pytest.mark.parametrize(("speed", "arguments", "code"), [(1.0, ["--check"], 1), (9.0, ["--check"], 0), (1.0, [], 0)])
def test_a_missed_bar_is_named_and_checked(
    speed: float,
    arguments: list[str],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    outcome = {"metrics": {"speed": speed}, "bars": {"speed": {"min": 8.0}}}
    monkeypatch.setattr(benchmark, "run", lambda **_: outcome)
    monkeypatch.setattr(sys, "argv", ["floorwalker", "bench", "scan", "--json", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    assert int(left.value.code or 0) == code
    assert ("missed: speed" in capsys.readouterr().err) == (speed < 8.0)


def test_a_task_without_its_data_says_what_to_give(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FLOORWALKER_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["floorwalker", "evaluate", "visitors"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert "FLOORWALKER_DATA" in capsys.readouterr().err
