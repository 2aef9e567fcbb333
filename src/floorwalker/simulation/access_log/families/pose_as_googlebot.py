"""Impostors who claim to be Googlebot so that the shop lets them copy its catalogue."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import crowd_of, daily_operators, disguise, script
from floorwalker.simulation.access_log._catalogue import CATEGORY, OFFER, PRODUCT
from floorwalker.simulation.access_log._chance import renewals
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = daily_operators(town, chance, daily, habit="flat", hours=10.0)
    claim = town.agents.code("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
    address = np.where(
        crew.skill >= 2, town.addresses.home(chance, len(crew), v6_share=0.0), town.addresses.hosting(chance, len(crew))
    )
    actors = disguise(
        town,
        chance,
        crew.skill,
        np.arange(len(crew)),
        agent=np.full(len(crew), claim, np.int32),
        address=address,
        fetches_files=False,
    )
    gap = crew.by_skill((1.0, 2.5, 8.0, 30.0))
    pages = chance.integers(40, 400, len(crew))
    rows, at = renewals(
        chance, crew.start, np.minimum(crew.start + gap * pages, crew.end), gap, crew.by_skill((0.2, 0.4, 0.7, 1.0))
    )
    return crowd_of(actors, script(town, chance, rows, at, (PRODUCT, CATEGORY, OFFER), chances=(0.75, 0.2, 0.1)))


FAMILY = Family(kind="scraper", split="choose", share=0.5, act=act)
