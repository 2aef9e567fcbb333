"""t-SNE (van der Maaten and Hinton: *Visualizing Data using t-SNE*, JMLR 9, 2008) for a few thousand points.

A report's map has two thousand points. At that size the exact sum over all pairs, which a processor does eight at a
time, is faster than the trees that approximate it (scikit-learn's), and no thread spins while it waits for another on a
busy machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import compile_kernel
from floorwalker.store._flat import flat_kernel

Points = NDArray[np.float32]

EXAGGERATION = 12.0
EXAGGERATED = 250
"""Iterations in which neighbours attract one another so much more, for islands to form early."""

NEIGHBOURS_A_PERPLEXITY = 3
_BLOCK = 1 << 21
_ENTROPY_STEPS = 60


def lay_out(
    rows: NDArray[np.float64], start: Points, *, perplexity: float, iterations: int, threads: int = 1
) -> Points:
    """Points in the plane whose neighbours are the rows' neighbours.

    Attraction comes from the 3 × perplexity nearest rows, repulsion from all points; momentum and gains are those of
    Barnes-Hut-SNE (van der Maaten, JMLR 15, 2014), the learning rate is n / 12 / 4. Time, but not memory, grows with
    the square of the rows: 2,000 rows take about a second, 10,000 half a minute.

    Parameters
    ----------
    rows : float64 [m, d], m ≥ 6, no two equal.
    start : float32 [m, 2], where the points begin; small values.
    perplexity : how many neighbours count, below m / 3.
    iterations : steps, the first 250 of them exaggerated.
    threads : how many work at once; the answer does not depend on it.

    Returns
    -------
    float32 [m, 2].
    """
    first, second, weight = _affinities(np.asarray(rows, np.float64), perplexity)
    bounds = np.searchsorted(first, np.arange(len(rows) + 1)).astype(np.int64)
    x, y = np.ascontiguousarray(start[:, 0]), np.ascontiguousarray(start[:, 1])
    motion = np.zeros((2, len(x)), np.float32)
    gains = np.ones((2, len(x)), np.float32)
    pull, push = np.zeros((2, len(x)), np.float32), np.zeros((2, len(x)), np.float32)
    closeness = np.zeros(len(x))
    rate = max(len(x) / EXAGGERATION / 4.0, 50.0)
    parts = np.linspace(0, len(x), max(threads, 1) + 1).astype(np.int64)
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        for step in range(iterations):
            early = step < EXAGGERATED
            if step == EXAGGERATED:
                # What was gathered under the strong attraction would throw the islands apart.
                motion[:], gains[:] = 0.0, 1.0

            def work(part: int) -> None:
                begin, end = int(parts[part]), int(parts[part + 1])
                _push(x, y, begin, end, push, closeness)
                _pull(x, y, begin, end, bounds, second, weight, pull)

            if threads > 1:
                list(pool.map(work, range(threads)))
            else:
                work(0)
            _move(
                x, y, pull, push, motion, gains,
                np.float32(EXAGGERATION if early else 1.0), np.float32(1.0 / closeness.sum()), np.float32(rate),
                np.float32(0.5 if early else 0.8),
            )  # fmt: skip
    return np.column_stack([x, y])


def _affinities(
    rows: NDArray[np.float64], perplexity: float
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Joint probabilities of neighbours (equations 1 and 2 of the paper): first, second and weight of each pair, both
    ways, ordered by the first."""
    total = len(rows)
    count = min(total - 1, int(NEIGHBOURS_A_PERPLEXITY * perplexity) + 1)
    neighbours = np.empty((total, count), np.int32)
    shares = np.empty((total, count))
    for begin, distances in _distances(rows):
        near = np.argpartition(distances, count - 1, axis=1)[:, :count]
        end = begin + len(near)
        neighbours[begin:end] = near
        shares[begin:end] = _conditional(np.take_along_axis(distances, near, axis=1), perplexity)
    one = np.repeat(np.arange(total), count)
    other = neighbours.ravel().astype(np.int64)
    key = np.concatenate([one * total + other, other * total + one])
    value = np.tile(shares.ravel(), 2)
    order = np.argsort(key, kind="stable")
    key = key[order]
    opening = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    weight = np.add.reduceat(value[order], opening) / (2.0 * total)
    pairs = key[opening]
    return (pairs // total).astype(np.int32), (pairs % total).astype(np.int32), weight.astype(np.float32)


def _distances(rows: NDArray[np.float64]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Squared distances to all rows, block by block; a row is infinitely far from itself."""
    squares = (rows * rows).sum(axis=1)
    size = max(1, _BLOCK // len(rows))
    for begin in range(0, len(rows), size):
        block = rows[begin : begin + size]
        found = squares[begin : begin + size, None] + squares - 2.0 * (block @ rows.T)
        np.maximum(found, 0.0, out=found)
        found[np.arange(len(block)), begin + np.arange(len(block))] = np.inf
        yield begin, found


def _conditional(distances: NDArray[np.float64], perplexity: float) -> NDArray[np.float64]:
    """Each row's probabilities of its neighbours, with the precision that gives the wanted perplexity, by bisection."""
    distances = distances - distances.min(axis=1, keepdims=True)
    wanted = np.log(perplexity)
    scale = np.maximum(distances.mean(axis=1), 1e-12)
    precision, low, high = 1.0 / scale, np.zeros(len(distances)), np.full(len(distances), np.inf)
    for _ in range(_ENTROPY_STEPS):
        shares = np.exp(-distances * precision[:, None])
        total = shares.sum(axis=1)
        entropy = np.log(total) + precision * (distances * shares).sum(axis=1) / total
        flat = entropy > wanted
        low = np.where(flat, precision, low)
        high = np.where(flat, high, precision)
        if np.all(np.abs(entropy - wanted) < 1e-5):
            break
        precision = np.where(np.isinf(high), precision * 2.0, (low + high) / 2.0)
    shares = np.exp(-distances * precision[:, None])
    found: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
    return found


def _push_plain(
    x: Points, y: Points, begin: int, end: int, push: NDArray[np.float32], closeness: NDArray[np.float64]
) -> None:
    """Repulsion on the points from `begin` to `end`, not yet divided by the sum of all closeness."""
    one = np.float32(1.0)
    for i in range(begin, end):
        at_x, at_y = x[i], y[i]
        total = np.float32(0.0)
        sum_x = np.float32(0.0)
        sum_y = np.float32(0.0)
        for j in range(len(x)):
            away_x = at_x - x[j]
            away_y = at_y - y[j]
            near = one / (one + away_x * away_x + away_y * away_y)
            total += near
            near *= near
            sum_x += near * away_x
            sum_y += near * away_y
        push[0, i] = sum_x
        push[1, i] = sum_y
        # Without the point itself.
        closeness[i] = total - one


# Sums may be taken in any order here, which lets eight pairs be done at once: 4 ns a pair become 0.5.
_push = compile_kernel(_push_plain, fastmath=True)


@flat_kernel
def _pull(
    x: Points,
    y: Points,
    begin: int,
    end: int,
    bounds: NDArray[np.int64],
    second: NDArray[np.int32],
    weight: NDArray[np.float32],
    pull: NDArray[np.float32],
) -> None:
    """Attraction of neighbours on the points from `begin` to `end`."""
    one = np.float32(1.0)
    for i in range(begin, end):
        sum_x = np.float32(0.0)
        sum_y = np.float32(0.0)
        for place in range(bounds[i], bounds[i + 1]):
            j = second[place]
            away_x = x[i] - x[j]
            away_y = y[i] - y[j]
            near = weight[place] / (one + away_x * away_x + away_y * away_y)
            sum_x += near * away_x
            sum_y += near * away_y
        pull[0, i] = sum_x
        pull[1, i] = sum_y


@flat_kernel
def _move(
    x: Points,
    y: Points,
    pull: NDArray[np.float32],
    push: NDArray[np.float32],
    motion: NDArray[np.float32],
    gains: NDArray[np.float32],
    exaggeration: np.float32,
    share: np.float32,
    rate: np.float32,
    momentum: np.float32,
) -> None:
    """One step down the gradient (equation 5), each coordinate with its own gain."""
    for axis in range(2):
        for i in range(len(x)):
            slope = np.float32(4.0) * (exaggeration * pull[axis, i] - share * push[axis, i])
            if slope * motion[axis, i] < np.float32(0.0):
                gains[axis, i] += np.float32(0.2)
            else:
                gains[axis, i] = max(gains[axis, i] * np.float32(0.8), np.float32(0.01))
            motion[axis, i] = momentum * motion[axis, i] - rate * gains[axis, i] * slope
            if axis == 0:
                x[i] += motion[axis, i]
            else:
                y[i] += motion[axis, i]
