"""A map of the visitors: t-SNE from the features to two dimensions, on a stated sample.

Paper B shows its visitors so, and finds the four categories as islands. A map of everybody would take minutes and show
no more: every flagged visitor is placed, up to a cap, and a fair sample of the others beside them.
"""

from __future__ import annotations

import os

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.scan.tsne import lay_out

DEFAULT_SIZE = 2000
"""Visitors on the map: a second on one idle core."""

FLAGGED_SHARE = 0.5
"""At most this share of the map goes to flagged visitors, so that there is a crowd to stand out from."""

ITERATIONS = 500
PERPLEXITY = 30.0
WORTH_THREADS = 800
MOST_THREADS = 4


def sample_rows(flagged: NDArray[np.bool_], rng: np.random.Generator, size: int = DEFAULT_SIZE) -> NDArray[np.int64]:
    """Positions of the visitors to place: every flagged one up to a cap, and others drawn evenly.

    Parameters
    ----------
    flagged : bool [n].
    rng : draws where there are too many.
    size : most positions in the answer; half of them at most are flagged unless too few others exist.

    Returns
    -------
    int64 [m], m ≤ size, ascending and distinct.

    >>> import numpy as np
    >>> flags = np.arange(1000) < 10
    >>> rows = sample_rows(flags, np.random.default_rng(1), 100)
    >>> len(rows), int(flags[rows].sum())
    (100, 10)
    """
    if size < 1:
        raise UsageError(f"a map of {size} visitors", allowed="1 or more")
    total = len(flagged)
    if total <= size:
        return np.arange(total, dtype=np.int64)
    caught, others = np.flatnonzero(flagged), np.flatnonzero(~flagged)
    cap = max(int(size * FLAGGED_SHARE), size - len(others))
    if len(caught) > cap:
        caught = rng.choice(caught, cap, replace=False)
    rest = min(size - len(caught), len(others))
    drawn = rng.choice(others, rest, replace=False)
    return np.sort(np.concatenate([caught, drawn])).astype(np.int64)


def prepare_features(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features on a scale where a distance means something: logs of what is never negative, then unit spread.

    Missing values become the median. Spread is between the 10th and 90th percentile, because hunters are outliers and
    would squeeze everybody else into a dot; values are cut at five spreads for the same reason.
    """
    values = np.array(rows, np.float64, copy=True)
    values[~np.isfinite(values)] = np.nan
    empty = np.all(np.isnan(values), axis=0)
    values[:, empty] = 0.0
    medians = np.nanmedian(values, axis=0)
    values = np.where(np.isnan(values), medians, values)
    skewed = (values.min(axis=0) >= 0) & (values.max(axis=0) > 3)
    values[:, skewed] = np.log1p(values[:, skewed])
    low, middle, high = np.percentile(values, [10, 50, 90], axis=0)
    spread = np.where(high > low, high - low, np.maximum(values.std(axis=0), 1e-9))
    scaled: NDArray[np.float32] = np.clip((values - middle) / spread, -5, 5).astype(np.float32)
    return scaled


def place(rows: NDArray[np.float32], *, seed: int, iterations: int = ITERATIONS) -> NDArray[np.float32]:
    """Lay rows out in two dimensions so that neighbours stay neighbours (van der Maaten and Hinton 2008).

    Distances between islands mean nothing, nor do the axes.

    Parameters
    ----------
    rows : float32 [m, d], as `prepare_features` gives them.
    seed : the same seed and rows give the same map, whatever the number of threads.
    iterations : 250 or more.

    Returns
    -------
    float32 [m, 2]. Fewer than six rows are set on a circle, since t-SNE has no neighbours to keep there.
    """
    total = len(rows)
    if total < 6:
        angle = np.arange(total) * (2 * np.pi / max(total, 1))
        circle = np.column_stack([np.cos(angle), np.sin(angle)]) if total > 1 else np.zeros((total, 2))
        return circle.astype(np.float32)
    # Equal rows are common (one request each); without the jitter they would sit on one point and never part.
    jittered = rows + np.random.default_rng(seed).normal(0, 1e-4, rows.shape)
    threads = min(os.cpu_count() or 1, MOST_THREADS) if total >= WORTH_THREADS else 1
    return lay_out(
        jittered,
        _principal_plane(jittered),
        perplexity=min(PERPLEXITY, (total - 1) / 3),
        iterations=iterations,
        threads=threads,
    )


def _principal_plane(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """The first two principal components, scaled as t-SNE wants its start; signs fixed, so that maps do not flip."""
    centred = rows - rows.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    plane = vectors[:, ::-1][:, :2]
    if plane.shape[1] < 2:
        plane = np.column_stack([plane, np.zeros(len(plane))])
    signs = np.sign(plane[np.abs(plane).argmax(axis=0), np.arange(2)])
    placed = centred @ (plane * np.where(signs == 0, 1, signs))
    start: NDArray[np.float32] = (placed / max(float(placed[:, 0].std()), 1e-9) * 1e-4).astype(np.float32)
    return start


def embed(
    visitors: pl.DataFrame, matrix: NDArray[np.float32], *, sample: int = DEFAULT_SIZE, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The map for a report: positions int64 [m] in `visitors`, and where each is placed, float32 [m, 2].

    Parameters
    ----------
    visitors : one row a visitor-day, with the bool column `flagged`.
    matrix : float32 [n, d], what to place them by, a row each; features or the deviations that a detector sees.
    sample : most visitors on the map.
    seed : chance for the sample and the layout.

    >>> frame = pl.DataFrame({"flagged": [False, True, False]})
    >>> rows, points = embed(frame, np.eye(3, dtype=np.float32), seed=1)
    >>> rows.tolist(), points.shape
    ([0, 1, 2], (3, 2))
    """
    if len(matrix) != visitors.height:
        raise UsageError(f"{len(matrix)} rows to place {visitors.height} visitors by", allowed="as many as visitors")
    rows = sample_rows(visitors["flagged"].to_numpy(), np.random.default_rng(seed), sample)
    if not len(rows):
        return rows, np.empty((0, 2), np.float32)
    return rows, place(prepare_features(np.asarray(matrix, np.float32)[rows]), seed=seed)
