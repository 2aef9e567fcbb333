"""People who prepare a big purchase: long visits, dozens of pages, over several days."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import OTHER, PRODUCT, SEARCH
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    profile = Profile(
        pages=30.0, pages_spread=0.7, dwell=45.0, likes={PRODUCT: 1.6, OTHER: 2.0, SEARCH: 1.5}, tabs=0.15, buys=0.06
    )
    actors, who = town.people(chance, int(daily.sum()), returning=0.55, phones=0.25)
    return town.shoppers(chance, daily, profile, actors, who)


FAMILY = Family(kind="honest", split="report", share=0.025, act=act)
