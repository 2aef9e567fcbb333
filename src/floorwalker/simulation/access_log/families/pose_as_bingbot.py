"""Impostors who claim to be bingbot, or its phone twin, from homes and rented servers."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import crowd_of, daily_operators, disguise, script
from floorwalker.simulation.access_log._catalogue import PRODUCT, SEARCH
from floorwalker.simulation.access_log._chance import renewals
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town

_CLAIMS = (
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; "
    "+http://www.bing.com/bingbot.htm) Chrome/94.0.4606.81 Safari/537.36",
)


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = daily_operators(town, chance, daily, habit="flat", hours=14.0)
    claims = np.array([town.agents.code(text) for text in _CLAIMS], np.int32)
    address = np.where(
        crew.skill >= 1, town.addresses.home(chance, len(crew), v6_share=0.0), town.addresses.hosting(chance, len(crew))
    )
    actors = disguise(
        town,
        chance,
        crew.skill,
        np.arange(len(crew)),
        agent=claims[chance.integers(0, len(claims), len(crew))],
        address=address,
        fetches_files=False,
    )
    gap = crew.by_skill((2.0, 5.0, 20.0, 60.0))
    pages = chance.integers(30, 250, len(crew))
    rows, at = renewals(
        chance, crew.start, np.minimum(crew.start + gap * pages, crew.end), gap, crew.by_skill((0.2, 0.4, 0.7, 1.0))
    )
    return crowd_of(actors, script(town, chance, rows, at, (PRODUCT, SEARCH), chances=(0.9, 0.2)))


FAMILY = Family(kind="scraper", split="report", share=0.5, act=act)
