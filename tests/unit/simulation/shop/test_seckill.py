"""Seckill scripts wait for flash sales: machines alone are there in the first minute, experts come with the crowd."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from floorwalker.simulation.shop import campaigns
from floorwalker.simulation.shop.adversaries._skills import SKILLS
from floorwalker.simulation.shop.campaigns import Planned, plan
from floorwalker.simulation.shop.honest.crowd import make_crowd
from floorwalker.simulation.shop.honest.labels import label_of
from floorwalker.simulation.shop.honest.shelf import shelf_of
from floorwalker.simulation.shop.scenario import DAY, HOUR, MINUTE, Scenario
from floorwalker.simulation.shop.world import World

SCENARIO = Scenario(events=60_000, seed=4, days=30, only=("seckill_scripts",))


@pytest.fixture(scope="module")
def world() -> World:
    return World(SCENARIO)


def sent(world: World, skill: str, starts_at: int, *, days: float = 9.0) -> campaigns.Ran:
    planned: Planned = next(one for one in plan(SCENARIO) if one.split == "train")
    ends_at = starts_at + int(days * DAY)
    planned = replace(
        planned, skill=skill, starts_at=starts_at, ends_at=ends_at, harmful=8, most=900, budget_minor=90_000
    )
    return campaigns.run(world, planned)


def taken(ran: campaigns.Ran) -> list[int]:
    return [entry.event.at for entry in ran.entries if entry.truth.phase == "harmful"]


def test_plans_send_scripts_to_the_sales_of_their_part(world: World) -> None:
    sales = world.calendar.of_kind("flash_sale")
    planned = plan(SCENARIO)
    assert {one.split for one in planned} == {"train", "validation", "test"}
    for one in planned:
        low, high = SCENARIO.span_of(one.split)
        assert any(low <= sale.starts_at and sale.ends_at <= min(high, one.ends_at) for sale in sales)


@pytest.mark.parametrize("skill", SKILLS)
def test_orders_come_while_a_sale_lasts(world: World, skill: str) -> None:
    sales = world.calendar.of_kind("flash_sale")[1:4]
    ahead = {"advanced": 2 * DAY, "expert": 4 * DAY}.get(skill, 0)
    ran = sent(world, skill, sales[0].starts_at - ahead)
    at = np.array(taken(ran))
    assert len(at) >= 6
    since = np.array([min(one - sale.starts_at for sale in world.calendar.of_kind("flash_sale")
                          if sale.starts_at <= one) for one in at])  # fmt: skip
    # The visit begins before the sale ends; who reads what he buys orders a little later.
    assert (since < 2 * HOUR + 30 * MINUTE).all()
    if skill == "naive":
        assert since.max() < 3 * MINUTE
    if skill == "skilled":
        assert since.max() < 20 * MINUTE
    warmed = [entry for entry in ran.entries if entry.event.at < sales[0].starts_at]
    assert bool(warmed) <= (skill in ("advanced", "expert"))


def test_the_clumsy_buy_what_the_crowd_comes_for(world: World) -> None:
    sales = world.calendar.of_kind("flash_sale")
    ran = sent(world, "naive", sales[2].starts_at)
    item = str(world.items.id[shelf_of(world).on_sale(2)])
    bought = {line.item for entry in ran.entries if entry.truth.phase == "harmful" for line in entry.event.lines}
    assert bought == {item}
    wanted = set()
    # So small a shop sees two or three people at a sale; not every time one of them buys.
    for seed in range(6):
        crowd = make_crowd(world, np.arange(world.customers), np.random.default_rng(seed), 0.2)
        label = np.concatenate(crowd.label)
        for orders in crowd.orders:
            mine = np.flatnonzero(label[np.maximum(orders.visit, 0)] == label_of("flash_sale_crowd"))
            here = mine[(orders.at[mine] >= sales[2].starts_at) & (orders.at[mine] < sales[2].ends_at)]
            lines = np.isin(orders.line_order, here)
            wanted |= {str(world.items.id[one]) for one in orders.line_item[lines].tolist()}
    assert item in wanted


def test_where_there_is_no_sale_it_chooses_its_own_time(world: World) -> None:
    after = world.calendar.of_kind("flash_sale")[0].ends_at
    ran = sent(world, "naive", after, days=0.25)
    assert len(taken(ran)) > 3
