"""The shop's own support: all day from one office, product after product, accounts, baskets."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import LOGIN, OTHER, PRODUCT, SEARCH
from floorwalker.simulation.access_log._chance import times_of_day
from floorwalker.simulation.access_log._crowd import Crowd, make_actors
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile, walk


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    visits = int(daily.sum())
    desks = max(2, visits // (6 * len(daily)))
    gate = town.addresses.office(chance, 1)
    images = town.agents.draw(chance, "desktop", 6)
    actors = make_actors(np.repeat(gate, desks), images[chance.integers(0, 6, desks)], is_warm=True)
    profile = Profile(
        pages=14.0,
        pages_spread=0.8,
        dwell=40.0,
        starts={LOGIN: 0.4, SEARCH: 0.4, PRODUCT: 0.2},
        likes={OTHER: 5.0, SEARCH: 2.5},
        buys=0.05,
        sources={-2: 1.0},
    )
    start = times_of_day(chance, np.repeat(np.arange(len(daily)), daily), "office")
    return Crowd(actors, walk(town.catalogue, chance, profile, chance.integers(0, desks, visits), start))


FAMILY = Family(kind="honest", split="report", share=0.008, act=act)
