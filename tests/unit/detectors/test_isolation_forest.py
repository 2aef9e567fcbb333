import numpy as np
import pytest

from floorwalker.detectors.anomaly._trees import (
    BLOCK_ROWS,
    average_path,
    depth_limit,
    grow_axis_tree,
    walk_axis_trees,
)
from floorwalker.detectors.anomaly.extended_isolation_forest import ExtendedIsolationForest
from floorwalker.detectors.anomaly.isolation_forest import IsolationForest
from floorwalker.errors import UsageError


def rank(values):
    return np.argsort(np.argsort(values))


def grow(rows, draws, limit):
    rows = np.asarray(rows, np.float32).reshape(len(rows), -1)
    most = 2 * len(rows) - 1
    column, value = np.zeros(most, np.int32), np.full(most, np.inf, np.float32)
    child, size, depth = np.zeros(most, np.int32), np.zeros(most, np.int64), np.zeros(most, np.int64)
    nodes = grow_axis_tree(rows, np.arange(len(rows)), np.asarray(draws), limit, column, value, child, size, depth)
    return nodes, column, value, child, size, depth


def test_average_path_by_hand():
    # c(3) = 2 (ln 2 + 0.5772156649) - 4/3; c(4) = 2 (ln 3 + 0.5772156649) - 6/4.
    assert average_path(np.array([0, 1, 2])).tolist() == [0.0, 0.0, 1.0]
    assert average_path(np.array([3, 4])) == pytest.approx([1.2073923576, 1.8516559071], abs=1e-9)


def test_depth_limit():
    assert [depth_limit(n) for n in (2, 3, 4, 256, 257)] == [1, 2, 2, 8, 9]


def test_tree_grown_and_walked_by_hand():
    # Cuts at 0 + 0.5 * 10 = 5 (10 alone at depth 1), 0 + 0.75 * 2 = 1.5 (2 alone at depth 2), 0.5 (0 | 1 at 3).
    draws = [[0.0, 0.5], [0.0, 0.75], [0.9, 0.9], [0.0, 0.5], [0.9, 0.9], [0.0, 0.0], [0.0, 0.0]]
    nodes, column, value, child, size, depth = grow([0.0, 1.0, 2.0, 10.0], draws, 8)
    assert nodes == 7
    assert value[[0, 1, 3]].tolist() == [5.0, 1.5, 0.5]
    path = (depth + average_path(size)).astype(np.float32)
    rows = np.array([[0.0], [1.0], [2.0], [10.0], [1.7], [-50.0], [7.0]], np.float32)
    walked = walk_axis_trees(rows, column[None], value[None], child[None], path[None], 8, BLOCK_ROWS)
    assert walked.tolist() == [3, 3, 2, 1, 2, 3, 1]


def test_cut_short_leaves_add_the_average_path():
    # One level only: {0, 1, 2} stay together in a leaf of three at depth 1, so their path is 1 + c(3).
    nodes, column, value, child, size, depth = grow([0.0, 1.0, 2.0, 10.0], [[0.0, 0.5]] * 7, 1)
    assert nodes == 3
    path = (depth + average_path(size)).astype(np.float32)
    rows = np.array([[1.0], [10.0]], np.float32)
    walked = walk_axis_trees(rows, column[None], value[None], child[None], path[None], 1, BLOCK_ROWS)
    assert walked == pytest.approx([1 + average_path(np.array(3)), 1.0])


def test_random_cut_never_leaves_a_side_empty():
    for draw in (0.0, 1.0 - 1e-12):
        _, _, _, child, size, _ = grow([1.0, 1.0000001], [[0.0, draw]] * 3, 4)
        assert size[child[0] : child[0] + 2].tolist() == [1, 1]


def test_equation_three():
    rows = np.random.default_rng(1).normal(size=(300, 4)).astype(np.float32)
    forest = IsolationForest(seed=2, sample=128).fit(rows)
    by_hand = 2.0 ** (-forest.mean_paths(rows) / average_path(np.array(128)))
    assert forest.score(rows) == pytest.approx(by_hand, rel=1e-6)


@pytest.mark.parametrize("detector", [IsolationForest, ExtendedIsolationForest])
def test_ranks_as_scikit_learn(detector):
    from sklearn.ensemble import IsolationForest as Theirs

    random = np.random.default_rng(3)
    rows = np.concatenate([random.normal(size=(800, 5)), random.normal(size=(40, 5)) * 4]).astype(np.float32)
    ours = detector(seed=1, trees=200).fit(rows).score(rows)
    theirs = -Theirs(n_estimators=200, random_state=1).fit(rows).score_samples(rows)
    assert np.corrcoef(rank(ours), rank(theirs))[0, 1] > 0.95
    if detector is IsolationForest:
        assert ours == pytest.approx(theirs, abs=0.05)


def test_slanted_cuts_see_the_gap_between_two_crowds():
    # Liu's forest takes the empty corners (left crowd's x, right crowd's y) for usual; Hariri's does not.
    random = np.random.default_rng(4)
    crowds = np.concatenate([random.normal((0, 10), 1, (500, 2)), random.normal((10, 0), 1, (500, 2))])
    rows = crowds.astype(np.float32)
    corner = np.array([[0.0, 0.0]], np.float32)

    def margin(detector):
        fitted = detector(seed=5).fit(rows)
        return float(fitted.score(corner)[0] - np.quantile(fitted.score(rows), 0.95))

    assert margin(ExtendedIsolationForest) > margin(IsolationForest) + 0.02


@pytest.mark.parametrize("settings", [{"trees": 0}, {"sample": 1}])
def test_impossible_settings_are_refused(settings):
    with pytest.raises(UsageError, match="allowed"):
        IsolationForest(**settings)
    with pytest.raises(UsageError, match="allowed"):
        ExtendedIsolationForest(**settings)
