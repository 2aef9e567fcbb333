"""Restock bots: they reload sold-out product pages and ask for availability until the thing is back, then buy it."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import (
    cover,
    crowd_of,
    disguise,
    lasting_operators,
    script,
    ticks,
    watch_lists,
)
from floorwalker.simulation.access_log._catalogue import ADD, CHECKOUT, PAY, PRODUCT, STOCK
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = lasting_operators(town, chance, daily)
    gap = crew.by_skill((90.0, 300.0, 1200.0, 5000.0)) * np.exp(chance.normal(0, 0.5, len(crew)))
    actors = disguise(town, chance, crew.skill, np.arange(len(crew)))
    rows, at = ticks(chance, crew, gap)
    few = watch_lists(chance, len(crew), 2, (10, 60))
    watch = script(
        town, chance, rows, at, (PRODUCT, STOCK), chances=(0.6, 0.6), focus={PRODUCT: few, STOCK: few}, pause=1.5
    )
    lucky = chance.random(len(rows)) < 0.004
    buy = script(town, chance, rows[lucky], at[lucky] + 2.0, (ADD, CHECKOUT, PAY), focus={ADD: 1}, pause=2.0)
    return crowd_of(actors, watch, buy, cover(town, chance, crew, visits_a_day=0.6))


FAMILY = Family(kind="hunter", split="report", share=1.3, act=act, category="monitoring", is_lasting=True)
