"""Text browsers and very old phones: no scripts, no images, odd user agents, honest people."""

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
    agents = town.agents.draw(chance, "text", max(visits, 1))
    actors, who = town.people(
        chance, visits, returning=0.5, phones=0.1, agents=agents, sends_referrer=0.5, keeps_cookies=0.7
    )
    plain = np.zeros(len(actors), bool)
    return town.shoppers(
        chance,
        daily,
        Profile(pages=8.0, dwell=45.0),
        Actors(**{**actors.__dict__, "fetches_files": plain, "runs_scripts": plain}),
        who,
    )


FAMILY = Family(kind="honest", split="choose", share=0.01, act=act)
