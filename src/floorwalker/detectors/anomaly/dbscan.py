"""DBSCAN: rows that no dense group reaches are noise."""

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


@dataclass
class DBSCAN(FittedDetector):
    """Distance to the nearest core point in units of eps; noise is what lies further than one (Ester et al. 1996).

    A row is a *core point* when its eps-neighbourhood, itself included, holds at least MinPts rows (equation 10).
    Rows within eps of a core point are reachable from its cluster (*border*), all others *noise*. Which cluster a
    row belongs to does not matter here, so clusters are never built.

    It works against abuse that keeps clear of every crowd, and it gives a yes or no with a reason: nobody behaves
    like this.

    Parameters
    ----------
    radius : eps, in the units of the scaled columns; 0 = the knee of the sorted k-distance plot of the training rows.
    minimum_points : MinPts; 0 = 10, or a fifth of the reference rows where they are fewer than 50.
    landmarks : training rows kept as reference; a random sample above this number (approximate: eps is found on the
        sample).

    Scores grade each kind so that its members can be ranked: a core point has 0.25 times its distance to the row
    that makes it core over eps, in [0, 0.25]; a border row 0.25 + 0.25 d/eps, in [0.25, 0.5], d being the distance
    to the nearest core point; noise 1 - 0.5 eps/d, above 0.5. New rows are judged as if added to the reference one
    by one. Fewer than 3 rows raise `UsageError`.

    >>> rows = np.random.default_rng(1).normal(size=(500, 2)).astype(np.float32)
    >>> centre, far = DBSCAN().fit(rows).score(np.array([[0, 0], [9, 9]], np.float32))
    >>> bool(centre < 0.25), bool(far > 0.5)
    (True, True)
    """

    capabilities: ClassVar[Capabilities] = Capabilities(
        name="DBSCAN",
        source="Ester, Kriegel, Sander, Xu 1996; paper B equation 10",
        score_meaning="up to 0.25 core, up to 0.5 border, above 0.5 noise: 1 - eps / (2 d) at distance d from a core",
        approximate_above=4096,
        minimum_rows=3,
        order_free=True,
    )
    layout: ClassVar[Layout] = {
        "reference": Stored(np.float32, ("reference", "width")),
        "core": Stored(np.float32, ("core", "width")),
        "others": COUNT,
        "radius": SCALE,
    }

    radius: float = 0.0
    minimum_points: int = 0
    landmarks: int = 4096

    def __post_init__(self) -> None:
        if self.radius < 0 or self.minimum_points < 0 or self.landmarks < 3:
            raise UsageError(
                f"radius={self.radius}, minimum_points={self.minimum_points}, landmarks={self.landmarks}",
                allowed="radius and minimum_points of 0 (by itself) and up, landmarks of 3 and up",
            )

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """The default, landmarks, and a radius too small for any core point."""
        return [{}, {"landmarks": 128, "minimum_points": 6}, {"radius": 1e-4}]

    def _fit(self, rows: Matrix) -> State:
        reference = draw_landmarks(rows, self.landmarks, self.seed)
        wanted = self.minimum_points or min(10, max(3, len(reference) // 5))
        # MinPts counts the point itself, so the (MinPts - 1)-th other row decides.
        others = min(max(wanted - 1, 1), len(reference) - 1)
        distances, _ = find_nearest(reference, reference, others, skip_self=True)
        k_distance = distances[:, -1].astype(np.float64)
        radius = self.radius or find_knee(k_distance)
        core = reference[k_distance <= radius]
        # A radius given too small leaves no core: the densest row stands for them, and everything else is noise.
        if len(core) == 0:
            core = reference[[int(np.argmin(k_distance))]]
        return {
            "reference": reference,
            "core": core,
            "others": np.array(others, np.int64),
            "radius": np.array(radius, np.float64),
        }

    def _check_learned(self, learned: State, lengths: dict[str, int]) -> None:
        name = self.capabilities.name
        if int(learned["others"]) >= lengths["reference"]:
            raise damaged(
                f"others of {name} is {int(learned['others'])}", f"fewer than its {lengths['reference']} reference rows"
            )

    def is_noise(self, rows: Matrix) -> NDArray[np.bool_]:
        """Whether each row is noise, bool [n]."""
        noise: NDArray[np.bool_] = self.score(rows) > 0.5
        return noise

    def _score(self, rows: Matrix, learned: State) -> NDArray[Any]:
        radius = float(learned["radius"])
        to_kth = find_nearest(rows, learned["reference"], int(learned["others"]), skip_self=True)[0][:, -1]
        to_core = find_nearest(rows, learned["core"], 1, skip_self=False)[0][:, 0]
        # What overflows is thrown away below: only noise lies that far.
        with np.errstate(over="ignore"):
            inside, border = 0.25 * to_kth / radius, 0.25 + 0.25 * to_core / radius
        noise = 1.0 - 0.5 * radius / np.maximum(to_core, radius)
        scores = np.where(to_core <= radius, border, np.maximum(noise, np.nextafter(np.float32(0.5), np.float32(1))))
        return np.where(to_kth <= radius, inside, scores)


def find_knee(k_distance: NDArray[np.float64]) -> float:
    """The k-distance at the knee of the sorted plot, where the crowd ends and the outliers begin (Ester et al., 4.2).

    The knee is the point furthest below the chord from the median to the largest k-distance (Satopää et al. 2011). The
    plot starts at the median, since dense duplicates at its lower end would bend it there.

    >>> find_knee(np.array([1.0] * 90 + [1.5] * 5 + [5.0, 8.0, 9.0, 10.0, 20.0]))
    1.5
    """
    upper = np.sort(k_distance)[len(k_distance) // 2 :]
    rise = upper[-1] - upper[0]
    if rise <= 0:
        return typical_of(k_distance)
    chord = np.linspace(0.0, 1.0, len(upper))
    knee = float(upper[int(np.argmax(chord - (upper - upper[0]) / rise))])
    return knee if knee > 0 else typical_of(k_distance)
