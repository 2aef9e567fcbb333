"""Low-and-slow price scrapers: one product every few minutes, all week, in shuffled order."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import cover, crowd_of, disguise, lasting_operators, rotate, ticks
from floorwalker.simulation.access_log._catalogue import PRODUCT
from floorwalker.simulation.access_log._chance import hash_unit
from floorwalker.simulation.access_log._crowd import Crowd, make_steps
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = lasting_operators(town, chance, daily)
    actors = disguise(town, chance, crew.skill, np.arange(len(crew)))
    gap = crew.by_skill((40.0, 120.0, 400.0, 1200.0)) * np.exp(chance.normal(0, 0.4, len(crew)))
    rows, at = ticks(chance, crew, gap)
    order = np.sort(max(town.catalogue.groups(PRODUCT), key=len))
    place = np.arange(len(rows)) - np.searchsorted(rows, rows, side="left")
    straight = order[(place + rows * 131) % len(order)]
    shuffled = order[(hash_unit(place * 64 + rows, 71) * len(order)).astype(np.int64)]
    target = np.where(crew.skill[rows] >= 1, shuffled, straight)
    exits = rotate(chance, crew, rows, at, town.addresses.home(chance, 300), 6.0)
    return crowd_of(
        actors,
        make_steps(rows, at, PRODUCT, target.astype(np.int32), address=exits),
        cover(town, chance, crew, visits_a_day=0.3),
    )


FAMILY = Family(kind="scraper", split="report", share=1.0, act=act, is_lasting=True)
