"""Subscribers of a deal letter: they open the offers from their mail in the morning, and look again on the way home."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import CLAIM, OFFER, PRODUCT
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    profile = Profile(
        pages=2.6,
        pages_spread=0.95,
        dwell=26.0,
        starts={OFFER: 0.85, PRODUCT: 0.15},
        likes={OFFER: 3.5, CLAIM: 3.5},
        focus={OFFER: 3},
        sources={4: 0.8, -2: 0.2},
        buys=0.08,
    )
    who = town.regulars(chance, int(daily.sum()), len(daily), visits_a_day=2.2)
    actors, _ = town.people(chance, int(who.max(initial=0)) + 1, returning=0.0, phones=0.75)
    return town.shoppers(chance, daily, profile, actors, who)


FAMILY = Family(kind="honest", split="report", share=0.05, act=act, on_promotion=3.0)
