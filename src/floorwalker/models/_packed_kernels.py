"""Walking trees whose nodes are eight bytes, many rows or many trees side by side and without a branch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import compile_kernel, kernel

BLOCK = 32
"""Rows that walk a tree together: its nodes and the rows stay in the processor's nearer caches."""
BESIDE = 8
"""Walks side by side: each step waits for memory, and these wait together."""
FEATURE, MISSING_RIGHT, CHILD = 0x7FFF, 15, 16
"""The second half of a node: the column, whether NaN goes right, and how far from the root its left child is."""

_NONE, _ONE = np.uint64(0), np.uint64(1)
_COLUMN, _MISSING, _CHILD = np.uint64(FEATURE), np.uint64(1 << MISSING_RIGHT), np.uint64(CHILD)


def _step(
    node: np.uint64, root: np.uint64, start: np.uint64, rows: NDArray[np.float32], bounds: NDArray[np.float32],
    links: NDArray[np.uint32],
) -> np.uint64:  # fmt: skip
    """Where a row goes from a node; both count from the first node of the tree. A leaf leads to itself."""
    place = (root + node) << _ONE
    link = np.uint64(links[place + _ONE])
    number = rows[start + (link & _COLUMN)]
    right = (number > bounds[place]) | ((number != number) & ((link & _MISSING) != _NONE))
    return (link >> _CHILD) + np.uint64(right)


step = compile_kernel(_step, inline="always")


@kernel
def sum_packed(
    rows: NDArray[np.float32],
    width: int,
    bounds: NDArray[np.float32],
    links: NDArray[np.uint32],
    value: NDArray[np.float64],
    roots: NDArray[np.uint64],
    depths: NDArray[np.int64],
    owners: NDArray[np.int32],
    total: NDArray[np.float64],
) -> None:
    """Add each row's leaf values to the columns of `total`, float64 [n, K], that own the trees.

    A row's leaves are added in the order of the trees: its sum has the same bits alone and among thousands.

    Parameters
    ----------
    rows : float32 [n * width], one row behind the other.
    bounds, links : the nodes, one memory in two types, [2 N].
    value : float64 [N], of the leaves.
    roots, depths : uint64 and int64 [T], the first node of each tree, and its most steps.
    owners : int32 [T].
    """
    count, most = len(total), len(roots)
    wide = np.uint64(width)
    for first in range(0, count, BLOCK):
        last = min(first + BLOCK, count)
        whole = last - (last - first) % BESIDE
        if whole > first:
            for tree in range(most):
                root, owner = roots[tree], owners[tree]
                for row in range(first, whole, BESIDE):
                    at = np.uint64(row) * wide
                    a = b = c = d = e = f = g = h = np.uint64(0)
                    for _ in range(depths[tree]):
                        a = step(a, root, at, rows, bounds, links)
                        b = step(b, root, at + wide, rows, bounds, links)
                        c = step(c, root, at + np.uint64(2) * wide, rows, bounds, links)
                        d = step(d, root, at + np.uint64(3) * wide, rows, bounds, links)
                        e = step(e, root, at + np.uint64(4) * wide, rows, bounds, links)
                        f = step(f, root, at + np.uint64(5) * wide, rows, bounds, links)
                        g = step(g, root, at + np.uint64(6) * wide, rows, bounds, links)
                        h = step(h, root, at + np.uint64(7) * wide, rows, bounds, links)
                    total[row, owner] += value[root + a]
                    total[row + 1, owner] += value[root + b]
                    total[row + 2, owner] += value[root + c]
                    total[row + 3, owner] += value[root + d]
                    total[row + 4, owner] += value[root + e]
                    total[row + 5, owner] += value[root + f]
                    total[row + 6, owner] += value[root + g]
                    total[row + 7, owner] += value[root + h]
        for row in range(whole, last):
            at = np.uint64(row) * wide
            for tree in range(0, most - 7, BESIDE):
                deepest = depths[tree]
                for beside in range(1, BESIDE):
                    deepest = max(deepest, depths[tree + beside])
                a = b = c = d = e = f = g = h = np.uint64(0)
                for _ in range(deepest):
                    a = step(a, roots[tree], at, rows, bounds, links)
                    b = step(b, roots[tree + 1], at, rows, bounds, links)
                    c = step(c, roots[tree + 2], at, rows, bounds, links)
                    d = step(d, roots[tree + 3], at, rows, bounds, links)
                    e = step(e, roots[tree + 4], at, rows, bounds, links)
                    f = step(f, roots[tree + 5], at, rows, bounds, links)
                    g = step(g, roots[tree + 6], at, rows, bounds, links)
                    h = step(h, roots[tree + 7], at, rows, bounds, links)
                total[row, owners[tree]] += value[roots[tree] + a]
                total[row, owners[tree + 1]] += value[roots[tree + 1] + b]
                total[row, owners[tree + 2]] += value[roots[tree + 2] + c]
                total[row, owners[tree + 3]] += value[roots[tree + 3] + d]
                total[row, owners[tree + 4]] += value[roots[tree + 4] + e]
                total[row, owners[tree + 5]] += value[roots[tree + 5] + f]
                total[row, owners[tree + 6]] += value[roots[tree + 6] + g]
                total[row, owners[tree + 7]] += value[roots[tree + 7] + h]
            for tree in range(most - most % BESIDE, most):
                a = np.uint64(0)
                for _ in range(depths[tree]):
                    a = step(a, roots[tree], at, rows, bounds, links)
                total[row, owners[tree]] += value[roots[tree] + a]
