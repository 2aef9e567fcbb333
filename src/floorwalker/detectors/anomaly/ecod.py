"""ECOD: rows far out in the tails of the columns' empirical distributions are unusual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly._base import Capabilities, Matrix
from floorwalker.detectors.anomaly._fitted import FittedDetector, State, against_typical, typical_of
from floorwalker.detectors.anomaly._layout import COUNT, SCALE, Layout, Stored, check_rising
from floorwalker.detectors.anomaly._neighbours import draw_landmarks
from floorwalker.errors import UsageError


@dataclass
class ECOD(FittedDetector):
    """Sum of `-log` tail probabilities under empirical distribution functions (Li, Zhao, Hu, Botta, Ionescu, Chen
    2022).

    For each column the left and right tail probabilities of a value are counted from the training rows. Three sums
    of their negative logarithms are made, of the left tails, of the right tails, and of the tail on which the
    column is skewed; the largest is the score (the paper's algorithm 1). No setting decides anything, and every
    term is a statement such as "more requests an hour than 99.9 % of visitors". It works against abuse that is
    extreme, in whichever features; it does not see odd combinations.

    Parameters
    ----------
    grid : most values kept of each column's distribution; beyond that its quantiles at even steps (the extremes
        always kept).

    Scores: `o / (o + typical o)`: 0.5 the typical training row. Beyond every training row the tail probability is
    that of half a row, so scores of new rows are finite. Fewer than 2 rows raise `UsageError`.

    >>> rows = np.random.default_rng(1).normal(size=(500, 3)).astype(np.float32)
    >>> centre, far = ECOD().fit(rows).score(np.array([[0, 0, 0], [6, 6, 6]], np.float32))
    >>> bool(centre < 0.5 < 0.8 < far)
    True
    """

    capabilities: ClassVar[Capabilities] = Capabilities(
        name="ECOD",
        source="Li, Zhao, Hu, Botta, Ionescu, Chen 2022, algorithm 1",
        score_meaning="sum o of -log tail probabilities: o / (o + typical o); 0.5 the typical training row",
        approximate_above=4096,
        order_free=True,
    )
    layout: ClassVar[Layout] = {
        "ordered": Stored(np.float32, ("width", "grid")),
        "skew": Stored(np.int8, ("width",)),
        "trained_on": COUNT,
        "typical": SCALE,
    }

    grid: int = 4096

    def __post_init__(self) -> None:
        if self.grid < 2:
            raise UsageError(f"grid={self.grid}", allowed="2 and up")

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """The default, and a coarse grid."""
        return [{}, {"grid": 64}]

    def _fit(self, rows: Matrix) -> State:
        ordered = np.sort(rows, axis=0)
        count = len(rows)
        if count > self.grid:
            ordered = ordered[np.linspace(0, count - 1, self.grid).round().astype(np.int64)]
        centred = rows - rows.mean(axis=0, dtype=np.float64)
        third = np.sign((centred**3).mean(axis=0))
        learned: State = {
            "ordered": np.ascontiguousarray(ordered.T),
            "skew": third.astype(np.int8),
            "trained_on": np.array(count, np.int64),
        }
        sample = draw_landmarks(rows, self.grid, self.seed)
        learned["typical"] = np.array(typical_of(_tails(sample, learned).max(axis=0)))
        return learned

    def _check_learned(self, learned: State, lengths: dict[str, int]) -> None:
        check_rising(self.capabilities.name, "ordered", learned["ordered"])

    def _score(self, rows: Matrix, learned: State) -> NDArray[Any]:
        return against_typical(_tails(rows, learned).max(axis=0), float(learned["typical"]))


def _tails(rows: Matrix, learned: State) -> NDArray[np.float64]:
    """The left, right and skew-chosen sums, float64 [3, n]."""
    ordered, skew = learned["ordered"], learned["skew"]
    least = 0.5 / float(learned["trained_on"])
    sums = np.zeros((3, len(rows)), np.float64)
    size = ordered.shape[1]
    for column in range(rows.shape[1]):
        values = rows[:, column]
        left = -np.log(np.maximum(np.searchsorted(ordered[column], values, "right") / size, least))
        right = -np.log(np.maximum(1.0 - np.searchsorted(ordered[column], values, "left") / size, least))
        sums[0] += left
        sums[1] += right
        sums[2] += left if skew[column] < 0 else right
    return sums
