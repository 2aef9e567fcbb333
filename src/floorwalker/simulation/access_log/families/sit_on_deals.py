"""Monitoring users who look like people: the deal page, one product, at irregular times of the waking day, for days."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import (
    cover,
    crowd_of,
    disguise,
    lasting_operators,
    rotate,
    script,
    ticks,
    watch_lists,
)
from floorwalker.simulation.access_log._catalogue import HOME, OFFER, PRODUCT
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = lasting_operators(town, chance, daily)
    gap = crew.by_skill((600.0, 1200.0, 3000.0, 6600.0)) * np.exp(chance.normal(0, 0.4, len(crew)))
    actors = disguise(town, chance, crew.skill, np.arange(len(crew)))
    few = watch_lists(chance, len(crew), 3, (10, 40))
    rows, at = ticks(chance, crew, gap, jitter=(0.1, 0.3, 0.6, 1.1))
    address = rotate(chance, crew, rows, at, town.addresses.home(chance, 400), 24.0)
    steps = script(
        town,
        chance,
        rows,
        at,
        (HOME, OFFER, PRODUCT, OFFER),
        chances=(0.1, 1.0, 0.45, 0.3),
        focus={OFFER: few, PRODUCT: few},
        pause=9.0,
        address=address,
    )
    return crowd_of(actors, steps, cover(town, chance, crew, visits_a_day=0.7))


FAMILY = Family(kind="hunter", split="report", share=1.6, act=act, category="monitoring", is_lasting=True)
