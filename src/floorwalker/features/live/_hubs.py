"""Hubs by degree: who is a trusted account, which entity is a hub now, and what is then missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live import _layout as layout
from floorwalker.features.live._inline import inline_kernel
from floorwalker.features.live._sketch import count_distinct
from floorwalker.store._hashing import widen

_DAY = 86_400_000_000
_LEAST_DAYS = 2.0
_LEAST_STANDING = 14 * _DAY
_LEAST_KNOWN = 7 * _DAY
_SECOND = 1_000_000


@inline_kernel
def add_standing(
    place: int,
    at: int,
    change: int,
    amount: float,
    words: NDArray[np.uint32],
    floats: NDArray[np.float32],
    times: NDArray[np.int64],
) -> None:
    """Count a day on which the account bought for money at the full price; or take days away."""
    days = floats[place + 2]
    if change < 0:
        floats[place + 2] = np.float32(layout.BARRED) if change == layout.BARRED else min(days, max(days - 1, 0))
        return
    day = np.uint32(at // _DAY)
    # Out of order, a day before the last one counted may have been counted already.
    if not amount > 0.0 or day <= words[place + 3]:
        return
    if times[place >> 1] == 0:
        times[place >> 1] = at
    words[place + 3] = day
    floats[place + 2] = days + np.float32(1.0)


@inline_kernel
def is_trusted(
    account: int, standing: int, pair: int, at: int, floats: NDArray[np.float32], times: NDArray[np.int64]
) -> bool:
    """Whether the account is trusted; `account + standing` is its standing, `pair` the time of its first use of the
    device."""
    place = account + standing
    if floats[place + 2] < _LEAST_DAYS or times[pair >> 1] == 0:
        return False
    return bool(at - times[place >> 1] >= _LEAST_STANDING and at - times[pair >> 1] >= _LEAST_KNOWN)


@inline_kernel
def is_hub(
    rule: NDArray[np.int64],
    row: int,
    at: int,
    now: NDArray[np.int64],
    words: NDArray[np.uint32],
    times: NDArray[np.int64],
    ticks: NDArray[np.int64],
    pages: NDArray[np.uint8],
    heads: NDArray[np.int64],
    estimates: NDArray[np.float64],
    powers: NDArray[np.float64],
    scratch: NDArray[np.uint8],
) -> bool:
    """Whether the entity of this row is a hub; nearly always its few trusted accounts say no at once: their number is
    shown in the set of all."""
    held = widen(words[row + rule[layout.H_ALL] + 1])
    if held <= rule[layout.H_TRUSTED_EXACT] and held <= rule[layout.H_LIMIT]:
        return False
    if at - times[(row + layout.BORN) >> 1] < rule[layout.H_AGE] * _SECOND:
        return False
    level = rule[layout.H_LEVEL]
    trusted = 0.0
    everybody = 0.0
    for which in range(2):
        at_set = layout.H_TRUSTED - 3 * which
        everybody = count_distinct(
            row, rule[at_set], rule[at_set + 1], rule[at_set + 2], level, rule[layout.H_BUCKETS], now[level], words,
            ticks, pages, heads, estimates, powers, scratch,
        )  # fmt: skip
        if which == 0:
            trusted = everybody
            if trusted <= rule[layout.H_LIMIT]:
                return False
    return bool(trusted * 1000.0 >= rule[layout.H_SHARE] * everybody)
