"""Features on a common, robust scale, so that no unit and no outlier decides what is near."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.visitors import Feature

LIMIT = 8.0
"""Scaled values are cut here: beyond eight spreads, farther is not more unusual."""

NORMAL_QUARTILES = 1.349
NORMAL_TAILS = 3.290


@dataclass(frozen=True)
class Scaling:
    """Centre and spread of each feature on the training days.

    Parameters
    ----------
    logarithmic : bool [d], features compared as log(1 + value).
    centre : float64 [d], medians (of the logarithms where logarithmic).
    spread : float64 [d], interquartile range as a standard deviation; never zero.
    """

    logarithmic: NDArray[np.bool_]
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def fit(cls, features: tuple[Feature, ...], values: NDArray[np.float64]) -> Scaling:
        """Learn the scale from float64 [n, d]."""
        logarithmic = np.array([feature.logarithmic for feature in features])
        seen = np.where(logarithmic, np.log1p(np.maximum(values, 0.0)), values)
        low_tail, low, centre, high, high_tail = np.quantile(seen, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
        quartiles = (high - low) / NORMAL_QUARTILES
        tails = (high_tail - low_tail) / NORMAL_TAILS
        deviation = seen.std(axis=0)
        # A feature that most visitors share has no quartile range; the wider measures say what a step means.
        spread = np.where(quartiles > 1e-9, quartiles, np.where(tails > 1e-9, tails, deviation))
        return cls(logarithmic, centre, np.where(spread > 1e-9, spread, 1.0))

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """float64 [n, d] to float32 [n, d] in spreads from the median, within `LIMIT`."""
        seen = np.where(self.logarithmic, np.log1p(np.maximum(values, 0.0)), values)
        scaled: NDArray[np.float32] = np.clip((seen - self.centre) / self.spread, -LIMIT, LIMIT).astype(np.float32)
        return scaled
