from __future__ import annotations

import numpy as np
import pytest

from floorwalker.detectors.unusual import LEAST_ROWS, FeatureSample, UnusualActivity
from floorwalker.errors import ArtefactError, UsageError

NAMES = ("count", "amount", "share")


def history(rows: int = 3000, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    values = np.column_stack([random.poisson(3, rows), np.exp(random.normal(7, 1, rows)), random.random(rows) - 0.5])
    values[random.random(rows) < 0.1, 1] = np.nan
    return values.astype(np.float32)


def test_before_any_history_it_is_not_ready_and_says_so() -> None:
    signal = UnusualActivity(NAMES).judge(history(5))
    assert not signal.ready
    assert signal.score.tolist() == [0] * 5
    with pytest.raises(UsageError, match=str(LEAST_ROWS)):
        UnusualActivity.fit(history(100), NAMES, version="1", seed=0)


def test_the_body_of_history_is_not_unusual_and_strangers_are() -> None:
    unusual = UnusualActivity.fit(history(), NAMES, version="1", seed=0)
    fresh = unusual.judge(history(2000, seed=2))
    assert (fresh.score > 0).mean() < 0.03
    stranger = unusual.judge(np.array([[300, 5e6, 0.5], [3, 1000, np.nan]], np.float32))
    assert stranger.score[0] > 0.5
    assert stranger.score[1] == 0
    assert [len(reasons) for reasons in stranger.reasons] == [1, 0]
    assert "count" in stranger.reasons[0][0].text


def test_the_kernel_scores_as_the_forest_does() -> None:
    rows = history()
    unusual = UnusualActivity.fit(rows, NAMES, version="1", seed=3)
    assert unusual.forest is not None
    assert unusual.scaling is not None
    _, total, shortest = unusual._walk(rows[:500])
    assert shortest == total.min()
    raw = np.exp2(-total / unusual._divisor)
    whole = np.where(np.isfinite(rows[:500]), rows[:500], unusual.middle)
    expected = unusual.forest.score(unusual.scaling.apply(whole))
    assert raw == pytest.approx(expected, abs=1e-5)


def test_a_row_is_scored_alike_in_any_batch() -> None:
    unusual = UnusualActivity.fit(history(), NAMES, version="1", seed=3)
    rows = history(40, seed=5)
    alone = np.concatenate([unusual.judge(rows[row : row + 1]).score for row in range(len(rows))])
    assert np.array_equal(alone, unusual.judge(rows).score)


def test_what_is_far_from_unusual_is_seen_to_be_without_a_score() -> None:
    unusual = UnusualActivity.fit(history(), NAMES, version="1", seed=3)
    rows = history(300, seed=6)
    _, total, _ = unusual._walk(rows)
    is_unusual = np.exp2(-total / unusual._divisor) > unusual.body
    assert 0 < is_unusual.sum() < 30
    alone = [float(unusual.judge(rows[row : row + 1]).score[0]) > 0 for row in range(len(rows))]
    assert alone == is_unusual.tolist()


def test_a_restored_detector_is_the_same() -> None:
    unusual = UnusualActivity.fit(history(), NAMES, version="4", seed=3)
    again = UnusualActivity.from_state(unusual.state())
    rows = history(50, seed=9) * 3
    assert np.array_equal(again.judge(rows).score, unusual.judge(rows).score)
    assert (again.version, again.names) == ("4", NAMES)
    with pytest.raises(ArtefactError, match="bounds"):
        UnusualActivity.from_state({name: array for name, array in unusual.state().items() if name != "bounds"})


def test_the_sample_does_not_depend_on_batches_and_goes_on_after_a_restart() -> None:
    rows = history(5000)
    whole, pieces = FeatureSample(3, rows=300, seed=7), FeatureSample(3, rows=300, seed=7)
    whole.add(rows)
    for start in range(0, 2000, 7):
        pieces.add(rows[start : min(start + 7, 2000)])
    restored = FeatureSample(3, rows=300, seed=7)
    restored.restore({name: array.copy() for name, array in pieces.state().items()})
    restored.add(rows[2000:])
    assert np.array_equal(whole.filled(), restored.filled(), equal_nan=True)
    assert whole.seen == restored.seen == 5000


def test_every_event_has_the_same_chance_to_stay() -> None:
    kept = np.zeros(1000)
    for seed in range(200):
        sample = FeatureSample(1, rows=50, seed=seed * 7919)
        sample.add(np.arange(1000, dtype=np.float32)[:, None])
        kept[sample.filled()[:, 0].astype(int)] += 1
    # 200 times 50 of 1,000: ten each on average; halves and tenths of history may not differ by more than chance.
    tenths = kept.reshape(10, 100).sum(axis=1)
    assert tenths.min() > 1000 - 5 * 31
    assert tenths.max() < 1000 + 5 * 31
