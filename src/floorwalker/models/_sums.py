"""Kernels: sums as NumPy makes them, in pairs; and from sums to probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel


@kernel
def add_up(values: NDArray[np.floating[Any]]) -> Any:
    """The sum of numbers, added in the order in which NumPy adds those of a row: equal bits.

    >>> values = np.random.default_rng(0).random(1000)
    >>> bool(add_up(values) == values.sum())
    True
    """
    count = len(values)
    if count < 8:
        total = values.dtype.type(0)
        for place in range(count):
            total += values[place]
        return total
    if count > 128:
        half = count // 2
        half -= half % 8
        return add_up(values[:half]) + add_up(values[half:])
    a, b, c, d = values[0], values[1], values[2], values[3]
    e, f, g, h = values[4], values[5], values[6], values[7]
    whole = count - count % 8
    for place in range(8, whole, 8):
        a += values[place]
        b += values[place + 1]
        c += values[place + 2]
        d += values[place + 3]
        e += values[place + 4]
        f += values[place + 5]
        g += values[place + 6]
        h += values[place + 7]
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for place in range(whole, count):
        total += values[place]
    return total


@kernel
def fill_exponents(log_odds: NDArray[np.float64], exponents: NDArray[np.float64]) -> None:
    """What `log_odds` are as exponents of the odds against, held within what has an exponential."""
    for place in range(len(log_odds)):
        exponents[place] = -min(max(log_odds[place], -700.0), 700.0)


@kernel
def fill_probabilities(odds: NDArray[np.float64]) -> None:
    """Odds against something become its probabilities, in place."""
    for place in range(len(odds)):
        odds[place] = 1.0 / (1.0 + odds[place])
