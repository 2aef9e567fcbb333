"""The cut-off follows the body of the scores, not the share of hunters."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.scan.cutoff import budget_for, score_cutoff, tail_cutoff
from floorwalker.scan.judging import _full_days


@pytest.mark.parametrize("budget", [0.01, 0.001])
def test_normal_scores_are_flagged_at_the_budget(budget: float) -> None:
    body = np.random.default_rng(3).normal(size=400_000)
    flagged = float(np.mean(body > tail_cutoff(body, budget)))
    assert flagged == pytest.approx(budget, rel=0.15)


def test_twice_the_hunters_is_about_twice_the_flags() -> None:
    rng = np.random.default_rng(5)
    body = rng.normal(size=20_000)
    flags = []
    for hunters in (100, 200):
        scores = np.concatenate([body, rng.normal(5.5, 0.3, hunters)])
        flags.append(int(np.sum(scores[len(body) :] > tail_cutoff(scores, 0.001))))
    assert flags[0] >= 95
    assert 1.9 <= flags[1] / flags[0] <= 2.1


def test_nobody_known_flags_nobody_by_this_cut() -> None:
    assert tail_cutoff(np.empty(0), 0.001) == float("-inf")


def test_scores_that_are_even_places_can_still_be_flagged_and_at_the_budget() -> None:
    places = np.random.default_rng(2).uniform(size=100_000)
    assert tail_cutoff(places, 0.01) > 1.0
    assert float(np.mean(places > score_cutoff(places, 0.01))) == pytest.approx(0.01, rel=0.15)


def test_narrow_scores_keep_the_straight_tail() -> None:
    scores = np.random.default_rng(2).normal(0.4, 0.05, 1000).clip(0, 1)
    assert score_cutoff(scores, 0.001) == tail_cutoff(scores, 0.001)
    assert score_cutoff(np.empty(0), 0.001) == float("-inf")


def test_the_fewer_days_teach_the_farther_out_is_the_cut_off() -> None:
    budgets = [budget_for(days, 0.001) for days in (1, 2, 4, 6, 7, 30)]
    assert budgets == sorted(budgets)
    assert budgets[4:] == [0.001, 0.001]
    assert budget_for(0, 0.001) == budgets[0] < 0.0002


def test_stray_lines_of_other_dates_are_no_days_that_teach() -> None:
    busy = np.full(700, 18_000)
    assert _full_days(busy) == 1
    assert _full_days(np.concatenate([busy, np.arange(17_990, 17_996)])) == 1
    assert _full_days(np.concatenate([busy, np.full(600, 18_001), np.full(70, 18_002)])) == 3
    assert _full_days(np.empty(0, np.int64)) == 0
