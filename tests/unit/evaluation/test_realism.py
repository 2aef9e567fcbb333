"""Distances between shops, bounds, and the classifier, on tables made by hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from floorwalker.errors import InputError, UsageError
from floorwalker.evaluation.tasks import realism, realism_bounds
from floorwalker.evaluation.tasks._realism_sessions import describe_visits, same_days, stand, tell_apart
from floorwalker.evaluation.tasks._realism_statistics import (
    LEAST_BOUND,
    STATISTICS,
    grid_distance,
    kolmogorov,
    lorenz_distance,
    measure_bounds,
    total_variation,
)
from floorwalker.evaluation.tasks._realism_tables import cut_visits, prepare_clicks, read_real


def clicks(seed: int, visits: int = 400, pace: float = 60.0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    count = 2 + rng.poisson(2, visits)
    visit = np.repeat(np.arange(visits), count)
    at = 1e6 + visit * 900.0 + np.concatenate([np.cumsum(rng.exponential(pace, one)) for one in count])
    item = (rng.random(len(visit)) ** 2 * 40).astype(int)
    return pl.DataFrame({"visit": visit, "at": at, "item": item.astype(str)})


def test_there_are_enough_statistics_and_each_has_a_bound() -> None:
    assert sum(not one.joint for one in STATISTICS) >= 12
    assert sum(one.joint for one in STATISTICS) >= 4
    bounds = realism_bounds.read_bounds()
    assert set(bounds) == {one.name for one in STATISTICS}
    assert min(bounds.values()) == LEAST_BOUND


def test_kolmogorov_is_the_largest_gap_between_distributions() -> None:
    one, other = np.random.default_rng(1).normal(size=(2, 300))
    slow = max(abs((one <= edge).mean() - (other <= edge).mean()) for edge in np.concatenate([one, other]))
    assert kolmogorov(one, other) == pytest.approx(slow)
    assert kolmogorov(one, np.array([])) == 1.0


def test_kinds_that_nobody_shares_are_one_apart() -> None:
    assert total_variation(np.array([0, 0]), np.array([3])) == 1.0


def test_equal_curves_of_popularity_are_not_apart() -> None:
    items = ["a"] * 6 + ["b"] * 3 + ["c"]
    assert lorenz_distance(items, items * 2) == pytest.approx(0.0, abs=0.02)
    assert lorenz_distance(items, list("abcdefghij")) > 0.2


def test_a_grid_sees_what_its_margins_hide() -> None:
    first = np.random.default_rng(2).random(4_000)
    shuffled = np.random.default_rng(3).permutation(first)
    assert grid_distance((first, first), (first, shuffled)) > 0.5
    assert kolmogorov(first, shuffled) == 0.0


def test_rare_items_and_visits_of_one_click_are_left_out() -> None:
    table = pl.DataFrame(
        {"visit": [1, 1, 1, 2, 3, 3, 3], "at": np.arange(7.0), "item": ["a", "a", "b", "a", "a", "a", "c"]}
    )
    assert prepare_clicks(table)["visit"].to_list() == [1, 1, 3, 3]


def test_half_an_hour_of_silence_ends_a_visit() -> None:
    table = pl.DataFrame({"user": ["u", "u", "u", "w"], "at": [0.0, 1_800.0, 3_601.0, 0.0]})
    assert cut_visits(table)["visit"].to_list() == [1, 1, 2, 3]


def test_a_tree_tells_another_shop_but_not_the_same() -> None:
    pytest.importorskip("sklearn")
    one, same, other = (describe_visits(table, kinds=False) for table in (clicks(1), clicks(2), clicks(3, pace=400.0)))
    assert tell_apart(one, same, seed=0, trees=15)[0] < 0.62
    area, single = tell_apart(one, other, seed=0, trees=15)
    assert area > 0.85
    assert single["gap_mean"] > 0.8


def test_a_shop_with_more_goods_shows_in_shares_only() -> None:
    """A shop with a hundred times the goods looks the same but for how small the share of each thing is."""
    pytest.importorskip("sklearn")
    one, same = clicks(1), clicks(2)
    # A copy of the shop's goods for every hundredth visit, so that repeats within a visit stay what they are.
    copy = (pl.col("visit").hash(seed=1) % 100).cast(pl.String)
    large = same.with_columns(item=pl.col("item").cast(pl.String) + "-" + copy)
    known = [describe_visits(table, kinds=False) for table in (one, large)]
    area, single = tell_apart(known[0], known[1], seed=0, trees=15)
    assert area < 0.66
    assert single["popularity"] < 0.56
    known = [describe_visits(table, kinds=False, shares=True) for table in (one, large)]
    assert known[0]["share"].is_between(-20.0, 0.0).all()
    area, single = tell_apart(known[0], known[1], seed=0, trees=15)
    assert area > 0.95
    assert single["share"] > 0.95


def test_visits_that_keep_to_what_nobody_wants_are_told() -> None:
    pytest.importorskip("sklearn")
    one, same = clicks(1), clicks(2)
    halves = same.join(stand(same).group_by("item").agg(pl.col("standing").first()), on="item", maintain_order="left")
    middle = pl.col("standing").mean().over("visit")
    niche = halves.filter((pl.col("standing") < 0.5) == (middle < 0.5))
    known = [describe_visits(table, kinds=False) for table in (one, niche.drop("standing"))]
    assert tell_apart(known[0], known[1], seed=0, trees=15)[1]["popularity_most"] > 0.6


def test_standing_goes_by_people_and_is_even() -> None:
    table = pl.DataFrame(
        {"user": [1, 1, 1, 2, 3, 3, 2], "visit": [1, 1, 1, 2, 3, 3, 2], "item": ["a", "a", "a", "b", "b", "c", "b"]}
    )
    found = stand(table)
    assert found.drop("standing").equals(table)
    # Two people wanted b; a and c, which one wanted each, have a drawn order and the same actions below 4/7.
    assert found.filter(pl.col("item") == "b")["standing"].is_between(4 / 7, 1).all()
    assert found.filter(pl.col("item") != "b")["standing"].is_between(0, 4 / 7).all()
    many = stand(clicks(5, visits=3_000))["standing"].to_numpy()
    assert np.abs(np.sort(many) - np.linspace(0, 1, len(many))).max() < 0.02


def test_days_begin_on_the_same_weekday() -> None:
    day = 86_400.0
    real = pl.DataFrame({"visit": np.arange(700), "at": np.linspace(2 * day + 1, 9 * day - 1, 700)})
    made = pl.DataFrame({"visit": np.arange(3_000), "at": np.linspace(100 * day, 130 * day, 3_000)})
    chosen = same_days(real, made)["at"] // day
    assert int(chosen.min()) % 7 == 2  # type: ignore[call-overload]
    assert chosen.n_unique() == 7


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="online_retail"):
        read_real(tmp_path)
    for task in (realism, realism_bounds):
        with pytest.raises(UsageError, match="FLOORWALKER_DATA"):
            task.run(data=None)


@pytest.mark.data
@pytest.mark.slow
def test_the_committed_bounds_are_those_of_the_real_data() -> None:
    folder = os.environ.get("FLOORWALKER_DATA")
    if not folder:
        pytest.skip("FLOORWALKER_DATA is not set")
    assert measure_bounds(read_real(Path(folder))) == realism_bounds.read_bounds()
