import numpy as np
import pytest

from floorwalker.detectors.anomaly._neighbours import draw_landmarks, find_nearest
from floorwalker.detectors.anomaly.dbscan import DBSCAN, find_knee
from floorwalker.detectors.anomaly.knn import KNN
from floorwalker.detectors.anomaly.lof import LOF
from floorwalker.errors import UsageError


@pytest.fixture
def rows():
    random = np.random.default_rng(1)
    return np.concatenate([random.normal(size=(250, 4)), random.normal(size=(50, 4)) * 0.2 + 4]).astype(np.float32)


def test_nearest_by_hand():
    line = np.array([[0.0], [1.0], [3.0], [7.0]], np.float32)
    distances, places = find_nearest(np.array([[2.5]], np.float32), line, 3, skip_self=True)
    assert distances.tolist() == [[0.5, 1.5, 2.5]]
    assert places.tolist() == [[2, 1, 0]]


def test_a_row_is_left_out_once_and_its_duplicates_stay():
    line = np.array([[1.0], [1.0], [4.0]], np.float32)
    distances, places = find_nearest(line, line, 2, skip_self=True)
    assert distances.tolist() == [[0.0, 3.0], [0.0, 3.0], [3.0, 3.0]]
    assert find_nearest(line[:1], line, 1, skip_self=False)[0].tolist() == [[0.0]]
    assert places[2].tolist() == [0, 1]


def test_too_few_neighbours_are_infinitely_far():
    line = np.array([[1.0], [2.0]], np.float32)
    distances, places = find_nearest(line[:1], line, 2, skip_self=True)
    assert distances.tolist() == [[1.0, np.inf]]
    assert places.tolist() == [[1, -1]]


def test_nearest_as_sorting_all_distances(rows):
    others = np.random.default_rng(2).normal(size=(40, 4)).astype(np.float32)
    distances, _ = find_nearest(others, rows, 7, skip_self=True)
    whole = np.sqrt(((others[:, None].astype(np.float64) - rows[None]) ** 2).sum(axis=2))
    assert distances == pytest.approx(np.sort(whole, axis=1)[:, :7], rel=1e-5)


def test_landmarks_are_a_seeded_sample_of_the_rows(rows):
    drawn = draw_landmarks(rows, 60, seed=3)
    assert drawn.shape == (60, 4)
    assert {tuple(row) for row in drawn} <= {tuple(row) for row in rows}
    assert np.array_equal(drawn, draw_landmarks(rows, 60, seed=3))
    assert not np.array_equal(drawn, draw_landmarks(rows, 60, seed=4))


def test_lof_of_training_rows_as_scikit_learn(rows):
    from sklearn.neighbors import LocalOutlierFactor

    theirs = -LocalOutlierFactor(15).fit(rows).negative_outlier_factor_
    ours = LOF(neighbours=15).fit(rows)
    assert ours.factors(rows) == pytest.approx(theirs, rel=1e-4)
    assert ours.score(rows) == pytest.approx(theirs / (1 + theirs), rel=1e-4)


def test_lof_of_new_rows_as_scikit_learn(rows):
    from sklearn.neighbors import LocalOutlierFactor

    new = np.random.default_rng(2).normal(size=(40, 4)).astype(np.float32) * 2
    theirs = -LocalOutlierFactor(15, novelty=True).fit(rows).score_samples(new)
    assert LOF(neighbours=15).fit(rows).factors(new) == pytest.approx(theirs, rel=1e-4)


def test_lof_by_hand():
    # k = 1 on 0, 1, 3: k-distances 1, 1, 2; densities 1/max(1, 1), 1/max(1, 1), 1/max(1, 2); LOF of 3 is 1 / (1/2).
    line = np.array([[0.0], [1.0], [3.0]], np.float32)
    assert LOF(neighbours=1).fit(line).factors(line).tolist() == [1.0, 1.0, 2.0]


def test_dbscan_noise_and_core_points_as_scikit_learn(rows):
    from sklearn import cluster

    theirs = cluster.DBSCAN(eps=0.9, min_samples=8).fit(rows)
    ours = DBSCAN(radius=0.9, minimum_points=8).fit(rows)
    assert 0.05 < (theirs.labels_ == -1).mean() < 0.8
    assert np.array_equal(ours.is_noise(rows), theirs.labels_ == -1)
    assert np.array_equal(np.flatnonzero(ours.score(rows) <= 0.25), theirs.core_sample_indices_)


def test_dbscan_grades_noise_by_distance():
    crowd = np.random.default_rng(1).uniform(size=(200, 1)).astype(np.float32)
    detector = DBSCAN(radius=0.5, minimum_points=60).fit(crowd)
    scores = detector.score(np.array([[0.5], [1.3], [1.8], [3.0], [99.0]], np.float32))
    assert scores[0] <= 0.25 < scores[1] <= 0.5 < scores[2] < scores[3] < scores[4] < 1


def test_knee_is_where_the_crowd_ends():
    curve = np.concatenate([np.linspace(1.0, 1.2, 95), [5.0, 6.0, 7.0, 8.0, 9.0]])
    assert 1.1 <= find_knee(np.random.default_rng(1).permutation(curve)) <= 1.2
    assert find_knee(np.full(10, 3.0)) == 3.0
    assert find_knee(np.zeros(10)) == 1.0


def test_knn_by_hand():
    line = np.array([[0.0], [1.0], [3.0], [6.0]], np.float32)
    # Mean distances to the two nearest others: 2, 1.5, 2.5, 4; their median is 2.25.
    scores = KNN(neighbours=2).fit(line).score(line)
    assert scores == pytest.approx([2 / 4.25, 1.5 / 3.75, 2.5 / 4.75, 4 / 6.25])


@pytest.mark.parametrize(
    ("detector", "settings"),
    [
        (KNN, {"neighbours": 0}),
        (KNN, {"landmarks": 1}),
        (LOF, {"neighbours": 0}),
        (LOF, {"landmarks": 2}),
        (DBSCAN, {"radius": -1.0}),
        (DBSCAN, {"minimum_points": -1}),
    ],
)
def test_impossible_settings_are_refused(detector, settings):
    with pytest.raises(UsageError, match="allowed"):
        detector(**settings)
