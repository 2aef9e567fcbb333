"""Link previews: somebody shares a product in a messenger, and the messenger fetches the page."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import OFFER, PRODUCT
from floorwalker.simulation.access_log._chance import times_of_day
from floorwalker.simulation.access_log._crowd import Crowd, make_actors, make_steps
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import draw_targets

_AGENTS = (
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "TelegramBot (like TwitterBot)",
    "WhatsApp/2.21.22.26 A",
)


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    address = np.concatenate([
        town.addresses.inside(chance, "173.252.64.0/18", 30), town.addresses.inside(chance, "149.154.160.0/22", 6),
        town.addresses.mobile(chance, 40),
    ])  # fmt: skip
    agent = np.repeat([town.agents.code(text) for text in _AGENTS], (30, 6, 40)).astype(np.int32)
    actors = make_actors(address, agent, fetches_files=False, sends_referrer=False, keeps_cookies=False)
    at = times_of_day(chance, np.repeat(np.arange(len(daily)), chance.poisson(daily * 0.02)), "shop")
    kind = np.where(chance.random(len(at)) < 0.8, PRODUCT, OFFER).astype(np.uint8)
    who = chance.integers(0, len(agent), len(at))
    return Crowd(actors, make_steps(who, at, kind, draw_targets(town.catalogue, chance, kind, {}, who)))


FAMILY = Family(kind="machine", split="both", share=1.0, act=act)
