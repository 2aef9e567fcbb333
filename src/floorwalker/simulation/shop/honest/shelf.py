"""The shop's goods and offers as visits need them: items by popularity, prices in a currency, what a coupon gives."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from floorwalker.events.event import NetworkFacts
from floorwalker.simulation.shop.honest.fitted import Ints
from floorwalker.simulation.shop.scenario import DAY

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import World

RATES = {"EUR": 1.0, "GBP": 0.87, "USD": 1.08, "CNY": 7.8, "PLN": 4.28}
"""Main units of a currency for one of the shop's own; prices are converted and end in a 9 of the minor unit."""
HOST = "https://shop.example"
"""Where the shop lives."""
_SHELVES: WeakKeyDictionary[Any, Shelf] = WeakKeyDictionary()


class Shelf:
    """Items and offers of a world.

    Parameters
    ----------
    world : whose.
    """

    def __init__(self, world: World) -> None:
        self.items = world.items
        self.world = world
        self.by_rank: Ints = np.argsort(-np.asarray(world.items.weight), kind="stable").astype(np.int64)
        """Items by popularity over the whole run, the most popular first."""
        shares = np.diff(world.popularity.edges, axis=1, prepend=0.0)
        self._daily: Ints = np.argsort(-shares, axis=1, kind="stable").astype(np.int64)
        self._listed: Ints = (shares > 0).sum(axis=1).astype(np.int64)
        self._ranks: Ints = np.argsort(self._daily, axis=1, kind="stable").astype(np.int64)
        self.price = np.asarray(world.items.price_minor, dtype=np.int64)
        self.list_price = np.asarray(world.items.list_price_minor, dtype=np.int64)
        self.digital = np.asarray(world.items.digital, dtype=np.bool_)
        self._factors = []
        for wrong in world.wrong_prices:
            factor = np.ones(len(self.price))
            factor[wrong.items] = wrong.shares
            self._factors.append(factor)

    def __len__(self) -> int:
        return len(self.by_rank)

    def on_day(self, rank: Ints, at: Ints) -> Ints:
        """Items by their rank of the day, 0 for what is most popular then; none that is not sold yet.

        Parameters
        ----------
        rank : int64 [n], below the number of items. at : int64 [n], microseconds.
        """
        day = self._day(at)
        listed = self._listed[day]
        # Whatever lies behind the last one that is sold stands for one just before it.
        return np.asarray(self._daily[day, np.where(rank >= listed, 2 * listed - 1 - rank, rank)])

    def price_at(self, item: Ints | int, at: Ints | int) -> Ints:
        """Prices of items at times, euro cents: the catalogue's, unless one is wrong just then (`World.wrong_prices`).

        Parameters
        ----------
        item, at : int64 [n], places in the catalogue and microseconds.
        """
        items, times = np.asarray(item), np.asarray(at)
        made = self.price[items]
        for wrong, factor in zip(self.world.wrong_prices, self._factors, strict=True):
            inside = (times >= wrong.starts_at) & (times < wrong.ends_at)
            if inside.any():
                share = np.where(inside, factor[items], 1.0)
                low = (np.round(made * share / 10.0).astype(np.int64) * 10 - 1).clip(1)
                made = np.where(share < 1.0, low, made)
        return np.asarray(made)

    def on_sale(self, number: int) -> int:
        """What the so-manieth flash sale (or drop that names nothing) is about: one of what sells best."""
        return int(self.by_rank[(number * 7) % min(80, len(self))])

    def rank_on(self, item: Ints | int, at: Ints) -> Ints:
        """The ranks of one item, or of one for each time, on the days of these times."""
        return np.asarray(self._ranks[self._day(at), item])

    def _day(self, at: Ints) -> Ints:
        scenario = self.world.scenario
        return np.asarray(np.clip((np.asarray(at) - scenario.first_at) // DAY, 0, scenario.days - 1))

    @cached_property
    def connections(self) -> dict[tuple[str, int], tuple[str, NetworkFacts]]:
        """Addresses already asked for, by network and time."""
        return {}

    @cached_property
    def offers(self) -> dict[str, Any]:
        """The promotion of every coupon's code."""
        return {code: promotion for promotion in self.world.promotions for code in promotion.coupons}

    @cached_property
    def personal(self) -> Any:
        """What a code that only one customer has gives."""
        return next((one for one in self.world.promotions if one.kind in ("personal", "invitation")), None)

    def discount(self, coupons: tuple[str, ...], amount_minor: int, rate: float = 1.0) -> int:
        """What coupons take off an amount, never all of it."""
        total = 0.0
        for code in coupons:
            promotion = self.offers.get(code, self.personal)
            if promotion is None:
                continue
            total += (promotion.discount_minor or 0) * rate + amount_minor * (promotion.percent or 0) / 100.0
        return int(min(total, 0.95 * amount_minor))


def shelf_of(world: World) -> Shelf:
    """The shelf of a world, made once."""
    found = _SHELVES.get(world)
    if found is None:
        found = _SHELVES[world] = Shelf(world)
    return found


def in_currency(price_minor: Any, rate: Any) -> Any:
    """A price or prices of the shop's own currency in another one.

    >>> int(in_currency(1299, 1.0)), int(in_currency(1299, 4.28))
    (1299, 5559)
    """
    other = (np.round(np.asarray(price_minor) * rate / 10.0).astype(np.int64) * 10 - 1).clip(1)
    return np.where(np.asarray(rate) == 1.0, price_minor, other)[()]
