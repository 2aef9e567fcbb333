from __future__ import annotations

import math

import numpy as np
import pytest

from floorwalker.detectors.anomaly_series import ChangePoint, SeasonalLevel
from floorwalker.detectors.anomaly_series._evidence import count_evidence
from floorwalker.errors import ArtefactError, InputError, NotReadyError, UsageError

HOURS = np.arange(24 * 7 * 6)
COURSE = 60 + 50 * np.sin(HOURS / 24 * 2 * np.pi)


def usual(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(COURSE)


def test_the_score_bounds_the_chance_of_a_count() -> None:
    for mean, spread in ((5.0, 0.0), (40.0, 0.3), (0.2, 2.0)):
        rng = np.random.default_rng(4)
        means = mean * rng.gamma(1 / spread, spread, 200_000) if spread else np.full(200_000, mean)
        counts = rng.poisson(means)
        for count in np.unique(np.quantile(counts, (0.6, 0.9, 0.99, 0.999))).astype(int):
            if count > mean:
                assert (counts >= count).mean() <= math.exp(-count_evidence(float(count), mean, spread)) * 1.05


def test_what_is_usual_at_noon_is_an_attack_at_night() -> None:
    level = SeasonalLevel().fit(usual())
    noon, night = 6, 18
    scores = level.score(np.where(np.arange(24) == night, COURSE[noon], COURSE[:24]))
    assert scores[night] > 0.999
    assert np.delete(scores, night).max() < 0.9
    assert level.expected(24) == pytest.approx(COURSE[:24], rel=0.25, abs=4)


def test_an_attack_does_not_become_usual_by_lasting_and_growth_does() -> None:
    quiet, attacked = SeasonalLevel().fit(usual()), SeasonalLevel().fit(usual())
    before = quiet.expected(24).mean()
    assert attacked.advance(COURSE[:6] * 20).min() > 0.999
    assert attacked.level < 1.3
    growing = SeasonalLevel().fit(usual())
    growing.advance(usual(2) * 1.5)
    assert growing.expected(24).mean() > 1.3 * before
    assert growing.score(usual(3)[:48] * 1.5).mean() < 0.6


def test_outliers_in_history_do_not_move_the_level() -> None:
    dirty = usual()
    dirty[np.random.default_rng(3).choice(len(dirty), 30, replace=False)] = 5000
    clean, found = SeasonalLevel().fit(usual()), SeasonalLevel().fit(dirty)
    assert found.expected(168) == pytest.approx(clean.expected(168), rel=0.35, abs=6)


def test_a_small_rise_that_lasts_is_found_with_its_beginning() -> None:
    rng = np.random.default_rng(6)
    found, delays = 0, []
    change = ChangePoint(window=24).fit(rng.poisson(20, 2000))
    for _ in range(20):
        after = change.find(np.concatenate([rng.poisson(20, 50), rng.poisson(31, 12)]))
        raised = np.flatnonzero(after.score[50:] > 0.999)
        found += len(raised) > 0
        delays.append(raised[0] if len(raised) else 12)
        if len(raised):
            assert after.began[-1] <= 18
    assert found >= 18
    assert np.median(delays) <= 8
    honest = change.score(rng.poisson(20, 5000))
    assert (honest > 0.999).mean() < 0.005


def test_seasons_and_changes_go_together() -> None:
    series = usual()
    level = SeasonalLevel().fit(series)
    rng = np.random.default_rng(8)
    coming, expected = rng.poisson(COURSE[:72]), level.expected(72)
    change = ChangePoint().fit(series, expected=SeasonalLevel().fit(series).expected(len(series)))
    assert change.score(coming, expected=expected).max() < 0.999
    coming[60:] += rng.poisson(0.6 * COURSE[60:72])
    assert change.score(coming, expected=expected)[-1] > 0.999


@pytest.mark.parametrize("kind", ["counts", "values"])
def test_steps_one_by_one_are_the_series_and_state_is_bounded(kind) -> None:
    series = usual() if kind == "counts" else np.random.default_rng(1).normal(COURSE, 3)
    whole, single = ChangePoint(kind=kind).fit(series), ChangePoint(kind=kind).fit(series)
    coming = series[:100] * 1.1
    wanted = whole.find(coming)
    found = [single.advance(coming[row : row + 1]) for row in range(60)]
    assert np.concatenate([each.score for each in found]) == pytest.approx(wanted.score[:60], abs=1e-6)
    again = ChangePoint.from_state(single.state())
    assert again.score(coming[60:]) == pytest.approx(wanted.score[60:], abs=1e-6)
    assert len(single.state()["held"]) == single.window
    level, twin = SeasonalLevel(kind=kind).fit(series), SeasonalLevel(kind=kind).fit(series)
    pieces = np.concatenate([twin.advance(coming[:40]), SeasonalLevel.from_state(twin.state()).advance(coming[40:])])
    assert pieces == pytest.approx(level.advance(coming), abs=1e-6)


def test_values_rise_too() -> None:
    rng = np.random.default_rng(1)
    level = SeasonalLevel(season=24, kind="values").fit(rng.normal(COURSE - 60, 2))
    scores = level.score([COURSE[0] - 60, COURSE[1] - 40])
    assert scores[0] < 0.9 < 0.999 < scores[1]


def test_short_constant_and_patchy_series_give_sensible_answers() -> None:
    for series in ([0, 0, 0, 0], [7.0], [np.nan, 3, np.nan], np.full(500, 4)):
        level = SeasonalLevel().fit(series)
        scores = level.score([4, 400, np.nan])
        assert scores[1] > 0.99
        assert np.isnan(scores[2])
        scores = ChangePoint().fit(series).score([4, 400, np.nan])
        assert scores[1] > 0.99
        assert np.isnan(scores[2])


def test_misuse_is_told_in_words() -> None:
    with pytest.raises(InputError, match="below zero"):
        SeasonalLevel().fit([1, -1])
    for series, message in (
        ([np.nan], "nothing is known"),
        ([[1]], "shape"),
        (["a"], "no numbers"),
        ([np.inf], "infin"),
    ):
        for made in (SeasonalLevel(), ChangePoint()):
            with pytest.raises(InputError, match=message):
                made.fit(series)
    with pytest.raises(InputError, match="expectations"):
        ChangePoint().fit([1, 2], expected=[1])
    for made in (SeasonalLevel(), ChangePoint()):
        with pytest.raises(NotReadyError):
            made.score([1])
    for call in (
        lambda: SeasonalLevel(season=10, like=3), lambda: SeasonalLevel(kind="x"), lambda: ChangePoint(window=0),
        lambda: ChangePoint(kind="x"), lambda: SeasonalLevel(slow=2),
    ):  # fmt: skip
        with pytest.raises(UsageError):
            call()
    for kind in (SeasonalLevel, ChangePoint):
        with pytest.raises(ArtefactError):
            kind.from_state({})
