"""The map's t-SNE beside scikit-learn's and beside a slow one that follows the paper's formulas."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.manifold import TSNE, trustworthiness

from floorwalker.scan.tsne import _affinities, _pull, _push, lay_out


def _islands(each: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(5)
    centres = rng.normal(0, 6, (6, 8))
    return np.concatenate([centre + rng.normal(0, 1, (each, 8)) for centre in centres])


def _start(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.random.default_rng(2).normal(0, 1e-4, (len(rows), 2)).astype(np.float32)


def _divergence(rows: NDArray[np.float64], points: NDArray[np.float32], perplexity: float) -> float:
    first, second, weight = _affinities(rows, perplexity)
    distance = ((points[:, None].astype(float) - points[None]) ** 2).sum(axis=2)
    close = 1.0 / (1.0 + distance)
    np.fill_diagonal(close, 0.0)
    close /= close.sum()
    some = weight > 0
    return float((weight[some] * np.log(weight[some] / close[first[some], second[some]])).sum())


def test_the_map_is_as_good_as_that_of_scikit_learn() -> None:
    rows, perplexity = _islands(40), 20.0
    ours = lay_out(rows, _start(rows), perplexity=perplexity, iterations=400)
    theirs = TSNE(
        perplexity=perplexity, init=_start(rows), learning_rate="auto", max_iter=400, random_state=1
    ).fit_transform(rows.astype(np.float32))
    assert _divergence(rows, ours, perplexity) <= 1.03 * _divergence(rows, theirs, perplexity)
    kept, wanted = (trustworthiness(rows, points, n_neighbors=8) for points in (ours, theirs))
    assert kept >= wanted - 0.01


def test_joint_probabilities_are_symmetric_sum_to_one_and_have_the_perplexity() -> None:
    rows = _islands(20)
    first, second, weight = _affinities(rows, 15.0)
    joint = np.zeros((len(rows), len(rows)))
    joint[first, second] = weight
    assert joint.sum() == pytest.approx(1.0, abs=1e-5)
    assert np.allclose(joint, joint.T)
    assert np.all(np.diag(joint) == 0)
    assert np.all(np.diff(first) >= 0)
    # By another road: the entropy of exact conditional probabilities over all others, not only the nearest.
    distance = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    nearest = np.argsort(distance, axis=1)[:, 1:16]
    assert np.mean([joint[i, nearest[i]].sum() / joint[i].sum() for i in range(len(rows))]) > 0.6


def test_forces_are_the_gradient_of_the_paper() -> None:
    rows = _islands(5)
    first, second, weight = _affinities(rows, 8.0)
    points = np.random.default_rng(3).normal(0, 2, (len(rows), 2)).astype(np.float32)
    bounds = np.searchsorted(first, np.arange(len(rows) + 1)).astype(np.int64)
    push, pull = np.zeros((2, len(rows)), np.float32), np.zeros((2, len(rows)), np.float32)
    closeness = np.zeros(len(rows))
    x, y = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
    _push(x, y, 0, len(rows), push, closeness)
    _pull(x, y, 0, len(rows), bounds, second, weight, pull)
    joint = np.zeros((len(rows), len(rows)))
    joint[first, second] = weight
    for i in range(len(rows)):
        wanted = np.zeros(2)
        for j in range(len(rows)):
            if i != j:
                away = points[i].astype(float) - points[j]
                close = 1.0 / (1.0 + away @ away)
                wanted += 4.0 * (joint[i, j] - close / closeness.sum()) * close * away
        found = 4.0 * (pull[:, i] - push[:, i] / closeness.sum())
        assert np.allclose(found, wanted, atol=1e-5)


def test_the_number_of_threads_changes_nothing() -> None:
    rows = _islands(10)
    alone = lay_out(rows, _start(rows), perplexity=10.0, iterations=260)
    together = lay_out(rows, _start(rows), perplexity=10.0, iterations=260, threads=3)
    assert np.array_equal(alone, together)
