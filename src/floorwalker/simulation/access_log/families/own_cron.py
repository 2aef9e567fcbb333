"""The shop's own server: scheduled jobs that call its pages."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import FEED
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._machines import clockwork
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    address = town.addresses.inside(chance, "127.0.0.0/30", 1)
    agent = np.array([town.agents.code(("Wget/1.20.3 (linux-gnu)", "curl/7.68.0")[town.regime])], np.int32)
    return clockwork(town, chance, address, agent, gap=np.array([900.0]), kind=FEED, spread=0.001)


FAMILY = Family(kind="machine", split="both", share=1.0, act=act)
