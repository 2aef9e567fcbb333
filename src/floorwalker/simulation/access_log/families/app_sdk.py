"""The image loader of the shop's app: okhttp or CFNetwork from carriers' addresses, pictures and nothing else."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import ASSET, PRODUCT
from floorwalker.simulation.access_log._chance import times_of_day
from floorwalker.simulation.access_log._crowd import Crowd, make_actors, make_steps
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import draw_targets


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    people = max(3, int(daily.sum()) // 60)
    texts = (
        "okhttp/3.12.1",
        "okhttp/4.9.1",
        "Shop/5.12 CFNetwork/1240.0.4 Darwin/20.6.0",
        "Shop/5.12 CFNetwork/1325.0.1 Darwin/21.1.0",
        "Dalvik/2.1.0 (Linux; U; Android 11; SM-A515F Build/RP1A.200720.012)",
    )
    codes = np.array([town.agents.code(text) for text in texts], np.int32)
    address = town.addresses.mixed(chance, people, (0.4, 0.6, 0.0))
    actors = make_actors(
        address,
        codes[chance.integers(0, len(codes), people)],
        fetches_files=False,
        sends_referrer=False,
        keeps_cookies=False,
    )
    visits = np.repeat(np.arange(len(daily)), chance.poisson(daily / 40.0))
    start = times_of_day(chance, visits, "shop")
    pictures = chance.integers(5, 60, len(start))
    who = np.repeat(chance.integers(0, people, len(start)), pictures)
    at = np.repeat(start, pictures) + chance.exponential(90.0, len(who))
    kind = np.full(len(who), ASSET if town.catalogue.has(ASSET) else PRODUCT, np.uint8)
    return Crowd(actors, make_steps(who, at, kind, draw_targets(town.catalogue, chance, kind, {}, who)))


FAMILY = Family(kind="machine", split="both", share=1.0, act=act)
