"""From a score to a probability: isotonic regression on what became known, and how far off the probabilities are.

>>> found = Calibration.fit(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1]))
>>> found.apply(np.array([0.0, 0.15, 0.85])).tolist()
[0.0, 0.0, 1.0]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from floorwalker.errors import UsageError
from floorwalker.kernels import kernel


@kernel
def pool_adjacent(values: NDArray[np.float64], weights: NDArray[np.float64]) -> int:
    """Pool neighbours until values rise; in place, answers how many pools there are."""
    pools = 0
    for place in range(len(values)):
        value, weight = values[place], weights[place]
        while pools > 0 and values[pools - 1] >= value:
            pools -= 1
            total = weight + weights[pools]
            value = (value * weight + values[pools] * weights[pools]) / total
            weight = total
        values[pools], weights[pools] = value, weight
        pools += 1
    return pools


@dataclass(frozen=True)
class Calibration:
    """A rising step function from scores to probabilities.

    Parameters
    ----------
    edges : float64 [k], the lowest score of each step, rising.
    values : float64 [k], probability of each step.

    Source: Ayer et al., *An empirical distribution function for sampling with incomplete information*, 1955 (pool
    adjacent violators); Zadrozny, Elkan, *Transforming classifier scores into accurate multiclass probability
    estimates*, KDD 2002.
    """

    edges: NDArray[np.float64]
    values: NDArray[np.float64]

    @classmethod
    def fit(cls, scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Calibration:
        """Learn from scores [n] and labels [n] of 0 and 1, with weights [n]; no rows raise `UsageError`."""
        score, label = np.asarray(scores, np.float64), np.asarray(labels, np.float64)
        weight = np.ones(len(score)) if weights is None else np.asarray(weights, np.float64)
        if not len(score) or not len(score) == len(label) == len(weight):
            raise UsageError(
                f"{len(score)} scores, {len(label)} labels, {len(weight)} weights",
                allowed="as many of each, at least one",
            )
        names, where = np.unique(score, return_inverse=True)
        total = np.bincount(where, weights=weight)
        mean = np.bincount(where, weights=weight * label) / np.maximum(total, 1e-300)
        steps, mass = mean.astype(np.float64), total.astype(np.float64)
        pools = pool_adjacent(steps, mass)
        ends = np.searchsorted(np.cumsum(total), np.cumsum(mass[:pools]) * (1 - 1e-12))
        starts = np.r_[0, ends[:-1] + 1]
        return cls(names[np.minimum(starts, len(names) - 1)], steps[:pools].copy())

    def apply(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Probabilities of scores [n]; below the first edge the first step's, NaN stays NaN."""
        score = np.asarray(scores, np.float64)
        place = np.clip(np.searchsorted(self.edges, score, side="right") - 1, 0, len(self.values) - 1)
        return np.where(np.isnan(score), np.nan, self.values[place])


def calibration_error(probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 15) -> float:
    """Expected calibration error: mean distance between promised and seen share, over bins of equally many rows.

    >>> calibration_error(np.full(100, 0.25), np.arange(100) % 4 == 0, bins=1)
    0.0

    Source: Naeini, Cooper, Hauskrecht, *Obtaining well calibrated probabilities using Bayesian binning*, AAAI 2015;
    bins of equal count, since nearly all risks are next to nothing.
    """
    promised, seen = np.asarray(probabilities, np.float64), np.asarray(labels, np.float64)
    if not len(promised):
        return float("nan")
    order = np.argsort(promised, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    return float(sum(len(part) * abs(promised[part].mean() - seen[part].mean()) for part in parts) / len(order))
