"""Swarms behind rented home connections: each address sees two pages and is gone, the sequence and rhythm stay."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import crowd_of, daily_operators, disguise, script
from floorwalker.simulation.access_log._catalogue import PRODUCT, SEARCH
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = daily_operators(town, chance, daily, habit="flat", hours=12.0)
    size = chance.integers(60, 200, len(crew))
    campaign = np.repeat(np.arange(len(crew)), size)
    skill = crew.skill[campaign]
    leader = town.agents.people(chance, chance.random(len(crew)) < 0.4, webview_share=0.0)
    scripts = town.agents.draw(chance, "desktop", len(crew))
    one = np.where(crew.skill <= 2, scripts, leader)[campaign]
    # Experts switch between a handful of user agents; the others keep one for the whole swarm.
    few = town.agents.people(chance, chance.random(5) < 0.5, webview_share=0.0)
    agent = np.where(skill == 3, few[chance.integers(0, 5, len(skill))], one).astype(np.int32)
    hosted = chance.random(len(skill)) < np.array((0.3, 0.1, 0.0, 0.0))[skill]
    address = town.addresses.home(chance, len(skill), v6_share=0.1)
    address[hosted] = town.addresses.hosting(chance, int(hosted.sum()))
    actors = disguise(
        town,
        chance,
        skill,
        campaign,
        agent=agent,
        address=address,
        fetches_files=(skill == 3) & (chance.random(len(skill)) < 0.5),
    )
    order = np.arange(len(campaign))
    place = np.arange(len(campaign)) - np.searchsorted(campaign, campaign, side="left")
    cadence = (crew.by_skill((15.0, 40.0, 80.0, 150.0)) * np.exp(chance.normal(0, 0.3, len(crew))))[campaign]
    jitter = np.array((0.05, 0.2, 0.5, 0.9))[skill]
    at = crew.start[campaign] + place * cadence + chance.normal(0, 1, len(skill)) * jitter * cadence
    steps = script(
        town,
        chance,
        order,
        at,
        (SEARCH, PRODUCT, PRODUCT),
        pause=crew.by_skill((0.8, 1.5, 4.0, 9.0))[campaign],
        chances=(1.0, 0.9, 0.4),
    )
    return crowd_of(actors, steps)


FAMILY = Family(kind="scraper", split="report", share=0.5, act=act, category="random")
