"""The sheet to label by hand, and the way back."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from floorwalker import metrics
from floorwalker.errors import InputError, UsageError
from floorwalker.scan.label_metrics import weighted_average_precision, weighted_roc_auc, weighted_share
from floorwalker.scan.labelling import (
    Labels,
    Scored,
    allocate,
    draw_sample,
    judge,
    judged_json,
    judged_table,
    read_labels,
    visitor_keys,
    write_sample,
)
from floorwalker.scan.masking import mask_result
from floorwalker.scan.result import ScanResult
from floorwalker.testing.scan_results import make_scan_result


@pytest.fixture(name="result", scope="module")
def make_result() -> ScanResult:
    return make_scan_result(np.random.default_rng(0), visitors=4000, hostile=True, flagged_share=0.02, judge_all=True)


def _read(path: Path) -> list[dict[str, str]]:
    lines = [line for line in path.read_text("utf-8").splitlines(keepends=True) if not line.startswith('"#')]
    return list(csv.DictReader(lines))


def _label(path: Path, answers: dict[str, str], default: str = "no") -> None:
    rows = _read(path)
    for row in rows:
        row["label"] = answers.get(row["key"], default)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=12), st.integers(0, 400))
def test_rows_are_allotted_in_full_and_never_beyond_a_stratum(sizes: list[int], wanted: int) -> None:
    drawn = allocate(np.array(sizes), wanted)
    assert drawn.sum() == min(wanted, sum(sizes))
    assert np.all((drawn >= 0) & (drawn <= sizes))


def test_weights_speak_for_the_whole_log(result: ScanResult) -> None:
    sample = draw_sample(result, 300, seed=1)
    assert sample.height == 300
    assert sample["weight"].sum() == pytest.approx(4000)
    assert sample["flagged"].sum() == 80
    assert sample["key"].n_unique() == 300
    by_tier = sample.filter(pl.col("flagged"))["weight"].sum()
    assert by_tier == pytest.approx(80)


def test_a_weighted_mean_over_the_sheet_is_unbiased(result: ScanResult) -> None:
    truth = float(result.visitors["category"].is_in(["normal"]).mean())
    drawn = [draw_sample(result, 200, seed=seed) for seed in range(30)]
    means = [float((one["category"].is_in(["normal"]).cast(pl.Float64) * one["weight"]).sum()) / 4000 for one in drawn]
    assert np.mean(means) == pytest.approx(truth, abs=0.01)
    scores = [float((one["score"] * one["weight"]).sum()) / 4000 for one in drawn]
    assert np.mean(scores) == pytest.approx(float(result.visitors["score"].mean()), abs=0.01)


def test_the_same_seed_draws_the_same_sheet(result: ScanResult, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_sample(result, tmp_path / name, 50, seed=seed)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


def test_the_sheet_hides_what_the_scan_thought_and_runs_no_formula(result: ScanResult, tmp_path: Path) -> None:
    assert write_sample(result, tmp_path / "sheet.csv", 300, seed=1) == 300
    rows = _read(tmp_path / "sheet.csv")
    assert not {"score", "rank", "flagged", "tier", "category", "pattern", "reasons"} & set(rows[0])
    assert all(row["label"] == "" for row in rows)
    assert any(row["user_agent"].startswith("'=HYPERLINK") for row in rows)
    assert not any(cell[:1] in "=+-@" and cell[:1] for row in rows for cell in row.values())


def test_a_masked_sheet_shows_no_address_and_joins_all_the_same(result: ScanResult, tmp_path: Path) -> None:
    write_sample(result, tmp_path / "open.csv", 60, seed=1)
    write_sample(result, tmp_path / "sheet.csv", 60, seed=1, shown=mask_result(result, bytes(16)))
    rows, opened = _read(tmp_path / "sheet.csv"), _read(tmp_path / "open.csv")
    assert [row["key"] for row in rows] == [row["key"] for row in opened]
    assert not {row["client"] for row in opened} & {row["client"] for row in rows}
    with pytest.raises(UsageError, match="unmasked result"):
        write_sample(mask_result(result, bytes(16)), tmp_path / "x.csv", 5, seed=1)
    other = make_scan_result(np.random.default_rng(0), visitors=5)
    with pytest.raises(UsageError, match="other visitors"):
        write_sample(result, tmp_path / "x.csv", 5, seed=1, shown=other)


def test_routes_told_of_the_flagged_alone_are_kept_from_the_labeller(result: ScanResult, tmp_path: Path) -> None:
    write_sample(result, tmp_path / "sheet.csv", 60, seed=1)
    assert _read(tmp_path / "sheet.csv")[0]["top_routes"] == "9 × /deals/{} | 2 × /cart/add"
    told = pl.when(pl.col("flagged")).then(pl.col("top_routes")).otherwise(pl.lit([], pl.List(pl.String)))
    partial = dataclasses.replace(result, visitors=result.visitors.with_columns(told.alias("top_routes")))
    write_sample(partial, tmp_path / "sheet.csv", 60, seed=1)
    assert "top_routes" not in _read(tmp_path / "sheet.csv")[0]


def test_no_visitors_and_no_rows_are_refused(result: ScanResult) -> None:
    with pytest.raises(InputError, match="no visitor to label"):
        draw_sample(make_scan_result(np.random.default_rng(0), visitors=0), 5, seed=1)
    with pytest.raises(UsageError, match="1 or more"):
        draw_sample(result, 0, seed=1)


def test_sheet_to_labels_to_tables(result: ScanResult, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    write_sample(result, sheet, 400, seed=3)
    keys = visitor_keys(result.visitors)
    abusive = result.visitors["category"].is_in(["monitoring", "activity"]).to_numpy()
    truth = dict(zip(keys, abusive.tolist(), strict=True))
    _label(sheet, {key: "yes" for key, bad in truth.items() if bad})
    labels = read_labels(sheet)
    assert len(labels.keys) == 400
    assert labels.weights.sum() == pytest.approx(4000, rel=1e-4)
    scored = Scored(keys, result.visitors["score"].to_numpy(), result.visitors["flagged"].to_numpy())
    blind = Scored(keys, np.zeros(4000, np.float32), np.zeros(4000, bool))
    judged = judge({"bilstm": {"isolation_forest": scored}, "none": {"isolation_forest": blind}}, labels)
    whole = metrics.confusion(abusive, scored.flagged)
    assert judged[0].precision.value == pytest.approx(whole.precision.value, abs=0.02)
    assert judged[0].recall.low <= whole.recall.value <= judged[0].recall.high
    assert judged[0].roc_auc == pytest.approx(metrics.roc_auc(abusive, scored.scores), abs=0.08)
    assert judged[1].roc_auc == 0.5
    assert judged[1].recall.value == 0
    plain = judged_json(judged)
    assert plain[1]["precision"]["value"] is None
    assert plain[0]["routes"] == "bilstm"
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(judged_table(judged))
    text = console.export_text()
    assert "merged by the BiLSTM" in text
    assert "not merged" in text
    assert "400 labels" in text


@pytest.mark.parametrize(
    ("word", "bad"),
    [("Yes", True), ("1", True), ("ABUSE", True), ("bot", True), ("no", False), ("0", False), ("Honest ", False)],
)
def test_labels_may_be_written_in_many_ways(word: str, bad: bool, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(f"key,label\na,{word}\nb,?\nc,\n")
    labels = read_labels(path)
    assert labels.keys == ("a",)
    assert labels.abusive.tolist() == [bad]
    assert labels.weights.tolist() == [1.0]
    assert labels.undecided == 2


def test_a_sheet_saved_by_a_spreadsheet_in_germany_is_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes('\ufeff"# Write yes; or no";;\r\nlabel;Key;weight\r\nyes;a;1,5\r\n'.encode())
    labels = read_labels(path)
    assert labels.keys == ("a",)
    assert labels.weights.tolist() == [1.5]


def test_a_cell_over_several_lines_is_one_cell(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text('label,note,key\nyes,"two\n# lines",a\nno,,b\n')
    assert read_labels(path).keys == ("a", "b")


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("key,label,weight\na,maybe,1\nb,yes,x\n,no,1\nc,yes,-1\nd,yes,1\nd,no,1\ne,yes,1\n")
    with pytest.raises(InputError) as caught:
        read_labels(path)
    text = str(caught.value)
    assert "5 faults" in text
    for part in (
        "line 2: label 'maybe'",
        "line 3: weight 'x'",
        "line 4: no key",
        "line 5",
        "line 7: d is labelled both ways",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "are empty"),
        (b"a,b\n1,2\n", "no column key and label"),
        (b"key,label\na,\n", "no row is labelled"),
        (b"key,label\n\xff,yes\n", "not UTF-8"),
    ],
)
def test_an_unusable_sheet_says_why(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_labels(path)
    with pytest.raises(InputError, match="check the path"):
        read_labels(tmp_path / "missing.csv")


def test_labels_of_another_log_are_refused() -> None:
    labels = Labels(("x",), np.array([True]), np.ones(1), 0)
    scored = Scored(["a"], np.ones(1, np.float32), np.ones(1, bool))
    with pytest.raises(InputError, match="none of the 1 label belongs"):
        judge({"bilstm": {"lof": scored}}, labels)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=60))
def test_equal_weights_give_the_plain_figures(rows: list[tuple[bool, int]]) -> None:
    truth = np.array([row[0] for row in rows])
    scores = np.array([row[1] for row in rows], np.float64)
    ones = np.full(len(rows), 3.0)
    assert weighted_roc_auc(truth, scores, ones) == pytest.approx(metrics.roc_auc(truth, scores), nan_ok=True)
    expected = metrics.average_precision(truth, scores)
    assert weighted_average_precision(truth, scores, ones) == pytest.approx(expected, nan_ok=True)
    plain = metrics.wilson_interval(int(truth.sum()), len(rows))
    found = weighted_share(truth, ones)
    assert (found.value, found.low, found.high) == pytest.approx((plain.value, plain.low, plain.high))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(1, 4)), min_size=1, max_size=25))
def test_a_weight_of_three_is_three_equal_rows(rows: list[tuple[bool, int, int]]) -> None:
    truth, scores, weights = (np.array(column) for column in zip(*rows, strict=True))
    repeated = np.repeat(np.arange(len(rows)), weights)
    found = weighted_roc_auc(truth, scores.astype(float), weights.astype(float))
    assert found == pytest.approx(metrics.roc_auc(truth[repeated], scores[repeated]), nan_ok=True)
    found = weighted_average_precision(truth, scores.astype(float), weights.astype(float))
    assert found == pytest.approx(metrics.average_precision(truth[repeated], scores[repeated]), nan_ok=True)
