"""Paper B's activity users: at a promotion a script claims coupons, fills the basket and checks out, over and over."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import cover, crowd_of, daily_operators, disguise, script
from floorwalker.simulation.access_log._catalogue import ADD, CHECKOUT, CLAIM, LOGIN, LOGIN_POST, OFFER, PAY
from floorwalker.simulation.access_log._chance import renewals
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = daily_operators(town, chance, daily, habit="shop", at_promotion=0.85, hours=3.0)
    actors = disguise(town, chance, crew.skill, np.arange(len(crew)))
    runs = np.maximum(chance.poisson(crew.by_skill((30.0, 22.0, 12.0, 7.0))), 3)
    gap = crew.by_skill((3.0, 6.0, 25.0, 80.0)) * np.exp(chance.normal(0, 0.4, len(crew)))
    rows, at = renewals(chance, crew.start, crew.start + gap * runs, gap, crew.by_skill((0.1, 0.3, 0.6, 0.9)))
    pause = crew.by_skill((0.3, 0.6, 2.5, 7.0))[rows]
    opening = script(
        town,
        chance,
        np.arange(len(crew)),
        crew.start - 20.0,
        (OFFER, LOGIN, LOGIN_POST),
        pause=5.0,
        chances=(0.8, 0.5, 0.9),
    )
    burst = script(
        town,
        chance,
        rows,
        at,
        (OFFER, CLAIM, ADD, CHECKOUT, PAY),
        pause=pause,
        chances=(0.25, 0.9, 0.5, 0.3, 0.25),
        focus={OFFER: 2, CLAIM: 1, PAY: 1, ADD: 1},
    )
    return crowd_of(actors, opening, burst, cover(town, chance, crew, visits_a_day=1.0))


FAMILY = Family(kind="hunter", split="choose", share=1.4, act=act, category="activity", on_promotion=3.0)
