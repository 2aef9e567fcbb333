"""Nearest neighbours by brute force over a bounded reference set, and how that set is drawn.

Landmarks: above a stated size the reference set is a random sample of the training rows. Ratios of distances and
densities (LOF, k-NN against their own median) keep their meaning on a sample; only the neighbourhoods grow wider.
At a few thousand reference rows of 15 to 40 columns a vectorised scan beats a k-d tree, whose pruning fails in that
many dimensions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly._base import Matrix
from floorwalker.kernels import kernel


def draw_landmarks(rows: Matrix, most: int, seed: int) -> Matrix:
    """All rows, or a sample of `most` of them in their order: float32 [m, d]."""
    if len(rows) <= most:
        return rows.copy()
    chosen = np.random.default_rng(seed).choice(len(rows), most, replace=False)
    landmarks: Matrix = rows[np.sort(chosen)]
    return landmarks


@kernel
def nearest(
    rows: NDArray[np.floating[Any]],
    turned: NDArray[np.floating[Any]],
    count: int,
    skip_self: bool,
    distances: NDArray[np.floating[Any]],
    indices: NDArray[np.int32],
) -> None:
    """The `count` nearest reference rows of each row, nearest first, ties by reference order.

    `turned` holds the reference set with one row a column, float32 [d, m], so that the inner loop runs over
    neighbours in memory. With `skip_self` the first reference row at distance zero is taken to be the row itself
    and left out: a training row is then judged by the others, whether or not it was drawn as a landmark. Where
    fewer than `count` are left, or the squares of the others overflow, the rest of `distances` ([n, count]) is
    infinite and of `indices` (int32 [n, count]) -1. Rows, reference and distances are all float32 or all float64.
    """
    size = turned.shape[1]
    squares = np.empty(size, distances.dtype)
    for row in range(len(rows)):
        squares[:] = np.float32(0.0)
        for column in range(turned.shape[0]):
            value = rows[row, column]
            for other in range(size):
                difference = turned[column, other] - value
                squares[other] += difference * difference
        held = 0
        skipped = not skip_self
        worst = np.float32(np.inf)
        for other in range(size):
            square = squares[other]
            if square >= worst:
                continue
            if not skipped and square == 0.0:
                skipped = True
                continue
            place = held if held < count else count - 1
            while place > 0 and distances[row, place - 1] > square:
                distances[row, place] = distances[row, place - 1]
                indices[row, place] = indices[row, place - 1]
                place -= 1
            distances[row, place] = square
            indices[row, place] = other
            if held < count:
                held += 1
            if held == count:
                worst = distances[row, count - 1]
        for place in range(held):
            distances[row, place] = np.sqrt(distances[row, place])
        for place in range(held, count):
            distances[row, place] = np.inf
            indices[row, place] = -1


def find_nearest(
    rows: Matrix, reference: Matrix, count: int, *, skip_self: bool
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Distances float32 [n, count] to, and places int32 [n, count] of, the nearest reference rows.

    Squares of float32 overflow from about 1e19 on. A row that finds too few neighbours for it is looked at again in
    float64; a distance beyond float32 counts as the largest that float32 can hold.

    >>> line = np.array([[0.0], [1.0], [3.0]], np.float32)
    >>> find_nearest(line, line, 1, skip_self=True)[0].ravel().tolist()
    [1.0, 1.0, 2.0]
    """
    distances = np.empty((len(rows), count), np.float32)
    indices = np.empty((len(rows), count), np.int32)
    turned = np.ascontiguousarray(reference.T)
    nearest(rows, turned, count, skip_self, distances, indices)
    short = np.flatnonzero(indices[:, -1] < 0) if len(reference) else np.empty(0, np.int64)
    if len(short):
        wide, places = np.empty((len(short), count), np.float64), np.empty((len(short), count), np.int32)
        nearest(rows[short].astype(np.float64), turned.astype(np.float64), count, skip_self, wide, places)
        largest = float(np.finfo(np.float32).max)
        distances[short] = np.where(places < 0, np.inf, np.minimum(wide, largest))
        indices[short] = places
    return distances, indices
