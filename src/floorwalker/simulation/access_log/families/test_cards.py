"""Card testing: stolen card numbers tried at the checkout with small baskets; nearly all are declined."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import crowd_of, daily_operators, disguise, script
from floorwalker.simulation.access_log._catalogue import ADD, CHECKOUT, PAY, PRODUCT
from floorwalker.simulation.access_log._chance import renewals
from floorwalker.simulation.access_log._crowd import FAILED, SUCCEEDED, Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = daily_operators(town, chance, daily, habit="night", hours=8.0)
    actors = disguise(town, chance, crew.skill, np.arange(len(crew)))
    gap = crew.by_skill((3.0, 9.0, 45.0, 200.0)) * np.exp(chance.normal(0, 0.4, len(crew)))
    cards = np.maximum(chance.poisson(crew.by_skill((150.0, 90.0, 45.0, 25.0))), 8)
    rows, at = renewals(
        chance, crew.start, np.minimum(crew.start + gap * cards, crew.end), gap, crew.by_skill((0.1, 0.3, 0.6, 0.9))
    )
    enter = script(town, chance, np.arange(len(crew)), crew.start - 15.0, (PRODUCT, ADD), pause=5.0)
    outcome = np.where(chance.random(len(rows)) < 0.9, FAILED, SUCCEEDED)
    tries = script(
        town,
        chance,
        rows,
        at,
        (CHECKOUT, PAY),
        chances=(0.4, 1.0),
        focus={CHECKOUT: 1, PAY: 1},
        pause=np.maximum(gap[rows] * 0.3, 0.3),
        outcome=outcome,
    )
    tries.outcome[tries.kind == CHECKOUT] = 0
    return crowd_of(actors, enter, tries)


FAMILY = Family(kind="attacker", split="report", share=0.9, act=act, category="activity")
