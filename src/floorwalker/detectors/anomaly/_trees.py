"""Kernels that grow isolation trees into flat arrays and walk rows down them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel

EULER = 0.5772156649
"""Euler's constant as equation 2 of Liu, Ting and Zhou (2008) gives it."""

BLOCK_ROWS = 512
"""Rows walked together down one tree: their steps do not wait for one another and stay in the first cache."""


def average_path(sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """`c(n)`, the mean path length of an unsuccessful search in a binary tree of n rows (equations 1 and 2).

    `c(n) = 2 H(n-1) - 2 (n-1) / n` with `H(n) = ln n + 0.5772156649`; `c(2) = 1` and `c(0) = c(1) = 0` as
    in the journal version (Liu, Ting, Zhou 2012), since the approximation of `H` is poor there.

    >>> average_path(np.array([1, 2, 256])).round(4).tolist()
    [0.0, 1.0, 10.2448]
    """
    n = np.maximum(sizes, 3).astype(np.float64)
    values = 2.0 * (np.log(n - 1.0) + EULER) - 2.0 * (n - 1.0) / n
    return np.where(sizes > 2, values, np.where(sizes == 2, 1.0, 0.0))


def depth_limit(sample: int) -> int:
    """`ceil(log2 sample)`: the average height; beyond it a path says nothing more about being unusual."""
    return max(1, math.ceil(math.log2(max(sample, 2))))


@kernel
def grow_axis_tree(
    rows: NDArray[np.float32],
    order: NDArray[np.int64],
    draws: NDArray[np.float64],
    limit: int,
    split_column: NDArray[np.int32],
    split_value: NDArray[np.float32],
    first_child: NDArray[np.int32],
    node_size: NDArray[np.int64],
    node_depth: NDArray[np.int64],
) -> int:
    """Grow one tree over `rows[order]` by random cuts: a column that varies in the node, a value between its ends.

    Children stand side by side (`first_child` and the next), and a leaf is its own child with an infinite split
    value, so that a walk needs no branch. Returns the number of nodes.
    """
    width = rows.shape[1]
    begin = np.zeros(len(split_column), np.int64)
    low = np.empty(width, np.float32)
    high = np.empty(width, np.float32)
    begin[0] = 0
    node_size[0] = len(order)
    node_depth[0] = 0
    nodes = 1
    node = 0
    while node < nodes:
        start = begin[node]
        stop = start + node_size[node]
        varying = 0
        if stop - start > 1 and node_depth[node] < limit:
            for column in range(width):
                low[column] = rows[order[start], column]
                high[column] = low[column]
            for place in range(start + 1, stop):
                for column in range(width):
                    value = rows[order[place], column]
                    if value < low[column]:
                        low[column] = value
                    if value > high[column]:
                        high[column] = value
            for column in range(width):
                if high[column] > low[column]:
                    varying += 1
        if varying == 0:
            split_column[node] = 0
            split_value[node] = np.inf
            first_child[node] = node
            node += 1
            continue
        pick = min(int(draws[node, 0] * varying), varying - 1)
        column = 0
        for candidate in range(width):
            if high[candidate] > low[candidate]:
                if pick == 0:
                    column = candidate
                    break
                pick -= 1
        value = np.float32(low[column] + draws[node, 1] * (np.float64(high[column]) - np.float64(low[column])))
        # Rounding may put the cut on the upper end, which would leave one side empty: equal values go left.
        if value >= high[column]:
            value = low[column]
        left = start
        right = stop - 1
        while left <= right:
            if rows[order[left], column] <= value:
                left += 1
            else:
                swapped = order[left]
                order[left] = order[right]
                order[right] = swapped
                right -= 1
        split_column[node] = column
        split_value[node] = value
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
def walk_axis_trees(
    rows: NDArray[np.float32],
    split_column: NDArray[np.int32],
    split_value: NDArray[np.float32],
    first_child: NDArray[np.int32],
    path: NDArray[np.float32],
    limit: int,
    block_rows: int,
) -> NDArray[np.float64]:
    """Sum over the trees of the path length of each row: float64 [n]."""
    count = len(rows)
    total = np.zeros(count, np.float64)
    place = np.empty(block_rows, np.int32)
    for start in range(0, count, block_rows):
        block = min(block_rows, count - start)
        for tree in range(len(split_column)):
            columns = split_column[tree]
            values = split_value[tree]
            children = first_child[tree]
            for row in range(block):
                place[row] = 0
            for _ in range(limit):
                for row in range(block):
                    node = place[row]
                    step = np.int32(rows[start + row, columns[node]] > values[node])
                    place[row] = children[node] + step
            for row in range(block):
                total[start + row] += path[tree, place[row]]
    return total
