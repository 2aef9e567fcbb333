"""What happens in a visit: pages, searches, carts, the way to an order; for any number of visits at once.

The views of items (on the web) or views, carts and purchases (in the app) are the skeleton: their number, their pauses
and their order follow real shops. Everything else (home page, categories, searches, cart, checkout, log-in) lies in the
pauses of the skeleton, so that it changes none of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.fitted import Floats, Ints, fitted, pick

Bools = NDArray[np.bool_]
NATURAL, LOOK, HOLD, BUY = 0, 1, 2, 3
"""What a visit is for: whatever comes, only looking, filling the cart and leaving, buying."""
_VIEW, _CART, _BUY = 0, 1, 2
_NO_ITEM, _ONE_ITEM = 0.12, 0.14
"""Shares of web visits with no and with one view of an item: YooChoose's sample has only longer ones."""
_LINES = np.array([0.74, 0.16, 0.06, 0.03, 0.01])
_LONGEST = 160
MOST_LINES = 100
"""Lines of one order at the most, as in a form of trade customers."""
_REVISIT_GROWTH = np.array([1.0, 1.03, 1.06, 1.08, 1.1])
"""How much more often items are seen again at later places of a visit."""
_PACE_SPREAD = 0.32
"""Standard deviation of the logarithm of the customers' pace, as the world draws it."""
_OWN_PACE = 0.45
"""Correlation of a visit's pace with its customer's."""


@dataclass
class Skeleton:
    """Views, carts and purchases of `n` visits, flattened to `m` rows in the order of visits and times.

    Parameters
    ----------
    visit : int64 [m]. place : int64 [m], from 0. kind : int64 [m], view, cart or buy. at : float64 [m], seconds since
        the first page. gap : float64 [m], seconds since the row before. item : int64 [m].
    count : int64 [n], rows of each visit.
    """

    visit: Ints
    place: Ints
    kind: Ints
    at: Floats
    gap: Floats
    item: Ints
    count: Ints


@dataclass
class Plan:
    """What `n` visits do.

    Parameters
    ----------
    visit, act, item, order : int64 [m]; item and order are -1 where there is none. at : float64 [m], seconds since the
        visit's begin; rows are in the order of visits and times.
    order_visit : int64 [k]. order_at, order_span : float64 [k]; `order_span` seconds before it the checkout began.
    line_order, line_item, line_quantity : int64 [l].
    """

    visit: Ints
    at: Floats
    act: Ints
    item: Ints
    order: Ints
    order_visit: Ints
    order_at: Floats
    order_span: Floats
    line_order: Ints
    line_item: Ints
    line_quantity: Ints


def plan_visits(
    rng: Generator,
    app: Bools,
    *,
    items: int,
    intent: Ints | None = None,
    pace: Floats | float = 1.0,
    hurry: Floats | float = 1.0,
    keen: Floats | float = 1.0,
    wanted: tuple[Ints, Ints] | None = None,
) -> Plan:
    """Draw what visits do.

    Parameters
    ----------
    rng : the only source of chance.
    app : bool [n], visits in the app; the others are on the web.
    items : how many items the shop has; the plan names them by popularity rank, 0 first.
    intent : int64 [n], one of `NATURAL`, `LOOK`, `HOLD`, `BUY`.
    pace : the persons' usual pauses: a part of how visits differ, so that all together stay as they are.
    hurry : times the pauses of this visit.
    keen : times the usual probability to buy, for weekdays and promotion days.
    wanted : rows of (visit, item): items that the visit is for, bought where it buys.
    """
    count = len(app)
    aims = np.zeros(count, dtype=np.int64) if intent is None else intent
    buys = _will_buy(rng, app, aims, np.broadcast_to(np.asarray(keen, dtype=np.float64), count))
    slow = np.clip(np.log(np.broadcast_to(np.asarray(pace, dtype=np.float64), count)) / _PACE_SPREAD, -4.0, 4.0)
    skeleton = _skeleton(rng, app, aims, buys, slow, items)
    if not (np.isscalar(hurry) and hurry == 1.0):
        times = np.broadcast_to(np.asarray(hurry, dtype=np.float64), count)[skeleton.visit]
        skeleton.at *= times
        skeleton.gap *= times
    if wanted is not None and len(wanted[0]):
        _put_wanted(skeleton, wanted)
    return _dress(rng, skeleton, app, aims, buys)


def _count_shares() -> tuple[Floats, Floats]:
    """Shares of the numbers of item views of web visits, and the probability to buy by that number."""
    table = fitted()
    shares = np.concatenate([[_NO_ITEM, _ONE_ITEM], (1.0 - _NO_ITEM - _ONE_ITEM) * table.web["count_share"][2:]])
    middle = (np.cumsum(shares) - shares / 2) / shares.sum()
    chance = np.interp(middle, (np.arange(5) + 0.5) / 5, table.purchase["by_fifth"])
    chance[0] = 0.0
    return shares, chance


def _will_buy(rng: Generator, app: Bools, aims: Ints, keen: Floats) -> Bools:
    """Web visits that end in an order; the app's own chain decides for the others."""
    shares, chance = _count_shares()
    usual = float((shares * chance).sum() / shares.sum())
    draw = rng.random(len(app)) < usual * keen
    return np.where(aims == BUY, True, np.where(aims == NATURAL, draw & ~app, False))


def _skeleton(rng: Generator, app: Bools, aims: Ints, buys: Bools, slow: Floats, items: int) -> Skeleton:
    table = fitted()
    shares, chance = _count_shares()
    level = rng.random(len(app))
    looking = pick(level, shares * (1 - chance))
    buying = pick(level, shares * chance)
    number = np.where(app, pick(level, table.app["count_share"]), np.where(buys, buying, looking))
    number = np.minimum(number, _LONGEST)
    number[(aims >= HOLD) & (number < 1)] = 1
    visit = np.repeat(np.arange(len(app)), number)
    first = np.cumsum(number) - number
    place = np.arange(len(visit)) - first[visit]
    kind = _kinds(rng, app, aims, number, first, len(visit))
    z = _OWN_PACE * slow + np.sqrt(1.0 - _OWN_PACE**2) * rng.standard_normal(len(app))
    in_app = app[visit]
    gap = np.where(
        in_app,
        table.app_pace.gaps(z[visit], place, rng, table.app["gap_shift"][kind]),
        table.web_pace.gaps(z[visit], place, rng),
    )
    # Before the first item come the first pages.
    gap[place == 0] = (rng.random(int((place == 0).sum())) < 0.75) * rng.lognormal(2.6, 0.9, int((place == 0).sum()))
    total = np.cumsum(gap)
    start = np.concatenate([[0.0], total])[first]
    at = total - start[visit]
    item = _items(rng, visit, place, kind, first, in_app, items)
    return Skeleton(visit, place, kind, at, gap, item, number)


def _kinds(rng: Generator, app: Bools, aims: Ints, number: Ints, first: Ints, rows: int) -> Ints:
    """Views, carts and purchases of app visits, one step of all visits after the other; web visits only view."""
    kind = np.zeros(rows, dtype=np.int64)
    table = fitted().app
    alive = np.flatnonzero(app & (number > 0))
    natural = aims[alive] == NATURAL
    state = np.where(natural, pick(rng.random(len(alive)), table["first_kind"]), _VIEW)
    steps = np.cumsum(table["next_kind"], axis=1)
    step = 0
    while len(alive):
        kind[first[alive] + step] = state
        step += 1
        stay = number[alive] > step
        alive, state = alive[stay], state[stay]
        draw = rng.random(len(alive))
        state = np.minimum((draw[:, None] >= steps[state]).sum(axis=1), _BUY)
        state[(aims[alive] == LOOK)] = _VIEW
        state[(aims[alive] >= HOLD) & (state == _BUY)] = _VIEW
    last = first + number - 1
    forced = app & (aims == BUY)
    kind[last[forced]] = _BUY
    kind[last[app & (aims == HOLD)]] = _CART
    return kind


def _items(rng: Generator, visit: Ints, place: Ints, kind: Ints, first: Ints, in_app: Bools, items: int) -> Ints:
    """Items by popularity rank: new ones, the one before again, an earlier one again; carts hold what was viewed."""
    table = fitted()
    rows = len(visit)
    classes = np.searchsorted(table.web_pace.places, np.maximum(place, 1), side="right") - 1
    visits = int(visit[-1]) + 1 if rows else 0
    # Some compare and come back, others never do: the inclination belongs to the visit.
    inclined = np.where(in_app, rng.beta(0.55, 4.2, visits)[visit], rng.beta(1.35, 2.95, visits)[visit])
    usual = np.where(in_app[:, None], table.app["revisit"][classes], table.web["revisit"][classes])
    again = np.minimum(inclined * _REVISIT_GROWTH[classes], 0.97)
    draw, where = rng.random(rows), rng.random(rows)
    share = usual[:, 0] / usual.sum(axis=1)
    acts = kind != _VIEW
    held = table.app["held"][kind]
    same = np.where(acts, draw < held[:, 0], draw < again * share)
    earlier = np.where(acts, draw < held.sum(axis=1), draw < again) & ~same
    here = np.arange(rows)
    back = first[visit] + (where * np.maximum(place - 1, 0)).astype(np.int64)
    source = np.where(same, here - 1, np.where(earlier & (place > 1), back, here))
    source = np.where(place == 0, here, source)
    while True:
        further = source[source]
        if np.array_equal(further, source):
            break
        source = further
    own = table.web_popularity.draw(rng.random(rows), items)
    return own[source]


def _put_wanted(skeleton: Skeleton, wanted: tuple[Ints, Ints]) -> None:
    """The last views of a visit are of the items that it is for."""
    visit, item = wanted
    order = np.argsort(visit, kind="stable")
    visit, item = visit[order], item[order]
    last = np.cumsum(skeleton.count) - 1
    turn = np.arange(len(visit)) - np.searchsorted(visit, visit)
    fits = turn < skeleton.count[visit]
    skeleton.item[(last[visit] - turn)[fits]] = item[fits]


def _dress(rng: Generator, bones: Skeleton, app: Bools, aims: Ints, buys: Bools) -> Plan:
    """Everything around the skeleton."""
    count = len(app)
    ends = np.zeros(count)
    np.maximum.at(ends, bones.visit, bones.at)
    views = bones.kind == _VIEW
    parts: list[tuple[Ints, Floats, int | Ints, Ints, Ints]] = []
    none = np.full(0, -1)

    def add(visit: Ints, at: Floats, act: int | Ints, item: Ints | None = None, order: Ints | None = None) -> None:
        parts.append((visit, at, act, none if item is None else item, none if order is None else order))

    add(bones.visit[views], bones.at[views], Act.ITEM, bones.item[views])
    # The first page, unless the visit begins at an item.
    starts = np.full(count, np.inf)
    np.minimum.at(starts, bones.visit, bones.at)
    landing = pick(rng.random(count), np.array([0.42, 0.3, 0.16, 0.12]))
    begins = np.flatnonzero(starts > 0.0)
    add(begins, np.zeros(len(begins)), np.array([Act.HOME, Act.CATEGORY, Act.SEARCH, Act.OFFERS_PAGE])[landing[begins]])
    # Categories and searches between two items.
    between = (
        (bones.gap > 4.0)
        & (bones.place > 0)
        & views
        & (rng.random(len(views)) < np.where(app[bones.visit], 0.16, 0.42))
    )
    rows = np.flatnonzero(between)
    share = rng.uniform(0.35, 0.9, len(rows))
    listing = np.where(rng.random(len(rows)) < 0.62, Act.CATEGORY, Act.SEARCH)
    add(bones.visit[rows], bones.at[rows] - share * np.minimum(bones.gap[rows], 90.0), listing)
    orders = _orders(rng, bones, app, buys)
    order_visit, order_at, order_span, line_order, line_item = orders
    # Carts of the app, and what web visitors put into theirs.
    carts = np.flatnonzero(bones.kind == _CART)
    add(bones.visit[carts], bones.at[carts], Act.ADD, bones.item[carts])
    held = views & ~app[bones.visit] & ~buys[bones.visit] & (rng.random(len(views)) < 0.055)
    last = np.zeros(len(views), dtype=np.bool_)
    if len(views):
        last[np.cumsum(bones.count)[bones.count > 0] - 1] = True
    held |= last & views & (aims[bones.visit] == HOLD)
    rows = np.flatnonzero(held)
    follow = np.append(bones.gap[1:], 30.0)
    follow[last] = 30.0
    add(
        bones.visit[rows],
        bones.at[rows] + rng.uniform(0.15, 0.6, len(rows)) * np.minimum(follow[rows], 60.0),
        Act.ADD,
        bones.item[rows],
    )
    web_line = ~app[order_visit[line_order]] if len(line_order) else np.zeros(0, dtype=np.bool_)
    rows = np.flatnonzero(web_line)
    begun = order_at[line_order[rows]] - order_span[line_order[rows]]
    add(
        order_visit[line_order[rows]],
        begun - rng.uniform(0.5, 12.0, len(rows)) - rng.random(len(rows)),
        Act.ADD,
        line_item[rows],
    )
    add(order_visit, order_at - order_span * 0.98, Act.CART_PAGE, None, np.arange(len(order_visit)))
    add(order_visit, order_at - order_span * 0.75, Act.CHECKOUT_PAGE, None, np.arange(len(order_visit)))
    add(
        order_visit,
        order_at + rng.uniform(0.2, 1.5, len(order_visit)),
        Act.THANKS_PAGE,
        None,
        np.arange(len(order_visit)),
    )
    # Account, orders, help: alone or beside the rest.
    np.maximum.at(ends, order_visit, order_at)
    for act, chance in (
        (Act.ACCOUNT_PAGE, 0.06),
        (Act.ORDERS_PAGE, 0.08),
        (Act.HELP_PAGE, 0.03),
        (Act.OFFERS_PAGE, 0.05),
    ):
        some = np.flatnonzero(rng.random(count) < chance)
        add(some, ends[some] + rng.lognormal(2.9, 0.9, len(some)), act)
    lines = pick(rng.random(len(line_order)), np.array([0.86, 0.09, 0.03, 0.01, 0.01])) + 1
    visit = np.concatenate([part[0] for part in parts]).astype(np.int64)
    at = np.maximum(np.concatenate([part[1] for part in parts]), 0.0)
    acts = np.concatenate([np.broadcast_to(np.asarray(part[2], dtype=np.int64), len(part[0])) for part in parts])
    item = np.concatenate([part[3] if len(part[3]) else np.full(len(part[0]), -1) for part in parts])
    order = np.concatenate([part[4] if len(part[4]) else np.full(len(part[0]), -1) for part in parts])
    by = np.lexsort((at, visit))
    return Plan(
        visit[by], at[by], acts[by].astype(np.int64), item[by].astype(np.int64), order[by].astype(np.int64),
        order_visit, order_at, order_span, line_order, line_item, lines,
    )  # fmt: skip


def _orders(rng: Generator, bones: Skeleton, app: Bools, buys: Bools) -> tuple[Ints, Floats, Floats, Ints, Ints]:
    """Orders with their lines: runs of purchases in the app; on the web the last items, after the last view."""
    # App: the first purchase of a run is the order, the others are its further lines.
    bought = np.flatnonzero(bones.kind == _BUY)
    fresh = np.ones(len(bought), dtype=np.bool_)
    if len(bought) > 1:
        fresh[1:] = (np.diff(bought) > 1) | (np.diff(bones.visit[bought]) > 0)
        # A run without end becomes several orders: no form takes more lines.
        runs = np.flatnonzero(fresh)
        since = np.arange(len(bought)) - np.repeat(runs, np.diff(np.append(runs, len(bought))))
        fresh |= since % MOST_LINES == 0
    heads = bought[fresh]
    app_line_order = np.cumsum(fresh) - 1
    span = np.minimum(np.where(bones.place[heads] > 0, bones.gap[heads], 45.0), rng.lognormal(4.0, 0.6, len(heads)))
    # Web: what was viewed last.
    ends = np.cumsum(bones.count) - 1
    web = np.flatnonzero(buys & ~app & (bones.count > 0))
    number = np.minimum(pick(rng.random(len(web)), _LINES) + 1, bones.count[web])
    row = np.repeat(ends[web], number) - (np.arange(int(number.sum())) - np.repeat(np.cumsum(number) - number, number))
    web_order = np.repeat(np.arange(len(web)), number)
    first_time = np.ones(len(row), dtype=np.bool_)
    if len(row):
        pairs = web_order * (int(bones.item.max()) + 1) + bones.item[row]
        first_time[:] = False
        first_time[np.unique(pairs, return_index=True)[1]] = True
    thinking = rng.lognormal(2.7, 0.8, len(web))
    web_span = rng.lognormal(4.35, 0.55, len(web))
    visits = np.concatenate([bones.visit[heads], web])
    at = np.concatenate([bones.at[heads], bones.at[ends[web]] + thinking + web_span])
    line_order = np.concatenate([app_line_order, len(heads) + web_order[first_time]])
    line_item = np.concatenate([bones.item[bought], bones.item[row[first_time]]])
    return visits, at, np.concatenate([span, web_span]), line_order, line_item
