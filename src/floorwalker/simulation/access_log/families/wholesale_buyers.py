"""Shops that restock here: long lists, many searches and basket calls in a row, at a brisk pace, in office hours."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import ADD, HOME, LOGIN, PRODUCT, SEARCH
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    profile = Profile(
        pages=50.0,
        pages_spread=0.6,
        dwell=9.0,
        dwell_spread=0.7,
        starts={LOGIN: 0.7, HOME: 0.3},
        likes={SEARCH: 3.0, ADD: 6.0, PRODUCT: 1.5},
        buys=0.7,
    )
    actors, who = town.people(chance, int(daily.sum()), returning=0.75, phones=0.05)
    return town.shoppers(chance, daily, profile, actors, who, habit="office")


FAMILY = Family(kind="honest", split="report", share=0.008, act=act)
