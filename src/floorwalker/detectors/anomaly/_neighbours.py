"""Nearest neighbours by brute force over a bounded reference set, and how that set is drawn.

Landmarks: above a stated size the reference set is a random sample of the training rows. Ratios of distances and
densities (LOF, k-NN against their own median) keep their meaning on a sample; only the neighbourhoods grow wider.
At a few thousand reference rows of 15 to 40 columns a vectorised scan beats a k-d tree, whose pruning fails in that
many dimensions.
"""

from __future__ import annotations

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
    rows: NDArray[np.float32],
    turned: NDArray[np.float32],
    count: int,
    skip_self: bool,
    distances: NDArray[np.float32],
    indices: NDArray[np.int32],
) -> None:
    """The `count` nearest reference rows of each row, nearest first, ties by reference order.

    `turned` holds the reference set with one row a column, float32 [d, m], so that the inner loop runs over
    neighbours in memory. With `skip_self` the first reference row at distance zero is taken to be the row itself
    and left out: a training row is then judged by the others, whether or not it was drawn as a landmark. Where
    fewer than `count` are left, the rest of `distances` (float32 [n, count]) is infinite and of `indices` (int32
    [n, count]) -1.
    """
    size = turned.shape[1]
    squares = np.empty(size, np.float32)
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

    >>> line = np.array([[0.0], [1.0], [3.0]], np.float32)
    >>> find_nearest(line, line, 1, skip_self=True)[0].ravel().tolist()
    [1.0, 1.0, 2.0]
    """
    distances = np.empty((len(rows), count), np.float32)
    indices = np.empty((len(rows), count), np.int32)
    nearest(rows, np.ascontiguousarray(reference.T), count, skip_self, distances, indices)
    return distances, indices
