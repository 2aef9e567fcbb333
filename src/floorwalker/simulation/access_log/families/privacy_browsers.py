"""People whose browser hides where they come from, blocks scripts and forgets cookies."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._crowd import Actors, Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    visits = int(daily.sum())
    actors, who = town.people(chance, visits, returning=0.3, phones=0.3, sends_referrer=0.0, keeps_cookies=0.35)
    quiet = Actors(
        **{**actors.__dict__, "runs_scripts": chance.random(len(actors)) < 0.3, "is_warm": np.zeros(len(actors), bool)}
    )
    return town.shoppers(chance, daily, Profile(pages=7.0, dwell=32.0), quiet, who)


FAMILY = Family(kind="honest", split="report", share=0.05, act=act)
