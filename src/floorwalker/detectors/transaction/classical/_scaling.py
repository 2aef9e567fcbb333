"""Brings columns of all sizes to one scale, for methods that measure distances or add columns up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.transaction.classical._base import Arrays, Rows

FURTHEST = 5.0
"""Standard deviations beyond which a value counts as one at that distance."""


def learn_scaling(rows: Rows) -> Arrays:
    """Mean and spread of each column on the scale of signed logarithms, and which columns are missing now and then.

    A constant column has no spread and becomes 0.
    """
    logs = squeeze(rows)
    present = ~np.isnan(logs)
    count = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, logs, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(present, logs - mean, 0.0) ** 2).sum(axis=0) / count)
    share = 1.0 - present.mean(axis=0)
    return {
        "mean": mean,
        "inverse": np.where(spread > 1e-9, 1.0 / np.maximum(spread, 1e-9), 0.0),
        "gaps": np.flatnonzero((share > 0.01) & (share < 0.99)),
    }


def scale(rows: Rows, arrays: Arrays) -> NDArray[np.float64]:
    """Scaled columns, a missing value at the mean, and a column of 0 and 1 for each that is missing now and then."""
    scaled = np.clip((squeeze(rows) - arrays["mean"]) * arrays["inverse"], -FURTHEST, FURTHEST)
    return np.concatenate([np.nan_to_num(scaled, nan=0.0), np.isnan(rows[:, arrays["gaps"]])], axis=1)


def squeeze(rows: Rows) -> NDArray[np.float64]:
    """``sign(x) ln(1 + |x|)``: amounts, counts and seconds span orders of magnitude."""
    answer: NDArray[np.float64] = np.sign(rows) * np.log1p(np.abs(rows))
    return answer
