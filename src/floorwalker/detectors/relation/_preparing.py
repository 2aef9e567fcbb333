"""Raw node features made fit for a network: centred, scaled, tamed, holes filled; degrees added."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.relation.graph import Graph
from floorwalker.errors import ArtefactError

Matrix = NDArray[np.float32]
COMMON = 5
"""Least rows of a column that speak for its centre."""


@dataclass(frozen=True)
class Preparation:
    """`arcsinh((x - median) / spread)` of each column, 0 where it is missing.

    Parameters
    ----------
    centre, spread : float32 [C]; the spread is the distance of the quartiles, else the standard deviation, else 1.
    """

    centre: Matrix
    spread: Matrix

    @classmethod
    def fit(cls, rows: Matrix) -> Preparation:
        """Centres and spreads of these rows, which are to be training rows alone; NaN and infinite values are holes."""
        centre, spread = np.zeros(rows.shape[1], np.float32), np.ones(rows.shape[1], np.float32)
        for column in range(rows.shape[1]):
            values = rows[:, column].astype(np.float64)
            values = values[np.isfinite(values)]
            if len(values) < COMMON:
                continue
            low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
            wide = high - low or values.std() or 1.0
            centre[column], spread[column] = middle, max(float(wide), 1e-6)
        return cls(centre, spread)

    def apply(self, rows: Matrix) -> Matrix:
        """Prepared rows: float32 [n, C], finite."""
        if rows.shape[1] != len(self.centre):
            raise ArtefactError(f"rows of {rows.shape[1]} columns", allowed=f"{len(self.centre)}, as in training")
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = np.arcsinh((rows.astype(np.float64) - self.centre) / self.spread)
        return np.where(np.isfinite(scaled), scaled, 0.0).astype(np.float32)


def with_degrees(graph: Graph) -> Matrix:
    """The features, and the logarithm of each relation's degree, which means of neighbours do not tell."""
    degrees = [np.log1p(relation.degrees()).astype(np.float32)[:, None] for relation in graph.relations.values()]
    return np.hstack([np.asarray(graph.features, np.float32), *degrees])
