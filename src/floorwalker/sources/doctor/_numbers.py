"""How numbers are spread, in bounded memory."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

_STEPS = 50.0
"""Buckets for each factor of e: a quantile is right to 1 %."""


class Spread:
    """Counts of numbers >= 0 in buckets that are 2 % wide.

    >>> spread = Spread()
    >>> spread.add(np.array([0.0] + [100.0] * 98 + [1e6]))
    >>> spread.zeros, 99 <= spread.quantile(0.5) <= 101, round(spread.abnormal_share(), 2)
    (1, True, 0.01)
    """

    def __init__(self) -> None:
        self.zeros = 0
        self.count = 0
        self.highest = 0.0
        self._buckets: Counter[int] = Counter()

    def add(self, values: NDArray[np.float64]) -> None:
        """Count finite numbers."""
        if not len(values):
            return
        positive = values[values > 0]
        self.zeros += len(values) - len(positive)
        self.count += len(values)
        if len(positive):
            self.highest = max(self.highest, float(positive.max()))
            places, counts = np.unique(np.rint(np.log(positive) * _STEPS).astype(np.int64), return_counts=True)
            self._buckets.update(dict(zip(places.tolist(), counts.tolist(), strict=True)))

    def _log_quantile(self, share: float) -> float:
        wanted = share * (self.count - self.zeros)
        seen = 0
        for place in sorted(self._buckets):
            seen += self._buckets[place]
            if seen >= wanted:
                return place / _STEPS
        return 0.0

    def quantile(self, share: float) -> float:
        """A quantile of the numbers above 0; 0 where there are none."""
        return float(np.exp(self._log_quantile(share))) if self._buckets else 0.0

    def fences(self) -> tuple[float, float]:
        """The numbers beyond which a value is abnormal: three times the middle half's width outside it, in logarithms.

        The width counts as at least a factor of 2: where most prices are equal, a little more is not abnormal.

        Source: J. W. Tukey, Exploratory Data Analysis, 1977 (outer fences).
        """
        low, high = self._log_quantile(0.25), self._log_quantile(0.75)
        width = max(high - low, float(np.log(2.0)))
        return float(np.exp(low - 3 * width)), float(np.exp(high + 3 * width))

    def abnormal_share(self) -> float:
        """The share of all numbers that lie beyond the fences; zeros are counted apart."""
        if not self._buckets:
            return 0.0
        low, high = (np.log(fence) * _STEPS for fence in self.fences())
        beyond = sum(count for place, count in self._buckets.items() if place < low or place > high)
        return beyond / self.count
