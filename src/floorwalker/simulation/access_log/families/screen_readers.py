"""People with accessibility tools: a browser that loads no pictures, a steady slow walk through every link."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import CATEGORY, OTHER
from floorwalker.simulation.access_log._crowd import Actors, Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    visits = int(daily.sum())
    actors, who = town.people(chance, visits, returning=0.5, phones=0.3)
    quiet = Actors(
        **{**actors.__dict__, "fetches_files": np.zeros(len(actors), bool), "runs_scripts": np.ones(len(actors), bool)}
    )
    profile = Profile(pages=12.0, pages_spread=0.8, dwell=70.0, dwell_spread=0.5, likes={CATEGORY: 1.8, OTHER: 2.0})
    return town.shoppers(chance, daily, profile, quiet, who)


FAMILY = Family(kind="honest", split="report", share=0.01, act=act)
