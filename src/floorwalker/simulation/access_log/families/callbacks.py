"""Payment and logistics services that report back: posts to the callback addresses, as often as people buy."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import CALLBACK, POST
from floorwalker.simulation.access_log._chance import times_of_day
from floorwalker.simulation.access_log._crowd import Crowd, make_actors, make_steps
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import draw_targets


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    texts = (
        "PaymentGateway-Notify/2.1",
        "Apache-HttpClient/4.5.13 (Java/11.0.12)",
        "LogisticsHub-Webhook/1.4",
        "Java/1.8.0_292",
    )
    address = town.addresses.hosting(chance, len(texts))
    agent = np.array([town.agents.code(text) for text in texts], np.int32)
    actors = make_actors(address, agent, fetches_files=False, sends_referrer=False, keeps_cookies=False)
    number = chance.poisson(daily * 0.08)
    at = times_of_day(chance, np.repeat(np.arange(len(daily)), number), "shop")
    kind = np.full(len(at), CALLBACK, np.uint8)
    target = draw_targets(town.catalogue, chance, kind, {}, np.zeros(len(at), np.int64))
    return Crowd(actors, make_steps(chance.integers(0, len(texts), len(at)), at, kind, target, method=POST))


FAMILY = Family(kind="machine", split="both", share=1.0, act=act)
