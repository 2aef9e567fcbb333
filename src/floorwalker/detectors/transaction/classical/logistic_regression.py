"""Logistic regression: the weighted sum that risk teams have used for decades."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.transaction.classical._base import Arrays, Classical, Rows, balance, sigmoid
from floorwalker.detectors.transaction.classical._scaling import learn_scaling, scale


class LogisticRegression(Classical):
    """A weight for each scaled column, both classes of equal weight, an L2 penalty.

    >>> random = np.random.default_rng(0)
    >>> rows = random.normal(size=(300, 2))
    >>> LogisticRegression().fit(rows, rows[:, 0] > 1).score([[3.0, 0.0], [-3.0, 0.0]]).round(1).tolist()
    [1.0, 0.0]
    """

    name: ClassVar[str] = "logistic_regression"
    source: ClassVar[str] = "Cox, The regression analysis of binary sequences, 1958"

    def _learn(self, rows: Rows, fraud: NDArray[np.bool_], weights: NDArray[np.float64]) -> Arrays:
        from sklearn.linear_model import LogisticRegression as Learner

        arrays = learn_scaling(rows)
        # The objective is convex: whether the last digit has settled changes no ranking worth a warning.
        learner = Learner(C=1.0, max_iter=1_000, tol=1e-3)
        learner.fit(scale(rows, arrays), fraud, sample_weight=balance(fraud, weights))
        return arrays | {"weight": learner.coef_[0], "bias": learner.intercept_}

    def _judge(self, rows: Rows) -> NDArray[np.float64]:
        arrays = self._arrays
        return sigmoid(scale(rows, arrays) @ arrays["weight"] + arrays["bias"][0])
