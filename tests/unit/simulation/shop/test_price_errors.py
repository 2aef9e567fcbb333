"""Wrong prices: they are asked while they last, honest people come for them, and raids wait for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from floorwalker.simulation.shop import campaigns
from floorwalker.simulation.shop.adversaries._skills import SKILLS
from floorwalker.simulation.shop.campaigns import plan
from floorwalker.simulation.shop.honest.crowd import Crowd, make_crowd
from floorwalker.simulation.shop.honest.labels import label_of
from floorwalker.simulation.shop.honest.shelf import shelf_of
from floorwalker.simulation.shop.scenario import SPLITS, Scenario
from floorwalker.simulation.shop.world import World

SCENARIO = Scenario(events=60_000, seed=4, days=30, only=("price_error_raids",))


@pytest.fixture(scope="module")
def world() -> World:
    return World(SCENARIO)


@pytest.fixture(scope="module")
def crowd(world: World) -> Crowd:
    return make_crowd(world, np.arange(world.customers), np.random.default_rng(1), 2.0)


def test_a_price_is_wrong_while_it_is_wrong(world: World) -> None:
    shelf = shelf_of(world)
    assert [SCENARIO.split_of(wrong.starts_at) for wrong in world.wrong_prices] == list(SPLITS)
    for wrong in world.wrong_prices:
        items, start, end = wrong.items, wrong.starts_at, wrong.ends_at
        right = shelf.price[items]
        assert np.array_equal(shelf.price_at(items, np.full(len(items), start - 1)), right)
        assert np.array_equal(shelf.price_at(items, np.full(len(items), end)), right)
        asked = shelf.price_at(items, np.full(len(items), start))
        assert np.allclose(asked / right, wrong.shares, atol=0.02)
        others = np.setdiff1d(np.arange(len(shelf)), items)
        assert np.array_equal(shelf.price_at(others, np.full(len(others), start)), shelf.price[others])
        # A single item at a single time, as the writers of one visit ask.
        assert int(shelf.price_at(int(items[0]), start)) == asked[0]


def test_honest_people_buy_what_is_wrongly_priced(world: World, crowd: Crowd) -> None:
    label = np.concatenate(crowd.label)
    cheap = 0
    for orders in crowd.orders:
        mine = np.flatnonzero(label[np.maximum(orders.visit, 0)] == label_of("price_error_crowd"))
        lines = np.flatnonzero(np.isin(orders.line_order, mine))
        cheap += int((orders.line_price[lines] < 0.87 * orders.line_list[lines]).sum())
        assert not len(mine) or any(
            ((orders.at[mine] >= one.starts_at) & (orders.at[mine] < one.ends_at + 3_600_000_000)).any()
            for one in world.wrong_prices
        )
    assert cheap >= 3


@pytest.mark.parametrize("skill", SKILLS)
def test_raids_strike_while_the_price_is_wrong(world: World, skill: str) -> None:
    planned = next(one for one in plan(SCENARIO) if one.split == "train")
    wrong = world.wrong_prices[0]
    start = max(SCENARIO.first_at, wrong.starts_at - 4 * 86_400_000_000)
    planned = replace(planned, skill=skill, starts_at=start, harmful=6, most=600, budget_minor=90_000)
    ran = campaigns.run(world, planned)
    taken = [entry for entry in ran.entries if entry.truth.phase == "harmful"]
    assert len(taken) == 6
    named = {str(world.items.id[item]) for item in wrong.items.tolist()}
    for entry in taken:
        assert wrong.starts_at <= entry.event.at < wrong.ends_at
        cheap = [line for line in entry.event.lines if line.item in named]
        assert cheap
        assert all((line.price_minor or 0) < (line.list_price_minor or 0) for line in cheap)
        short = sum(((line.list_price_minor or 0) - (line.price_minor or 0)) * (line.quantity or 1) for line in cheap)
        assert 0 < entry.truth.loss_minor <= short
    warmed = [entry for entry in ran.entries if entry.event.at < wrong.starts_at]
    assert bool(warmed) <= (skill in ("advanced", "expert"))


def test_plans_send_raids_to_the_moments(world: World) -> None:
    for one in plan(SCENARIO):
        assert any(one.starts_at < wrong.ends_at and one.ends_at > wrong.starts_at for wrong in world.wrong_prices)


def test_where_nothing_is_wrong_nothing_is_raided(world: World) -> None:
    planned = plan(SCENARIO)[0]
    after = world.wrong_prices[0].ends_at
    ran = campaigns.run(world, replace(planned, starts_at=after, ends_at=after + 3_600_000_000))
    assert ran.entries == []
