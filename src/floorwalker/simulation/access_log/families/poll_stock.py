"""Stock checkers: they poll the availability call of wanted products, three or fifty, until it changes."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import (
    cover,
    crowd_of,
    disguise,
    lasting_operators,
    script,
    ticks,
    watch_lists,
)
from floorwalker.simulation.access_log._catalogue import PRODUCT, STOCK
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = lasting_operators(town, chance, daily)
    gap = crew.by_skill((120.0, 400.0, 1500.0, 5400.0)) * np.exp(chance.normal(0, 0.5, len(crew)))
    actors = disguise(town, chance, crew.skill, np.arange(len(crew)))
    rows, at = ticks(chance, crew, gap)
    few = watch_lists(chance, len(crew), 3, (15, 80))
    # The better ones load the product page first, as a browser would.
    page = crew.by_skill((0.0, 0.05, 0.4, 0.85))[rows]
    with_page = chance.random(len(rows)) < page
    plain = script(town, chance, rows[~with_page], at[~with_page], (STOCK,), focus={STOCK: few})
    full = script(
        town, chance, rows[with_page], at[with_page], (PRODUCT, STOCK), focus={STOCK: few, PRODUCT: few}, pause=1.0
    )
    return crowd_of(actors, plain, full, cover(town, chance, crew))


FAMILY = Family(kind="hunter", split="choose", share=1.3, act=act, category="monitoring", is_lasting=True)
