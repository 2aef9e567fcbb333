"""Ordinary customers: they land, look around, compare a little; some put things in the basket, a few buy."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    profile = (
        Profile(pages=7.0, pages_spread=1.15),
        Profile(pages=12.0, pages_spread=1.2, dwell=40.0, dwell_spread=1.2, buys=0.045, reloads=0.03),
    )[town.regime]
    actors, who = town.people(chance, int(daily.sum()), returning=(0.3, 0.42)[town.regime])
    return town.shoppers(chance, daily, profile, actors, who)


FAMILY = Family(kind="honest", split="both", share=0.36, act=act, on_promotion=0.5)
