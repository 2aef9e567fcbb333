"""Uptime monitors: services that ask for the home page or the health check every minute or five."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import GET, HEAD, HEALTH, HOME
from floorwalker.simulation.access_log._crowd import Crowd, join_crowds
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._machines import clockwork
from floorwalker.simulation.access_log._town import Town

_SERVICES = (
    ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", 3, 300.0, HOME, HEAD),
    ("Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", 8, 60.0, HOME, GET),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/78.0.3904.108 "
        "Safari/537.36 StatusCake",
        4,
        120.0,
        HEALTH,
        GET,
    ),
)


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    parts = []
    for text, count, seconds, kind, method in _SERVICES:
        address = town.addresses.hosting(chance, count)
        agent = np.full(count, town.agents.code(text), np.int32)
        # A service asks from all its places in turn: each place every count-th time.
        parts.append(
            clockwork(town, chance, address, agent, gap=np.full(count, seconds * count), kind=kind, method=method)
        )
    return join_crowds(parts)


FAMILY = Family(kind="machine", split="both", share=1.0, act=act)
