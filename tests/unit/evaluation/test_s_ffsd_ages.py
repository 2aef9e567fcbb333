"""Rows in validation see labels as old as rows of the test, and nobody sees labels from behind a cut."""

from __future__ import annotations

import numpy as np
import polars as pl

from floorwalker.evaluation.tasks._s_ffsd_ages import ARRIVAL_ROWS, arriving_ways, frozen_ways
from floorwalker.evaluation.tasks._s_ffsd_data import split_in_time, take_table


def make_payments(count: int = 1_000):
    random = np.random.default_rng(3)
    return take_table(
        pl.DataFrame(
            {
                "Source": [f"S{one}" for one in random.integers(0, 90, count)],
                "Target": [f"T{one}" for one in random.integers(0, 20, count)],
                "Amount": np.round(random.exponential(50, count), 2),
                "Location": [f"L{one}" for one in random.integers(0, 5, count)],
                "Type": [f"TP{one}" for one in random.integers(0, 8, count)],
                "Labels": random.choice([0, 1, 2], count, p=[0.4, 0.1, 0.5]),
            }
        )
    )


def test_validation_sees_labels_of_the_ages_of_the_test():
    payments = make_payments()
    learn, judge = split_in_time(payments)
    ways = frozen_ways(payments)
    here, cut = np.arange(len(payments)), int(np.flatnonzero(judge)[0])
    assert np.array_equal(ways.outer.learn, learn)
    assert np.array_equal(ways.outer.judge, judge)
    assert np.array_equal(ways.inner.learn | ways.inner.judge, learn)
    assert np.flatnonzero(ways.inner.learn).max() < np.flatnonzero(ways.inner.judge).min()
    draw = np.random.default_rng(0)
    for name in ("traffic and labels", "traffic and aged labels"):
        outer, inner = (way.until[name](draw) for way in (ways.outer, ways.inner))
        first = int(np.flatnonzero(ways.inner.judge)[0])
        assert (outer <= np.minimum(here, cut)).all()
        assert (inner[:cut] <= np.minimum(here, first)[:cut]).all()
        test_age, age = (here - outer)[cut:], (here - inner)[first:cut]
        assert abs(np.quantile(test_age, 0.5) - np.quantile(age, 0.5)) < 10
        assert abs(test_age.max() - age.max()) < 10
    assert ways.inner.until["traffic"] is None


def test_learning_rows_see_labels_of_drawn_ages():
    payments = make_payments()
    ways = frozen_ways(payments)
    here, cut = np.arange(len(payments)), int(np.flatnonzero(ways.outer.judge)[0])
    first, again = (ways.outer.until["traffic and aged labels"](np.random.default_rng(2)) for _ in range(2))
    assert np.array_equal(first, again)
    age = (here - first)[:cut]
    seen = first[:cut] > 0
    assert age[seen].max() > 0.5 * (len(payments) - cut)
    assert (age >= 0).all()
    assert np.array_equal(first[cut:], np.full(len(payments) - cut, cut))


def test_arriving_labels_are_of_one_age_everywhere():
    payments = make_payments()
    ways = arriving_ways(payments)
    here = np.arange(len(payments))
    for way in (ways.inner, ways.outer):
        assert np.array_equal(
            way.until["traffic and labels"](np.random.default_rng(0)), np.maximum(here - ARRIVAL_ROWS, 0)
        )
