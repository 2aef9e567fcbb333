"""What the shop sells: items with prices by category, popularity that drifts, new and scarce ones; and the sellers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.scenario import DAY, Scenario
from floorwalker.simulation.shop.world._tables import Texts, texts


@dataclass(frozen=True)
class Category:
    """A kind of goods.

    Parameters
    ----------
    id : as order lines name it.
    share : of the items.
    price_minor : median price in euro cents.
    spread : standard deviation of the price's logarithm.
    returns : times the usual share of returns.
    digital : delivered at once, nothing to ship.
    """

    id: str
    share: float
    price_minor: int
    spread: float
    returns: float = 1.0
    digital: bool = False


CATEGORIES: tuple[Category, ...] = (
    Category("home", 0.2, 1_290, 0.85), Category("kitchen", 0.12, 1_690, 0.8),
    Category("clothing", 0.17, 2_990, 0.6, 3.2), Category("shoes", 0.06, 5_990, 0.5, 3.6),
    Category("beauty", 0.1, 1_190, 0.6, 0.3), Category("toys", 0.09, 1_790, 0.7, 0.6),
    Category("electronics", 0.09, 3_990, 1.0, 1.1), Category("phones", 0.02, 34_900, 0.55, 0.9),
    Category("sports", 0.06, 2_890, 0.8, 1.4), Category("garden", 0.05, 1_990, 0.9, 0.7),
    Category("grocery", 0.035, 590, 0.6, 0.05), Category("gift_card", 0.003, 2_500, 0.5, 0.0, True),
    Category("software", 0.002, 2_990, 0.7, 0.0, True),
)  # fmt: skip

CATEGORY_IDS: tuple[str, ...] = tuple(category.id for category in CATEGORIES)


@dataclass
class Items:
    """All items as columns, shape [items].

    Parameters
    ----------
    id, seller, title : `str`.
    category : int64, places in `CATEGORIES`.
    seller_number : int64, places in `World.sellers`.
    price_minor, list_price_minor : int64, euro cents; the list price is what is crossed out.
    weight : float64, popularity on average over the run, summing to 1.
    scarce : bool, sold in drops with few pieces.
    digital : bool.
    listed_at : int64, before the run for most.
    stars : float64 in 0 to 1, what its quality deserves.
    returns : float64, times a customer's share of returns.
    """

    id: Texts
    seller: Texts
    seller_number: NDArray[np.int64]
    category: NDArray[np.int64]
    price_minor: NDArray[np.int64]
    list_price_minor: NDArray[np.int64]
    weight: NDArray[np.float64]
    scarce: NDArray[np.bool_]
    digital: NDArray[np.bool_]
    title: Texts
    listed_at: NDArray[np.int64]
    stars: NDArray[np.float64]
    returns: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.id)


@dataclass
class Sellers:
    """Who sells: the shop itself (number 0) and the merchants of its marketplace.

    Parameters
    ----------
    id : `str` [sellers].
    share : float64, of the items.
    quality : float64 in 0 to 1.
    joined_at : int64.
    """

    id: Texts
    share: NDArray[np.float64]
    quality: NDArray[np.float64]
    joined_at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.id)


def make_sellers(scenario: Scenario, chance: Chance, count: int) -> Sellers:
    """The sellers of a shop with that many."""
    numbers = np.arange(count)
    share = 1.0 / (numbers + 2.0)
    share[0] = share[1:].sum() * 0.7  # the shop's own goods: two items in five
    age = 30 + 1_500 * chance.uniform("seller/age", numbers)
    young = chance.uniform("seller/young", numbers) < 0.08
    age = np.where(young, 60 * chance.uniform("seller/age 2", numbers), age)
    return Sellers(
        texts(["s" + name for name in chance.names("seller", numbers, 8)]),
        share / share.sum(),
        np.clip(0.82 + 0.1 * chance.normal("seller/quality", numbers), 0.2, 1.0),
        scenario.first_at - (age * DAY).astype(np.int64),
    )


_ENDINGS = np.array([99, 95, 90, 49, 0, 50])
_ENDING_SHARES = (0.47, 0.16, 0.12, 0.1, 0.11, 0.04)
_POPULARITY = 0.88
"""Exponent of Zipf's law."""


def make_items(scenario: Scenario, chance: Chance, count: int, sellers: Sellers, titles: Texts | None = None) -> Items:
    """The catalogue. `titles` may be given later; they do not change anything else."""
    numbers = np.arange(count)
    category = chance.choice("item/category", numbers, [one.share for one in CATEGORIES])
    # Of the rare kinds a small shop has a few as well.
    category[:3] = CATEGORY_IDS.index("gift_card")
    category[3:5] = CATEGORY_IDS.index("software")
    category[5:7] = CATEGORY_IDS.index("phones")
    median = np.array([one.price_minor for one in CATEGORIES])[category]
    spread = np.array([one.spread for one in CATEGORIES])[category]
    price = median * np.exp(spread * chance.normal("item/price", numbers))
    ending = _ENDINGS[chance.choice("item/ending", numbers, _ENDING_SHARES)]
    price_minor = np.maximum((price // 100).astype(np.int64) * 100 + ending, 99)
    cards = category == CATEGORY_IDS.index("gift_card")
    price_minor = np.where(cards, np.array([1_000, 2_500, 5_000, 10_000])[numbers % 4], price_minor)
    marked = chance.uniform("item/marked", numbers) < 0.34
    raised = price_minor * (1.1 + 0.5 * chance.uniform("item/raise", numbers))
    list_price = np.where(marked & ~cards, (raised // 100).astype(np.int64) * 100 + 99, price_minor)
    rank = np.argsort(np.argsort(chance.words("item/rank", numbers)))
    weight = 1.0 / (rank + 3.0) ** _POPULARITY
    weight *= np.exp(-0.1 * (np.log(np.maximum(price_minor, 1)) - 7.4))  # what is dear sells less
    seller = chance.choice("item/seller", numbers, sellers.share)
    seller[cards] = 0
    scarce = (chance.uniform("item/scarce", numbers) < 0.004) & ~cards
    scarce[7:10] = True
    fresh = chance.uniform("item/fresh", numbers) < 0.06
    age = np.where(
        fresh, -chance.uniform("item/new", numbers) * scenario.days, 20 + 700 * chance.uniform("item/age", numbers)
    )
    stars = np.clip(sellers.quality[seller] + 0.09 * chance.normal("item/stars", numbers), 0.15, 1.0)
    return Items(
        id=texts(["i" + name for name in chance.names("item", numbers, 8)]),
        seller=sellers.id[seller],
        seller_number=seller,
        category=category,
        price_minor=price_minor,
        list_price_minor=list_price,
        weight=weight / weight.sum(),
        scarce=scarce,
        digital=np.array([one.digital for one in CATEGORIES])[category],
        title=titles if titles is not None else texts([""] * count),
        listed_at=scenario.first_at - (age * DAY).astype(np.int64),
        stars=stars,
        returns=np.array([one.returns for one in CATEGORIES])[category],
    )


class Popularity:
    """How popular items are on each day: a slow drift of each, none before it is listed, a rush when it is new.

    Parameters
    ----------
    scenario, chance, items : of the world.

    Attributes
    ----------
    edges : float64 [days, items], running sums of the day's shares, for `draw`.
    """

    def __init__(self, scenario: Scenario, chance: Chance, items: Items) -> None:
        numbers = np.arange(len(items))
        phase = 2 * np.pi * chance.uniform("drift/phase", numbers)
        size = 0.25 + 0.35 * chance.uniform("drift/size", numbers)
        slope = 0.5 * chance.normal("drift/slope", numbers)
        self.edges: NDArray[np.float64] = np.empty((scenario.days, len(items)))
        for day in range(scenario.days):
            at = scenario.first_at + day * DAY
            along = day / max(scenario.days - 1, 1) - 0.5
            weight = items.weight * np.exp(size * np.sin(phase + 2 * np.pi * day / 17.0) + slope * along)
            age = (at - items.listed_at) / DAY
            weight = np.where(age < -1, 0.0, np.where(age < 6, weight * 2.2, weight))
            edges = np.cumsum(weight)
            self.edges[day] = edges / edges[-1]
        self._first, self._days = scenario.first_at, scenario.days

    def draw(self, uniform: NDArray[np.float64], at: NDArray[np.int64]) -> NDArray[np.int64]:
        """An item for each draw in [0, 1), as popular as it is on the day of `at`."""
        day = np.clip((np.asarray(at) - self._first) // DAY, 0, self._days - 1)
        made = np.empty(len(day), dtype=np.int64)
        for one in np.unique(day).tolist():
            rows = np.flatnonzero(day == one)
            made[rows] = np.searchsorted(self.edges[one], uniform[rows], side="right")
        return np.asarray(np.minimum(made, self.edges.shape[1] - 1), dtype=np.int64)
