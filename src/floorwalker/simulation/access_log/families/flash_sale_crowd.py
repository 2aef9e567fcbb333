"""The promotion crowd: on the stroke of ten everyone loads the same deal page, reloads, claims a coupon, buys."""

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
    # Superficially just what a seckill script does: one page, many times, within minutes.
    profile = (
        Profile(
            pages=7.0,
            pages_spread=0.9,
            dwell=9.0,
            dwell_spread=1.1,
            starts={OFFER: 0.75, PRODUCT: 0.25},
            buys=0.22,
            likes={OFFER: 3.0, CLAIM: 7.0, ADD: 2.0},
            focus={OFFER: 2, PRODUCT: 3, CLAIM: 1},
            reloads=0.4,
        ),
        Profile(
            pages=9.0,
            pages_spread=0.9,
            dwell=7.0,
            dwell_spread=1.2,
            starts={OFFER: 0.55, PRODUCT: 0.45},
            buys=0.18,
            likes={OFFER: 4.0, CLAIM: 5.0, ADD: 3.0},
            focus={OFFER: 3, PRODUCT: 2, CLAIM: 1},
            reloads=0.5,
        ),
    )[town.regime]
    day = np.repeat(np.arange(len(daily)), daily)
    late = chance.exponential((420.0, 700.0)[town.regime], len(day)) - 150.0 * chance.random(len(day))
    start = np.where(
        np.isin(day, town.scenario.promotion_days), day * DAY + 36_000.0 + late, times_of_day(chance, day, "shop")
    )
    actors, who = town.people(chance, len(day), returning=0.12, phones=0.8, webview_share=0.25)
    # The shop has one deal of the day: everybody's taste is the same.
    steps = walk(town.catalogue, chance, profile, who, start, taste=day.astype(np.int64))
    return Crowd(actors, town.roam(chance, actors, steps))


FAMILY = Family(kind="honest", split="both", share=0.012, act=act, category="activity", on_promotion=60.0)
