"""Inventory denial: scarce things go into baskets again and again and are never bought: nobody else gets them."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import cover, crowd_of, daily_operators, disguise, script
from floorwalker.simulation.access_log._catalogue import ADD, BASKET, PRODUCT
from floorwalker.simulation.access_log._chance import renewals
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = daily_operators(town, chance, daily, habit="flat", hours=16.0)
    actors = disguise(town, chance, crew.skill, np.arange(len(crew)))
    gap = crew.by_skill((240.0, 420.0, 700.0, 880.0)) * np.exp(chance.normal(0, 0.15, len(crew)))
    stays = crew.by_skill((14.0, 12.0, 10.0, 9.0)) * 3600.0
    rows, at = renewals(chance, crew.start, crew.start + stays, gap, crew.by_skill((0.02, 0.1, 0.25, 0.4)))
    steps = script(
        town, chance, rows, at, (PRODUCT, ADD, BASKET), chances=(0.4, 1.0, 0.4), focus={PRODUCT: 2, ADD: 1}, pause=2.0
    )
    return crowd_of(actors, steps, cover(town, chance, crew, visits_a_day=0.8))


FAMILY = Family(kind="hunter", split="report", share=0.8, act=act, category="activity", on_promotion=1.5)
