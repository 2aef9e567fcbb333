"""The terminal's table: it fits, and the attacker's texts stay texts."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from floorwalker.scan.result import ScanResult
from floorwalker.scan.table import print_table
from floorwalker.testing.scan_results import make_scan_result


def _print(result: ScanResult, width: int = 120, encoding: str = "utf-8", **options: object) -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    print_table(result, Console(file=stream, width=width), **options)  # type: ignore[arg-type]
    stream.flush()
    return raw.getvalue().decode(encoding)


@pytest.fixture(name="result")
def make_result() -> ScanResult:
    return make_scan_result(np.random.default_rng(0), hostile=True)


def test_warnings_come_first_and_the_report_last(result: ScanResult) -> None:
    text = _print(result, report=Path("out/report.html"))
    order = [
        text.index(part)
        for part in ("31 % of the lines", "look like they prey", "Evidence", "Swarms", "Machines", "Set aside")
    ]
    assert order == sorted(order)
    assert text.rstrip().endswith("Report: out/report.html")


def test_nothing_steers_the_terminal_and_no_markup_is_read(result: ScanResult) -> None:
    text = _print(result, width=200)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold red]markup[/]" in text
    assert "\\x1b[31mred" in text


def test_a_terminal_gets_colours_but_no_sequence_of_the_attackers(result: ScanResult) -> None:
    stream = io.StringIO()
    print_table(result, Console(file=stream, width=160, force_terminal=True, color_system="truecolor"))
    assert "\x1b[1;31m" in stream.getvalue()
    assert "\x1b[31mred" not in stream.getvalue()
    assert "evil.example\x1b\\" not in stream.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 220])
def test_it_fits_the_width(result: ScanResult, width: int) -> None:
    assert max(len(line) for line in _print(result, width).splitlines()) <= width


def test_a_long_path_is_not_broken(result: ScanResult) -> None:
    path = Path("a-very-long-folder-name/" * 6 + "report.html")
    assert f"Report: {path}" in _print(result, width=60, report=path)


def test_an_ascii_terminal_is_served(result: ScanResult) -> None:
    text = _print(result, encoding="ascii")
    assert "* proven" in text
    assert "look like they prey" in text


def test_only_the_top_is_shown_and_the_rest_counted(result: ScanResult) -> None:
    text = _print(result, top=3)
    assert "and 17 more" in text
    assert "more, weaker" not in _print(result, top=500)
    assert "Evidence" not in _print(result, top=0)


def test_user_agents_need_room(result: ScanResult) -> None:
    assert "User agent" in _print(result, width=120)
    assert "User agent" not in _print(result, width=90)


def test_days_are_told_where_there_are_several() -> None:
    result = make_scan_result(np.random.default_rng(0), judge_all=True)
    assert "2021-11-11" in _print(result, width=130).split("Evidence")[1]


def test_zero_flags_and_zero_visitors_are_results() -> None:
    for visitors in (0, 50):
        text = _print(make_scan_result(np.random.default_rng(0), visitors=visitors, flagged_share=0.0))
        assert "Evidence" not in text
        assert "visitor" in text.splitlines()[2]


def test_a_session_and_a_nameless_visitor_have_names(result: ScanResult) -> None:
    nameless = result.visitors.with_columns(pl.lit(None, pl.String).alias("client"))
    assert "visitor " in _print(dataclasses.replace(result, visitors=nameless))
    session = nameless.with_columns(pl.lit("s-42").alias("session"))
    assert "s-42" in _print(dataclasses.replace(result, visitors=session))


def test_a_refused_blocklist_is_said(result: ScanResult) -> None:
    refused = dataclasses.replace(result, blocklist_allowed=False, blocklist_refusal="behind one proxy")
    assert "No blocklist: behind one proxy" in _print(refused)
