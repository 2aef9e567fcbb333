"""Curves, bars and shares that say what the numbers say."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from floorwalker.scan.report.days import compare_days, days_chart, days_table
from floorwalker.scan.report.density import BINS, density_panels, is_logarithmic, smooth
from floorwalker.scan.report.suspects import map_data, rank_shares, suspects_data
from floorwalker.scan.result import CATEGORIES, ScanResult
from floorwalker.testing.scan_results import make_scan_result


@pytest.fixture(name="result")
def make_result() -> ScanResult:
    return make_scan_result(np.random.default_rng(4), visitors=600, judge_all=True)


def test_a_curve_peaks_at_one_where_the_visitors_are() -> None:
    counts = np.zeros((2, BINS))
    counts[0, 30] = 500
    curves = smooth(counts)
    assert curves[0].argmax() == 30
    assert curves.max() == pytest.approx(1)
    assert curves[1].max() == 0


def test_a_curve_at_the_edge_is_not_lost_over_it() -> None:
    counts = np.zeros((1, BINS))
    counts[0, 0] = 10
    curve = smooth(counts)[0]
    assert curve.argmax() == 0
    assert curve[0] > curve[3] > curve[6]


def test_axes_follow_the_declaration_and_else_the_skew() -> None:
    skew = np.array([1.0] * 99 + [5000.0])
    assert is_logarithmic("visits", "requests", np.array([1.0]))
    assert not is_logarithmic("top_route_share", "share", skew)
    assert is_logarithmic("something_new", "", skew)
    assert not is_logarithmic("something_new", "", -skew)


def test_a_panel_for_each_feature_and_a_curve_for_each_category(result: ScanResult) -> None:
    page = density_panels(result)
    assert page.count("<figure") == len(result.features)
    assert "further features" in page
    for name in CATEGORIES:
        count = int((result.visitors["category"] == name).sum())
        assert page.count(f'class="line c-{name}" d="M8') + page.count(f'"line c-{name}" d="M9') == (
            len(result.features) if count >= 3 else 0
        )


def test_what_everybody_shares_is_named_and_not_drawn(result: ScanResult) -> None:
    flat = dataclasses.replace(
        result, visitors=result.visitors.with_columns(pl.lit(0, pl.Float32).alias("offer_share"))
    )
    page = density_panels(flat)
    assert page.count("<figure") == len(result.features) - 1
    assert "everybody has the same value: offer share" in page


@pytest.mark.parametrize("visitors", [0, 1, 2, 5])
def test_few_visitors_draw_without_a_fault(visitors: int) -> None:
    page = density_panels(make_scan_result(np.random.default_rng(1), visitors=visitors))
    assert "nan" not in page.lower()


def test_missing_values_are_left_out_of_curves(result: ScanResult) -> None:
    holes = result.visitors.with_columns(
        pl.when(pl.col("visitor") % 2 == 0).then(None).otherwise(pl.col("gap_mean")).alias("gap_mean"),
        pl.lit(float("nan"), pl.Float32).alias("duration"),
    )
    page = density_panels(dataclasses.replace(result, visitors=holes))
    assert not re.search(r"[^a-z]nan[^a-z]", page)


@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=40).map(np.array),
    st.lists(st.floats(-9, 9), max_size=9).map(np.array),
)
def test_shares_count_the_visitors_below_with_ties_half(column: np.ndarray, wanted: np.ndarray) -> None:
    found = rank_shares(column, wanted)
    for value, share in zip(wanted, found, strict=True):
        expected = ((column < value).sum() + (column <= value).sum()) / 2 / len(column)
        assert share == pytest.approx(expected)


def test_shares_of_missing_values_are_missing() -> None:
    assert np.isnan(rank_shares(np.array([1.0, np.nan]), np.array([np.nan]))).all()
    assert np.isnan(rank_shares(np.array([np.nan]), np.array([1.0]))).all()


def test_promotion_days_are_compared_with_ordinary_ones(result: ScanResult) -> None:
    days = result.days
    text = compare_days(days)
    promotion = days.filter(pl.col("activity"))["flagged"][0]
    ordinary = days.filter(~pl.col("activity"))["flagged"].mean()
    assert f"On average {promotion} flagged a promotion day" in text
    assert f"against {float(ordinary):.3g} an ordinary day" in text or f"against {round(float(ordinary), 1):g}" in text
    chart = days_chart(days)
    assert chart.count('class="bar promo"') == 1
    assert chart.count('class="bar plain"') == 6
    assert "promotion" in days_table(result)


def test_days_that_were_not_judged_are_not_shown_as_clean() -> None:
    result = make_scan_result(np.random.default_rng(4), visitors=100)
    chart = days_chart(result.days)
    assert chart.count('class="crowd quiet"') == 6
    assert chart.count("not judged</title>") == 6
    assert "No ordinary day was judged" in compare_days(result.days)
    assert days_table(result).count("not judged") == 6


def test_a_log_without_promotion_says_so(result: ScanResult) -> None:
    plain = result.days.with_columns(pl.lit(False).alias("activity"))
    assert compare_days(plain).startswith("No promotion day stood out")
    assert compare_days(plain.head(1)).startswith("One day was judged")
    assert compare_days(plain.with_columns(pl.lit(False).alias("judged"))) == "No day was judged."
    assert days_chart(plain.head(0)) == ""


def test_the_table_is_cut_and_keeps_the_strongest(result: ScanResult) -> None:
    data = suspects_data(result, most=5)
    assert [row["id"] for row in data["rows"]] == result.flagged["visitor"].to_list()[:5]
    assert all(len(row["values"]) == len(result.features) for row in data["rows"])


def test_routes_of_a_visitor_are_shown_where_the_scan_gives_them(result: ScanResult) -> None:
    routes = pl.lit(["/deals/{} × 12"], pl.List(pl.String)).alias("top_routes")
    data = suspects_data(dataclasses.replace(result, visitors=result.visitors.with_columns(routes)))
    assert data["rows"][0]["routes"] == ["/deals/{} × 12"]


def test_the_map_points_at_the_rows_of_the_table(result: ScanResult) -> None:
    data = map_data(result)
    rows = suspects_data(result)["rows"]
    assert len(data["x"]) == len(result.embedding_rows)
    assert all(0 <= x <= 1000 for x in data["x"] + data["y"])
    for name, place in zip(data["client"], data["flag"], strict=True):
        if place >= 0:
            assert rows[place]["client"] == name
    assert sum(place >= 0 for place in data["flag"]) == len(rows)


def test_too_many_points_are_cut_with_the_flagged_kept(result: ScanResult) -> None:
    data = map_data(result, most=60)
    assert len(data["x"]) == 60
    assert sum(place >= 0 for place in data["flag"]) == 30
    assert map_data(make_scan_result(np.random.default_rng(1), visitors=0))["x"] == []
