"""bingbot, from the blocks that Microsoft publishes."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import CATEGORY, HOME, OTHER, PRODUCT, SEARCH
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._machines import crawl
from floorwalker.simulation.access_log._town import Town

_NETWORKS = (
    "157.55.39.0/24",
    "207.46.13.0/24",
    "40.77.167.0/24",
)
_AGENTS = (
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 7_0 like Mac OS X) AppleWebKit/537.51.1 (KHTML, like Gecko) Version/7.0 "
    "Mobile/11A465 Safari/9537.53 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
)


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    return crawl(
        town, chance, daily, _NETWORKS, _AGENTS, pages_a_visitor=0.25, nodes=15,
        kinds=(PRODUCT, CATEGORY, SEARCH, OTHER, HOME), weights=(5, 3, 1, 1, 0.2),
    )  # fmt: skip


FAMILY = Family(kind="machine", split="both", share=1.0, act=act)
