"""Whatever finite rows come: scores in [0, 1], restored bit for bit, the same row by row."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from floorwalker.detectors.anomaly import RobustScaling, list_detectors, load_detector

# Scaling keeps values within a million; zeros, ones and repeats are what visitor features are full of.
VALUES = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 1e6, -1e6, 1e-30]),
    st.floats(-1e6, 1e6, width=32, allow_nan=False, allow_subnormal=False),
)
ROWS = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=12), elements=VALUES)


@pytest.mark.parametrize("name", list_detectors())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=ROWS)
def test_any_finite_rows(name, rows):
    detector_class = load_detector(name)
    detector = detector_class().fit(rows)
    new = np.concatenate([rows, rows[:1] + np.float32(3.0)])
    scores = detector.score(new)
    assert np.isfinite(scores).all()
    assert scores.min() >= 0
    assert scores.max() <= 1
    assert np.array_equal(detector_class.from_state(detector.state()).score(new), scores)
    assert np.array_equal(detector.score(new[-1:]), scores[-1:])


@settings(max_examples=60, deadline=None)
@given(
    rows=arrays(
        np.float64,
        array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=10),
        elements=st.floats(-1e300, 1e300, allow_nan=False),
    ),
    logarithmic=st.booleans(),
)
def test_scaling_gives_finite_rows(rows, logarithmic):
    scaled = RobustScaling.fit(rows, logarithmic=logarithmic).apply(rows)
    assert np.isfinite(scaled).all()
