"""People who love deals: they look in on the offers three times a day, some ten times."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import CLAIM, HOME, OFFER, PRODUCT
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    profile = Profile(
        pages=3.0,
        pages_spread=0.95,
        dwell=22.0,
        starts={OFFER: 0.6, HOME: 0.3, PRODUCT: 0.1},
        likes={OFFER: 4.5, CLAIM: 2.5},
        focus={OFFER: 6},
        buys=0.06,
    )
    who = town.regulars(chance, int(daily.sum()), len(daily), visits_a_day=3.0)
    actors, _ = town.people(chance, int(who.max(initial=0)) + 1, returning=0.0, phones=0.7, webview_share=0.2)
    return town.shoppers(chance, daily, profile, actors, who)


FAMILY = Family(kind="honest", split="choose", share=0.05, act=act, on_promotion=3.0)
