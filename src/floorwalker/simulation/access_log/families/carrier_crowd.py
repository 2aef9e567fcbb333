"""Phones on a carrier that hides hundreds of people behind one address, many with the same popular phone."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._crowd import Crowd, Steps, make_actors
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    # Paper B's visitor is address + user agent: here it is a crowd, with a crowd's number of requests.
    visits = int(daily.sum())
    pool = max(1, round(visits * 0.8))
    gates = town.addresses.mobile(chance, (24, 40)[town.regime])
    gate = gates[(len(gates) * chance.random(pool) ** 1.3).astype(np.int64)]
    popular = town.agents.draw(chance, "phone", (30, 45)[town.regime])
    agent = popular[(len(popular) * chance.random(pool) ** 1.6).astype(np.int64)]
    actors = make_actors(gate, agent, is_warm=chance.random(pool) < 0.3, slowness=np.exp(chance.normal(0.4, 0.5, pool)))
    who = chance.integers(0, pool, visits)
    profile = (Profile(pages=5.0, dwell=24.0), Profile(pages=7.0, dwell=33.0, buys=0.04))[town.regime]
    crowd = town.shoppers(chance, daily, profile, actors, who)
    own = Steps(**{**crowd.steps.__dict__, "address": np.full(len(crowd.steps), -1, np.int32)})
    return Crowd(actors, own)


FAMILY = Family(kind="honest", split="both", share=0.07, act=act, on_promotion=0.6)
