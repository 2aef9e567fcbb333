"""People in the shop's app: its web views and its calls share a phone's address."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import HOME, OFFER, PRODUCT
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    profile = Profile(pages=7.0, dwell=16.0, starts={HOME: 0.5, OFFER: 0.2, PRODUCT: 0.3}, sources={-2: 1.0}, buys=0.07)
    visits = int(daily.sum())
    agents = town.agents.draw(chance, "webview", max(visits, 1))
    actors, who = town.people(chance, visits, returning=0.65, phones=1.0, moving=0.7, agents=agents)
    return town.shoppers(chance, daily, profile, actors, who)


FAMILY = Family(kind="honest", split="report", share=0.05, act=act)
