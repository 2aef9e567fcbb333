"""A bank's own check is out of order for some hours: its customers are sent there, fail, try again, take another card.

Failed checks in a row, refused cards and a change of cards within minutes: what somebody does who tests stolen ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.browsing import BUY
from floorwalker.simulation.shop.honest.calling import errands
from floorwalker.simulation.shop.honest.labels import label_of
from floorwalker.simulation.shop.scenario import DAY, HOUR

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

EVERY_DAYS = 3
"""One bank in so many days."""
HOURS = 5.0
COMES = 0.15
"""Share of the bank's customers who buy in these hours."""
FAILS = 0.7
"""Share of its checks that come to nothing."""


def add(crowd: Crowd) -> None:
    """Those who pay with a card of the bank while its check is out of order."""
    people, rng, world = crowd.people, crowd.rng, crowd.world
    scenario = world.scenario
    issue, issuer = people.cards[0].issue, world.issuers.issuer
    # The same banks and hours in every shard: they are the world's.
    lots = world.chance.generator("honest/3-D Secure")
    for day in range(1, scenario.days, EVERY_DAYS):
        # Somebody's bank, so most often one that many have.
        bank = int(world.people(lots.integers(world.customers, size=1)).cards[0].issue[0])
        hour = float(lots.uniform(8.0, 18.0))
        if bank < 0:
            continue
        begins = scenario.first_at + day * DAY + int(hour * HOUR)
        # All its cards, debit and credit.
        mine = (issue >= 0) & (issuer[issue] == issuer[bank]) & (people.joined_at < begins)
        who = np.flatnonzero(mine & (rng.random(len(people)) < COMES))
        if not len(who):
            continue
        at = begins + (rng.random(len(who)) * HOURS * HOUR).astype(np.int64)
        first = crowd.ordered
        _, _, orders = crowd.visit(
            errands(world, rng, people, who, at), label=label_of("three_d_secure_trouble"), check_fails=FAILS,
            intent=np.full(len(who), BUY),
        )  # fmt: skip
        crowd.after(orders, first)
