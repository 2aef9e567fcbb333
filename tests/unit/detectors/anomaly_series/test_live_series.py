from __future__ import annotations

import numpy as np
import pytest

from floorwalker.detectors.anomaly_series.live import LiveSeries
from floorwalker.detectors.anomaly_series.watched import ENTITIES, WATCHED, series_of_types
from floorwalker.errors import ArtefactError, UsageError
from floorwalker.events.batch import EventBatch
from floorwalker.events.entities import ENTITIES as KINDS
from floorwalker.events.types import TYPE_CODES
from floorwalker.features.live import FeatureBatch

HOUR = 3_600_000_000
START = 1_760_000_400_000_000


def events(at: np.ndarray, kind: str = "login_failed", networks: int = 5, seed: int = 0) -> EventBatch:
    n = len(at)
    rng = np.random.default_rng(seed)
    keys = {name: rng.integers(1, networks + 1, n).astype(np.uint64) * np.uint64(977) for name in KINDS}
    types = np.full(n, TYPE_CODES[kind], np.int16)
    at = np.sort(at).astype(np.int64)
    return EventBatch(id=[""] * n, type=types, at=at, received_at=at, keys=keys, numbers={}, texts={})


def nothing(batch: EventBatch) -> FeatureBatch:
    none = np.zeros((len(batch.type), 0), np.float32)
    return FeatureBatch(batch.id, batch.at, none, (), none.astype(bool))


def days(count: int, an_hour: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hours = np.arange(24 * count)
    busy = rng.poisson(an_hour * (1 + 0.9 * np.sin(hours / 24 * 2 * np.pi)))
    return START + np.repeat(hours, busy) * HOUR + rng.integers(0, HOUR, busy.sum())


def warmed(count: int = 10) -> LiveSeries:
    live = LiveSeries(entities=256)
    batch = events(days(count, 40))
    live.advance(batch, nothing(batch))
    return live


def test_an_attack_is_an_alarm_while_it_sets_in_and_usual_hours_are_none() -> None:
    live = warmed()
    honest = events(days(12, 40, 1))
    honest = honest.take(np.flatnonzero(honest.at >= START + 240 * HOUR))
    calm = live.advance(honest, nothing(honest))[:, 0]
    assert (calm > 0.999).mean() < 0.02
    assert live.alarms() == []
    flood = events(START + 290 * HOUR + np.arange(300) * 2_000_000)
    scores = live.advance(flood, nothing(flood))
    assert scores[:20, 0].max() < 0.999
    assert scores[-1, 0] > 0.999
    assert (scores[:, 0] > 0.999).argmax() < 200
    (alarm,) = live.alarms()
    assert alarm.name == "failed logins"
    assert alarm.abuse == ("account_takeover",)
    assert alarm.last_hour >= 300 > 3 * alarm.usual_hour
    reasons = live.reasons(flood, nothing(flood), scores)
    assert "the shop has more failed logins" in reasons[-1][0].text


def test_one_network_out_of_five_is_found_by_its_own_share() -> None:
    live = warmed()
    flood = events(START + 240 * HOUR + np.arange(400) * 8_000_000, networks=1)
    scores = live.advance(flood, nothing(flood))
    assert scores[-1, 1] > 0.999
    stranger = flood.take([0])
    stranger.keys["ip_network"][:] = 12345
    assert np.isnan(live.score(stranger, nothing(stranger))[0, 1])


def test_any_batching_gives_the_same_and_score_is_what_advance_would_say() -> None:
    batch = events(np.concatenate([days(4, 10), days(4, 3, 5)]))
    rng = np.random.default_rng(2)
    whole, pieces = LiveSeries(entities=64), LiveSeries(entities=64)
    wanted = whole.advance(batch, nothing(batch))
    start, found = 0, []
    while start < len(batch.type):
        part = batch.take(list(range(start, min(start + int(rng.integers(1, 90)), len(batch.type)))))
        before = pieces.score(part, nothing(part))
        found.append(pieces.advance(part, nothing(part)))
        assert np.array_equal(before[0], found[-1][0], equal_nan=True)
        start += len(part.type)
    assert np.array_equal(np.concatenate(found), wanted, equal_nan=True)
    assert (~np.isnan(wanted)).any()
    alone = LiveSeries(entities=64)
    alone.restore({name: array.copy() for name, array in whole.state().items()})
    later = events(START + 100 * HOUR + np.array([0, 50 * HOUR, 1, 20 * HOUR]))
    later = later.take([0, 3, 1, 2])
    together = alone.score(later, nothing(later))
    single = [alone.score(later.take([row]), nothing(later.take([row])))[0] for row in range(4)]
    assert np.array_equal(together, np.array(single), equal_nan=True)


def test_years_of_silence_late_events_and_unknown_types_are_no_fault() -> None:
    live = warmed(3)
    shapes = {name: array.shape for name, array in live.state().items()}
    odd = events(np.array([START, START + 10**5 * HOUR, START + HOUR]))
    odd.type[2] = -1
    odd = odd.take([1, 0, 2])
    scores = live.advance(odd, nothing(odd))
    assert ((scores[:2, 0] >= 0) & (scores[:2, 0] < 1)).all()
    assert {name: array.shape for name, array in live.state().items()} == shapes
    assert np.isnan(live.advance(odd.take([1]), nothing(odd.take([1])))).sum() <= 1
    with pytest.raises(ArtefactError):
        live.restore({})
    with pytest.raises(UsageError):
        LiveSeries(entities=7)


def test_the_table_names_what_exists() -> None:
    assert {kind for each in WATCHED for kind in each.types} <= {*TYPE_CODES}
    assert {*ENTITIES} <= {*KINDS}
    assert series_of_types()[-1] == -1
    assert sorted({*series_of_types().tolist()}) == list(range(-1, len(WATCHED)))


def test_events_far_apart_are_judged_as_if_each_came_next() -> None:
    live = warmed()
    for series, first in ((LiveSeries(entities=256), 0), (live, 260)):
        batch = events(START + (first + np.array([0, 1, 30, 200, 900, 2000])) * HOUR)
        together = series.score(batch, nothing(batch))
        rows = [batch.take(np.array([row])) for row in range(6)]
        alone = np.concatenate([series.score(row, nothing(row)) for row in rows])
        np.testing.assert_array_equal(together, alone)
