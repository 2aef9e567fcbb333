"""Coupon-claim rings: several addresses, one user agent, each claims a handful of coupons and one collects."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import crowd_of, daily_operators, disguise, script
from floorwalker.simulation.access_log._catalogue import ADD, CHECKOUT, CLAIM, LOGIN_POST, OFFER, PAY
from floorwalker.simulation.access_log._chance import renewals
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = daily_operators(town, chance, daily, habit="shop", at_promotion=0.7, hours=5.0)
    size = chance.integers(4, 7, len(crew))
    campaign = np.repeat(np.arange(len(crew)), size)
    skill = crew.skill[campaign]
    agent = np.where(
        crew.skill <= 1,
        town.agents.draw(chance, "script", len(crew)),
        town.agents.people(chance, chance.random(len(crew)) < 0.7),
    )
    actors = disguise(town, chance, skill, campaign, agent=agent[campaign].astype(np.int32))
    begins = crew.start[campaign] + chance.random(len(skill)) * crew.by_skill((60.0, 300.0, 1800.0, 9000.0))[campaign]
    gap = crew.by_skill((2.0, 6.0, 30.0, 90.0))[campaign]
    claims = np.maximum(chance.poisson(crew.by_skill((14.0, 10.0, 7.0, 4.0))[campaign]), 2)
    rows, at = renewals(chance, begins, begins + gap * claims, gap, np.array((0.1, 0.3, 0.6, 0.9))[skill])
    enter = script(
        town,
        chance,
        np.arange(len(skill)),
        begins - 6.0,
        (OFFER, LOGIN_POST),
        chances=(0.7, 0.9),
        focus={OFFER: 1},
        pause=2.0,
    )
    steps = script(
        town,
        chance,
        rows,
        at,
        (OFFER, CLAIM, ADD, CHECKOUT, PAY),
        chances=(0.2, 1.0, 0.3, 0.15, 0.15),
        focus={OFFER: 1, CLAIM: 1},
        pause=np.maximum(gap[rows] * 0.25, 0.3),
    )
    return crowd_of(actors, enter, steps)


FAMILY = Family(kind="hunter", split="report", share=0.9, act=act, category="activity", on_promotion=2.5)
