"""Exports that other programs read, and spreadsheets cannot run."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from floorwalker.errors import UsageError
from floorwalker.scan.export import (
    encode_json,
    flatten_visitors,
    to_json,
    write_csv,
    write_findings,
    write_json,
    write_parquet,
)
from floorwalker.scan.result import ScanResult
from floorwalker.testing.scan_results import HOSTILE, make_scan_result

TOP_KEYS = [
    "schema", "schema_version", "masked", "headline", "warnings", "source", "training_days", "judged_days", "summary",
    "threshold", "features", "flagged", "swarms", "machines", "routes", "days", "cleaned", "blocklist", "seconds",
]  # fmt: skip
DOCS = Path(__file__).parents[3] / "docs" / "report.md"


@pytest.fixture(name="result")
def make_result() -> ScanResult:
    return make_scan_result(np.random.default_rng(11), visitors=300, hostile=True)


def test_the_document_is_one_strict_json_document_with_the_promised_keys(result: ScanResult) -> None:
    text = encode_json(to_json(result))
    document = json.loads(text)
    assert list(document) == TOP_KEYS
    assert text.endswith(b"}\n")
    assert document["schema_version"] == 1


def test_every_key_of_the_document_is_documented(result: ScanResult) -> None:
    told = DOCS.read_text("utf-8")
    document = to_json(result)
    names = {*document, *document["summary"], *document["source"], *document["flagged"][0], *document["threshold"]}
    names |= {*document["cleaned"][0], *document["swarms"][0], *document["machines"][0], *document["routes"][0]}
    names |= {*document["days"][0], *document["features"][0], *document["blocklist"]}
    assert [name for name in sorted(names) if f"`{name}`" not in told] == []


def test_flagged_visitors_stand_in_order_with_reasons_and_features(result: ScanResult) -> None:
    flagged = to_json(result)["flagged"]
    assert len(flagged) == 15
    assert [row["rank"] for row in flagged] == sorted((row["rank"] for row in flagged), reverse=True)
    assert all(row["reasons"] and set(row["features"]) == set(result.features) for row in flagged)


def test_missing_and_infinite_numbers_become_null(result: ScanResult) -> None:
    name = result.features[0]
    broken = dataclasses.replace(
        result,
        visitors=result.visitors.with_columns(pl.lit(math.nan, pl.Float32).alias(name)),
        medians=result.medians | {name: math.inf},
        threshold=math.nan,
    )
    document = json.loads(encode_json(to_json(broken)), parse_constant=pytest.fail)
    assert document["flagged"][0]["features"][name] is None
    assert document["features"][0]["median"] is None
    assert document["threshold"]["score"] is None


def test_an_empty_scan_has_the_same_keys() -> None:
    assert list(to_json(make_scan_result(np.random.default_rng(1), visitors=0))) == TOP_KEYS


def test_csv_holds_every_judged_visitor_and_reads_back(result: ScanResult, tmp_path: Path) -> None:
    write_csv(result, tmp_path / "all.csv")
    write_csv(result, tmp_path / "flagged.csv", flagged_only=True)
    everything = pl.read_csv(tmp_path / "all.csv", infer_schema_length=None)
    assert everything.height == result.visitors.height
    assert everything.columns == result.visitors.columns
    assert pl.read_csv(tmp_path / "flagged.csv", infer_schema_length=None).height == 15


@given(st.text(max_size=20))
def test_no_cell_begins_a_formula(text: str) -> None:
    result = make_scan_result(np.random.default_rng(2), visitors=4, embedding=False)
    frame = result.visitors.with_columns(
        pl.lit(text).alias("user_agent"), pl.lit([text], pl.List(pl.String)).alias("reasons")
    )
    flat = flatten_visitors(dataclasses.replace(result, visitors=frame))
    for name in ("user_agent", "reasons"):
        cell = flat[name][0]
        assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n")
        assert cell in (text, "'" + text)


def test_hostile_user_agents_are_guarded_and_the_others_left(result: ScanResult) -> None:
    cells = flatten_visitors(result, flagged_only=True)["user_agent"].to_list()
    guarded = [cell for cell in cells if cell.startswith("'")]
    assert sorted(guarded) == sorted("'" + text for text in HOSTILE if text[0] in "=+-@")


def test_parquet_keeps_types_and_lists(result: ScanResult, tmp_path: Path) -> None:
    write_parquet(result, tmp_path / "all.parquet")
    assert pl.read_parquet(tmp_path / "all.parquet").equals(result.visitors)


def test_the_ending_names_the_form(result: ScanResult, tmp_path: Path) -> None:
    for ending in ("csv", "parquet", "json"):
        write_findings(result, tmp_path / f"out.{ending}")
        assert (tmp_path / f"out.{ending}").stat().st_size > 1000
    with pytest.raises(UsageError, match=r"\.csv, \.parquet, \.json"):
        write_findings(result, tmp_path / "out.xlsx")


def test_a_lone_surrogate_does_not_break_the_document(result: ScanResult, tmp_path: Path) -> None:
    broken = dataclasses.replace(result, warnings=["bad \udcff byte"])
    write_json(broken, tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_bytes())["warnings"] == ["bad ? byte"]
