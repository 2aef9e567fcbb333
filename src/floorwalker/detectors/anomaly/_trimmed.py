"""Fitting that does not learn abuse as normal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from floorwalker.detectors.anomaly._base import Detector, Matrix
from floorwalker.detectors.anomaly._neighbours import draw_landmarks
from floorwalker.errors import UsageError

Fitted = TypeVar("Fitted", bound=Detector)


def fit_trimmed(
    detector_factory: Callable[[], Fitted],
    rows: Matrix,
    *,
    trim: float,
    rounds: int,
    most_rows: int = 32_768,
    seed: int = 0,
) -> Fitted:
    """Fit, leave out the most unusual share of the training rows, fit again: `rounds` times.

    The week a detector is trained on holds abusers too. A watcher present from day one, or a crowd of hunters, would
    otherwise widen what counts as usual. Each round starts from all rows, so that a row left out by mistake comes
    back when the better fit finds it usual.

    Parameters
    ----------
    detector_factory : makes an unfitted detector, e.g. `lambda: IsolationForest(seed=7)`.
    rows : float32 [n, d], training rows.
    trim : share of the rows left out, from 0 up to, not including, 0.5. Ties at the cut stay in.
    rounds : how often to leave out and refit; 0 = plain fitting.
    most_rows : training rows above which a random sample of so many is used: every detector here samples or sums up its
        rows anyway, and scoring all of them each round would cost more than the judging.
    seed : draws that sample.

    Returns the detector of the last fit. Too few rows to leave any out are fitted whole. Raises `UsageError` on
    other values.

    >>> from floorwalker.detectors.anomaly.knn import KNN
    >>> crowd = np.random.default_rng(1).normal(size=(300, 2)).astype(np.float32)
    >>> gang = np.full((12, 2), 6.0, np.float32) + crowd[:12] * np.float32(0.05)
    >>> rows = np.concatenate([crowd, gang])
    >>> plain = fit_trimmed(KNN, rows, trim=0.0, rounds=0).score(gang).mean()
    >>> trimmed = fit_trimmed(lambda: KNN(neighbours=15), rows, trim=0.05, rounds=2).score(gang).mean()
    >>> bool(plain < 0.5 < 0.9 < trimmed)
    True
    """
    if not 0 <= trim < 0.5:
        raise UsageError(f"trim={trim}", allowed="a share from 0 up to, not including, 0.5")
    if rounds < 0:
        raise UsageError(f"rounds={rounds}", allowed="0 and up")
    if most_rows < 2:
        raise UsageError(f"most_rows={most_rows}", allowed="2 and up")
    rows = draw_landmarks(rows, most_rows, seed)
    detector = detector_factory()
    detector.fit(rows)
    keep = len(rows) - int(trim * len(rows))
    for _ in range(rounds if keep < len(rows) else 0):
        scores = detector.score(rows)
        cut = np.partition(scores, keep - 1)[keep - 1]
        detector = detector_factory()
        detector.fit(rows[scores <= cut])
    return detector
