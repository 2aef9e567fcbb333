"""Kernels of the unusual-activity detector: one call from raw features to path lengths, one to keep a sample."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel
from floorwalker.store.pages import guard


@kernel
def scale_and_walk(
    values: NDArray[np.float32],
    middle: NDArray[np.float32],
    logarithmic: NDArray[np.bool_],
    centre: NDArray[np.float64],
    scale: NDArray[np.float64],
    split_column: NDArray[np.int32],
    split_value: NDArray[np.float32],
    first_child: NDArray[np.int32],
    path: NDArray[np.float32],
    limit: int,
    scaled: NDArray[np.float32],
    total: NDArray[np.float64],
) -> float:
    """Fill in, scale and walk rows down all trees, as `RobustScaling.apply` and the forest do one after the other.

    Parameters
    ----------
    values : float32 [n, F], NaN or infinite = missing.
    middle : float32 [F], what stands for a missing value.
    logarithmic, centre, scale : of the scaling, [F].
    split_column, split_value, first_child, path : of the forest, [trees, nodes].
    limit : steps from a root to any leaf.
    scaled : float32 [n, F], filled.
    total : float64 [n], filled with the sum of the path lengths.

    Returns the shortest of these sums: that of the most unusual row.
    """
    shortest = math.inf
    rows, width = values.shape
    trees = len(split_column)
    nodes = np.empty(16, np.int32)
    for row in range(rows):
        for column in range(width):
            value = float(values[row, column])
            if not math.isfinite(value):
                value = float(middle[column])
            if logarithmic[column]:
                value = math.log1p(max(value, 0.0))
            value = (value - centre[column]) / scale[column]
            scaled[row, column] = min(max(value, -1e6), 1e6)
        # Sixteen trees are walked side by side: their steps do not wait for one another's memory.
        length = 0.0
        for first in range(0, trees, 16):
            together = min(16, trees - first)
            for place in range(together):
                nodes[place] = 0
            for _ in range(limit):
                for place in range(together):
                    tree = first + place
                    node = nodes[place]
                    step = np.int32(scaled[row, split_column[tree, node]] > split_value[tree, node])
                    nodes[place] = first_child[tree, node] + step
            for place in range(together):
                length += path[first + place, nodes[place]]
        total[row] = length
        shortest = min(shortest, length)
    return shortest


@kernel
def keep_sample(
    values: NDArray[np.float32],
    seed: int,
    kept: NDArray[np.float32],
    seen: NDArray[np.int64],
    words: NDArray[np.uint64],
    saved: NDArray[np.uint64],
    marks: NDArray[np.uint8],
) -> None:
    """Reservoir sampling (Vitter's algorithm R), its draws a function of seed and count (SplitMix64).

    The last three belong to the pages of `kept`.
    """
    width = kept.shape[1]
    places = len(kept)
    for row in range(len(values)):
        count = seen[0]
        place = count
        if count >= places:
            mixed = (np.uint64(count) + np.uint64(seed) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed = mixed ^ (mixed >> np.uint64(31))
            place = np.int64(mixed % np.uint64(count + 1))
        if place < places:
            guard(place * width >> 1, (place * width + width - 1) >> 1, words, saved, marks)
            kept[place] = values[row]
        seen[0] = count + 1
