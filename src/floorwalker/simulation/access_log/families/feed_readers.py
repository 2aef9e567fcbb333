"""Feed readers and product-feed collectors, once or twice an hour."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import FEED
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._machines import clockwork
from floorwalker.simulation.access_log._town import Town

_READERS = (
    "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers)",
    "Tiny Tiny RSS/21.11 (http://tt-rss.org/)",
    "FreshRSS/1.18.1 (Linux; https://freshrss.org)",
    "Feedbin feed-id:1421 - 3 subscribers",
    "Mozilla/5.0 (compatible; inoreader.com; 4 subscribers)",
)


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    agent = np.array([town.agents.code(text) for text in _READERS], np.int32)
    address = town.addresses.hosting(chance, len(_READERS))
    return clockwork(
        town,
        chance,
        address,
        agent,
        gap=1800.0 * (1 + chance.integers(0, 3, len(_READERS))).astype(np.float64),
        kind=FEED,
        spread=0.05,
    )


FAMILY = Family(kind="machine", split="both", share=1.0, act=act)
