"""The page as a file: whole, self-contained, cut where it must be."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from floorwalker.scan.masking import mask_result
from floorwalker.scan.report import render_report, write_report
from floorwalker.scan.report.markup import content_hash
from floorwalker.scan.report.suspects import MOST_ROWS
from floorwalker.scan.result import ScanResult
from floorwalker.testing.scan_results import HOSTILE, make_scan_result

SECTIONS = ["flagged", "swarms", "days", "map", "features", "routes", "machines", "cleaned", "making"]


@pytest.fixture(name="result", scope="module")
def make_result() -> ScanResult:
    return make_scan_result(np.random.default_rng(6), visitors=400, hostile=True, judge_all=True)


def test_every_section_is_there_and_linked(result: ScanResult) -> None:
    page = render_report(result)
    assert re.findall(r'<section id="([a-z]+)"', page) == SECTIONS
    assert re.findall(r'<a href="#([a-z]+)"', page) == SECTIONS
    assert page.index("Read this first") < page.index("<h1>") < page.index('<section id="flagged"')


class _Links(HTMLParser):
    found: list[str]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = ("src", "href", "xlink:href", "action", "data", "poster", "srcset", "formaction", "background")
        self.found += [value or "" for name, value in attrs if name in names]


def test_nothing_points_outside_the_file(result: ScanResult) -> None:
    page = render_report(result)
    links = _Links()
    links.found = []
    links.feed(page)
    assert len(links.found) > len(SECTIONS)
    assert [link for link in links.found if not link.startswith("#") and link != "data:,"] == []
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert "@import" not in style
    assert "url(" not in style


def test_the_policy_allows_our_script_and_nothing_else(result: ScanResult) -> None:
    page = render_report(result)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    script = page.rpartition("<script>")[2].partition("</script>")[0]
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert policy[1] == (
        f"default-src 'none'; script-src {content_hash(script)}; style-src {content_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r'\son[a-z]+="|\sstyle="', page.replace(script, "").replace(style, ""))


def test_hostile_texts_stand_in_the_page_only_escaped(result: ScanResult) -> None:
    page = render_report(result)
    for text in HOSTILE:
        if set(text) & set('<>&"'):
            assert text not in page
    assert page.count("<script") == 2
    data = page.partition('id="data">')[2].partition("</script>")[0]
    assert json.loads(data)["suspects"]["rows"]


def test_the_page_is_the_same_every_time(result: ScanResult) -> None:
    assert render_report(result) == render_report(result)


@pytest.mark.parametrize(("visitors", "share"), [(0, 0.0), (1, 0.0), (1, 1.0), (40, 0.0), (3, 1.0)])
def test_small_and_clean_logs_give_a_page(visitors: int, share: float) -> None:
    page = render_report(make_scan_result(np.random.default_rng(1), visitors=visitors, flagged_share=share))
    assert re.findall(r'<section id="([a-z]+)"', page) == [name for name in SECTIONS if visitors or name != "map"]
    assert ("Nobody was flagged" in page) == (share == 0)


def test_an_empty_result_gives_a_page() -> None:
    result = make_scan_result(np.random.default_rng(1), visitors=0)
    empty = dataclasses.replace(
        result,
        swarms=result.swarms.head(0),
        machines=result.machines.head(0),
        routes=result.routes.head(0),
        days=result.days.head(0),
        cleaned=[],
        warnings=[],
        seconds={},
        threshold=float("inf"),
        judged_days=(),
        training_days=(),
        source=dataclasses.replace(result.source, first_at=None, last_at=None),
    )
    page = render_report(empty)
    assert "Read this first" not in page
    assert "No machine was recognised" in page
    assert "too few visitors to learn what is usual" in page


def test_a_long_table_is_cut_and_says_where_the_rest_is() -> None:
    result = make_scan_result(np.random.default_rng(1), visitors=3000, flagged_share=0.8, embedding=False)
    page = render_report(result, table_file="flagged.csv")
    assert f"The table holds the {MOST_ROWS:,} strongest of 2,400 rows" in page
    assert "<code>flagged.csv</code>" in page
    assert "the CSV output holds all of them" in render_report(result)


def test_a_refused_blocklist_is_among_the_warnings(result: ScanResult) -> None:
    refused = dataclasses.replace(result, blocklist_allowed=False, blocklist_refusal="most lines come from a CDN")
    assert "No blocklist was made: most lines come from a CDN" in render_report(refused)


def test_masking_is_said_and_done(result: ScanResult, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(result, path, mask=True, mask_key=bytes(32))
    page = path.read_text("utf-8")
    assert "addresses masked" in page
    assert page == render_report(mask_result(result, bytes(32)), masked=True)
    write_report(result, path, mask=False)
    assert "addresses masked" not in path.read_text("utf-8")


def test_a_verdict_on_machines_is_shown_where_there_is_one(result: ScanResult) -> None:
    judged = result.machines.with_columns(pl.lit("verified").alias("verdict"))
    assert '<td class="" data-label="verdict">verified</td>' in render_report(
        dataclasses.replace(result, machines=judged)
    )


def test_a_hundred_thousand_visitors_take_a_moment(tmp_path: Path) -> None:
    result = make_scan_result(np.random.default_rng(1), visitors=100_000, flagged_share=0.02)
    start = time.perf_counter()
    write_report(result, tmp_path / "report.html", mask=False)
    # Measured 0.3 s; the bar of 2 s is left room for a busy machine.
    assert time.perf_counter() - start < 6
    assert (tmp_path / "report.html").stat().st_size < 3_000_000
