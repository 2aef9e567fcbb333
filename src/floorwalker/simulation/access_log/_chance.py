"""Draws that many rows share: hashed uniforms, hours of the day, renewals in time."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

DAY = 86_400.0

_EVENING = (
    1.6, 0.9, 0.5, 0.35, 0.3, 0.45, 0.9, 1.8, 3.0, 4.3, 5.2, 5.4, 5.6, 5.3, 5.0, 5.0, 5.1, 5.2, 5.6, 6.6, 7.6, 7.8,
    6.2, 3.6,
)  # fmt: skip
_OFFICE = (
    0.1,
    0.1,
    0.05,
    0.05,
    0.05,
    0.1,
    0.3,
    1.2,
    5,
    8.5,
    9,
    8,
    6.5,
    7.5,
    8.5,
    8.3,
    7.5,
    5,
    2,
    0.9,
    0.6,
    0.4,
    0.3,
    0.2,
)
_NIGHT = (4.5, 3.6, 2.2, 1.2, 0.7, 0.6, 1, 2, 2.6, 2.8, 3, 3.4, 4, 3.6, 3.2, 3.2, 3.6, 4.2, 5, 6, 7, 7.5, 7, 6)

HOURS = {
    "shop": np.array(_EVENING), "office": np.array(_OFFICE), "night": np.array(_NIGHT), "flat": np.ones(24),
}  # fmt: skip
"""Weights of the 24 local hours by name of a habit."""


def hash_words(values: ArrayLike, salt: int) -> NDArray[np.uint64]:
    """SplitMix64 of each value under a salt: the same draw for the same row, whatever is generated around it."""
    start = (salt * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    word = np.atleast_1d(np.asarray(values)).astype(np.uint64) + np.uint64(start)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word + np.uint64(0x9E3779B97F4A7C15)) ^ (word >> np.uint64(27))
    word = word * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def hash_unit(values: ArrayLike, salt: int) -> NDArray[np.float64]:
    """Uniform draws in [0, 1) that depend only on value and salt.

    >>> bool((hash_unit([1, 2], 7) == hash_unit([1, 2], 7)).all())
    True
    """
    return (hash_words(values, salt) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def times_of_day(chance: Generator, days: NDArray[np.int64], habit: str) -> NDArray[np.float64]:
    """Seconds since the first local midnight for visits on these days, spread as the habit's hours are."""
    weights = HOURS[habit]
    edges = np.cumsum(weights / weights.sum())
    hour = np.searchsorted(edges[:-1], chance.random(len(days)), side="right")
    return days * DAY + (hour + chance.random(len(days))) * 3600.0


def is_awake(chance: Generator, at: NDArray[np.float64], habit: str) -> NDArray[np.bool_]:
    """Thin times so that what is left follows the habit's hours (the busiest hour keeps all)."""
    weights = HOURS[habit]
    hour = (at % DAY // 3600).astype(np.int64)
    kept: NDArray[np.bool_] = chance.random(len(at)) < (weights / weights.max())[hour]
    return kept


def renewals(
    chance: Generator,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    gap: NDArray[np.float64],
    spread: NDArray[np.float64],
    *,
    limit: int = 40_000,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Repeated times of each row between its start and end.

    Parameters
    ----------
    start, end : float64 [n], seconds.
    gap : float64 [n], mean seconds between repeats.
    spread : float64 [n], standard deviation of the gap ÷ its mean (0 = clockwork, 1 = as irregular as chance).
    limit : most repeats of one row.

    Returns
    -------
    rows int64 [m] and times float64 [m], by row, then time.
    """
    counts = np.clip(np.ceil((end - start) / gap * 1.3 + 6), 1, limit).astype(np.int64)
    rows = np.repeat(np.arange(len(start)), counts)
    sigma = np.sqrt(np.log1p(np.maximum(spread, 1e-6) ** 2))
    gaps = gap[rows] * np.exp(chance.standard_normal(len(rows)) * sigma[rows] - sigma[rows] ** 2 / 2)
    total = np.cumsum(gaps)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    at = start[rows] + total - np.repeat(total[first] - gaps[first] * chance.random(len(start)), counts)
    kept = at < end[rows]
    return rows[kept], at[kept]
