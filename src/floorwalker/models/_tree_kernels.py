"""Walking trees that lie in flat arrays, for one row and for many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel

BLOCK = 256
"""Rows that walk a tree together: its nodes and these rows' places stay in the processor's nearest cache."""


@kernel
def sum_leaves(
    rows: NDArray[np.float64],
    feature: NDArray[np.int32],
    threshold: NDArray[np.float64],
    children: NDArray[np.int32],
    missing_left: NDArray[np.bool_],
    value: NDArray[np.float64],
    roots: NDArray[np.int32],
    owners: NDArray[np.int32],
    total: NDArray[np.float64],
) -> None:
    """Add each row's leaf values to the columns of `total`, float64 [n, K], that own the trees; trees are added in
    their order, whatever the block."""
    for start in range(0, len(rows), BLOCK):
        stop = min(start + BLOCK, len(rows))
        for tree in range(len(roots)):
            owner = owners[tree]
            for row in range(start, stop):
                node = roots[tree]
                while node >= 0:
                    number = rows[row, feature[node]]
                    # NaN compares false both ways, so the side is asked for in the sense that leaves it where it goes.
                    if missing_left[node]:
                        right = number > threshold[node]
                    else:
                        right = not number <= threshold[node]
                    node = children[2 * node + right]
                total[row, owner] += value[~node]


@kernel
def add_paths(
    rows: NDArray[np.float64],
    feature: NDArray[np.int32],
    threshold: NDArray[np.float64],
    children: NDArray[np.int32],
    missing_left: NDArray[np.bool_],
    value: NDArray[np.float64],
    expected: NDArray[np.float64],
    roots: NDArray[np.int32],
    given: NDArray[np.float64],
) -> None:
    """Give each feature on each row's paths what its split changed of the expected value, float64 [n, d]."""
    for start in range(0, len(rows), BLOCK):
        stop = min(start + BLOCK, len(rows))
        for root in roots:
            for row in range(start, stop):
                node = root
                while node >= 0:
                    number = rows[row, feature[node]]
                    if missing_left[node]:
                        right = number > threshold[node]
                    else:
                        right = not number <= threshold[node]
                    after = children[2 * node + right]
                    ahead = expected[after] if after >= 0 else value[~after]
                    given[row, feature[node]] += ahead - expected[node]
                    node = after
