"""A parcel that never came: two letters, a refund that is asked for and not given, and then the bank is asked.

The bank's letter comes from `outcomes`, which hears of these orders; here is what the shop could have seen before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.browsing import BUY
from floorwalker.simulation.shop.honest.calling import choose_times, errands, is_app
from floorwalker.simulation.shop.honest.fulfilment import NOT_RECEIVED
from floorwalker.simulation.shop.honest.labels import label_of
from floorwalker.simulation.shop.scenario import DAY, HOUR
from floorwalker.simulation.shop.world.segments import place_of

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

MONTHLY, DISPUTERS = 0.0008, 0.5
"""Orders that go so in thirty days: of anybody, and of those who dispute most."""
_WHERE_IS_IT, _COMPLAINT = 0, 5


def add(crowd: Crowd) -> None:
    """Such orders, and what their buyers write."""
    people, rng, world = crowd.people, crowd.rng, crowd.world
    often = np.where(people.segment == place_of("disputer"), DISPUTERS, MONTHLY) * world.scenario.days / 30.0
    who = np.flatnonzero(rng.random(len(people)) < often)
    if not len(who):
        return
    label = label_of("honest_dispute")
    at = np.maximum(choose_times(world, rng, people, who, is_app(world, people)[who, 0]), people.joined_at[who] + HOUR)
    first = crowd.ordered
    _, _, orders = crowd.visit(errands(world, rng, people, who, at), label=label, intent=np.full(len(who), BUY))
    paid = np.flatnonzero(orders.payments.paid & ~orders.digital)
    person, placed = orders.person[paid], orders.at[paid]
    facts = {"order": first + paid, "card": orders.card[paid]}
    none = np.full(len(paid), -1)
    for act, hours in ((Act.CAPTURED, 14.0), (Act.SHIPPED, 15.0)):
        crowd.rows.add(visit=none, person=person, at=placed + int(hours * HOUR), act=act, **facts)
    for act, after, code in (
        (Act.SUPPORT, 5.0, _WHERE_IS_IT), (Act.REFUND_REQUESTED, 7.0, NOT_RECEIVED), (Act.SUPPORT, 10.0, _COMPLAINT),
    ):  # fmt: skip
        when = placed + (rng.normal(after, 0.6, len(paid)) * DAY).astype(np.int64)
        inside = np.flatnonzero(when < world.scenario.end_at)
        if not len(inside):
            continue
        calls = errands(world, rng, people, person[inside], when[inside])
        visit = crowd.open_visits(calls, known=1.0, label=label)
        crowd.rows.add(
            visit=visit, person=person[inside], at=when[inside], act=act, code=code,
            **{name: column[inside] for name, column in facts.items()},
            value=1.0 if act == Act.REFUND_REQUESTED else np.nan, count=0 if act == Act.REFUND_REQUESTED else -1,
        )  # fmt: skip
