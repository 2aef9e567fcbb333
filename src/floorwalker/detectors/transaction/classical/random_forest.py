"""A random forest: many deep trees, each on its own draw of rows and columns."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.transaction.classical._base import Arrays, Classical, Rows, balance, narrow
from floorwalker.models.trees import Trees
from floorwalker.models.trees_sklearn import take_sklearn


class RandomForest(Classical):
    """The mean of many trees' shares of fraud, both classes of equal weight.

    Parameters
    ----------
    trees : how many.
    leaf_rows : fewest training rows in a leaf.
    row_share : of the rows, drawn for each tree.
    seed, most_rows : as for every classical detector.
    """

    name: ClassVar[str] = "random_forest"
    source: ClassVar[str] = "Breiman, Random forests, 2001"

    def __init__(
        self,
        *,
        trees: int = 100,
        leaf_rows: int = 5,
        row_share: float = 0.5,
        seed: int = 0,
        most_rows: int = 200_000,
    ) -> None:
        super().__init__(seed=seed, most_rows=most_rows)
        self.trees, self.leaf_rows, self.row_share = trees, leaf_rows, row_share
        self._trees: Trees | None = None

    def _learn(self, rows: Rows, fraud: NDArray[np.bool_], weights: NDArray[np.float64]) -> Arrays:
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(
            n_estimators=self.trees, min_samples_leaf=self.leaf_rows, max_samples=self.row_share,
            random_state=self.seed, n_jobs=1,
        )  # fmt: skip
        forest.fit(narrow(rows), fraud, sample_weight=balance(fraud, weights))
        self._trees = None
        return take_sklearn(forest).arrays()

    def _judge(self, rows: Rows) -> NDArray[np.float64]:
        if self._trees is None:
            self._trees = Trees.from_arrays(self._arrays)
        return self._trees.score(narrow(rows))
