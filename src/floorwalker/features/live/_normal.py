"""An entity's own normal: mean and spread of a figure, and the regression of the purchase amount.

Paper C names linear regression for normal behaviour (purchase amount, frequency). Ours is one small regression for each
account, learned purchase by purchase: ``ln(1 + amount)`` on a constant, ``ln(1 + days since the last purchase)`` and
``ln(1 + pieces)``, by recursive least squares (Ljung, *System Identification*, section 11.2). It starts at the first
amount with little trust in the slopes. A purchase farther than three standard deviations from what was expected moves
the weights as one at three would, so that one stolen card does not become the account's normal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live._inline import inline_kernel

LEAST = 3
"""Past values below which no deviation is told."""

_DAY = 86_400e6
_FIRST_VARIANCE = 0.25
_TRUST = 3.0
_SLOPE = 0.25
_CLIP = 3.0


@inline_kernel
def add_normal(at: int, value: float, floats: NDArray[np.float32]) -> None:
    """Take ln(1 + value) into count, mean and squares (Welford 1962)."""
    if not value >= 0.0:
        return
    figure = np.log1p(value)
    count = np.float64(floats[at]) + 1.0
    mean = np.float64(floats[at + 1])
    step = figure - mean
    mean += step / count
    floats[at] = np.float32(count)
    floats[at + 1] = np.float32(mean)
    floats[at + 2] = np.float32(np.float64(floats[at + 2]) + step * (figure - mean))


@inline_kernel
def normal_deviation(at: int, value: float, floats: NDArray[np.float32]) -> float:
    """Standard deviations between ln(1 + value) and the mean; NaN below three values. Two values' worth of a spread
    of one half keep a constant past from making every change infinite."""
    count = np.float64(floats[at])
    if count < LEAST or not value >= 0.0:
        return float(np.nan)
    spread = np.sqrt((np.float64(floats[at + 2]) + 2.0 * _FIRST_VARIANCE) / (count + 2.0))
    return float((np.log1p(value) - np.float64(floats[at + 1])) / spread)


@inline_kernel
def _days(place: int, now: int, times: NDArray[np.int64]) -> float:
    last = times[place >> 1]
    return float(max(now - last, 0) / _DAY) if last != 0 else 0.0


@inline_kernel
def expected(
    place: int, now: int, pieces: float, floats: NDArray[np.float32], times: NDArray[np.int64]
) -> tuple[float, float]:
    """What the regression expects of a purchase now: mean and standard deviation of ln(1 + amount); NaN below three
    purchases. The block starts at word `place`: time, count, weights, covariance, variance."""
    at = place + 2
    if floats[at] < LEAST:
        return float(np.nan), float(np.nan)
    b = np.log1p(_days(place, now, times))
    c = np.log1p(pieces if pieces >= 0.0 else 1.0)
    mean = np.float64(floats[at + 1]) + b * np.float64(floats[at + 2]) + c * np.float64(floats[at + 3])
    pa = np.float64(floats[at + 4]) + b * np.float64(floats[at + 5]) + c * np.float64(floats[at + 6])
    pb = np.float64(floats[at + 5]) + b * np.float64(floats[at + 7]) + c * np.float64(floats[at + 8])
    pc = np.float64(floats[at + 6]) + b * np.float64(floats[at + 8]) + c * np.float64(floats[at + 9])
    wide = 1.0 + max(pa + b * pb + c * pc, 0.0)
    return float(mean), float(np.sqrt(np.float64(floats[at + 10]) * wide))


@inline_kernel
def add_purchase(
    place: int, now: int, amount: float, pieces: float, floats: NDArray[np.float32], times: NDArray[np.int64]
) -> None:
    """Take one purchase into the regression."""
    if not amount >= 0.0:
        return
    at = place + 2
    y = np.log1p(amount)
    b = np.log1p(_days(place, now, times))
    c = np.log1p(pieces if pieces >= 0.0 else 1.0)
    if now > times[place >> 1]:
        times[place >> 1] = now
    count = np.float64(floats[at])
    floats[at] = np.float32(count + 1.0)
    if count == 0.0:
        floats[at + 1] = np.float32(y)
        floats[at + 4] = np.float32(1.0)
        floats[at + 7] = np.float32(_SLOPE)
        floats[at + 9] = np.float32(_SLOPE)
        floats[at + 10] = np.float32(_FIRST_VARIANCE)
        return
    p00, p01, p02 = np.float64(floats[at + 4]), np.float64(floats[at + 5]), np.float64(floats[at + 6])
    p11, p12, p22 = np.float64(floats[at + 7]), np.float64(floats[at + 8]), np.float64(floats[at + 9])
    g0 = p00 + b * p01 + c * p02
    g1 = p01 + b * p11 + c * p12
    g2 = p02 + b * p12 + c * p22
    wide = 1.0 + max(g0 + b * g1 + c * g2, 0.0)
    variance = np.float64(floats[at + 10])
    error = y - (np.float64(floats[at + 1]) + b * np.float64(floats[at + 2]) + c * np.float64(floats[at + 3]))
    most = _CLIP * np.sqrt(variance * wide)
    error = min(max(error, -most), most)
    floats[at + 1] = np.float32(np.float64(floats[at + 1]) + g0 / wide * error)
    floats[at + 2] = np.float32(np.float64(floats[at + 2]) + g1 / wide * error)
    floats[at + 3] = np.float32(np.float64(floats[at + 3]) + g2 / wide * error)
    floats[at + 4] = np.float32(max(p00 - g0 * g0 / wide, 1e-6))
    floats[at + 5] = np.float32(p01 - g0 * g1 / wide)
    floats[at + 6] = np.float32(p02 - g0 * g2 / wide)
    floats[at + 7] = np.float32(max(p11 - g1 * g1 / wide, 1e-6))
    floats[at + 8] = np.float32(p12 - g1 * g2 / wide)
    floats[at + 9] = np.float32(max(p22 - g2 * g2 / wide, 1e-6))
    floats[at + 10] = np.float32(variance + (error * error / wide - variance) / (count + _TRUST))
