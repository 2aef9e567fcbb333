"""Seckill scripts: they load the deal before it opens, then hammer basket and checkout in the first minutes."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import cover, crowd_of, daily_operators, disguise, script
from floorwalker.simulation.access_log._catalogue import ADD, CHECKOUT, LOGIN, LOGIN_POST, OFFER, PAY, PRODUCT
from floorwalker.simulation.access_log._chance import renewals
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = daily_operators(town, chance, daily, habit="shop", at_promotion=0.9, hours=1.0)
    actors = disguise(town, chance, crew.skill, np.arange(len(crew)))
    ahead = crew.start - crew.by_skill((30.0, 60.0, 240.0, 600.0))
    opening = script(
        town,
        chance,
        np.arange(len(crew)),
        ahead,
        (LOGIN, LOGIN_POST, OFFER, PRODUCT),
        chances=(0.6, 1.0, 0.8, 0.7),
        focus={OFFER: 1, PRODUCT: 1},
        pause=8.0,
    )
    gap = crew.by_skill((0.35, 0.9, 3.0, 9.0)) * np.exp(chance.normal(0, 0.3, len(crew)))
    shots = np.maximum(chance.poisson(crew.by_skill((180.0, 90.0, 40.0, 18.0))), 6)
    rows, at = renewals(chance, crew.start, crew.start + gap * shots, gap, crew.by_skill((0.05, 0.2, 0.5, 0.8)))
    burst = script(
        town,
        chance,
        rows,
        at,
        (ADD, CHECKOUT, PAY),
        chances=(0.8, 0.35, 0.3),
        focus={ADD: 1, PAY: 1, CHECKOUT: 1},
        pause=np.maximum(gap[rows] * 0.4, 0.15),
    )
    return crowd_of(actors, opening, burst, cover(town, chance, crew, visits_a_day=1.2))


FAMILY = Family(kind="hunter", split="report", share=1.3, act=act, category="activity", on_promotion=3.5)
