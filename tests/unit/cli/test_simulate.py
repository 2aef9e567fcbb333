"""`floorwalker simulate`: every family of sites makes a log."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl
import pytest

from floorwalker.cli import main
from floorwalker.simulation.shop.adversaries import list_adversaries
from floorwalker.simulation.sites import SPLITS, list_families


def simulate(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["floorwalker", "simulate", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


@pytest.mark.parametrize("split", SPLITS)
def test_families_of_every_split_make_a_log(
    split: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = tmp_path / "a.log"
    site = list_families(split)[0]
    size = ("--days", 1, "--visitors", 20, "--hunters", 2)
    assert simulate(monkeypatch, "--log", log, "--site", site, *size, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["requests"] == len(log.read_text().splitlines()) > 0


def test_an_unknown_family_names_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert simulate(monkeypatch, "--log", tmp_path / "a.log", "--site", "nowhere") == 2
    assert list_families()[-1] in capsys.readouterr().err


def test_kinds_of_abuse_that_a_small_shop_lacks_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert simulate(monkeypatch, "--out", tmp_path, "--events", "1_500", "--days", 3, "--cores", 1, "--json") == 0
    told = capsys.readouterr()
    absent = json.loads(told.out)["absent"]
    assert absent == json.loads((tmp_path / "manifest.json").read_text("utf-8"))["absent"]
    assert set(absent) == {"train", "validation", "test"}
    line = next(line for line in told.err.splitlines() if "too small for every kind of abuse" in line)
    assert all(kind in line for kinds in absent.values() for kind in kinds)
    # What no part has is said once.
    assert line.count(next(kind for kind in absent["train"] if kind in absent["test"])) == 1
    families = json.loads(told.out)["absent_families"]
    assert families == json.loads((tmp_path / "manifest.json").read_text("utf-8"))["absent_families"]
    line = next(line for line in told.err.splitlines() if "no room for these families" in line)
    present = set(pl.read_parquet(tmp_path / "truth.parquet")["family"].drop_nulls().to_list()) - {""}
    assert set(list_adversaries()) - present == set(families)
    assert all(family in line for family in families)
