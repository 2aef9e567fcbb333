"""People who look at one page, or two, and leave."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import CATEGORY, HOME, OTHER, PRODUCT
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    profile = (
        Profile(pages=1.0, pages_spread=0.3, buys=0.0, starts={HOME: 0.25, PRODUCT: 0.5, CATEGORY: 0.2, OTHER: 0.05}),
        Profile(
            pages=1.2,
            pages_spread=0.4,
            buys=0.0,
            dwell=15.0,
            starts={HOME: 0.15, PRODUCT: 0.6, CATEGORY: 0.15, OTHER: 0.1},
        ),
    )[town.regime]
    actors, who = town.people(chance, int(daily.sum()), returning=0.08, phones=0.74, webview_share=0.25)
    return town.shoppers(chance, daily, profile, actors, who)


FAMILY = Family(kind="honest", split="both", share=0.16, act=act, category="random", on_promotion=0.3)
