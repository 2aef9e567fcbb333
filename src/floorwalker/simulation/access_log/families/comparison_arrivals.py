"""People whom a price comparison sends straight to a product: they check it, perhaps one more, and go back."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import PRODUCT
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    profile = Profile(
        pages=1.6,
        pages_spread=0.8,
        dwell=30.0,
        starts={PRODUCT: 1.0},
        likes={PRODUCT: 2.0},
        buys=0.05,
        sources={3: 0.95, -2: 0.05},
    )
    actors, who = town.people(chance, int(daily.sum()), returning=0.25, phones=0.5)
    return town.shoppers(chance, daily, profile, actors, who)


FAMILY = Family(kind="honest", split="choose", share=0.05, act=act)
