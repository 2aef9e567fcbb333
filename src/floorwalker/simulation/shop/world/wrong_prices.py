"""Prices that are mistakes: for a few hours a file of wrong prices is live, some far too low, most a little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.world.calendar import Calendar
from floorwalker.simulation.shop.world.catalogue import Items

LOWEST, HIGHEST = 0.08, 0.92
"""Shares of the right price that are asked."""
_EACH, _FEWEST, _MOST = 12, 12, 600
"""One item in so many is wrong; how many at least and at the most."""


@dataclass(frozen=True)
class WrongPrices:
    """What is wrongly priced in one `price_error` moment.

    Parameters
    ----------
    starts_at, ends_at : microseconds; the end is excluded.
    items : int64 [m], places in the catalogue, no digital ones.
    shares : float64 [m], of the right price, rising: the greatest mistake first.
    """

    starts_at: int
    ends_at: int
    items: NDArray[np.int64]
    shares: NDArray[np.float64]


def make_wrong_prices(chance: Chance, items: Items, calendar: Calendar) -> tuple[WrongPrices, ...]:
    """One list for each `price_error` of the calendar; no item stands on two of them."""
    moments = calendar.of_kind("price_error")
    rng = chance.generator("price error")
    places = np.flatnonzero(~items.digital)
    count = min(int(np.clip(len(items) // _EACH, _FEWEST, _MOST)), len(places) // max(len(moments), 1))
    weight = np.sqrt(items.weight[places])
    drawn = rng.choice(places, count * len(moments), replace=False, p=weight / weight.sum())
    made = []
    for number, moment in enumerate(moments):
        shares = np.sort(LOWEST + (HIGHEST - LOWEST) * rng.beta(1.7, 0.9, count)).round(2)
        made.append(WrongPrices(moment.starts_at, moment.ends_at, drawn[number * count : (number + 1) * count], shares))
    return tuple(made)
