"""Pages inside the shop's or a messenger's app: web views, short visits, no referrer from outside."""

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
    profile = Profile(pages=4.5, dwell=18.0, sources={-2: 0.9, 1: 0.1}, buys=0.05)
    visits = int(daily.sum())
    agents = town.agents.draw(chance, "webview", max(visits, 1))
    actors, who = town.people(chance, visits, returning=0.4, phones=1.0, moving=0.6, agents=agents)
    return town.shoppers(chance, daily, profile, actors, who)


FAMILY = Family(kind="honest", split="choose", share=0.06, act=act, on_promotion=1.0)
