"""Distinct counts: exact while few, within the stated error when many, in every window."""

from __future__ import annotations

import numpy as np

from floorwalker.events.batch import EventBatch
from floorwalker.events.entities import ENTITIES
from floorwalker.events.types import TYPE_CODES
from floorwalker.features.live import Limits, LiveFeatures
from floorwalker.features.live import declarations as say

START = 1_760_000_000_000_000
SECOND = 1_000_000
EVENTS = say.What("events")
DECLARED = tuple(say.over("1h 1d 30d life", "n", "ip", say.Distinct(EVENTS, "account")))


def visits(accounts: np.ndarray, at: np.ndarray, ip: int = 7) -> EventBatch:
    n = len(accounts)
    keys = {name: np.zeros(n, np.uint64) for name in ENTITIES}
    keys["account"] = accounts.astype(np.uint64)
    keys["ip"] = np.full(n, ip, np.uint64)
    when = at.astype(np.int64)
    return EventBatch([""] * n, np.full(n, TYPE_CODES["page_view"], np.int16), when, when, keys, {}, {})


def test_the_root_mean_square_error_is_near_six_and_a_half_percent() -> None:
    errors: list[float] = []
    for seed in range(40):
        live = LiveFeatures(DECLARED, seed=seed, limits=Limits(rows={"ip": 10}, sketches=8))
        rng = np.random.Generator(np.random.PCG64(seed))
        accounts = rng.integers(1, 1 << 63, 20_000, np.uint64)
        found = live.advance(visits(accounts, np.full(20_000, START)))
        errors += [float(found.column("n_life")[true]) / true - 1.0 for true in (1_000, 5_000, 19_999)]
    assert 0.04 < float(np.sqrt(np.mean(np.square(errors)))) < 0.08
    assert abs(float(np.mean(errors))) < 0.03


def test_up_to_twelve_are_exact_and_the_thirteenth_spills() -> None:
    live = LiveFeatures(DECLARED, seed=1, limits=Limits(rows={"ip": 10}, sketches=8))
    found = live.advance(visits(np.arange(1, 40), START + np.arange(39) * SECOND))
    assert found.column("n_1h")[:13].tolist() == list(range(13))
    assert abs(found.column("n_1h")[-1] - 38) <= 6
    assert live.figures()["sketches"] == 4


def test_values_leave_a_sketch_as_its_buckets_pass() -> None:
    live = LiveFeatures(DECLARED, seed=1, limits=Limits(rows={"ip": 10}, sketches=8))
    live.advance(visits(np.arange(1, 301), np.full(300, START)))
    later = START + 2 * 3600 * SECOND
    asked = live.score(visits(np.array([1]), np.array([later])))
    assert asked.column("n_1h")[0] == 0
    assert abs(asked.column("n_1d")[0] - 300) < 60
    # Two hundred others two hours on; a day after that, only thirty days and the lifetime know of any.
    live.advance(visits(np.arange(1_001, 1_201), np.full(200, later)))
    asked = live.score(visits(np.array([1, 1]), np.array([later, later + 86_400 * SECOND])))
    assert abs(asked.column("n_1h")[0] - 200) < 45
    assert abs(asked.column("n_1d")[0] - 500) < 100
    assert asked.column("n_1d")[1] == 0
    assert abs(asked.column("n_30d")[1] - 500) < 100


def test_without_a_page_the_count_stays_at_the_size_of_the_set() -> None:
    live = LiveFeatures(DECLARED, seed=1, limits=Limits(rows={"ip": 10}, sketches=2))
    found = live.advance(visits(np.arange(1, 101), START + np.arange(100) * SECOND))
    last = [float(found.column(f"n_{window}")[-1]) for window in ("1h", "1d", "30d", "life")]
    assert last[2:] == [12.0, 12.0]
    assert all(abs(value - 99) < 25 for value in last[:2])
    assert live.figures()["sketches_refused"] == 2


def test_pages_come_back_when_their_row_is_given_up() -> None:
    live = LiveFeatures(DECLARED, seed=1, limits=Limits(rows={"ip": 1}, sketches=4))
    for ip in range(1, 6):
        found = live.advance(visits(np.arange(1, 51), START + ip * 60 * SECOND + np.arange(50) * SECOND, ip))
        assert abs(found.column("n_life")[-1] - 49) < 15
    figures = live.figures()
    assert figures["sketches"] == 4
    assert figures["sketches_refused"] == 0
    assert figures["evicted.ip"] == 4
