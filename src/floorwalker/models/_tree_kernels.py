"""Walking trees that lie in flat arrays, for one row and for many."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import compile_kernel, kernel

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

BLOCK = 256
"""Rows that walk a tree together: its nodes and these rows' places stay in the processor's nearest cache."""


def inlined(function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """A kernel whose body goes into every kernel that calls it."""
    return compile_kernel(function, inline="always")


@inlined
def child_of(
    node: int,
    row: int,
    rows: NDArray[np.float64],
    feature: NDArray[np.int32],
    threshold: NDArray[np.float64],
    children: NDArray[np.int32],
    missing_left: NDArray[np.bool_],
) -> int:
    """Where the split `node` sends a row; without a branch, for which way it goes cannot be foreseen."""
    number = rows[row, feature[node]]
    right = (number > threshold[node]) | ((number != number) & (not missing_left[node]))
    child: int = children[2 * node + right]
    return child


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
    """Add each row's leaf values to the columns of `total`, float64 [n, K], that own the trees.

    Every step waits for memory, so four walks go side by side: four rows down one tree, and one row that is left over
    down four trees. A row's leaves are added in the order of the trees either way: its sum has the same bits alone and
    among thousands.
    """
    most = len(roots)
    for start in range(0, len(rows), BLOCK):
        stop = min(start + BLOCK, len(rows))
        whole = stop - (stop - start) % 4
        for tree in range(most):
            owner = owners[tree]
            for row in range(start, whole, 4):
                one = two = three = four = roots[tree]
                while one >= 0 or two >= 0 or three >= 0 or four >= 0:
                    if one >= 0:
                        one = child_of(one, row, rows, feature, threshold, children, missing_left)
                    if two >= 0:
                        two = child_of(two, row + 1, rows, feature, threshold, children, missing_left)
                    if three >= 0:
                        three = child_of(three, row + 2, rows, feature, threshold, children, missing_left)
                    if four >= 0:
                        four = child_of(four, row + 3, rows, feature, threshold, children, missing_left)
                total[row, owner] += value[~one]
                total[row + 1, owner] += value[~two]
                total[row + 2, owner] += value[~three]
                total[row + 3, owner] += value[~four]
        for row in range(whole, stop):
            for tree in range(0, most - 3, 4):
                one, two, three, four = roots[tree], roots[tree + 1], roots[tree + 2], roots[tree + 3]
                while one >= 0 or two >= 0 or three >= 0 or four >= 0:
                    if one >= 0:
                        one = child_of(one, row, rows, feature, threshold, children, missing_left)
                    if two >= 0:
                        two = child_of(two, row, rows, feature, threshold, children, missing_left)
                    if three >= 0:
                        three = child_of(three, row, rows, feature, threshold, children, missing_left)
                    if four >= 0:
                        four = child_of(four, row, rows, feature, threshold, children, missing_left)
                total[row, owners[tree]] += value[~one]
                total[row, owners[tree + 1]] += value[~two]
                total[row, owners[tree + 2]] += value[~three]
                total[row, owners[tree + 3]] += value[~four]
            for tree in range(most - most % 4, most):
                node = roots[tree]
                while node >= 0:
                    node = child_of(node, row, rows, feature, threshold, children, missing_left)
                total[row, owners[tree]] += value[~node]


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
                    after = child_of(node, row, rows, feature, threshold, children, missing_left)
                    ahead = expected[after] if after >= 0 else value[~after]
                    given[row, feature[node]] += ahead - expected[node]
                    node = after
