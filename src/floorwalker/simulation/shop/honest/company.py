"""What people do together: livestreams and group purchases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.labels import label_of
from floorwalker.simulation.shop.scenario import DAY, HOUR, SECOND
from floorwalker.simulation.shop.world.segments import place_of

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

VIEWERS = 0.012
"""Share of the customers who come to a livestream of strength 1."""
GROUPS = 0.012
"""Group purchases opened in thirty days, for each customer."""
UNFILLED = 0.3
"""Share of groups that nobody joins, leaders' apart."""


def add_company(crowd: Crowd) -> None:
    """Viewers of the run's livestreams, groups that buy together."""
    _add_streams(crowd)
    _add_groups(crowd)


def _add_streams(crowd: Crowd) -> None:
    people, rng, shelf = crowd.people, crowd.rng, crowd.shelf
    members = np.flatnonzero(~people.guest)
    for number, moment in enumerate(crowd.world.calendar.of_kind("livestream")):
        who = members[rng.random(len(members)) < VIEWERS * moment.strength]
        who = who[people.joined_at[who] < moment.starts_at]
        if not len(who):
            continue
        lasts = moment.ends_at - moment.starts_at
        at = moment.starts_at + (rng.beta(1.2, 2.2, len(who)) * lasts * 0.9).astype(np.int64)
        item = moment.item if moment.item >= 0 else int(shelf.by_rank[(number * 13) % min(60, len(shelf))])
        visit, act_at = crowd.errand(who, at, Act.STREAM_PAGE, item=item, label=label_of("livestream_viewer"))
        count = np.minimum(rng.geometric(0.3, len(who)), 30)
        rows = np.repeat(np.arange(len(who)), count)
        pause = rng.lognormal(3.4, 1.0, len(rows))
        total = np.cumsum(pause)
        first = np.cumsum(count) - count
        since = total - np.concatenate([[0.0], total])[first][rows]
        when = act_at[rows] + (since * SECOND).astype(np.int64)
        kind = rng.integers(5, size=len(rows))
        keep = np.flatnonzero(when < moment.ends_at)
        crowd.rows.add(
            visit=visit[rows[keep]], person=who[rows[keep]], at=when[keep], act=Act.STREAM, item=item, code=kind[keep]
        )


def _add_groups(crowd: Crowd) -> None:
    people, rng, shelf, scenario = crowd.people, crowd.rng, crowd.shelf, crowd.world.scenario
    leaders = people.segment == place_of("group_leader")
    joiners = (people.segment == place_of("group_member")) | (rng.random(len(people)) < 0.08)
    weight = np.where(people.guest, 0.0, np.where(leaders, 60.0, 1.0))
    number = int(rng.poisson(GROUPS * len(people) * scenario.days / 30.0))
    pool = np.flatnonzero(joiners & ~people.guest)
    if not number or len(pool) < 3:
        return
    opener = rng.choice(len(people), size=number, p=weight / weight.sum())
    at = scenario.first_at + (rng.random(number) * (scenario.days - 0.5) * DAY).astype(np.int64)
    # Somebody who was not there yet cannot have opened one.
    at = np.maximum(at, people.joined_at[opener] + HOUR)
    item = shelf.on_day((len(shelf) * rng.random(number) ** 3).astype(np.int64), at)
    visit, act_at = crowd.errand(opener, at, Act.ITEM, item=item)
    base = crowd.ordered
    groups = np.arange(number)
    crowd.rows.add(visit=visit, person=opener, at=act_at, act=Act.GROUP_OPENED, item=item, group=groups)
    size = np.where(leaders[opener], 6 + rng.poisson(9, number), 1 + rng.poisson(1.6, number))
    # Many wait for others in vain.
    size = np.where(~leaders[opener] & (rng.random(number) < UNFILLED), 0, size)
    which = np.repeat(groups, size)
    who = pool[(len(pool) * rng.random(len(which))).astype(np.int64)]
    once = np.unique(which * len(people) + who, return_index=True)[1]
    which, who = which[once], who[once]
    join_at = act_at[which] + (rng.lognormal(1.1, 1.1, len(which)) * HOUR).astype(np.int64)
    keep = np.flatnonzero((join_at > people.joined_at[who]) & (who != opener[which]) & (join_at < act_at[which] + DAY))
    which, who, join_at = which[keep], who[keep], join_at[keep]
    visit, joined = crowd.errand(who, join_at, Act.ITEM, item=item[which])
    crowd.rows.add(
        visit=visit, person=who, at=joined, act=Act.GROUP_JOINED, item=item[which], group=which, other=opener[which]
    )
    pays = np.flatnonzero(rng.random(len(who)) < 0.7)
    if not len(pays):
        return
    span = rng.lognormal(4.2, 0.5, len(pays))
    price = (shelf.price[item[which[pays]]] * 0.85).astype(np.int64)
    orders = crowd.order(
        person=who[pays], visit=visit[pays], at=joined[pays] + ((span + 8.0) * SECOND).astype(np.int64), span=span,
        lines=(np.arange(len(pays)), item[which[pays]], np.ones(len(pays), dtype=np.int64)), price=price, coupons=False,
    )  # fmt: skip
    orders.group = which[pays]
    crowd.after(orders, base)
