"""Paper B's monitoring users: a script that asks for the same offers, a few or a list, for days on end."""

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
from floorwalker.simulation.access_log._catalogue import OFFER, PRODUCT
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = lasting_operators(town, chance, daily)
    gap = crew.by_skill((420.0, 900.0, 2400.0, 7200.0)) * np.exp(chance.normal(0, 0.5, len(crew)))
    actors = disguise(town, chance, crew.skill, np.arange(len(crew)))
    rows, at = ticks(chance, crew, gap)
    few = watch_lists(chance, len(crew), 2, (12, 40))
    steps = script(
        town, chance, rows, at, (OFFER, PRODUCT), chances=(1.0, 0.15), focus={OFFER: few, PRODUCT: few}, pause=3.0
    )
    return crowd_of(actors, steps, cover(town, chance, crew, visits_a_day=0.5))


FAMILY = Family(kind="hunter", split="choose", share=1.6, act=act, category="monitoring", is_lasting=True)
