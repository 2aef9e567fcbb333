"""People who want one sold-out thing: they reload its page a few times, come back in the evening, and reload again."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import CATEGORY, PRODUCT
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    profile = Profile(
        pages=4.5,
        pages_spread=0.9,
        dwell=14.0,
        dwell_spread=1.2,
        starts={PRODUCT: 1.0},
        likes={PRODUCT: 2.0, CATEGORY: 0.3},
        focus={PRODUCT: 1},
        reloads=0.62,
        buys=0.03,
    )
    who = town.regulars(chance, int(daily.sum()), len(daily), visits_a_day=2.6)
    actors, _ = town.people(chance, int(who.max(initial=0)) + 1, returning=0.0)
    return town.shoppers(chance, daily, profile, actors, who)


FAMILY = Family(kind="honest", split="choose", share=0.02, act=act, on_promotion=1.5)
