"""The load balancer's own health checks, from private addresses."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import HEALTH
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._machines import clockwork
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    address = town.addresses.inside(chance, "10.0.0.0/16", 3)
    texts = ("kube-probe/1.21", "ELB-HealthChecker/2.0")[int(chance.integers(2))]
    agent = np.full(3, town.agents.code(texts), np.int32)
    return clockwork(town, chance, address, agent, gap=np.full(3, 30.0), kind=HEALTH, spread=0.005)


FAMILY = Family(kind="machine", split="both", share=1.0, act=act)
