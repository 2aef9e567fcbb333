"""Leaders of an estate's group purchases order for neighbours who cannot: many accounts, one device, one door.

Nothing tells it from a coupon ring but that the neighbours are real, old customers, and that nothing is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.calling import Calls
from floorwalker.simulation.shop.honest.labels import label_of
from floorwalker.simulation.shop.scenario import DAY, HOUR, SECOND
from floorwalker.simulation.shop.world.segments import place_of

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

WEEKLY = 0.6
"""Such evenings of one leader in a week, for two to four neighbours."""


def add(crowd: Crowd) -> None:
    """Evenings on which a leader logs into one neighbour's account after the other and buys what all of them buy."""
    people, rng, scenario = crowd.people, crowd.rng, crowd.world.scenario
    leaders = np.flatnonzero(people.segment == place_of("group_leader"))
    members = np.flatnonzero((people.segment == place_of("group_member")) & ~people.guest)
    if not len(leaders) or len(members) < 3:
        return
    leader = np.repeat(leaders, rng.poisson(WEEKLY * scenario.days / 7.0, len(leaders)))
    evening = scenario.first_at + rng.integers(scenario.days, size=len(leader)) * DAY
    evening = evening + (rng.uniform(16.5, 20.0, len(leader)) * HOUR).astype(np.int64)
    size = 2 + rng.binomial(2, 0.35, len(leader))
    which = np.repeat(np.arange(len(leader)), size)
    turn = np.arange(len(which)) - np.repeat(np.cumsum(size) - size, size)
    # The same neighbours every time: those after a place of the leader's own among the members.
    first = (crowd.world.chance.uniform("honest/neighbours", people.numbers[leader]) * len(members)).astype(np.int64)
    neighbour = members[(first[which] + turn) % len(members)]
    begin = evening[which] + ((turn + 0.3 * rng.random(len(which))) * 210 * SECOND).astype(np.int64)
    keep = np.flatnonzero((people.joined_at[neighbour] < begin) & (turn < len(members)))
    if not len(keep):
        return
    which, neighbour, begin = which[keep], neighbour[keep], begin[keep]
    slot = np.zeros(len(which), dtype=np.int64)
    app = np.zeros(len(which), dtype=np.bool_)
    # The visit is the leader's (device, network); the account is the neighbour's.
    calls = Calls(leader[which], begin, slot, slot, app)
    visit = crowd.open_visits(calls, label=label_of("community_leader"))
    crowd.rows.add(visit=visit, person=neighbour, at=begin, act=Act.LOGIN_PAGE)
    logged = begin + (rng.lognormal(2.4, 0.4, len(which)) * SECOND).astype(np.int64)
    crowd.login_at[-1][:] = logged
    crowd.rows.add(visit=visit, person=neighbour, at=logged, act=Act.LOGIN, code=0)
    bought = (len(crowd.shelf) * rng.random(len(leader)) ** 3).astype(np.int64)
    item = crowd.shelf.on_day(bought[which], begin)
    looked = logged + (rng.lognormal(2.2, 0.4, len(which)) * SECOND).astype(np.int64)
    crowd.rows.add(visit=visit, person=neighbour, at=looked, act=Act.ITEM, item=item)
    added = looked + (rng.lognormal(1.8, 0.4, len(which)) * SECOND).astype(np.int64)
    crowd.rows.add(visit=visit, person=neighbour, at=added, act=Act.ADD, item=item, count=1)
    span = rng.lognormal(3.9, 0.3, len(which))
    base = crowd.ordered
    orders = crowd.order(
        person=neighbour, visit=visit, at=added + ((span + 3.0) * SECOND).astype(np.int64), span=span,
        lines=(np.arange(len(which)), item, np.ones(len(which), dtype=np.int64)), ship=leader[which],
    )  # fmt: skip
    crowd.after(orders, base)
    out = orders.at + (rng.lognormal(2.0, 0.4, len(which)) * SECOND).astype(np.int64)
    crowd.rows.add(visit=visit, person=neighbour, at=out, act=Act.LOGOUT)
