"""Beacons without a page: readers of the shop's mails whose program loads the counting pixel and nothing else."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import ASSET, BEACON
from floorwalker.simulation.access_log._chance import times_of_day
from floorwalker.simulation.access_log._crowd import Crowd, make_steps
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import draw_targets, methods_of


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    days = np.repeat(np.arange(len(daily)), chance.poisson(daily * 0.04))
    at = times_of_day(chance, days, "shop")
    actors, who = town.people(chance, max(len(at), 1), returning=0.5, phones=0.6, sends_referrer=0.0, keeps_cookies=0.0)
    actors.fetches_files[:] = False
    actors.runs_scripts[:] = False
    kind = np.full(len(at), BEACON if town.catalogue.has(BEACON) else ASSET, np.uint8)
    target = draw_targets(town.catalogue, chance, kind, {}, who[: len(at)])
    return Crowd(actors, make_steps(who[: len(at)], at, kind, target, method=methods_of(town.catalogue, kind, target)))


FAMILY = Family(kind="machine", split="both", share=1.0, act=act)
