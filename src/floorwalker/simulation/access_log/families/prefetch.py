"""Prefetching proxies: pages that a browser's helper loads ahead for somebody who may never come."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import HOME, PRODUCT
from floorwalker.simulation.access_log._chance import times_of_day
from floorwalker.simulation.access_log._crowd import Crowd, make_actors, make_steps
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import draw_targets


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    address = town.addresses.inside(chance, "66.249.82.0/27", 8)
    agent = np.full(
        8,
        town.agents.code(
            "Mozilla/5.0 (compatible; Google-Read-Aloud; +https://support.google.com/webmasters/answer/1061943)"
        ),
        np.int32,
    )
    agent[4:] = town.agents.code("Chrome Privacy Preserving Prefetch Proxy")
    actors = make_actors(address, agent, fetches_files=False, sends_referrer=False, keeps_cookies=False)
    at = times_of_day(chance, np.repeat(np.arange(len(daily)), chance.poisson(daily * 0.015)), "shop")
    kind = np.where(chance.random(len(at)) < 0.8, PRODUCT, HOME).astype(np.uint8)
    who = chance.integers(0, len(agent), len(at))
    return Crowd(actors, make_steps(who, at, kind, draw_targets(town.catalogue, chance, kind, {}, who)))


FAMILY = Family(kind="machine", split="both", share=1.0, act=act)
