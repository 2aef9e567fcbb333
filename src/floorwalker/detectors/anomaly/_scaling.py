"""Put feature columns on one scale before a detector compares them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from floorwalker.detectors.anomaly._base import Matrix
from floorwalker.detectors.anomaly._layout import Layout, Stored, check_layout
from floorwalker.errors import UsageError

LEAST_SHARE = 0.3
"""Least scale of a column as a share of its standard deviation: most rows equal must not make the others infinite."""

LAYOUT: Layout = {
    "logarithmic": Stored(np.bool_, ("width",)),
    "centre": Stored(np.float64, ("width",), finite=False),
    "scale": Stored(np.float64, ("width",), finite=False),
}


@dataclass(frozen=True)
class RobustScaling:
    """`(x - median) / max(IQR / 1.349, 0.3 sd)` for each column, of `ln(1 + x)` where the column spans orders of
    magnitude.

    Median and quartiles do not follow the abusers among the training rows, as mean and deviation would. A column
    that is the same for (nearly) everybody has no quartile range; its standard deviation then sets the scale, and a
    constant column becomes zero in training but still shows whoever departs from it.

    Parameters
    ----------
    logarithmic : bool [d], columns taken as `ln(1 + x)`; they must not be below zero.
    centre, scale : float64 [d].

    >>> rows = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0], [4.0, 5.0]])
    >>> RobustScaling.fit(rows).apply(np.array([[2.5, 7.0]])).tolist()
    [[0.0, 2.0]]
    """

    logarithmic: NDArray[np.bool_]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def fit(cls, rows: NDArray[Any], *, logarithmic: ArrayLike = False) -> Self:
        """Learn centre and scale from finite rows [n, d]; raises `UsageError` where there are none."""
        if rows.ndim != 2 or len(rows) == 0:
            raise UsageError(f"rows of shape {rows.shape} to scale", allowed="at least one row, two dimensions")
        which = np.broadcast_to(np.asarray(logarithmic, np.bool_), rows.shape[1:]).copy()
        values = _stretched(rows, which)
        lower, centre, upper = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
        deviation = values.std(axis=0)
        # Rounding leaves a constant column a deviation of some 1e-16 of its size: that is no spread.
        deviation[deviation <= 1e-9 * np.abs(centre)] = 0.0
        scale = np.maximum((upper - lower) / 1.349, LEAST_SHARE * deviation)
        scale[scale <= 0] = 1.0
        return cls(which, centre, scale)

    def apply(self, rows: NDArray[Any]) -> Matrix:
        """Scaled rows, float32 [n, d], within ±1e6 so that no distance overflows."""
        if rows.ndim != 2 or rows.shape[1] != len(self.centre):
            raise UsageError(f"rows of shape {rows.shape} to scale", allowed=f"{len(self.centre)} columns")
        scaled = (_stretched(rows, self.logarithmic) - self.centre) / self.scale
        return np.clip(scaled, -1e6, 1e6).astype(np.float32)

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays from which `from_state` makes an equal scaling."""
        return {"logarithmic": self.logarithmic, "centre": self.centre, "scale": self.scale}

    @classmethod
    def from_state(cls, state: dict[str, NDArray[Any]]) -> Self:
        """The scaling that `state` was taken from.

        Raises `ArtefactError` where arrays are missing or do not fit together.
        """
        check_layout("a scaling", state, LAYOUT)
        return cls(state["logarithmic"], state["centre"], state["scale"])


def _stretched(rows: NDArray[Any], logarithmic: NDArray[np.bool_]) -> NDArray[np.float64]:
    # No feature comes near 1e60; beyond it the squares of a standard deviation would overflow.
    values = np.clip(np.asarray(rows, np.float64), -1e60, 1e60)
    if logarithmic.any():
        values[:, logarithmic] = np.log1p(np.maximum(values[:, logarithmic], 0.0))
    return values
