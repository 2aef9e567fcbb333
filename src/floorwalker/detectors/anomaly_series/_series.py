"""Checks that both detectors make, and robust figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import InputError

MAD = 1.4826
"""Median absolute deviation to standard deviation, for normal values."""


def check_series(values: NDArray[Any] | Sequence[float], kind: str) -> NDArray[np.float64]:
    """A series as float64 [T]; NaN = nothing known of that step. Counts below zero raise `InputError`."""
    try:
        series = np.asarray(values, np.float64)
    except (TypeError, ValueError) as broken:
        raise InputError(f"the series holds no numbers: {broken}", allowed="numbers, NaN where unknown") from broken
    if series.ndim != 1:
        raise InputError(f"a series of shape {series.shape}", allowed="one number a step")
    if np.isinf(series).any():
        raise InputError("the series holds infinite values", allowed="numbers, NaN where unknown")
    if kind == "counts" and (series[~np.isnan(series)] < 0).any():
        raise InputError("the series holds counts below zero", allowed="counts", fix='give kind="values"')
    return series


def winsorised_mean(values: NDArray[np.float64]) -> float:
    """The mean with what lies far out drawn in to three robust deviations and one; NaN without values."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan")
    middle = float(np.median(known))
    reach = 3 * MAD * float(np.median(np.abs(known - middle))) + 1.0
    return float(np.clip(known, middle - reach, middle + reach).mean())


def robust_deviation(values: NDArray[np.float64]) -> float:
    """Standard deviation by the median absolute deviation; where half of them are equal, the plain one of the inner
    nine tenths."""
    known = values[~np.isnan(values)]
    if len(known) < 2:
        return 0.0
    deviation = MAD * float(np.median(np.abs(known - np.median(known))))
    if deviation > 0:
        return deviation
    low, high = np.quantile(known, (0.05, 0.95))
    return float(known[(known >= low) & (known <= high)].std())


def count_spread(values: NDArray[np.float64], means: NDArray[np.float64]) -> float:
    """By how much counts vary beyond Poisson's law: `a` in `variance = mean + a mean²`, robust; 0 at the least."""
    known = ~np.isnan(values) & (means > 0)
    if known.sum() < 2:
        return 0.0
    scaled = (values[known] - means[known]) / np.sqrt(means[known])
    return max((robust_deviation(scaled) ** 2 - 1.0) / float(means[known].mean()), 0.0)
