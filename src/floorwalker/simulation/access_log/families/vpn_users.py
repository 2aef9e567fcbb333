"""People behind a VPN: their address is a rented server, shared with strangers, and changes."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._chance import times_of_day
from floorwalker.simulation.access_log._crowd import Crowd, Steps
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile, walk


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    visits = int(daily.sum())
    actors, who = town.people(chance, visits, returning=0.3, phones=0.4, sends_referrer=0.8)
    start = times_of_day(chance, np.repeat(np.arange(len(daily)), daily), "night")
    exits = town.addresses.exits(chance, visits)
    steps = walk(town.catalogue, chance, Profile(pages=7.0), who, start)
    # A person connects anew for each day: one exit a person and day.
    slot = (steps.actor * 31 + (steps.at // 86_400).astype(np.int64)) % max(visits, 1)
    return Crowd(actors, Steps(**{**steps.__dict__, "address": exits[slot]}))


FAMILY = Family(kind="honest", split="choose", share=0.035, act=act)
