"""People who open ten products in ten tabs within seconds and then read them one by one."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import CATEGORY, PRODUCT, SEARCH
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    profile = Profile(
        pages=12.0, pages_spread=0.9, dwell=35.0, likes={PRODUCT: 2.5}, starts={CATEGORY: 0.6, SEARCH: 0.4}, tabs=0.75
    )
    actors, who = town.people(chance, int(daily.sum()), returning=0.3, phones=0.1)
    return town.shoppers(chance, daily, profile, actors, who)


FAMILY = Family(kind="honest", split="report", share=0.04, act=act)
