"""Gift-card enumeration: code after code at the balance check, in the hope that one holds money."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import crowd_of, daily_operators, disguise
from floorwalker.simulation.access_log._catalogue import CLAIM, STRAY
from floorwalker.simulation.access_log._chance import hash_words, renewals
from floorwalker.simulation.access_log._crowd import FAILED, SUCCEEDED, Crowd, make_steps
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = daily_operators(town, chance, daily, habit="flat", hours=8.0)
    actors = disguise(town, chance, crew.skill, np.arange(len(crew)))
    gap = crew.by_skill((1.0, 3.0, 15.0, 70.0)) * np.exp(chance.normal(0, 0.4, len(crew)))
    codes = np.maximum(chance.poisson(crew.by_skill((220.0, 140.0, 60.0, 35.0))), 10)
    rows, at = renewals(
        chance, crew.start, np.minimum(crew.start + gap * codes, crew.end), gap, crew.by_skill((0.1, 0.3, 0.6, 0.9))
    )
    base = town.catalogue.texts[int(town.catalogue.groups(CLAIM)[0][0])].partition("?")[0]
    words = hash_words(np.arange(len(rows)), int(chance.integers(1 << 60)))
    target = town.catalogue.add([f"{base}?card={word % 10**12:012d}" for word in words.tolist()])
    outcome = np.where(chance.random(len(rows)) < 0.99, FAILED, SUCCEEDED)
    return crowd_of(actors, make_steps(rows, at, STRAY, target, outcome=outcome))


FAMILY = Family(kind="attacker", split="report", share=0.7, act=act, category="activity")
