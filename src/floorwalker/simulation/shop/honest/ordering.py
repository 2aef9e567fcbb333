"""Orders as a table: what is in them, what they cost, with which coupon and card, and whether the bank agrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.shop.honest.calling import choose_slots
from floorwalker.simulation.shop.honest.fitted import Floats, Ints
from floorwalker.simulation.shop.honest.paying import CHECK_FAILS, DECLINED, Payments, plan_payments
from floorwalker.simulation.shop.honest.shelf import RATES, Shelf, in_currency
from floorwalker.simulation.shop.scenario import SECOND

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import People, World

_CHECKED = 0.46
_MOST_PIECES = 40


@dataclass
class Orders:
    """`k` orders of a shard.

    Parameters
    ----------
    person, visit : int64. at : microseconds, when the order is placed. span : float64, seconds from the checkout's
        first page. card : the card tried first. payments : every step of paying.
    line_order, line_item, line_quantity, line_price, line_list : of the lines, sorted by order; prices in the
        customer's currency. number : int64 [k], lines of each order.
    full, saved, listed : amounts in the customer's currency: before coupons, taken off, at list prices.
    offer : place in the table of offers, -1 without a coupon. digital : bool. ship : whose address the parcel goes
        to. group : int64, of a group purchase, -1 without.
    """

    person: Ints
    visit: Ints
    at: Ints
    span: Floats
    card: Ints
    payments: Payments
    line_order: Ints
    line_item: Ints
    line_quantity: Ints
    line_price: Ints
    line_list: Ints
    number: Ints
    full: Ints
    saved: Ints
    listed: Ints
    offer: Ints
    digital: NDArray[np.bool_]
    ship: Ints
    group: Ints

    def __len__(self) -> int:
        return len(self.person)


@dataclass
class Offers:
    """Coupons that anybody may use, as columns.

    Parameters
    ----------
    code, promotion : texts. starts_at, ends_at, percent, discount_minor, least_minor : int64.
    welcome : bool, for first orders. pull : float64, how much it draws.
    """

    code: list[str]
    promotion: list[str]
    starts_at: Ints
    ends_at: Ints
    percent: Ints
    discount_minor: Ints
    least_minor: Ints
    welcome: NDArray[np.bool_]
    pull: Floats


def list_offers(world: World) -> Offers:
    """The coupons of a world, by code."""
    found = [(code, one) for one in world.promotions for code in one.coupons]
    pulls = {"public": 1.0, "welcome": 3.0, "leaked": 3.0, "free_shipping": 0.4}
    return Offers(
        [code for code, _ in found],
        [one.id for _, one in found],
        np.array([one.starts_at for _, one in found], dtype=np.int64),
        np.array([one.ends_at for _, one in found], dtype=np.int64),
        np.array([one.percent for _, one in found], dtype=np.int64),
        np.array([one.discount_minor for _, one in found], dtype=np.int64),
        np.array([one.least_minor for _, one in found], dtype=np.int64),
        np.array([one.kind == "welcome" for _, one in found], dtype=np.bool_),
        np.array([pulls.get(one.kind, 0.5) for _, one in found]),
    )


def rates_of(people: People) -> Floats:
    """The rate of each customer's currency."""
    names = np.array(people.currency, dtype=str)
    made = np.ones(len(names))
    for currency, rate in RATES.items():
        made[names == currency] = rate
    return made


def make_orders(
    world: World,
    shelf: Shelf,
    offers: Offers,
    rng: Generator,
    people: People,
    *,
    person: Ints,
    visit: Ints,
    at: Ints,
    span: Floats,
    lines: tuple[Ints, Ints, Ints],
    price: Ints | None = None,
    declined: Floats | float = DECLINED,
    coupons: bool = True,
    ship: Ints | None = None,
    check_fails: float = CHECK_FAILS,
) -> Orders:
    """Orders out of who wants what when.

    Parameters
    ----------
    at, span : when the order would be placed and how many seconds the checkout takes.
    lines : order, item, quantity of every line, sorted by order.
    price : of each line in the shop's currency; that of the shop's pages at the time without it.
    declined : probability that the bank refuses.
    coupons : whether coupons may be used.
    ship : place of the person whose address the parcel goes to; the buyer's own without it.
    check_fails : probability that the bank's check comes to nothing.
    """
    count = len(person)
    line_order, line_item, line_quantity = lines
    rate = rates_of(people)[person]
    own = shelf.price_at(line_item, at[line_order]) if price is None else price
    listed = shelf.list_price[line_item] if price is None else price
    line_price = in_currency(own, rate[line_order])
    line_list = in_currency(listed, rate[line_order])
    pieces = np.minimum(line_quantity, 10_000)
    full = np.bincount(line_order, weights=line_price * pieces, minlength=count).astype(np.int64)
    total = np.bincount(line_order, weights=line_list * pieces, minlength=count).astype(np.int64)
    physical = np.bincount(line_order, weights=~shelf.digital[line_item], minlength=count)
    offer, saved = (
        _use_coupons(offers, rng, people, person, at, full, rate)
        if coupons
        else (np.full(count, -1), np.zeros(count, dtype=np.int64))
    )
    card = choose_slots(rng, people.card_weight, person)
    has = (people.card_weight > 0).sum(axis=1)[person]
    issue = np.stack([people.cards[slot].issue for slot in range(3)])[card, person]
    checked = np.where(issue >= 0, _CHECKED, 0.0)
    payments = plan_payments(rng, count, declined=declined, cards=has, checked=checked, check_fails=check_fails)
    return Orders(
        person, visit, at.astype(np.int64), span, card, payments, line_order, line_item, pieces, line_price, line_list,
        np.bincount(line_order, minlength=count), full, saved, total, offer, physical == 0,
        person if ship is None else ship, np.full(count, -1),
    )  # fmt: skip


def _use_coupons(
    offers: Offers, rng: Generator, people: People, person: Ints, at: Ints, full: Ints, rate: Floats
) -> tuple[Ints, Ints]:
    """Which coupon each order uses, if any, and what it saves."""
    count = len(person)
    chosen = np.full(count, -1)
    best = np.zeros(count)
    bargain = people.bargain[person]
    fresh = (at - people.joined_at[person]) < 14 * 86_400 * SECOND
    for place in range(len(offers.code)):
        open_now = (at >= offers.starts_at[place]) & (at < offers.ends_at[place])
        open_now &= full >= offers.least_minor[place] * rate
        if offers.welcome[place]:
            open_now &= fresh & ~people.guest[person]
        rows = np.flatnonzero(open_now)
        chance = np.minimum(0.9, (0.03 + 0.45 * bargain[rows]) * offers.pull[place])
        take = rows[rng.random(len(rows)) < chance]
        gain = offers.discount_minor[place] * rate[take] + full[take] * offers.percent[place] / 100.0
        better = gain > best[take]
        chosen[take[better]] = place
        best[take[better]] = gain[better]
    return chosen, np.minimum(best, 0.95 * full).astype(np.int64)
