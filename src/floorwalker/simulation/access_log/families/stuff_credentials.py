"""Credential stuffing: stolen pairs of name and password tried on the login, most of them wrong."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import crowd_of, daily_operators, disguise, rotate, script
from floorwalker.simulation.access_log._catalogue import LOGIN, LOGIN_POST
from floorwalker.simulation.access_log._chance import renewals
from floorwalker.simulation.access_log._crowd import FAILED, SUCCEEDED, Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = daily_operators(town, chance, daily, habit="night", hours=6.0)
    actors = disguise(town, chance, crew.skill, np.arange(len(crew)))
    tries = np.maximum(chance.poisson(crew.by_skill((260.0, 160.0, 70.0, 40.0))), 10)
    gap = crew.by_skill((1.2, 3.0, 25.0, 120.0)) * np.exp(chance.normal(0, 0.4, len(crew)))
    rows, at = renewals(
        chance, crew.start, np.minimum(crew.start + tries * gap, crew.end), gap, crew.by_skill((0.1, 0.3, 0.6, 0.9))
    )
    outcome = np.where(chance.random(len(rows)) < 0.985, FAILED, SUCCEEDED)
    page = crew.by_skill((0.0, 0.1, 0.7, 0.95))[rows] > chance.random(len(rows))
    exits = rotate(chance, crew, rows, at, town.addresses.home(chance, 200), 0.1)
    bare = script(
        town,
        chance,
        rows[~page],
        at[~page],
        (LOGIN_POST,),
        focus={LOGIN_POST: 1},
        outcome=outcome[~page],
        address=exits[~page],
    )
    full = script(
        town,
        chance,
        rows[page],
        at[page],
        (LOGIN, LOGIN_POST),
        focus={LOGIN: 1, LOGIN_POST: 1},
        pause=4.0,
        outcome=outcome[page],
        address=exits[page],
    )
    # Only the attempt fails, not the page before it.
    full.outcome[full.kind == LOGIN] = 0
    return crowd_of(actors, bare, full)


FAMILY = Family(kind="attacker", split="choose", share=0.9, act=act, category="activity")
