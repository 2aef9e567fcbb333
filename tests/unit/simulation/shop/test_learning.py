"""Adversaries who learn: where one way is closed the money goes another, where all are closed it stays in the purse."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from floorwalker.simulation.shop.adversaries import load_adversary
from floorwalker.simulation.shop.adversaries._base import Adversary, Answer, Brief
from floorwalker.simulation.shop.adversaries._learning import Exponential, Learner, Thompson, WinStay, make_learner
from floorwalker.simulation.shop.adversaries._market import OutOfBudgetError, Purse
from floorwalker.simulation.shop.scenario import DAY, Scenario
from floorwalker.simulation.shop.world import World

SCENARIO = Scenario(events=3_000, seed=4, days=30)


@pytest.fixture(scope="module")
def world() -> World:
    return World(SCENARIO)


def play(adversary: Adversary, refused: frozenset[int]) -> tuple[Counter[int], Counter[int]]:
    """Run against a policy that refuses some tactics; deeds by tactic of the first and of the last half."""
    deeds: list[int] = []
    now: int | None = adversary.brief.starts_at
    while now is not None:
        step = adversary.step(now)
        kept = [adversary._deeds[id(entry)] for entry in step.entries if id(entry) in adversary._deeds]
        if kept:
            tactic = kept[0].tactic
            deeds.append(tactic)
            adversary.hear([Answer(entry, "refused" if tactic in refused else "passed") for entry in step.entries])
        now = step.next_at
    half = len(deeds) // 2
    return Counter(deeds[:half]), Counter(deeds[half:])


def make(world: World, skill: str, *, harmful: int = 70, family: str = "coupon_farming", seed: int = 11) -> Adversary:
    rng = np.random.default_rng(seed)
    start = SCENARIO.first_at
    brief = Brief(world, skill, 1, start, start + 20 * DAY, 200_000, rng, harmful=harmful, most=10**6)
    return load_adversary(family)(brief)


@pytest.mark.parametrize("skill", ["skilled", "advanced", "expert"])
def test_the_spending_moves_away_from_what_is_refused(world: World, skill: str) -> None:
    refused = 0
    early, late = Counter[int](), Counter[int]()
    # One short campaign may hold on to what once worked; several together do not.
    for seed in range(12):
        adversary = make(world, skill, seed=seed)
        first, second = play(adversary, frozenset({refused}))
        early, late = early + first, late + second
        assert adversary.purse.gained_minor > adversary.spent_minor
        assert not adversary.gave_up
    fair = 1.0 / len(adversary.known)
    assert sum(late.values()) > 120
    share = late[refused] / sum(late.values())
    # Skilled ones, who suppose nothing of the shop, go on trying most: .15 of their deeds over many seeds.
    assert share < 0.6 * fair
    assert share < 0.9 * early[refused] / sum(early.values())


@pytest.mark.parametrize("skill", ["naive", "skilled", "advanced", "expert"])
def test_where_nothing_works_most_of_the_money_is_kept(world: World, skill: str) -> None:
    adversary = make(world, skill)
    play(adversary, frozenset(range(9)))
    assert adversary.gave_up
    assert adversary.purse.gained_minor == 0
    assert adversary.spent_minor < 0.2 * adversary.purse.budget_minor
    assert adversary.caused_harm == 0


def rewards(learner: Learner, chances: list[float], turns: int) -> Counter[int]:
    rng = np.random.default_rng(3)
    chosen: Counter[int] = Counter()
    for _ in range(turns):
        tactic = learner.choose(rng)
        if tactic is None:
            break
        chosen[tactic] += 1
        learner.update(tactic, float(rng.random() < chances[tactic]))
    return chosen


@pytest.mark.parametrize("kind", [Exponential, Thompson])
def test_the_better_tactic_is_used_more(kind: type[Learner]) -> None:
    chosen = rewards(kind([10.0, 10.0], 100.0, [0.5, 0.5]), [0.15, 0.9], 300)
    assert chosen[1] > 2 * chosen[0]
    assert chosen[0] > 0


@pytest.mark.parametrize("kind", [Exponential, Thompson])
def test_a_tactic_that_costs_more_than_it_brings_is_dropped(kind: type[Learner]) -> None:
    chosen = rewards(kind([60.0, 10.0], 100.0, [0.5, 0.5]), [0.3, 0.3], 400)
    assert chosen[1] > 1.5 * chosen[0]
    assert sum(rewards(kind([60.0, 70.0], 100.0, [0.5, 0.5]), [0.1, 0.1], 400).values()) < 150


def test_who_is_naive_stays_with_what_works_and_changes_what_fails() -> None:
    # The second is the more promising, the third the one that works.
    learner = WinStay([1.0, 1.0, 1.0], 10.0, [0.5, 0.9, 0.6], patience=5)
    assert rewards(learner, [1.0, 1.0, 1.0], 50) == {0: 50}
    assert rewards(learner, [0.0, 0.0, 1.0], 50) == {0: 5, 1: 5, 2: 40}
    # It never comes back to what it has given up.
    assert rewards(learner, [1.0, 1.0, 0.0], 50) == {2: 5}
    assert isinstance(make_learner("naive", [1.0], 1.0, [1.0]), WinStay)
    assert isinstance(make_learner("skilled", [1.0], 1.0, [1.0]), Exponential)


def test_who_is_naive_leaves_what_costs_more_than_it_brings() -> None:
    learner = WinStay([40.0, 2.0], 100.0, [0.5, 0.5], patience=50)
    chosen = rewards(learner, [0.1, 0.3], 300)
    assert chosen[0] < 60
    assert chosen[1] > 200


def test_old_evidence_fades() -> None:
    learner = Thompson([1.0, 1.0], 10.0, [0.8, 0.8], hedge=0.0)
    rewards(learner, [1.0, 0.0], 60)
    # The shop has learned: what worked is closed, what did not is open again.
    assert rewards(learner, [0.0, 1.0], 60)[1] > 30


def test_nobody_spends_more_than_he_has(world: World) -> None:
    purse = Purse(5)
    with pytest.raises(OutOfBudgetError):
        purse.pay(6)
    assert purse.spent_minor == 0
    poor = make(world, "expert")
    poor = type(poor)(replace(poor.brief, budget_minor=900))
    play(poor, frozenset())
    assert 0 < poor.spent_minor <= 900
