"""Robust Mahalanobis distance: rows far from the centre in units of the crowd's own spread are unusual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly._base import Capabilities, Matrix
from floorwalker.detectors.anomaly._fitted import FittedDetector, State, against_typical, typical_of
from floorwalker.detectors.anomaly._layout import SCALE, Layout, Stored
from floorwalker.errors import UsageError

LEAST_VARIANCE = 0.1
"""Least variance of a column among the central rows, as a share of the robust one it began with.

Where most rows are zero, concentration would keep zeros only and call every other value infinitely far.
"""


@dataclass
class Mahalanobis(FittedDetector):
    """Distance `sqrt((x - m)' S^-1 (x - m))` with centre and covariance of the most central share (after Rousseeuw,
    Van Driessen 1999).

    Fitting starts at the median and the median absolute deviations and repeats the concentration step of FAST-MCD:
    keep the `share` of rows nearest by the present distance, take their mean and covariance. Abusers among the
    training rows are thus left out of what is called usual. It works against abuse whose features break the
    correlations that honest visits have (pages against duration, say).

    Parameters
    ----------
    share : part of the training rows that count as central.
    steps : concentration steps.
    shrinkage : weight of the diagonal in the covariance, which keeps few rows or equal columns from making it singular.

    Scores: `d / (d + typical d)`: 0.5 the typical training row. Fewer than 2 rows raise `UsageError`.

    >>> rows = np.random.default_rng(1).normal(size=(500, 3)).astype(np.float32)
    >>> centre, far = Mahalanobis().fit(rows).score(np.array([[0, 0, 0], [9, 9, 9]], np.float32))
    >>> bool(centre < 0.2 and far > 0.8)
    True
    """

    capabilities: ClassVar[Capabilities] = Capabilities(
        name="robust Mahalanobis distance",
        source="Mahalanobis 1936; concentration steps of Rousseeuw, Van Driessen 1999",
        score_meaning="distance d in robust standard deviations: d / (d + typical d); 0.5 the typical training row",
        order_free=False,
    )
    layout: ClassVar[Layout] = {
        "centre": Stored(np.float64, ("width",)),
        "whitener": Stored(np.float64, ("width", "width")),
        "typical": SCALE,
    }

    share: float = 0.75
    steps: int = 10
    shrinkage: float = 0.1

    def __post_init__(self) -> None:
        if not 0.5 <= self.share <= 1 or self.steps < 0 or not 0 < self.shrinkage <= 1:
            raise UsageError(
                f"share={self.share}, steps={self.steps}, shrinkage={self.shrinkage}",
                allowed="share from 0.5 to 1, steps of 0 and up, shrinkage above 0 and at most 1",
            )

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """The default, and without concentration."""
        return [{}, {"steps": 0}]

    def _fit(self, rows: Matrix) -> State:
        values = rows.astype(np.float64)
        centre = np.median(values, axis=0)
        spread = 1.4826 * np.median(np.abs(values - centre), axis=0)
        deviation = values.std(axis=0)
        # More than half equal: the plain deviation stands in; a constant column gets 1, so that leaving it counts.
        spread = np.where(spread > 0, spread, np.where(deviation > 0, deviation, 1.0))
        whitener = np.diag(1.0 / spread)
        keep = max(2, round(self.share * len(values)))
        for _ in range(self.steps):
            central = values[np.argsort(_distances(values, centre, whitener), kind="stable")[:keep]]
            centre = central.mean(axis=0)
            scaled = (central - centre) / spread
            covariance = scaled.T @ scaled / len(central)
            diagonal = np.maximum(np.diag(covariance), LEAST_VARIANCE)
            shrunk = (1 - self.shrinkage) * covariance + np.diag(
                self.shrinkage * diagonal + (1 - self.shrinkage) * (diagonal - np.diag(covariance))
            )
            whitener = np.linalg.inv(np.linalg.cholesky(shrunk)) / spread
        typical = typical_of(_distances(values, centre, whitener))
        return {"centre": centre, "whitener": whitener, "typical": np.array(typical)}

    def _score(self, rows: Matrix, learned: State) -> NDArray[Any]:
        distances = _distances(rows.astype(np.float64), learned["centre"], learned["whitener"])
        return against_typical(distances, float(learned["typical"]))


def _distances(
    values: NDArray[np.float64], centre: NDArray[np.float64], whitener: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Row by row with fixed order of summation, since a matrix product's last bits depend on the batch's size."""
    centred = values - centre
    squares = np.zeros(len(values))
    for direction in whitener:
        projected = np.zeros(len(values))
        for column, weight in enumerate(direction):
            if weight != 0.0:
                projected += centred[:, column] * weight
        squares += projected**2
    return np.sqrt(squares)
