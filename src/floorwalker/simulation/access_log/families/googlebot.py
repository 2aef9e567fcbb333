"""Googlebot, from the blocks that Google publishes."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import CATEGORY, HOME, OFFER, OTHER, PRODUCT, SEARCH
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._machines import crawl
from floorwalker.simulation.access_log._town import Town

_NETWORKS = (
    "66.249.64.0/23",
    "66.249.66.0/24",
    "66.249.70.0/23",
    "66.249.79.128/25",
)
_AGENTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/95.0.4638.69 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Googlebot-Image/1.0",
)


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    return crawl(
        town, chance, daily, _NETWORKS, _AGENTS, pages_a_visitor=0.35, nodes=20,
        kinds=(PRODUCT, CATEGORY, SEARCH, OTHER, HOME, OFFER), weights=(5, 3, 1, 1, 0.3, 0.4),
    )  # fmt: skip


FAMILY = Family(kind="machine", split="both", share=1.0, act=act)
