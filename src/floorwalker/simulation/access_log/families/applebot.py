"""Applebot, from the blocks that Apple publishes."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import CATEGORY, HOME, PRODUCT
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._machines import crawl
from floorwalker.simulation.access_log._town import Town

_NETWORKS = (
    "17.166.20.0/24",
    "17.166.150.0/24",
)
_AGENTS = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 "
    "Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)",
)


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    return crawl(
        town, chance, daily, _NETWORKS, _AGENTS, pages_a_visitor=0.05, nodes=5,
        kinds=(PRODUCT, CATEGORY, HOME), weights=(5, 3, 1),
    )  # fmt: skip


FAMILY = Family(kind="machine", split="both", share=1.0, act=act)
