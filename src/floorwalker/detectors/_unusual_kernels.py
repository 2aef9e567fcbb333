"""Kernels of the unusual-activity detector: one call from raw features to path lengths, one to keep a sample."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel
from floorwalker.models._packed_kernels import sum_packed
from floorwalker.store.pages import guard


@kernel
def scale_and_walk(
    values: NDArray[np.float32],
    columns: NDArray[np.float64],
    links: NDArray[np.uint32],
    path: NDArray[np.float64],
    trees: NDArray[np.int64],
    scaled: NDArray[np.float32],
    total: NDArray[np.float64],
) -> float:
    """Fill in, scale and walk rows down all trees, as `RobustScaling.apply` and the forest do one after the other.

    Parameters
    ----------
    values : float32 [n, F], NaN or infinite = missing.
    columns : float64 [4, F], of each column what stands for a missing value, then of the scaling whether it is
        logarithmic, the centre and the scale.
    links, path, trees : of the forest, as `sum_packed` takes them.
    scaled : float32 [n, F], filled.
    total : float64 [n, 1], filled with the sum of the path lengths.

    Returns the shortest of these sums: that of the most unusual row.
    """
    rows, width = values.shape
    for row in range(rows):
        total[row, 0] = 0.0
        for column in range(width):
            value = float(values[row, column])
            if not math.isfinite(value):
                value = columns[0, column]
            if columns[1, column] != 0.0:
                value = math.log1p(max(value, 0.0))
            value = (value - columns[2, column]) / columns[3, column]
            scaled[row, column] = min(max(value, -1e6), 1e6)
    sum_packed(scaled.reshape(rows * width), width, links, path, trees, total)
    shortest = math.inf
    for row in range(rows):
        shortest = min(shortest, total[row, 0])
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
