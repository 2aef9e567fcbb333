"""The shop tries its own checkout: orders of its staff that are cancelled within minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.browsing import BUY
from floorwalker.simulation.shop.honest.calling import errands
from floorwalker.simulation.shop.honest.labels import label_of
from floorwalker.simulation.shop.scenario import DAY, HOUR
from floorwalker.simulation.shop.world.segments import place_of

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

ORDERS_A_WEEK = 5.0


def add(crowd: Crowd) -> None:
    """Test orders of the staff in this shard."""
    people, rng, scenario = crowd.people, crowd.rng, crowd.world.scenario
    staff = np.flatnonzero((people.segment == place_of("tester")) & ~people.guest)
    who = np.repeat(staff, rng.poisson(ORDERS_A_WEEK * scenario.days / 7.0, len(staff)))
    if not len(who):
        return
    at = scenario.first_at + rng.integers(scenario.days, size=len(who)) * DAY
    at = at + (rng.uniform(7.0, 16.0, len(who)) * HOUR).astype(np.int64)
    first = crowd.ordered
    calls = errands(crowd.world, rng, people, who, at)
    intent = np.full(len(who), BUY)
    _, _, orders = crowd.visit(calls, label=label_of("test_order"), intent=intent, hurry=0.3)
    crowd.after(orders, first, cancel_share=1.0, support_share=0.0)
