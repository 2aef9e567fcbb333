"""People who found a leaked coupon in a forum: straight to the coupon, claim, buy, gone."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import ADD, CLAIM, OFFER, PRODUCT
from floorwalker.simulation.access_log._chance import DAY, times_of_day
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile, walk


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    profile = Profile(
        pages=4.0,
        pages_spread=0.7,
        dwell=11.0,
        starts={OFFER: 0.9, PRODUCT: 0.1},
        likes={CLAIM: 9.0, ADD: 3.0},
        focus={OFFER: 1, CLAIM: 1},
        buys=0.3,
        sources={4: 0.1, 1: 0.4, -2: 0.5},
        reloads=0.12,
    )
    day = np.repeat(np.arange(len(daily)), daily)
    is_wave = np.isin(day, town.scenario.promotion_days)
    start = np.where(
        is_wave, day * DAY + 54_000.0 + chance.exponential(2400.0, len(day)), times_of_day(chance, day, "shop")
    )
    actors, who = town.people(chance, len(day), returning=0.1, phones=0.85, webview_share=0.35)
    return Crowd(actors, walk(town.catalogue, chance, profile, who, start, taste=day.astype(np.int64)))


FAMILY = Family(kind="honest", split="report", share=0.015, act=act, category="activity", on_promotion=20.0)
