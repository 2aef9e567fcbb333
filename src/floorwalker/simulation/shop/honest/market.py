"""Those who sell, and those who stray: offers of merchants and private sellers, payouts, traps touched by chance.

Adversaries list counterfeits and walk into decoys; were honest people never to do either, the type of an event would
say it all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.calling import choose_times, is_app
from floorwalker.simulation.shop.honest.fitted import Floats, Ints
from floorwalker.simulation.shop.honest.labels import label_of
from floorwalker.simulation.shop.scenario import DAY, HOUR, SECOND
from floorwalker.simulation.shop.world.segments import place_of

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

SELLERS = 0.016
"""Share of the customers who offer something of their own in thirty days."""
OFFERS = 0.42
"""Parameter of the geometric number of items that such a customer offers."""
MERCHANTS_OFFERS = 3.0
"""Items that an ordinary merchant lists in thirty days."""
PAYOUT_DAYS = 7
"""Merchants are paid once in so many days."""
STRAY = 0.00006
"""Share of the visits in which somebody comes upon a trap: a browser that fetches what it may need, or curiosity."""
STRAY_READERS = 0.002
"""The same for those whose screen reader reads out links that nobody sees."""


def add_market(crowd: Crowd) -> None:
    """Offers, payouts, and traps that are touched by people who mean no harm."""
    _add_offers(crowd)
    _add_merchants(crowd)
    _add_strays(crowd)


def _add_offers(crowd: Crowd) -> None:
    """Customers who sell what they have: one thing or a few, at what they think that it is worth."""
    people, rng = crowd.people, crowd.rng
    months = crowd.world.scenario.days / 30.0
    who = np.flatnonzero(~people.guest & (rng.random(len(people)) < SELLERS * months))
    if not len(who):
        return
    count = np.minimum(rng.geometric(OFFERS, len(who)), 12)
    begin = choose_times(crowd.world, rng, people, who, is_app(crowd.world, people)[who, 0])
    person = np.repeat(who, count)
    # One evening, or one after the other over weeks.
    spread = np.repeat(np.where(rng.random(len(who)) < 0.5, 0.02, 6.0), count)
    first = np.cumsum(count) - count
    wait = rng.exponential(1.0, len(person)) * spread * DAY
    wait[first] = 0.0
    total = np.cumsum(wait)
    at = np.repeat(begin, count) + (total - np.repeat(total[first], count)).astype(np.int64)
    at = np.maximum(at, people.joined_at[person] + HOUR)
    item = _wanted(crowd, len(person))
    _list(crowd, person, at, item, share=np.clip(rng.lognormal(-0.22, 0.22, len(person)), 0.2, 1.6))


def _add_merchants(crowd: Crowd) -> None:
    """Merchants list what they sell and are paid for it; each merchant's account is one of the shard's customers."""
    people, rng, scenario = crowd.people, crowd.rng, crowd.world.scenario
    items = crowd.world.items
    names, of_seller = np.unique(np.asarray(items.seller), return_inverse=True)
    owner = (np.arange(len(names)) * 7_919 + 13) % crowd.world.customers
    order = np.argsort(people.numbers)
    place = np.minimum(np.searchsorted(people.numbers, owner, sorter=order), len(order) - 1)
    row = order[place]
    mine = np.flatnonzero((people.numbers[row] == owner) & ~people.guest[row])
    if not len(mine):
        return
    by_seller = np.argsort(of_seller, kind="stable")
    first = np.searchsorted(of_seller[by_seller], np.arange(len(names)))
    size = np.bincount(of_seller, minlength=len(names))
    count = rng.poisson(MERCHANTS_OFFERS * scenario.days / 30.0 * rng.lognormal(-0.3, 0.8, len(mine)))
    which = np.repeat(mine, count)
    if len(which):
        item = by_seller[first[which] + (rng.random(len(which)) * size[which]).astype(np.int64)]
        person = row[which]
        at = choose_times(crowd.world, rng, people, person, is_app(crowd.world, people)[person, 0])
        at = np.maximum(at, people.joined_at[person] + HOUR)
        _list(crowd, person, at, item, share=np.clip(rng.lognormal(0.0, 0.08, len(which)), 0.6, 1.4))
    payouts = np.arange(0, scenario.days // PAYOUT_DAYS) * PAYOUT_DAYS + PAYOUT_DAYS - 1
    who, week = np.repeat(mine, len(payouts)), np.tile(payouts, len(mine))
    at = scenario.first_at + week * DAY + 3 * HOUR + (rng.random(len(who)) * HOUR).astype(np.int64)
    sold = np.round(size[who] * rng.lognormal(8.6, 0.9, len(who)))
    crowd.rows.add(
        visit=np.full(len(who), -1), person=row[who], at=at, act=Act.PAYOUT, item=by_seller[first[who]], value=sold,
        card=0,
    )  # fmt: skip


def _list(crowd: Crowd, person: Ints, at: Ints, item: Ints, *, share: Floats) -> None:
    visit, act_at = crowd.errand(person, at, Act.ACCOUNT_PAGE, label=label_of("seller"))
    pieces = np.ceil(200.0 * crowd.rng.random(len(person)) ** 1.3).astype(np.int64)
    crowd.rows.add(
        visit=visit, person=person, at=act_at, act=Act.LISTING, item=item, value=share, count=np.maximum(pieces, 1)
    )


def _add_strays(crowd: Crowd) -> None:
    """A trap in the middle of an ordinary visit."""
    people, rng = crowd.people, crowd.rng
    calls = crowd.calls[0]
    reads = people.segment[calls.person] == place_of("accessibility")
    some = np.flatnonzero(rng.random(len(calls)) < np.where(reads, STRAY_READERS, STRAY))
    at = calls.at[some] + (rng.lognormal(3.6, 0.9, len(some)) * SECOND).astype(np.int64)
    crowd.rows.add(visit=some, person=calls.person[some], at=at, act=Act.DECOY)


def _wanted(crowd: Crowd, count: int) -> Ints:
    """Items by how wanted they are: people sell what people buy."""
    edges = np.cumsum(np.asarray(crowd.world.items.weight, dtype=np.float64))
    return np.asarray(np.searchsorted(edges, crowd.rng.random(count) * edges[-1]), dtype=np.int64)
