"""Trees as nodes of eight bytes, for rows in single precision: equal sums to the bit, in a fraction of the time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from floorwalker.models._packed_kernels import CHILD, FEATURE, MISSING_RIGHT

_LARGEST = 1 << 16
"""Nodes of the largest tree whose places fit in a node."""


class PackedTrees(NamedTuple):
    """The arrays that `sum_packed` walks.

    Parameters
    ----------
    links : uint32 [2 N], a node's threshold (float32), then column, way of NaN and children.
    value : float64 [N], of a leaf what it adds, of a split the mean of the leaves below it.
    trees : int64 [3, T], the first node of each tree, its most steps, and its owner, which is 0.
    """

    links: NDArray[np.uint32]
    value: NDArray[np.float64]
    trees: NDArray[np.int64]


def pack_trees(
    features: int,
    feature: NDArray[np.int32],
    threshold: NDArray[np.float64],
    children: NDArray[np.int32],
    missing_left: NDArray[np.bool_],
    value: NDArray[np.float64],
    expected: NDArray[np.float64],
    roots: NDArray[np.int32],
) -> PackedTrees | None:
    """Trees in the shape of `floorwalker.models.trees.Trees`; None where columns or nodes are too many.

    A number in single precision exceeds a threshold where it exceeds the greatest such number that does not.
    """
    if features > FEATURE + 1:
        return None
    bounds_of = _round_down(threshold)
    thresholds: list[float] = []
    links: list[int] = []
    values: list[float] = []
    starts, depths = [], []
    for root in roots.tolist():
        start = len(links)
        starts.append(start)
        # Breadth first: both children of a split stand side by side, and those near the root near each other.
        level, depth, ahead = [root], 0, 1
        while level:
            below: list[int] = []
            for node in level:
                place = len(links) - start
                if node < 0:
                    thresholds.append(np.inf)
                    links.append(place << CHILD)
                    values.append(float(value[~node]))
                    continue
                if ahead + 2 > _LARGEST:
                    return None
                thresholds.append(float(bounds_of[node]))
                links.append(int(feature[node]) | (not missing_left[node]) << MISSING_RIGHT | ahead << CHILD)
                values.append(float(expected[node]))
                below += (int(children[2 * node]), int(children[2 * node + 1]))
                ahead += 2
            depth += bool(below)
            level = below
        depths.append(depth)
    words = np.zeros((len(links), 2), np.uint32)
    words[:, 0] = np.array(thresholds, np.float32).view(np.uint32)
    words[:, 1] = np.array(links, np.uint32)
    return PackedTrees(words.reshape(-1), np.array(values), np.array([starts, depths, [0] * len(starts)], np.int64))


def _round_down(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """The greatest numbers in single precision that are not above these."""
    with np.errstate(over="ignore"):
        near = threshold.astype(np.float32)
    above = near.astype(np.float64) > threshold
    near[above] = np.nextafter(near[above], np.float32(-np.inf))
    return near
