"""Customers who know what they want: they search, refine, and buy more often than others."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import HOME, PRODUCT, SEARCH
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    profile = (
        Profile(
            pages=8.0, pages_spread=1.0, likes={SEARCH: 3.5}, starts={HOME: 0.4, SEARCH: 0.4, PRODUCT: 0.2}, buys=0.12
        ),
        Profile(
            pages=10.0, likes={SEARCH: 5.0}, starts={HOME: 0.6, SEARCH: 0.25, PRODUCT: 0.15}, buys=0.09, dwell=20.0
        ),
    )[town.regime]
    actors, who = town.people(chance, int(daily.sum()), returning=0.35, phones=0.5)
    return town.shoppers(chance, daily, profile, actors, who)


FAMILY = Family(kind="honest", split="both", share=0.08, act=act, on_promotion=0.6)
