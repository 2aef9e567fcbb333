"""One decision tree: what an analyst could draw on a wall."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.transaction.classical._base import Arrays, Classical, Rows, balance, narrow
from floorwalker.models.trees import Trees
from floorwalker.models.trees_sklearn import take_sklearn


class DecisionTree(Classical):
    """A tree of Gini splits, both classes of equal weight; a score is the weighted share of fraud in the leaf.

    Parameters
    ----------
    depth : most questions on the way to a leaf.
    leaf_rows : fewest training rows in a leaf.
    seed, most_rows : as for every classical detector.
    """

    name: ClassVar[str] = "decision_tree"
    source: ClassVar[str] = "Breiman, Friedman, Olshen, Stone: Classification and Regression Trees, 1984"

    def __init__(self, *, depth: int = 10, leaf_rows: int = 20, seed: int = 0, most_rows: int = 200_000) -> None:
        super().__init__(seed=seed, most_rows=most_rows)
        self.depth, self.leaf_rows = depth, leaf_rows
        self._trees: Trees | None = None

    def _learn(self, rows: Rows, fraud: NDArray[np.bool_], weights: NDArray[np.float64]) -> Arrays:
        from sklearn.tree import DecisionTreeClassifier

        tree = DecisionTreeClassifier(
            max_depth=self.depth, min_samples_leaf=min(self.leaf_rows, max(len(rows) // 20, 1)), random_state=self.seed
        )
        tree.fit(narrow(rows), fraud, sample_weight=balance(fraud, weights))
        self._trees = None
        return take_sklearn(tree).arrays()

    def _judge(self, rows: Rows) -> NDArray[np.float64]:
        if self._trees is None:
            self._trees = Trees.from_arrays(self._arrays)
        return self._trees.score(narrow(rows))
