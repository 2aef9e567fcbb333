"""Every detector against labels given by hand, with and without merged routes."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from floorwalker.detectors.anomaly import list_detectors
from floorwalker.errors import InputError, UsageError
from floorwalker.scan.comparison import WHOLE_SCAN, Comparison, compare_detectors
from floorwalker.scan.job import ScanOutcome, ScanRequest, run_scan
from floorwalker.scan.label_metrics import Judged, judged_json
from floorwalker.scan.labelling import visitor_keys
from floorwalker.scan.labels import Labels
from floorwalker.settings import ScanSettings

FIRST = datetime(2021, 11, 4, tzinfo=UTC)
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/96.0 Safari/537.36"
WATCHERS = [f"198.51.100.{number}" for number in range(4)]
CUSTOMERS = [f"203.0.113.{number}" for number in range(70)]


def write_shop(path: Path) -> Path:
    """A day of customers who read one product after the other, and of four who ask for one product all day."""
    rng = np.random.default_rng(3)
    rows: list[tuple[datetime, str, str]] = []
    for client in CUSTOMERS:
        at = FIRST + timedelta(hours=float(rng.uniform(7, 20)))
        for _ in range(int(rng.integers(5, 14))):
            at += timedelta(seconds=float(rng.lognormal(3.4, 0.9)))
            rows.append((at, client, f"/product/{rng.integers(1, 400)}"))
            rows += [(at, client, f"/static/{asset}.css") for asset in range(3)]
    for number, client in enumerate(WATCHERS):
        rows += [(FIRST + timedelta(minutes=20 * step + number), client, f"/product/{number}") for step in range(70)]
    lines = [
        f'{client} - - [{at.strftime("%d/%b/%Y:%H:%M:%S +0000")}] "GET {target} HTTP/1.1" 200 900 "-" "{AGENT}"\n'
        for at, client, target in sorted(rows)
    ]
    path.write_text("".join(lines))
    return path


def figures(rows: list[Judged]) -> dict[tuple[str, str], dict[str, Any]]:
    """What is said of each detector; not-a-number as None, which equals itself."""
    return {(row["detector"], row["routes"]): row for row in judged_json(rows)}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[ScanRequest, ScanOutcome]:
    path = write_shop(tmp_path_factory.mktemp("shop") / "a.log")
    request = ScanRequest(paths=(str(path),), settings=ScanSettings(map_sample=0))
    return request, run_scan(request)


def labels_of(visitors: pl.DataFrame, *, weight: float = 1.0) -> Labels:
    """The truth of every judged visitor."""
    abusive = visitors["client"].is_in(WATCHERS).to_numpy()
    return Labels(tuple(visitor_keys(visitors)), abusive, np.where(abusive, 1.0, weight), undecided=2)


@pytest.fixture(scope="module")
def comparison(shop: tuple[ScanRequest, ScanOutcome]) -> Comparison:
    return compare_detectors(*shop, labels_of(shop[1].result.visitors))


def find(rows: list[Judged], detector: str, routes: str) -> Judged:
    (row,) = [row for row in rows if (row.detector, row.routes) == (detector, routes)]
    return row


def test_every_detector_is_judged_on_both_kinds_of_routes(
    shop: tuple[ScanRequest, ScanOutcome], comparison: Comparison
) -> None:
    request, outcome = shop
    labels = labels_of(outcome.result.visitors)
    names = {row.detector for row in comparison.rows} | set(comparison.left_out)
    assert names == {*list_detectors(), WHOLE_SCAN}
    assert {(row.detector, row.routes) for row in comparison.rows} >= {
        (detector, routes)
        for detector in ("isolation_forest", "lof", "dbscan", WHOLE_SCAN)
        for routes in ("bilstm", "none")
    }
    for row in comparison.rows:
        assert (row.labelled, row.unmatched, row.abusive) == (len(labels.keys), 0, len(WATCHERS))
    # The row of the whole scan is what the scan says, counted apart from it.
    whole = find(comparison.rows, WHOLE_SCAN, "bilstm")
    flagged = outcome.result.visitors.filter("flagged")["client"].to_list()
    caught = sum(client in WATCHERS for client in flagged)
    assert whole.flagged == len(flagged)
    assert whole.recall.value == pytest.approx(caught / len(WATCHERS)) == 1.0
    assert whole.precision.value == pytest.approx(caught / len(flagged))
    # And the detector that the scan used scores as the scan did.
    own = find(comparison.rows, request.settings.detector, "bilstm")
    scores = outcome.result.visitors["score"].to_numpy()
    honest, abusive = scores[~labels.abusive], scores[labels.abusive]
    wins = (abusive[:, None] > honest).mean() + 0.5 * (abusive[:, None] == honest).mean()
    assert own.roc_auc == pytest.approx(float(wins))


def test_merged_routes_make_a_difference_where_urls_vary(comparison: Comparison) -> None:
    merged, apart = (
        [row | {"routes": ""} for (_, kind), row in figures(comparison.rows).items() if kind == routes]
        for routes in ("bilstm", "none")
    )
    assert [row["detector"] for row in merged] == [row["detector"] for row in apart]
    assert merged != apart


def test_what_was_scanned_without_merging_is_compared_with_merging(
    shop: tuple[ScanRequest, ScanOutcome], comparison: Comparison
) -> None:
    merged, there = shop
    request = replace(merged, merge_routes="none")
    labels = labels_of(there.result.visitors)
    rows = compare_detectors(request, run_scan(request), labels).rows
    assert rows[0].routes == "none"
    assert figures(rows) == figures(comparison.rows)


def test_a_loaded_state_is_scanned_anew_for_the_comparison(
    shop: tuple[ScanRequest, ScanOutcome], comparison: Comparison
) -> None:
    request, outcome = shop
    labels = labels_of(outcome.result.visitors)
    loaded = replace(request, state=outcome.state)
    rows = compare_detectors(loaded, run_scan(loaded), labels).rows
    assert figures(rows) == figures(comparison.rows)


def test_weights_speak_for_the_visitors_that_were_not_drawn(
    shop: tuple[ScanRequest, ScanOutcome], comparison: Comparison
) -> None:
    request, outcome = shop
    plain = comparison.rows[0]
    heavy = compare_detectors(request, outcome, labels_of(outcome.result.visitors, weight=9.0)).rows[0]
    honest = plain.labelled - plain.abusive
    assert heavy.base_rate == pytest.approx(plain.abusive / (plain.abusive + 9 * honest))


def test_labels_of_another_log_are_refused(shop: tuple[ScanRequest, ScanOutcome]) -> None:
    strangers = Labels(("0123456789abcdef",), np.array([True]), np.ones(1), 0)
    with pytest.raises(InputError, match="none of the 1 label belongs"):
        compare_detectors(*shop, strangers)


def test_a_pipe_is_read_once_and_that_is_said(shop: tuple[ScanRequest, ScanOutcome]) -> None:
    request, outcome = shop
    piped = replace(request, paths=("-",))
    comparison = compare_detectors(piped, outcome, labels_of(outcome.result.visitors))
    assert {row.routes for row in comparison.rows} == {"bilstm"}
    assert "read once" in comparison.left_out["routes that are not merged"]
    with pytest.raises(UsageError, match="read once"):
        compare_detectors(replace(piped, state=outcome.state), outcome, labels_of(outcome.result.visitors))


def test_the_document_and_the_table_hold_every_row(comparison: Comparison) -> None:
    document = comparison.to_json()
    assert (document["labels"], document["abusive"], document["undecided"]) == (74, 4, 2)
    assert [(row["detector"], row["routes"]) for row in document["detectors"]] == [
        (row.detector, row.routes) for row in comparison.rows
    ]
    console = Console(file=io.StringIO(), width=120)
    comparison.print(console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for word in ("isolation forest", WHOLE_SCAN, "merged by the BiLSTM", "not merged", "74 labels, 4 abusive"):
        assert word in shown
