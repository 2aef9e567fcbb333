"""Isolation Forest: rows that random cuts separate quickly are unusual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly._base import Capabilities, Matrix
from floorwalker.detectors.anomaly._fitted import FittedDetector, State
from floorwalker.detectors.anomaly._layout import COUNT, SCALE, Layout, Stored, check_below, check_children, damaged
from floorwalker.detectors.anomaly._trees import (
    BLOCK_ROWS,
    average_path,
    depth_limit,
    grow_axis_tree,
    walk_axis_trees,
)
from floorwalker.errors import UsageError


@dataclass
class IsolationForest(FittedDetector):
    """Mean path length to isolation in random trees (Liu, Ting, Zhou 2008).

    A tree cuts a small sample of visitors again and again at random values of random features. A visitor unlike
    the others stands alone after a few cuts; one of a crowd needs many. With `h(x)` the path length of a row,

    - `c(n) = 2 H(n-1) - 2 (n-1) / n` (1), `H(n) = ln n + 0.5772156649` (2),
    - `s(x, n) = 2^(-E(h(x)) / c(n))` (3), with `E(h(x))` the mean over the trees (4).

    It works against abuse because neither how abusers differ nor how many they are needs to be known, only that
    they are few and different; samples of 256 keep crowds of them from hiding one another ("masking").

    Parameters
    ----------
    trees : number of trees.
    sample : training rows a tree is grown from; all of them where there are fewer.

    Scores: 0.5 is an average row, towards 1 unusual, below 0.5 quite ordinary. Fewer than 2 rows raise
    `UsageError`.

    Source: F. T. Liu, K. M. Ting, Z.-H. Zhou, *Isolation Forest*, ICDM 2008, equations 1 and 2 (paper B's 1-4).

    >>> rows = np.random.default_rng(1).normal(size=(500, 3)).astype(np.float32)
    >>> forest = IsolationForest(seed=7).fit(rows)
    >>> centre, far = forest.score(np.array([[0, 0, 0], [6, 6, 6]], np.float32))
    >>> bool(centre < 0.5 < 0.7 < far)
    True
    """

    capabilities: ClassVar[Capabilities] = Capabilities(
        name="Isolation Forest",
        source="Liu, Ting, Zhou 2008, equations 1-2; paper B equations 1-4",
        score_meaning="2^(-mean path / c(n)): 0.5 an average row, 1 isolated at once, 0 deep in a crowd",
    )
    layout: ClassVar[Layout] = {
        "split_column": Stored(np.int32, ("trees", "nodes")),
        "split_value": Stored(np.float32, ("trees", "nodes"), finite=False),
        "first_child": Stored(np.int32, ("trees", "nodes")),
        "path": Stored(np.float32, ("trees", "nodes"), least=0),
        "limit": COUNT,
        "normaliser": SCALE,
    }

    trees: int = 200
    sample: int = 256

    def __post_init__(self) -> None:
        if self.trees < 1 or self.sample < 2:
            raise UsageError(
                f"trees={self.trees}, sample={self.sample}", allowed="trees of 1 and up, sample of 2 and up"
            )

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """The default, and small trees."""
        return [{}, {"trees": 50, "sample": 64}]

    def _fit(self, rows: Matrix) -> State:
        random = np.random.default_rng(self.seed)
        sample = min(self.sample, len(rows))
        limit = depth_limit(sample)
        most = 2 * sample - 1
        columns = np.zeros((self.trees, most), np.int32)
        values = np.full((self.trees, most), np.inf, np.float32)
        children = np.zeros((self.trees, most), np.int32)
        sizes = np.zeros((self.trees, most), np.int64)
        depths = np.zeros((self.trees, most), np.int64)
        for tree in range(self.trees):
            order = random.choice(len(rows), sample, replace=False)
            draws = random.random((most, 2))
            grow_axis_tree(
                rows,
                order,
                draws,
                limit,
                columns[tree],
                values[tree],
                children[tree],
                sizes[tree],
                depths[tree],
            )
        return {
            "split_column": columns,
            "split_value": values,
            "first_child": children,
            "path": (depths + average_path(sizes)).astype(np.float32),
            "limit": np.array(limit, np.int64),
            "normaliser": average_path(np.array(sample, np.int64)),
        }

    def _lengths(self, width: int) -> dict[str, int]:
        return {"width": width, "trees": self.trees}

    def _check_learned(self, learned: State, lengths: dict[str, int]) -> None:
        name = self.capabilities.name
        nodes = lengths["nodes"]
        check_below(name, "split_column", learned["split_column"], lengths["width"])
        check_children(name, learned["first_child"])
        # Only where a value is not infinite can a row go to the second child.
        check_below(name, "first_child", learned["first_child"] + (learned["split_value"] < np.inf), nodes)
        if int(learned["limit"]) != depth_limit((nodes + 1) // 2):
            raise damaged(f"limit of {name} is {int(learned['limit'])}", f"{depth_limit((nodes + 1) // 2)}")

    def mean_paths(self, rows: Matrix) -> NDArray[np.float64]:
        """`E(h(x))` of equation 4: float64 [n], in cuts."""
        return self._paths(self._checked(rows, int(self._learned["width"])), self._learned)

    def _paths(self, rows: Matrix, learned: State) -> NDArray[np.float64]:
        total = walk_axis_trees(
            rows,
            learned["split_column"],
            learned["split_value"],
            learned["first_child"],
            learned["path"],
            int(learned["limit"]),
            BLOCK_ROWS,
        )
        return total / self.trees

    def _score(self, rows: Matrix, learned: State) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = np.exp2(-self._paths(rows, learned) / learned["normaliser"])
        return scores
