"""Price scrapers in a hurry: product after product in the catalogue's order, no files, few referrers."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import crowd_of, daily_operators, disguise, rotate
from floorwalker.simulation.access_log._catalogue import PRODUCT
from floorwalker.simulation.access_log._chance import renewals
from floorwalker.simulation.access_log._crowd import Crowd, make_steps
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = daily_operators(town, chance, daily, habit="flat", hours=20.0)
    actors = disguise(town, chance, crew.skill, np.arange(len(crew)), fetches_files=False)
    order = np.sort(max(town.catalogue.groups(PRODUCT), key=len))
    wanted = np.minimum(len(order) * crew.by_skill((0.9, 0.7, 0.35, 0.2)), 2500.0)
    gap = crew.by_skill((0.6, 1.5, 6.0, 25.0)) * np.exp(chance.normal(0, 0.4, len(crew)))
    rows, at = renewals(
        chance, crew.start, np.minimum(crew.start + wanted * gap, crew.end), gap, crew.by_skill((0.15, 0.3, 0.6, 0.9))
    )
    place = np.arange(len(rows)) - np.searchsorted(rows, rows, side="left")
    stride = np.where(crew.skill[rows] >= 2, 7, 1)
    target = order[(place * stride + (rows * 131) % len(order)) % len(order)]
    exits = rotate(chance, crew, rows, at, town.addresses.home(chance, 64), 0.75)
    return crowd_of(actors, make_steps(rows, at, PRODUCT, target, address=exits))


FAMILY = Family(kind="scraper", split="choose", share=1.0, act=act)
