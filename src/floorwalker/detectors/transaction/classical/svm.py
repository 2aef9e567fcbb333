"""A support vector machine with a Gaussian kernel, through landmarks so that it takes hundreds of thousands of rows."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.transaction.classical._base import Arrays, Classical, Rows, balance, sigmoid
from floorwalker.detectors.transaction.classical._scaling import learn_scaling, scale


class SupportVectorMachine(Classical):
    """A linear machine over Nyström features of the Gaussian kernel; margins become scores by Platt's sigmoid.

    Parameters
    ----------
    landmarks : training rows that stand for all.
    seed, most_rows : as for every classical detector.
    """

    name: ClassVar[str] = "svm"
    source: ClassVar[str] = "Cortes, Vapnik 1995; Williams, Seeger 2001 (Nyström); Platt 1999"

    def __init__(self, *, landmarks: int = 256, seed: int = 0, most_rows: int = 50_000) -> None:
        super().__init__(seed=seed, most_rows=most_rows)
        self.landmarks = landmarks

    def _learn(self, rows: Rows, fraud: NDArray[np.bool_], weights: NDArray[np.float64]) -> Arrays:
        from sklearn.linear_model import LogisticRegression
        from sklearn.svm import LinearSVC

        random = np.random.default_rng(self.seed)
        arrays = learn_scaling(rows)
        scaled = scale(rows, arrays)
        half = self.landmarks // 2
        bad, good = random.permutation(np.flatnonzero(fraud))[:half], random.permutation(np.flatnonzero(~fraud))
        marks = scaled[np.concatenate([bad, good[: self.landmarks - len(bad)]])]
        # One over the number of columns: columns have about unit variance, so typical distances come to about one.
        arrays |= {"marks": marks, "width": np.array([1.0 / scaled.shape[1]])}
        values, vectors = np.linalg.eigh(_near(marks, arrays))
        kept = values > 1e-8 * values[-1]
        arrays["whiten"] = vectors[:, kept] / np.sqrt(values[kept])
        features = _near(scaled, arrays) @ arrays["whiten"]
        heavy = balance(fraud, weights)
        machine = LinearSVC(C=1.0, dual=False, max_iter=5_000, tol=1e-3, random_state=self.seed)
        machine.fit(features, fraud, sample_weight=heavy)
        margins = machine.decision_function(features)
        platt = LogisticRegression(C=1e6, max_iter=1_000).fit(margins[:, None], fraud, sample_weight=heavy)
        arrays["weight"] = machine.coef_[0] * platt.coef_[0, 0]
        arrays["bias"] = machine.intercept_ * platt.coef_[0, 0] + platt.intercept_
        return arrays

    def _judge(self, rows: Rows) -> NDArray[np.float64]:
        arrays = self._arrays
        return sigmoid(_near(scale(rows, arrays), arrays) @ arrays["whiten"] @ arrays["weight"] + arrays["bias"][0])


def _near(scaled: NDArray[np.float64], arrays: Arrays) -> NDArray[np.float64]:
    """Gaussian kernel between rows and landmarks: float64 [n, m]."""
    marks = arrays["marks"]
    squares = (scaled**2).sum(axis=1)[:, None] + (marks**2).sum(axis=1) - 2.0 * scaled @ marks.T
    near: NDArray[np.float64] = np.exp(-arrays["width"][0] * np.maximum(squares, 0.0))
    return near
