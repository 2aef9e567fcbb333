"""When things are done: scripts hurry, experts keep the hours of those whom they pretend to be."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from floorwalker.simulation.shop.scenario import DAY, HOUR, MINUTE, SECOND

DAYTIME = np.array(
    [0.9, 0.5, 0.3, 0.2, 0.2, 0.4, 0.9, 1.8, 2.8, 3.6, 4.2, 4.4,
     4.5, 4.4, 4.3, 4.2, 4.3, 4.6, 5.1, 5.8, 6.3, 5.9, 4.2, 2.2]
)  # fmt: skip
"""Weights of the local hours of people who shop."""
_GAPS = {"naive": 4 * SECOND, "skilled": 4 * MINUTE}


def slots(rng: Generator, starts_at: int, ends_at: int, count: int, skill: str, *, hurry: bool) -> list[int]:
    """`count` times in [starts_at, ends_at), sorted.

    Naive ones run through in one go; skilled ones pause a few minutes; advanced ones take the whole time, evenly;
    experts the whole time at the hours of people.
    """
    span = ends_at - starts_at
    if skill in _GAPS:
        gap = min(_GAPS[skill] / (4 if hurry else 1), 0.7 * span / count)
        at = starts_at + rng.random() * max(span - count * gap * 1.3, 0.0) + np.cumsum(rng.exponential(gap, count))
    elif hurry or span < DAY:
        at = starts_at + span * rng.beta(1.0, 1.6 if hurry else 1.1, count)
    elif skill == "advanced":
        at = starts_at + span * rng.random(count)
    else:
        days = max(int(span // DAY), 1)
        hour = rng.choice(24, count, p=DAYTIME / DAYTIME.sum())
        at = starts_at + rng.integers(days, size=count) * DAY + (hour + rng.random(count)) * HOUR
    return sorted(int(value) for value in np.clip(at, starts_at, ends_at - 1))
