"""People on slow lines: files take seconds, pages are reloaded, dwell times are long."""

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
    profile = Profile(pages=5.0, dwell=60.0, reloads=0.15)
    actors, who = town.people(chance, int(daily.sum()), returning=0.3, phones=0.9, moving=0.9, slow=1.8)
    return town.shoppers(chance, daily, profile, actors, who)


FAMILY = Family(kind="honest", split="report", share=0.03, act=act)
