"""Histogram, ECOD and Mahalanobis: detectors that need no neighbours and no trees."""

import numpy as np
import pytest

from floorwalker.detectors.anomaly.ecod import ECOD
from floorwalker.detectors.anomaly.histogram import Histogram
from floorwalker.detectors.anomaly.mahalanobis import Mahalanobis
from floorwalker.errors import UsageError


def column(values):
    return np.asarray(values, np.float32).reshape(-1, 1)


def test_histogram_bits_by_hand():
    # Ten rows in each of four bins of width one but the last, which holds one: half a row is added to each bin.
    values = np.concatenate([np.linspace(0, 3, 30, endpoint=False) + 0.01, [3.99]])
    detector = Histogram(bins=4).fit(column(values))
    low, high = np.quantile(values.astype(np.float32), [0.025, 0.975])
    counts = np.histogram(values, np.linspace(low, high, 5))[0] + 0.5
    middles = low + (np.arange(4) + 0.5) * (high - low) / 4
    assert detector.bits(column(middles))[:, 0] == pytest.approx(np.log2(counts.max() / counts))


def test_histogram_surprise_rises_outwards():
    random = np.random.default_rng(1)
    detector = Histogram().fit(column(random.normal(size=500)))
    for side in (-1, 1):
        bits = detector.bits(column(side * np.array([2.0, 4.0, 8.0, 16.0, 1e6])))[:, 0]
        assert (np.diff(bits) > 0).all()


def test_histogram_spike_is_usual_and_its_surroundings_are_not_widened():
    random = np.random.default_rng(1)
    values = np.where(random.random(1000) < 0.6, 0.0, random.normal(5, 1, 1000))
    bits = Histogram().fit(column(values)).bits(column([0.0, 5.0, 0.5]))[:, 0]
    assert bits[0] == 0.0
    assert bits[0] < bits[1] < bits[2]


def test_one_enormous_row_does_not_squeeze_the_others_into_one_bin():
    random = np.random.default_rng(1)
    values = random.normal(size=400)
    calm = Histogram().fit(column(values)).bits(column([0.0, 2.0]))[:, 0]
    shaken = Histogram().fit(column([*values, 1e6])).bits(column([0.0, 2.0]))[:, 0]
    assert shaken == pytest.approx(calm, abs=0.8)


def test_ecod_by_hand():
    rows = np.array([[1.0, 9.0], [2.0, 8.0], [3.0, 7.0], [10.0, 6.0]], np.float32)
    # Of (10, 6): left tails 4/4 and 1/4, right tails 1/4 and 4/4; skewed right and not at all, so right once more.
    detector = ECOD().fit(rows)
    raw = {}
    for index, row in enumerate(rows):
        low = [-np.log(np.mean(rows[:, c] <= row[c])) for c in range(2)]
        high = [-np.log(np.mean(rows[:, c] >= row[c])) for c in range(2)]
        raw[index] = max(sum(low), sum(high), high[0] + high[1])
    assert raw[3] == pytest.approx(np.log(4.0))
    typical = np.median(list(raw.values()))
    assert detector.score(rows) == pytest.approx([raw[i] / (raw[i] + typical) for i in range(4)], rel=1e-6)


def test_ecod_on_a_grid_stays_close_to_the_exact_one():
    rows = np.random.default_rng(1).normal(size=(3000, 3)).astype(np.float32)
    exact, coarse = ECOD().fit(rows).score(rows), ECOD(grid=512).fit(rows).score(rows)
    assert np.abs(exact - coarse).max() < 0.05


def test_mahalanobis_without_outliers_is_the_plain_distance():
    rows = np.random.default_rng(1).multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 4000).astype(np.float32)
    detector = Mahalanobis(share=1.0, shrinkage=1e-6).fit(rows)
    centred = rows - rows.mean(axis=0)
    plain = np.sqrt(np.einsum("ni,ij,nj->n", centred, np.linalg.inv(np.cov(rows.T)), centred))
    assert detector.score(rows) == pytest.approx(plain / (plain + np.median(plain)), abs=1e-3)


def test_mahalanobis_sees_a_broken_correlation_and_ignores_contamination():
    random = np.random.default_rng(1)
    rows = random.multivariate_normal([0, 0], [[1, 0.95], [0.95, 1]], 500)
    dirty = np.concatenate([rows, np.full((60, 2), (4.0, -4.0))]).astype(np.float32)
    against, along = Mahalanobis().fit(dirty).score(np.array([[1.5, -1.5], [1.5, 1.5]], np.float32))
    assert against > 0.7 > along


@pytest.mark.parametrize(
    ("detector", "settings"),
    [
        (Histogram, {"bins": -1}),
        (ECOD, {"grid": 1}),
        (Mahalanobis, {"share": 0.4}),
        (Mahalanobis, {"steps": -1}),
        (Mahalanobis, {"shrinkage": 0.0}),
    ],
)
def test_impossible_settings_are_refused(detector, settings):
    with pytest.raises(UsageError, match="allowed"):
        detector(**settings)
