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
ROOTS, DEPTHS, OWNERS = 0, 1, 2
"""Rows of `trees`."""

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
def sum_some(
    chosen: NDArray[np.int64],
    first: int,
    last: int,
    rows: NDArray[np.float32],
    width: int,
    bounds: NDArray[np.float32],
    links: NDArray[np.uint32],
    value: NDArray[np.float64],
    roots: NDArray[np.uint64],
    depths: NDArray[np.int64],
    owners: NDArray[np.int64],
    total: NDArray[np.float64],
) -> None:
    """Add to some rows' sums the leaf values of the trees from `first` to before `last`.

    Parameters
    ----------
    chosen : int64, the rows.

    The rest is as in `sum_packed`.
    """
    wide = np.uint64(width)
    for begin in range(0, len(chosen), BLOCK):
        end = min(begin + BLOCK, len(chosen))
        whole = end - (end - begin) % BESIDE
        if whole > begin:
            for tree in range(first, last):
                root, owner = roots[tree], owners[tree]
                for row in range(begin, whole, BESIDE):
                    at_a, at_b = np.uint64(chosen[row]) * wide, np.uint64(chosen[row + 1]) * wide
                    at_c, at_d = np.uint64(chosen[row + 2]) * wide, np.uint64(chosen[row + 3]) * wide
                    at_e, at_f = np.uint64(chosen[row + 4]) * wide, np.uint64(chosen[row + 5]) * wide
                    at_g, at_h = np.uint64(chosen[row + 6]) * wide, np.uint64(chosen[row + 7]) * wide
                    a = b = c = d = e = f = g = h = np.uint64(0)
                    for _ in range(depths[tree]):
                        a = step(a, root, at_a, rows, bounds, links)
                        b = step(b, root, at_b, rows, bounds, links)
                        c = step(c, root, at_c, rows, bounds, links)
                        d = step(d, root, at_d, rows, bounds, links)
                        e = step(e, root, at_e, rows, bounds, links)
                        f = step(f, root, at_f, rows, bounds, links)
                        g = step(g, root, at_g, rows, bounds, links)
                        h = step(h, root, at_h, rows, bounds, links)
                    total[chosen[row], owner] += value[root + a]
                    total[chosen[row + 1], owner] += value[root + b]
                    total[chosen[row + 2], owner] += value[root + c]
                    total[chosen[row + 3], owner] += value[root + d]
                    total[chosen[row + 4], owner] += value[root + e]
                    total[chosen[row + 5], owner] += value[root + f]
                    total[chosen[row + 6], owner] += value[root + g]
                    total[chosen[row + 7], owner] += value[root + h]
        for place in range(whole, end):
            row = chosen[place]
            at = np.uint64(row) * wide
            beside = last - (last - first) % BESIDE
            for tree in range(first, beside, BESIDE):
                deepest = depths[tree]
                for other in range(1, BESIDE):
                    deepest = max(deepest, depths[tree + other])
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
            for tree in range(beside, last):
                a = np.uint64(0)
                for _ in range(depths[tree]):
                    a = step(a, roots[tree], at, rows, bounds, links)
                total[row, owners[tree]] += value[roots[tree] + a]


@kernel
def sum_packed(
    rows: NDArray[np.float32],
    width: int,
    links: NDArray[np.uint32],
    value: NDArray[np.float64],
    trees: NDArray[np.int64],
    total: NDArray[np.float64],
) -> None:
    """Add each row's leaf values to the columns of `total`, float64 [n, K], that own the trees.

    A row's leaves are added in the order of the trees: its sum has the same bits alone and among thousands.

    Parameters
    ----------
    rows : float32 [n * width], one row behind the other.
    links : uint32 [2 N], of each node its threshold (float32), then column, way of NaN and children.
    value : float64 [N], of the leaves.
    trees : int64 [3, T]: the first node of each tree, its most steps, its owner.
    """
    bounds, roots = links.view(np.float32), trees[ROOTS].view(np.uint64)
    depths, owners = trees[DEPTHS], trees[OWNERS]
    chosen = np.arange(len(total))
    sum_some(chosen, 0, trees.shape[1], rows, width, bounds, links, value, roots, depths, owners, total)


@kernel
def sum_asked(
    rows: NDArray[np.float32],
    width: int,
    links: NDArray[np.uint32],
    value: NDArray[np.float64],
    trees: NDArray[np.int64],
    starts: NDArray[np.int64],
    asked: NDArray[np.bool_],
    total: NDArray[np.float64],
) -> None:
    """As `sum_packed`, for each row only the trees of the owners that it asks for; the other sums stay as they are.

    Parameters
    ----------
    starts : int64 [K + 1], where the trees of each owner begin; they stand behind one another.
    asked : bool [n, K].
    """
    bounds, roots = links.view(np.float32), trees[ROOTS].view(np.uint64)
    depths, owners = trees[DEPTHS], trees[OWNERS]
    chosen = np.empty(len(total), np.int64)
    for owner in range(asked.shape[1]):
        count = 0
        for row in range(len(total)):
            if asked[row, owner]:
                chosen[count] = row
                count += 1
        sum_some(
            chosen[:count], starts[owner], starts[owner + 1], rows, width, bounds, links, value, roots, depths, owners,
            total,
        )  # fmt: skip


@kernel
def add_packed_paths(
    rows: NDArray[np.float32],
    width: int,
    links: NDArray[np.uint32],
    value: NDArray[np.float64],
    trees: NDArray[np.int64],
    given: NDArray[np.float64],
) -> None:
    """Give each column on each row's paths what its split changed of the expected value: float64 [n, d].

    Parameters
    ----------
    value : float64 [N], of a split the mean of the leaves below it.
    """
    bounds, roots = links.view(np.float32), trees[ROOTS].view(np.uint64)
    for row in range(len(given)):
        at = np.uint64(row) * np.uint64(width)
        for root in roots:
            node = np.uint64(0)
            after = step(node, root, at, rows, bounds, links)
            while after != node:
                column = np.uint64(links[((root + node) << _ONE) + _ONE]) & _COLUMN
                given[row, column] += value[root + after] - value[root + node]
                node = after
                after = step(node, root, at, rows, bounds, links)
