from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from floorwalker.errors import UsageError
from floorwalker.simulation.access_log import write_large_log


def test_a_large_log_has_exactly_what_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "large.log"
    write_large_log(path, lines=60_000, seed=3, visitors=4_000, urls=9_000, days=2)
    lines = path.read_text().splitlines()
    assert len(lines) == 60_000
    assert len({(line.split(" ", 1)[0], line.rsplit('"', 2)[1]) for line in lines}) == 4_000
    assert len({line.split('"')[1].split(" ")[1] for line in lines}) == 9_000
    stamps = [datetime.strptime(line.split("[")[1][:26], "%d/%b/%Y:%H:%M:%S %z") for line in lines[::50]]
    assert stamps == sorted(stamps)
    assert (stamps[-1] - stamps[0]).total_seconds() < 2 * 86_400
    assert 180 < path.stat().st_size / len(lines) < 300


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_large_log(tmp_path / name, lines=8_000, seed=4, visitors=500, urls=400, days=1)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_too_few_lines_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lines"):
        write_large_log(tmp_path / "x", lines=1_000, seed=1, visitors=900, urls=100, days=1)
