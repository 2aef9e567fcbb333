"""k nearest neighbours: rows far from their nearest neighbours are unusual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly._base import Capabilities, Matrix
from floorwalker.detectors.anomaly._fitted import FittedDetector, State, against_typical, typical_of
from floorwalker.detectors.anomaly._layout import COUNT, SCALE, Layout, Stored, damaged
from floorwalker.detectors.anomaly._neighbours import draw_landmarks, find_nearest
from floorwalker.errors import UsageError


@dataclass
class KNN(FittedDetector):
    """Mean distance to the k nearest training rows (Angiulli, Pizzuti 2002; Ramaswamy et al. 2000).

    Simple and hard to beat where abusers lie apart from everybody; unlike LOF it also calls a sparse region of honest
    visitors unusual, and unlike Isolation Forest it sees odd combinations of ordinary values.

    Parameters
    ----------
    neighbours : k; all others where there are fewer.
    landmarks : training rows kept as reference; a random sample above this number.

    Scores: `d / (d + median d)` over the reference: 0.5 is the typical training row, 0.9 nine times as far. New
    rows are scored like training rows; a reference row equal to the scored row counts as the row itself, once.
    Fewer than 2 rows raise `UsageError`.

    >>> rows = np.random.default_rng(1).normal(size=(500, 3)).astype(np.float32)
    >>> KNN().fit(rows).score(np.array([[0, 0, 0], [9, 9, 9]], np.float32)).round(1).astype(str).tolist()
    ['0.4', '1.0']
    """

    capabilities: ClassVar[Capabilities] = Capabilities(
        name="k-NN distance",
        source="Angiulli, Pizzuti 2002; Ramaswamy, Rastogi, Shim 2000",
        score_meaning="mean distance d to the k nearest: d / (d + typical d); 0.5 the typical training row",
        approximate_above=4096,
        order_free=True,
    )
    layout: ClassVar[Layout] = {
        "reference": Stored(np.float32, ("reference", "width")),
        "count": COUNT,
        "typical": SCALE,
    }

    neighbours: int = 10
    landmarks: int = 4096

    def __post_init__(self) -> None:
        if self.neighbours < 1 or self.landmarks < 2:
            raise UsageError(
                f"neighbours={self.neighbours}, landmarks={self.landmarks}",
                allowed="neighbours of 1 and up, landmarks of 2 and up",
            )

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """The default, and landmarks with fewer neighbours."""
        return [{}, {"landmarks": 128, "neighbours": 8}]

    def _fit(self, rows: Matrix) -> State:
        reference = draw_landmarks(rows, self.landmarks, self.seed)
        count = min(self.neighbours, len(reference) - 1)
        distances, _ = find_nearest(reference, reference, count, skip_self=True)
        return {
            "reference": reference,
            "count": np.array(count, np.int64),
            "typical": np.array(typical_of(distances.mean(axis=1, dtype=np.float64))),
        }

    def _check_learned(self, learned: State, lengths: dict[str, int]) -> None:
        name = self.capabilities.name
        if int(learned["count"]) >= lengths["reference"]:
            raise damaged(
                f"count of {name} is {int(learned['count'])}", f"fewer than its {lengths['reference']} reference rows"
            )

    def _score(self, rows: Matrix, learned: State) -> NDArray[Any]:
        distances, _ = find_nearest(rows, learned["reference"], int(learned["count"]), skip_self=True)
        return against_typical(distances.mean(axis=1, dtype=np.float64), float(learned["typical"]))
