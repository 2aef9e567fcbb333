"""Local outlier factor: rows in a thinner place than their neighbours are unusual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly._base import Capabilities, Matrix
from floorwalker.detectors.anomaly._fitted import FittedDetector, State, typical_of
from floorwalker.detectors.anomaly._layout import COUNT, SCALE, Layout, Stored, damaged
from floorwalker.detectors.anomaly._neighbours import draw_landmarks, find_nearest
from floorwalker.errors import UsageError

FLOOR = 1e-3
"""Least mean reachability distance, as a share of the typical k-distance: duplicates get no infinite density."""


@dataclass
class LOF(FittedDetector):
    """Density of a row's neighbours over its own density (Breunig, Kriegel, Ng, Sander 2000).

    - `d_k(o)`, the distance of o to its k-th nearest row (5), and `N_k(p)`, the rows within `d_k(p)` of p (6);
    - reachability distance `max(d_k(o), d(o, p))` (7);
    - local reachability density, the inverse of the mean reachability distance over `N_k(p)` (8);
    - LOF, the mean over `N_k(p)` of the neighbours' density divided by that of p (9).

    It works against abuse that hides close to one dense group (say, honest phones of one carrier) but not inside
    it, where a global distance would see nothing.

    Parameters
    ----------
    neighbours : k; all others where there are fewer. Ties at the k-th distance are cut off at k rows.
    landmarks : training rows kept as reference; a random sample above this number (approximate).

    Scores: `LOF / (1 + LOF)`: 0.5 is as dense as the neighbours, 0.75 a third as dense. New rows are scored against the
    reference ("novelty"); a reference row equal to the scored row counts as the row itself, once, so that training
    rows get exactly the LOF of the paper. Fewer than 3 rows raise `UsageError`.

    >>> rows = np.random.default_rng(1).normal(size=(500, 3)).astype(np.float32)
    >>> LOF().fit(rows).score(np.array([[0, 0, 0], [6, 6, 6]], np.float32)).round(1).astype(str).tolist()
    ['0.5', '0.9']
    """

    capabilities: ClassVar[Capabilities] = Capabilities(
        name="LOF",
        source="Breunig, Kriegel, Ng, Sander 2000; paper B equations 5-9",
        score_meaning="LOF / (1 + LOF): 0.5 as dense as the neighbours, 0.75 a third as dense",
        approximate_above=4096,
        minimum_rows=3,
        order_free=True,
    )
    layout: ClassVar[Layout] = {
        "reference": Stored(np.float32, ("reference", "width")),
        "count": COUNT,
        "k_distance": Stored(np.float64, ("reference",), least=0),
        "density": Stored(np.float64, ("reference",), positive=True),
        "floor": SCALE,
    }

    neighbours: int = 20
    landmarks: int = 4096

    def __post_init__(self) -> None:
        if self.neighbours < 1 or self.landmarks < 3:
            raise UsageError(
                f"neighbours={self.neighbours}, landmarks={self.landmarks}",
                allowed="neighbours of 1 and up, landmarks of 3 and up",
            )

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """The default, and landmarks with fewer neighbours."""
        return [{}, {"landmarks": 128, "neighbours": 8}]

    def _fit(self, rows: Matrix) -> State:
        reference = draw_landmarks(rows, self.landmarks, self.seed)
        count = min(self.neighbours, len(reference) - 1)
        distances, places = find_nearest(reference, reference, count, skip_self=True)
        k_distance = distances[:, -1].astype(np.float64)
        floor = FLOOR * typical_of(k_distance)
        reach = np.maximum(k_distance[places], distances).mean(axis=1)
        return {
            "reference": reference,
            "count": np.array(count, np.int64),
            "k_distance": k_distance,
            "density": 1.0 / np.maximum(reach, floor),
            "floor": np.array(floor),
        }

    def _check_learned(self, learned: State, lengths: dict[str, int]) -> None:
        name = self.capabilities.name
        if int(learned["count"]) >= lengths["reference"]:
            raise damaged(
                f"count of {name} is {int(learned['count'])}", f"fewer than its {lengths['reference']} reference rows"
            )

    def factors(self, rows: Matrix) -> NDArray[np.float64]:
        """LOF itself (equation 9), float64 [n]: about 1 for inliers."""
        return self._factors(self._checked(rows, int(self._learned["width"])), self._learned)

    def _factors(self, rows: Matrix, learned: State) -> NDArray[np.float64]:
        distances, places = find_nearest(rows, learned["reference"], int(learned["count"]), skip_self=True)
        reach = np.maximum(learned["k_distance"][places], distances).mean(axis=1)
        factors: NDArray[np.float64] = learned["density"][places].mean(axis=1) * np.maximum(reach, learned["floor"])
        return factors

    def _score(self, rows: Matrix, learned: State) -> NDArray[Any]:
        factors = self._factors(rows, learned)
        return factors / (1.0 + factors)
