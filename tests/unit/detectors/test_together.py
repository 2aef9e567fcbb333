"""Trimmed fitting, scaling and the ensemble."""

from typing import ClassVar

import numpy as np
import pytest

from floorwalker.detectors.anomaly import RobustScaling, fit_trimmed
from floorwalker.detectors.anomaly.ensemble import Ensemble
from floorwalker.detectors.anomaly.isolation_forest import IsolationForest
from floorwalker.detectors.anomaly.mahalanobis import Mahalanobis
from floorwalker.errors import ArtefactError, UsageError
from floorwalker.metrics import roc_auc


@pytest.fixture
def contaminated():
    random = np.random.default_rng(1)
    crowd = random.normal(size=(500, 4))
    abusers = random.normal(size=(40, 4)) * 0.3 + 3.0
    return np.concatenate([crowd, abusers]).astype(np.float32), np.arange(540) >= 500


class Recorder:
    """A detector that finds large first values unusual and notes what it was fitted on."""

    fitted_on: ClassVar[list[np.ndarray]] = []

    def fit(self, rows):
        Recorder.fitted_on.append(rows.copy())
        return self

    def score(self, rows):
        return (rows[:, 0] / 100).astype(np.float32)


def test_each_round_drops_the_share_from_all_rows():
    rows = np.arange(20, dtype=np.float32).reshape(-1, 1)
    Recorder.fitted_on = []
    fit_trimmed(Recorder, rows, trim=0.1, rounds=2)
    assert [len(part) for part in Recorder.fitted_on] == [20, 18, 18]
    assert Recorder.fitted_on[1].max() == 17


def test_ties_at_the_cut_stay_in():
    rows = np.array([[1.0]] * 15 + [[2.0]] * 5, np.float32)
    Recorder.fitted_on = []
    fit_trimmed(Recorder, rows, trim=0.1, rounds=1)
    assert len(Recorder.fitted_on[-1]) == 20


@pytest.mark.parametrize(("trim", "rounds"), [(0.0, 3), (0.02, 0), (0.01, 2)])
def test_nothing_to_drop_is_fitted_once(trim, rounds):
    Recorder.fitted_on = []
    fit_trimmed(Recorder, np.ones((20, 1), np.float32), trim=trim, rounds=rounds)
    assert len(Recorder.fitted_on) == 1


def test_contamination_does_not_teach_that_abuse_is_normal(contaminated):
    rows, truth = contaminated
    plain = IsolationForest(seed=1).fit(rows).score(rows)
    trimmed = fit_trimmed(lambda: IsolationForest(seed=1), rows, trim=0.1, rounds=3).score(rows)
    assert roc_auc(truth, trimmed) > roc_auc(truth, plain) + 0.02


@pytest.mark.parametrize("arguments", [{"trim": 0.5}, {"trim": -0.1}, {"rounds": -1}, {"most_rows": 1}])
def test_impossible_trimming_is_refused(arguments):
    with pytest.raises(UsageError, match="allowed"):
        fit_trimmed(Recorder, np.ones((4, 1), np.float32), **{"trim": 0.1, "rounds": 1, **arguments})


def test_scaling_by_hand():
    rows = np.array([[0.0, 0.0], [1.0, 9.0], [2.0, 99.0], [3.0, 999.0], [4.0, 9999.0]])
    scaling = RobustScaling.fit(rows, logarithmic=[False, True])
    # First column: median 2, quartiles 1 and 3. Second: ln of 1, 10, 100, 1000, 10000.
    expected = (np.array([0.0, 0.0]) - [2, np.log(100)]) / [2 / 1.349, np.log(100) / 1.349]
    assert scaling.apply(rows)[0] == pytest.approx(expected)


def test_scaling_of_a_column_that_is_mostly_zero():
    rows = np.zeros((100, 1))
    rows[:5] = 10.0
    scaled = RobustScaling.fit(rows).apply(rows)
    assert scaled[50] == 0
    assert 0 < scaled[0] < 20


def test_scaling_of_a_constant_column_shows_who_departs_from_it():
    scaling = RobustScaling.fit(np.full((10, 1), 0.1))
    assert scaling.apply(np.array([[0.1], [2.1], [1e30]])).ravel() == pytest.approx([0, 2, 1e6])


def test_scaling_round_trip():
    random = np.random.default_rng(1)
    rows = random.exponential(size=(50, 3))
    scaling = RobustScaling.fit(rows, logarithmic=[True, False, True])
    restored = RobustScaling.from_state(scaling.state())
    assert np.array_equal(scaling.apply(rows), restored.apply(rows))
    with pytest.raises(ArtefactError, match="lacks scale"):
        RobustScaling.from_state({"centre": scaling.centre, "logarithmic": scaling.logarithmic})


def test_scaling_refuses_what_it_cannot_scale():
    with pytest.raises(UsageError, match="at least one row"):
        RobustScaling.fit(np.empty((0, 2)))
    with pytest.raises(UsageError, match="2 columns"):
        RobustScaling.fit(np.ones((3, 2))).apply(np.ones((3, 3)))


def test_ensemble_is_the_mean_place_of_its_members(contaminated):
    rows, _ = contaminated
    together = Ensemble(members=("mahalanobis", "ecod"), seed=3).fit(rows).score(rows)
    alone = [Ensemble(members=(name,), seed=3).fit(rows).score(rows) for name in ("mahalanobis", "ecod")]
    assert together == pytest.approx(np.mean(alone, axis=0), abs=1e-6)


def test_ensemble_of_one_ranks_as_its_member(contaminated):
    rows, _ = contaminated
    new = np.random.default_rng(9).normal(size=(300, 4)).astype(np.float32) * 3
    fitted = Mahalanobis(seed=3).fit(rows)
    place = Ensemble(members=("mahalanobis",), seed=3).fit(rows).score(new)
    order = np.argsort(fitted.score(new))
    assert (np.diff(place[order]) >= 0).all()
    assert len(np.unique(place)) > 250


@pytest.mark.parametrize("members", [(), ("ensemble",), ("nothing",)])
def test_impossible_members_are_refused(members):
    with pytest.raises(UsageError, match="allowed"):
        Ensemble(members=members)


def test_a_large_training_set_is_sampled_once():
    rows = np.arange(1000, dtype=np.float32).reshape(-1, 1)
    Recorder.fitted_on = []
    fit_trimmed(Recorder, rows, trim=0.1, rounds=1, most_rows=100, seed=1)
    assert [len(part) for part in Recorder.fitted_on] == [100, 90]
    assert set(Recorder.fitted_on[1].ravel()) < set(Recorder.fitted_on[0].ravel())


def test_scores_of_many_chunks_are_those_of_one(contaminated, monkeypatch):
    from floorwalker.detectors.anomaly import _fitted

    rows, _ = contaminated
    forest = IsolationForest(seed=1).fit(rows)
    whole = forest.score(rows)
    monkeypatch.setattr(_fitted, "CHUNK_ROWS", 7)
    assert np.array_equal(forest.score(rows), whole)
