"""A declared crawler of a company that measures links, from the blocks that it publishes."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import CATEGORY, OTHER, PRODUCT, SEARCH
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._machines import crawl
from floorwalker.simulation.access_log._town import Town

_NETWORKS = (
    "142.44.220.0/24",
    "142.44.225.0/24",
    "167.114.139.0/24",
)
_AGENTS = ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",)


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    return crawl(
        town, chance, daily, _NETWORKS, _AGENTS, pages_a_visitor=0.12, nodes=9,
        kinds=(PRODUCT, CATEGORY, SEARCH, OTHER), weights=(4, 4, 2, 1),
    )  # fmt: skip


FAMILY = Family(kind="machine", split="both", share=1.0, act=act)
