"""Read the features of one row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live import _layout as layout
from floorwalker.features.live._count import entropy, fingerprint_of, hour_share, is_new, travel_speed
from floorwalker.features.live._inline import inline_kernel
from floorwalker.features.live._normal import LEAST, expected, normal_deviation
from floorwalker.features.live._rows import mix
from floorwalker.features.live._sketch import count_distinct
from floorwalker.features.live._vocabulary import AMOUNT, LATITUDE, LONGITUDE, QUANTITY

_U0 = np.uint64(0)
_U2 = np.uint64(2)
_SECOND = 1e-6


@inline_kernel
def read_features(
    table: NDArray[np.int64],
    row: int,
    i: int,
    at: int,
    now: NDArray[np.int64],
    seed: np.uint64,
    features: NDArray[np.int64],
    factors: NDArray[np.float64],
    codes: NDArray[np.uint64],
    values: NDArray[np.float64],
    sums: NDArray[np.float64],
    words: NDArray[np.uint32],
    floats: NDArray[np.float32],
    times: NDArray[np.int64],
    ticks: NDArray[np.int64],
    pages: NDArray[np.uint8],
    heads: NDArray[np.int64],
    estimates: NDArray[np.float64],
    powers: NDArray[np.float64],
    scratch: NDArray[np.uint8],
    base: int,
    out: NDArray[np.float32],
    missing: NDArray[np.bool_],
) -> None:
    """Write the features of one table for event `i` into `out[base:]`; `row` is -1 where the entity was never counted.

    The two operations that most features are have loops of their own, since a branch for each would cost more than the
    work.
    """
    start = np.uint64(table[layout.T_FEATURE_START])
    distinct = np.uint64(table[layout.T_DISTINCT_START])
    others = np.uint64(table[layout.T_OTHERS_START])
    end = np.uint64(table[layout.T_FEATURE_END])
    for f in range(start, distinct):
        column = np.uint64(base) + np.uint64(features[f, layout.OUT])
        out[column] = np.float32(sums[np.uint64(features[f, layout.A])])
        missing[column] = False
    for f in range(distinct, others):
        column = np.uint64(base) + np.uint64(features[f, layout.OUT])
        missing[column] = False
        value = 0.0
        if row >= 0:
            value = count_distinct(
                row, features[f, layout.A], features[f, layout.B], features[f, layout.C], features[f, layout.D],
                features[f, layout.E], now[np.uint64(features[f, layout.D])], words, ticks, pages, heads, estimates,
                powers, scratch,
            )  # fmt: skip
        out[column] = np.float32(value)
    for f in range(others, end):
        op = features[f, layout.OP]
        a = np.uint64(features[f, layout.A])
        b = np.uint64(features[f, layout.B])
        value = np.nan
        if op == layout.SCALED:
            value = sums[a] * factors[f]
        elif op == layout.QUOTIENT:
            if sums[b] > 0.0:
                value = sums[a] / sums[b]
        elif op == layout.DEPTH:
            value = 0.0 if row < 0 else np.float64(floats[np.uint64(row) + a + _U2])
        elif row >= 0:
            place = row + features[f, layout.A]
            if op == layout.SINCE:
                if times[place >> 1] != 0:
                    value = max(at - times[place >> 1], 0) * _SECOND
            elif op == layout.BETWEEN:
                first = times[place >> 1]
                then = times[(row + features[f, layout.B]) >> 1]
                if first != 0 and then != 0:
                    value = max(then - first, 0) * _SECOND
            elif op == layout.GAP_MEAN:
                if floats[place + 2] >= 1.0:
                    value = np.float64(floats[place + 3])
            elif op == layout.GAP_SPREAD:
                if floats[place + 2] >= 2.0:
                    value = np.sqrt(np.float64(floats[place + 4]) / np.float64(floats[place + 2]))
            elif op == layout.GAP_DEVIATION:
                count = np.float64(floats[place + 2])
                if count >= LEAST:
                    spread = np.sqrt((np.float64(floats[place + 6]) + 0.5) / (count + 2.0))
                    gap = max(at - times[place >> 1], 0) * _SECOND
                    value = (np.log1p(gap) - np.float64(floats[place + 5])) / spread
            elif op == layout.NEW:
                if codes[b, i] != _U0:
                    value = is_new(place, fingerprint_of(mix(codes[b, i], seed)), words)
            elif op == layout.ENTROPY:
                value = entropy(place, floats)
            elif op == layout.HOUR:
                value = hour_share(place, at, floats)
            elif op == layout.TRAVEL:
                value = travel_speed(place, at, values[LATITUDE, i], values[LONGITUDE, i], floats, times)
            elif op == layout.DEVIATION:
                value = normal_deviation(place, values[b, i], floats)
            elif op == layout.REGRESSION:
                mean, spread = expected(place, at, values[QUANTITY, i], floats, times)
                if values[AMOUNT, i] >= 0.0:
                    value = (np.log1p(values[AMOUNT, i]) - mean) / spread
            elif op == layout.EXPECTED:
                mean, spread = expected(place, at, values[QUANTITY, i], floats, times)
                value = np.expm1(min(mean, 60.0))
            elif op == layout.SURGE:
                # An entity younger than the longer window is measured over its own age.
                age = (at - times[(row + layout.BORN) >> 1]) * _SECOND
                if sums[b] > 0.0 and age >= features[f, layout.D]:
                    value = sums[a] / factors[f] / (sums[b] / min(max(age, factors[f]), features[f, layout.C]))
            elif op == layout.ONLY_REDEEM and sums[b] > 0.0:
                value = min(np.float64(floats[place]) / sums[b], 1.0)
        if not np.isnan(value):
            column = np.uint64(base) + np.uint64(features[f, layout.OUT])
            out[column] = np.float32(value)
            missing[column] = False
