import numpy as np
import pytest

from floorwalker.errors import UsageError
from floorwalker.metrics import (
    average_precision,
    bootstrap_interval,
    confusion,
    precision_at,
    roc_auc,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Newcombe (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_published(successes, trials, low, high):
    found = wilson_interval(successes, trials)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)
    assert found.value == successes / trials


def test_wilson_without_trials_knows_nothing():
    found = wilson_interval(0, 0)
    assert np.isnan(found.value)
    assert (found.low, found.high) == (0.0, 1.0)


def test_confusion_by_hand():
    found = confusion([1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0, 0])
    assert (found.true_positives, found.false_positives, found.false_negatives, found.true_negatives) == (2, 1, 1, 3)
    assert found.precision.value == pytest.approx(2 / 3)
    assert found.recall.value == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 / 3)
    assert found.false_positive_rate.value == 0.25
    assert confusion([0, 0], [0, 0]).f1 == 0.0


def test_roc_auc_and_average_precision_as_scikit_learn_with_ties():
    from sklearn.metrics import average_precision_score, roc_auc_score

    random = np.random.default_rng(1)
    for levels in (3, 10, 10_000):
        truth = random.random(200) < 0.2
        scores = random.integers(0, levels, 200) / levels + truth * 0.1
        assert roc_auc(truth, scores) == pytest.approx(roc_auc_score(truth, scores))
        assert average_precision(truth, scores) == pytest.approx(average_precision_score(truth, scores))


def test_roc_auc_is_the_share_of_pairs_won():
    truth, scores = np.array([1, 0, 1, 0, 0]), np.array([0.9, 0.9, 0.2, 0.1, 0.2])
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[truth == 1] for b in scores[truth == 0]]
    assert roc_auc(truth, scores) == pytest.approx(np.mean(pairs))


def test_one_class_has_no_figure():
    assert np.isnan(roc_auc([1, 1], [0.1, 0.2]))
    assert np.isnan(average_precision([0, 0], [0.1, 0.2]))


def test_precision_at_shares_ties():
    assert precision_at([1, 1, 0, 0], [0.9, 0.5, 0.5, 0.5], 1).value == 1.0
    # Two open places among three tied rows of which one is positive: two thirds of one, rounded down.
    assert precision_at([1, 1, 0, 0], [0.9, 0.5, 0.5, 0.5], 3).value == pytest.approx(1 / 3)
    assert precision_at([1, 0], [0.9, 0.1], 50).value == 0.5


def test_bootstrap_covers_about_as_often_as_it_says():
    random = np.random.default_rng(1)
    hits = 0
    for _ in range(100):
        sample = random.normal(size=60)
        found = bootstrap_interval([sample], lambda part: float(part.mean()), random=random, rounds=200, level=0.9)
        hits += found.low <= 0 <= found.high
    assert 80 <= hits <= 97


def test_bootstrap_resamples_each_group_for_itself():
    found = bootstrap_interval(
        [np.zeros(5), np.ones(7)], lambda a, b: len(a) + 10 * len(b), random=np.random.default_rng(1), rounds=5
    )
    assert (found.low, found.value, found.high) == (75, 75, 75)


@pytest.mark.parametrize(
    "call",
    [
        lambda: wilson_interval(3, 2),
        lambda: roc_auc([1, 0], [0.1]),
        lambda: roc_auc([1, 0], [0.1, np.nan]),
        lambda: precision_at([1], [0.5], 0),
        lambda: bootstrap_interval([[]], len, random=np.random.default_rng(1)),
        lambda: bootstrap_interval([[1]], len, random=np.random.default_rng(1), level=1.0),
    ],
)
def test_wrong_input_is_refused(call):
    with pytest.raises(UsageError, match="allowed"):
        call()
