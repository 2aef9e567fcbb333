"""People who leave an offer open in a tab that reloads itself for hours, while they do something else."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import OFFER, PRODUCT
from floorwalker.simulation.access_log._chance import renewals, times_of_day
from floorwalker.simulation.access_log._crowd import Crowd, join_steps, make_steps
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile, draw_targets, walk


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """A visit as others make it, and one of its pages again and again at the tab's own interval."""
    visits = int(daily.sum())
    actors, who = town.people(chance, visits, returning=0.3, phones=0.15)
    start = times_of_day(chance, np.repeat(np.arange(len(daily)), daily), "shop")
    steps = walk(town.catalogue, chance, Profile(pages=4.0), who, start)
    gap = chance.choice((120.0, 300.0, 600.0) if town.regime == 0 else (180.0, 900.0), visits)
    hours = chance.exponential((1.5, 2.5)[town.regime], visits) + 0.4
    rows, at = renewals(chance, start + 120.0, start + 120.0 + hours * 3600.0, gap, np.full(visits, 0.01))
    kind = np.where(chance.random(visits) < 0.6, OFFER, PRODUCT).astype(np.uint8)[rows]
    target = draw_targets(town.catalogue, chance, kind, {OFFER: 1, PRODUCT: 1}, rows)
    return Crowd(actors, join_steps([steps, make_steps(who[rows], at, kind, target)]))


FAMILY = Family(kind="honest", split="both", share=0.003, act=act)
