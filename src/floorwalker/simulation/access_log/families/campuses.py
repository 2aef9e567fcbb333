"""Students of a campus or dormitory behind one address: many devices, some alike, awake until late."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._chance import times_of_day
from floorwalker.simulation.access_log._crowd import Crowd, make_actors
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile, walk


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    # All desks run the same image, so address and user agent are the same for everybody in the building.
    visits = int(daily.sum())
    places = max(2, visits // 120)
    gate, image = town.addresses.office(chance, places), town.agents.draw(chance, "desktop", places)
    pool = max(1, round(visits * 0.7))
    place = (places * chance.random(pool) ** 1.8).astype(np.int64)
    own = chance.random(pool) < 0.6
    agent = np.where(own, town.agents.people(chance, chance.random(pool) < 0.6), image[place])
    actors = make_actors(gate[place], agent, is_warm=chance.random(pool) < 0.4)
    start = times_of_day(chance, np.repeat(np.arange(len(daily)), daily), "night")
    return Crowd(
        actors,
        walk(
            town.catalogue,
            chance,
            Profile(pages=7.0, dwell=20.0, tabs=0.12, buys=0.025),
            chance.integers(0, pool, visits),
            start,
        ),
    )


FAMILY = Family(kind="honest", split="report", share=0.06, act=act, on_promotion=1.2)
