"""Extended Isolation Forest: isolation by slanted cuts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly._base import Capabilities, Matrix
from floorwalker.detectors.anomaly._fitted import FittedDetector, State
from floorwalker.detectors.anomaly._layout import SCALE, Layout, Stored, check_children
from floorwalker.detectors.anomaly._trees import average_path, depth_limit
from floorwalker.errors import UsageError
from floorwalker.kernels import kernel


@dataclass
class ExtendedIsolationForest(FittedDetector):
    """Isolation Forest whose cuts are random hyperplanes (Hariri, Carrasco Kind, Brunner 2019).

    Cuts along the axes leave ghost regions: a row between two crowds, ordinary in each single feature, looks as
    usual as they do. A cut `(x - p) . w <= 0` with a random direction w and a random point p inside the node's box
    has none of these. It works against abuse whose every number is ordinary but whose combination is not (many
    pages and short visits, say).

    Parameters
    ----------
    trees : number of trees.
    sample : training rows a tree is grown from; all of them where there are fewer.
    slant : number of columns that take part in a cut beyond the first; -1 = all of them ("fully extended"), 0 =
        plain Isolation Forest.

    Scores as in Isolation Forest (equations 1-4 of paper B): 0.5 is an average row, towards 1 unusual. The columns
    must have comparable scales. Fewer than 2 rows raise `UsageError`. Costs about five times an Isolation Forest.

    Source: S. Hariri, M. Carrasco Kind, R. J. Brunner, *Extended Isolation Forest*, IEEE TKDE 2019, algorithms 1-3.

    >>> rows = np.random.default_rng(1).normal(size=(500, 3)).astype(np.float32)
    >>> forest = ExtendedIsolationForest(seed=7).fit(rows)
    >>> centre, far = forest.score(np.array([[0, 0, 0], [6, 6, 6]], np.float32))
    >>> bool(centre < 0.5 < 0.6 < far)
    True
    """

    capabilities: ClassVar[Capabilities] = Capabilities(
        name="Extended Isolation Forest",
        source="Hariri, Carrasco Kind, Brunner 2019, algorithms 1-3",
        score_meaning="2^(-mean path / c(n)): 0.5 an average row, 1 isolated at once, 0 deep in a crowd",
    )
    layout: ClassVar[Layout] = {
        "normal": Stored(np.float32, ("trees", "nodes", "width")),
        "offset": Stored(np.float32, ("trees", "nodes"), finite=False),
        "first_child": Stored(np.int32, ("trees", "nodes")),
        "path": Stored(np.float32, ("trees", "nodes"), least=0),
        "normaliser": SCALE,
    }

    trees: int = 200
    sample: int = 256
    slant: int = -1

    def __post_init__(self) -> None:
        if self.trees < 1 or self.sample < 2 or self.slant < -1:
            raise UsageError(
                f"trees={self.trees}, sample={self.sample}, slant={self.slant}",
                allowed="trees of 1 and up, sample of 2 and up, slant of -1 and up",
            )

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """The default, and cuts along one and along two axes."""
        return [{}, {"slant": 0}, {"slant": 1, "trees": 50}]

    def _fit(self, rows: Matrix) -> State:
        random = np.random.default_rng(self.seed)
        width = rows.shape[1]
        sample = min(self.sample, len(rows))
        limit = depth_limit(sample)
        # A cut may leave one side empty (a leaf of no rows), so every node of every level may be needed.
        most = 2 ** (limit + 1) - 1
        slant = width - 1 if self.slant < 0 else min(self.slant, width - 1)
        normals = np.zeros((self.trees, most, width), np.float32)
        offsets = np.zeros((self.trees, most), np.float32)
        children = np.zeros((self.trees, most), np.int32)
        sizes = np.zeros((self.trees, most), np.int64)
        depths = np.zeros((self.trees, most), np.int64)
        for tree in range(self.trees):
            order = random.choice(len(rows), sample, replace=False)
            normals[tree] = random.normal(size=(most, width))
            if slant < width - 1:
                idle = np.argsort(random.random((most, width)), axis=1)[:, slant + 1 :]
                np.put_along_axis(normals[tree], idle, 0.0, axis=1)
            points = random.random((most, width))
            _grow(rows, order, points, limit, normals[tree], offsets[tree], children[tree], sizes[tree], depths[tree])
        return {
            "normal": normals,
            "offset": offsets,
            "first_child": children,
            "path": (depths + average_path(sizes)).astype(np.float32),
            "normaliser": average_path(np.array(sample, np.int64)),
        }

    def _lengths(self, width: int) -> dict[str, int]:
        return {"width": width, "trees": self.trees}

    def _check_learned(self, learned: State, lengths: dict[str, int]) -> None:
        check_children(self.capabilities.name, learned["first_child"])

    def _score(self, rows: Matrix, learned: State) -> NDArray[Any]:
        total = _walk(rows, learned["normal"], learned["offset"], learned["first_child"], learned["path"])
        return np.exp2(-total / self.trees / learned["normaliser"])


@kernel
def _grow(
    rows: NDArray[np.float32],
    order: NDArray[np.int64],
    points: NDArray[np.float64],
    limit: int,
    normals: NDArray[np.float32],
    offsets: NDArray[np.float32],
    first_child: NDArray[np.int32],
    node_size: NDArray[np.int64],
    node_depth: NDArray[np.int64],
) -> int:
    """Grow one tree over `rows[order]`; a leaf is its own child. Returns the number of nodes."""
    width = rows.shape[1]
    begin = np.zeros(len(offsets), np.int64)
    node_size[0] = len(order)
    node_depth[0] = 0
    nodes = 1
    node = 0
    while node < nodes:
        start = begin[node]
        stop = start + node_size[node]
        first_child[node] = node
        if stop - start < 2 or node_depth[node] >= limit:
            node += 1
            continue
        offset = np.float32(0.0)
        varies = False
        for column in range(width):
            low = rows[order[start], column]
            high = low
            for place in range(start + 1, stop):
                low = min(low, rows[order[place], column])
                high = max(high, rows[order[place], column])
            varies = varies or high > low
            inside = np.float32(low + points[node, column] * (np.float64(high) - np.float64(low)))
            offset += inside * normals[node, column]
        if not varies:
            node += 1
            continue
        offsets[node] = offset
        left = start
        right = stop - 1
        while left <= right:
            reach = np.float32(0.0)
            for column in range(width):
                reach += rows[order[left], column] * normals[node, column]
            if reach <= offset:
                left += 1
            else:
                swapped = order[left]
                order[left] = order[right]
                order[right] = swapped
                right -= 1
        first_child[node] = nodes
        begin[nodes] = start
        node_size[nodes] = left - start
        node_depth[nodes] = node_depth[node] + 1
        begin[nodes + 1] = left
        node_size[nodes + 1] = stop - left
        node_depth[nodes + 1] = node_depth[node] + 1
        nodes += 2
        node += 1
    return nodes


@kernel
def _walk(
    rows: NDArray[np.float32],
    normals: NDArray[np.float32],
    offsets: NDArray[np.float32],
    first_child: NDArray[np.int32],
    path: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Sum over the trees of the path length of each row: float64 [n]."""
    total = np.zeros(len(rows), np.float64)
    width = rows.shape[1]
    for tree in range(len(path)):
        for row in range(len(rows)):
            node = 0
            while first_child[tree, node] != node:
                reach = np.float32(0.0)
                for column in range(width):
                    reach += rows[row, column] * normals[tree, node, column]
                node = first_child[tree, node] + (1 if reach > offsets[tree, node] else 0)
            total[row] += path[tree, node]
    return total
