"""Shapley values of trees (TreeSHAP, path-dependent): Lundberg et al. 2018, "Consistent individualized feature
attribution for tree ensembles", algorithm 2, without recursion.

A path holds, for each different feature on the way down, which share of the paths goes on where the feature is absent
(`zero`) and where it is present (`one`), and the weights of the subsets by size. Each depth keeps its path, since
depth first the two children of a node are walked one after the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel


@kernel
def extend_path(
    seen: NDArray[np.int32],
    zero: NDArray[np.float64],
    one: NDArray[np.float64],
    weight: NDArray[np.float64],
    depth: int,
    with_zero: float,
    with_one: float,
    with_feature: int,
) -> None:
    """Take a further feature into a path of `depth` elements (EXTEND)."""
    seen[depth] = with_feature
    zero[depth] = with_zero
    one[depth] = with_one
    weight[depth] = 1.0 if depth == 0 else 0.0
    for place in range(depth - 1, -1, -1):
        weight[place + 1] += with_one * weight[place] * (place + 1) / (depth + 1)
        weight[place] = with_zero * weight[place] * (depth - place) / (depth + 1)


@kernel
def unwind_path(
    seen: NDArray[np.int32],
    zero: NDArray[np.float64],
    one: NDArray[np.float64],
    weight: NDArray[np.float64],
    depth: int,
    out: int,
) -> None:
    """Take the element at `out` from a path whose last one is `depth` (UNWIND)."""
    ahead = weight[depth]
    for place in range(depth - 1, -1, -1):
        if one[out] != 0.0:
            before = weight[place]
            weight[place] = ahead * (depth + 1) / ((place + 1) * one[out])
            ahead = before - weight[place] * zero[out] * (depth - place) / (depth + 1)
        else:
            weight[place] = weight[place] * (depth + 1) / (zero[out] * (depth - place))
    for place in range(out, depth):
        seen[place] = seen[place + 1]
        zero[place] = zero[place + 1]
        one[place] = one[place + 1]


@kernel
def unwound_sum(
    zero: NDArray[np.float64], one: NDArray[np.float64], weight: NDArray[np.float64], depth: int, out: int
) -> float:
    """Sum of the weights that a path would have without its element at `out`."""
    total = 0.0
    ahead = weight[depth]
    for place in range(depth - 1, -1, -1):
        if one[out] != 0.0:
            here = ahead * (depth + 1) / ((place + 1) * one[out])
            total += here
            ahead = weight[place] - here * zero[out] * (depth - place) / (depth + 1)
        else:
            total += weight[place] / zero[out] * (depth + 1) / (depth - place)
    return total


@kernel
def add_shapley(
    rows: NDArray[np.float64],
    feature: NDArray[np.int32],
    threshold: NDArray[np.float64],
    children: NDArray[np.int32],
    missing_left: NDArray[np.bool_],
    value: NDArray[np.float64],
    cover: NDArray[np.float64],
    leaf_cover: NDArray[np.float64],
    roots: NDArray[np.int32],
    deepest: int,
    given: NDArray[np.float64],
) -> None:
    """Add each row's Shapley values to `given`, float64 [n, d]; `deepest` is the most splits between root and leaf."""
    most = deepest + 2
    seen = np.empty((most, most), np.int32)
    zero = np.empty((most, most), np.float64)
    one = np.empty((most, most), np.float64)
    weight = np.empty((most, most), np.float64)
    waiting = np.empty((2 * most, 4), np.int32)
    shares = np.empty((2 * most, 2), np.float64)
    for row in range(len(rows)):
        for root in roots:
            if root < 0:
                continue
            waiting[0, 0] = root
            waiting[0, 1] = 0
            waiting[0, 2] = 0
            waiting[0, 3] = -1
            shares[0, 0] = 1.0
            shares[0, 1] = 1.0
            left_over = 1
            while left_over > 0:
                left_over -= 1
                node = waiting[left_over, 0]
                level = waiting[left_over, 1]
                depth = waiting[left_over, 2]
                for place in range(depth):
                    seen[level, place] = seen[level - 1, place]
                    zero[level, place] = zero[level - 1, place]
                    one[level, place] = one[level - 1, place]
                    weight[level, place] = weight[level - 1, place]
                extend_path(
                    seen[level], zero[level], one[level], weight[level], depth,
                    shares[left_over, 0], shares[left_over, 1], waiting[left_over, 3],
                )  # fmt: skip
                if node < 0:
                    for place in range(1, depth + 1):
                        part = unwound_sum(zero[level], one[level], weight[level], depth, place)
                        part *= (one[level, place] - zero[level, place]) * value[~node]
                        given[row, seen[level, place]] += part
                    continue
                column = feature[node]
                number = rows[row, column]
                if missing_left[node]:
                    right = number > threshold[node]
                else:
                    right = not number <= threshold[node]
                came_zero = 1.0
                came_one = 1.0
                for place in range(1, depth + 1):
                    if seen[level, place] == column:
                        came_zero = zero[level, place]
                        came_one = one[level, place]
                        unwind_path(seen[level], zero[level], one[level], weight[level], depth, place)
                        depth -= 1
                        break
                # The side that the row takes lies on top: it is walked first, the other finds this level untouched.
                for hot in range(2):
                    child = children[2 * node + (right if hot else not right)]
                    size = cover[child] if child >= 0 else leaf_cover[~child]
                    waiting[left_over, 0] = child
                    waiting[left_over, 1] = level + 1
                    waiting[left_over, 2] = depth + 1
                    waiting[left_over, 3] = column
                    shares[left_over, 0] = came_zero * size / cover[node]
                    shares[left_over, 1] = came_one if hot else 0.0
                    left_over += 1
