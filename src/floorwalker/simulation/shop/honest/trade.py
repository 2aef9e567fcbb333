"""Customers with a trade account: shops and firms that order many pieces of small things, again and again.

Their baskets, prices, order times and repeat intervals follow Online Retail, whose customers were of that kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.calling import Calls
from floorwalker.simulation.shop.honest.fitted import Floats, Ints, fitted, pick, to_level
from floorwalker.simulation.shop.honest.labels import label_of
from floorwalker.simulation.shop.scenario import DAY, HOUR, MINUTE, SECOND
from floorwalker.simulation.shop.world.segments import place_of

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

SHARE = 0.11
"""Of the customers."""
_ACTIVE = 0.8
"""Share of them that orders within thirty days."""
_CANCELS, _RETURNS = 0.05, 0.3
_BLOCK = 30
_MOST_LINES = 100
_PRICES_ALIKE, _FEWER_PIECES = 1.6, 1.3
"""Times the fitted likeness of prices and link of pieces with lines: what was measured on scores of single lines is too
weak for sums of orders; chosen so that `order_amount` and `amount_by_lines` fit."""


def is_trade(crowd: Crowd) -> NDArray[np.bool_]:
    """bool [k], who has a trade account."""
    people = crowd.people
    chosen = crowd.world.chance.uniform("honest/trade", people.numbers) < SHARE
    return np.asarray((chosen | (people.segment == place_of("bulk_buyer"))) & ~people.guest)


def add_trade(crowd: Crowd) -> None:
    """Their orders: quick forms with many lines, paid like all others."""
    rng, people, scenario = crowd.rng, crowd.people, crowd.world.scenario
    table = fitted().trade
    traders = np.flatnonzero(is_trade(crowd))
    blocks = max(1, round(scenario.days / _BLOCK))
    length = scenario.days / blocks
    person, day, before = [], [], []
    for block in range(blocks):
        active = traders[rng.random(len(traders)) < _ACTIVE * min(1.0, length / _BLOCK + 0.05)]
        number = np.maximum(pick(rng.random(len(active)), table["orders_in_block"]), 1)
        who = np.repeat(active, number)
        turn = np.arange(len(who)) - np.repeat(np.cumsum(number) - number, number)
        gap = np.interp(rng.random(len(who)), fitted().web_pace.levels, table["repeat_days"])
        gap[turn == 0] = 0.0
        total = np.cumsum(gap)
        since = total - np.repeat(total[np.cumsum(number) - number], number)
        longest = np.repeat(np.maximum.reduceat(since, np.cumsum(number) - number) if len(who) else since, number)
        since = np.where(longest > length - 0.5, since * (length - 0.5) / np.maximum(longest, 1e-9), since)
        longest = np.minimum(longest, length - 0.5)
        start = np.repeat(rng.random(len(active)), number) * (length - longest)
        person.append(who)
        day.append(block * length + start + since)
        before.append(np.where(turn == 0, np.inf, gap))
    who, when, gap = np.concatenate(person), np.concatenate(day), np.concatenate(before)
    if not len(who):
        return
    at = _office_hours(crowd, when, gap)
    at = np.clip(at, scenario.first_at + HOUR, scenario.end_at - 10 * MINUTE)
    keep = np.flatnonzero(at > people.joined_at[who])
    who, at = who[keep], at[keep]
    lines, prices = _lines(crowd, len(who))
    span = rng.lognormal(4.6, 0.5, len(who))
    slot = np.zeros(len(who), dtype=np.int64)
    calls = Calls(
        who, at - (span * SECOND).astype(np.int64) - 90 * SECOND, slot, slot, np.zeros(len(who), dtype=np.bool_)
    )
    visit = crowd.open_visits(calls, label=label_of("trade_customer"))
    crowd.log_in(visit, calls, np.arange(len(who)), calls.at)
    crowd.rows.add(visit=visit, person=who, at=calls.at, act=Act.ORDERS_PAGE)
    begin = at - (span * SECOND).astype(np.int64)
    crowd.rows.add(visit=visit, person=who, at=begin, act=Act.CART_PAGE)
    crowd.rows.add(visit=visit, person=who, at=begin + (0.3 * span * SECOND).astype(np.int64), act=Act.CHECKOUT_PAGE)
    base = crowd.ordered
    orders = crowd.order(
        person=who, visit=visit, at=at, span=span, lines=lines, price=prices, coupons=False,
    )  # fmt: skip
    crowd.rows.add(
        visit=visit,
        person=who,
        at=begin - crowd.seconds(1.0, 12.0, len(who)),
        act=Act.ADD,
        order=base + np.arange(len(who)),
        code=1,
    )
    crowd.after(orders, base, returns=0.0, cancel_share=_CANCELS, support_share=0.02, extra_returns=_RETURNS)


def _office_hours(crowd: Crowd, when: Floats, gap: Floats) -> Ints:
    """Times of orders near the wished days, in the hours of the week in which such customers order."""
    rng, scenario = crowd.rng, crowd.world.scenario
    table = fitted().trade["hour_of_week"].reshape(7, 24)
    weekday = np.array([one.weekday() for one in crowd.world.calendar.days])
    days = len(weekday)
    share = table.sum(axis=1)
    wished = np.clip(np.floor(when).astype(np.int64), 0, days - 1)
    # First orders come on any day by its share; later ones as near to their interval as the week allows.
    near = np.clip(wished[:, None] + np.array([-1, 0, 1]), 0, days - 1)
    edges = np.cumsum(share[weekday[near]], axis=1)
    chosen = np.minimum((rng.random(len(when))[:, None] * edges[:, -1:] >= edges).sum(axis=1), 2)
    day = near[np.arange(len(when)), chosen]
    first = np.flatnonzero(np.isinf(gap))
    moved = pick(rng.random(len(first)), share[weekday])
    # Within the same block and, where others follow, not far from where the plan had it.
    alone = np.append(np.isinf(gap[1:]), True)[first]
    day[first[alone]] = moved[alone]
    hours = table / np.maximum(share, 1e-9)[:, None]
    steps = np.cumsum(hours[weekday[day]], axis=1)
    hour = np.minimum((rng.random(len(when))[:, None] * steps[:, -1:] >= steps).sum(axis=1), 23)
    at = scenario.first_at + day * DAY + ((hour + rng.random(len(when))) * HOUR).astype(np.int64) - HOUR
    # An order within half a day of the one before follows it; chains of them are rare, so twice is enough.
    soon = np.flatnonzero(gap < 0.5)
    for _ in range(2):
        at[soon] = at[soon - 1] + (gap[soon] * DAY).astype(np.int64)
    return np.asarray(at)


def _lines(crowd: Crowd, count: int) -> tuple[tuple[Ints, Ints, Ints], Ints]:
    """Items, pieces and prices: orders of many lines have few pieces of each, dear things come in few pieces."""
    rng, shelf = crowd.rng, crowd.shelf
    table = fitted()
    trade = table.trade
    size = rng.standard_normal(count)
    fine = np.linspace(0.0, 1.0, len(trade["lines"]))
    number = np.maximum(1, np.round(np.interp(to_level(size), fine, trade["lines"]))).astype(np.int64)
    number = np.minimum(number, _MOST_LINES)
    order = np.repeat(np.arange(count), number)
    total = len(order)
    alike = np.sqrt(trade["quantity_alike"])
    link = trade["quantity_by_lines"] * _FEWER_PIECES
    bulk = link * size + np.sqrt(1.0 - link**2) * rng.standard_normal(count)
    taste = rng.standard_normal(count)
    between = np.sqrt(trade["price_alike"] * _PRICES_ALIKE)
    # The price belongs to the item: a customer's taste chooses among items of a like price.
    z_price = between * taste[order] + np.sqrt(1.0 - between**2) * rng.standard_normal(total)
    rank = table.trade_popularity.draw(rng.random(total), len(shelf))
    price = np.maximum(1, np.round(_by_rank(z_price, trade["price"]) * 100)).astype(np.int64)
    z = alike * bulk[order] + np.sqrt(1.0 - alike**2) * rng.standard_normal(total)
    # How many pieces goes with the price: dear things come one by one.
    classes = np.searchsorted(trade["price_edges"], price / 100.0, side="right")
    pieces = np.empty(total, dtype=np.int64)
    for one, quantiles in enumerate(trade["quantity"]):
        rows = np.flatnonzero(classes == one)
        pieces[rows] = np.clip(_by_rank(z[rows], quantiles), 1, 5_000)
    return (order, shelf.by_rank[rank], pieces), price


def _by_rank(z: Floats, quantiles: Floats) -> Floats:
    """Values with these quantiles, in the order of `z`: long orders weigh more, so `z` itself is no standard normal."""
    rank = np.empty(len(z))
    rank[np.argsort(z, kind="stable")] = np.arange(len(z))
    place = np.round((rank + 0.5) / max(len(z), 1) * (len(quantiles) - 1)).astype(np.int64)
    return np.asarray(quantiles[np.minimum(place, len(quantiles) - 1)], dtype=np.float64)
