"""Isotonic calibration against a library's, and the error of probabilities."""

import numpy as np
import pytest

from floorwalker.errors import UsageError
from floorwalker.fusion.calibration import Calibration, calibration_error


@pytest.mark.parametrize("seed", range(5))
def test_it_equals_scikit_learns(seed):
    isotonic = pytest.importorskip("sklearn.isotonic")
    rng = np.random.default_rng(seed)
    scores = np.round(rng.random(300), 2 if seed % 2 else 6)
    labels = rng.random(300) < scores**2
    weights = rng.random(300) + 0.1
    other = isotonic.IsotonicRegression(out_of_bounds="clip").fit(scores, labels, weights)
    ours = Calibration.fit(scores, labels, weights)
    np.testing.assert_allclose(ours.apply(scores), other.predict(scores), atol=1e-9)


def test_it_rises_and_lets_nothing_stay_nothing():
    found = Calibration.fit([0.9, 0.1, 0.5, 0.5], [1, 0, 1, 0])
    assert (np.diff(found.apply(np.linspace(0, 1, 50))) >= 0).all()
    assert np.isnan(found.apply([np.nan])).all()


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(UsageError, match="0 scores"):
        Calibration.fit([], [])


def test_the_error_is_the_distance_between_promise_and_share():
    rng = np.random.default_rng(1)
    promised = rng.random(20_000)
    seen = rng.random(20_000) < promised
    assert calibration_error(promised, seen) < 0.02
    assert calibration_error(promised / 2, seen) > 0.2
    assert np.isnan(calibration_error([], []))
