"""Whatever names are made up, every table stays within its cap, and who was given up is counted."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from floorwalker.events import entities
from floorwalker.events.batch import EventBatch
from floorwalker.events.entities import ENTITIES, EntityKeyer
from floorwalker.events.parts import COUPON, ITEM, SELLER, Parts
from floorwalker.events.types import EVENT_TYPES, TYPE_CODES
from floorwalker.features.live import DEFAULT, Limits, LiveFeatures
from floorwalker.features.live._codes import _KNOWN_COUNTRIES, CountryCodes

START = 1_760_000_000_000_000
CAP = 30
LIMITS = Limits(rows={}, other_rows=CAP, sketches=4)
TABLES = sorted({"*".join(feature.of) for feature in DEFAULT})


def flood(events: int, *, seed: int, at: int = START, several: bool = True, kind: str = "") -> EventBatch:
    """Events of every type, or of one, in which every name is new; every other one has three coupons, items and
    sellers."""
    types = np.arange(events) % len(EVENT_TYPES) if not kind else np.full(events, TYPE_CODES[kind])
    rng = np.random.Generator(np.random.PCG64(seed))
    keys = {name: rng.integers(1 << 41, 1 << 63, events, np.uint64) for name in ENTITIES}
    rows = np.repeat(np.arange(0, events, 2, dtype=np.int32), 9) if several else np.zeros(0, np.int32)
    times = at + np.arange(events, dtype=np.int64) * 1_000
    return EventBatch(
        id=[""] * events, type=types.astype(np.int16), at=times, received_at=times,
        keys=keys, numbers={"amount_minor": np.full(events, 900.0), "quantity": np.ones(events)}, texts={},
        parts=Parts(
            rows, np.tile(np.repeat(np.array([COUPON, ITEM, SELLER], np.int8), 3), len(rows) // 9),
            rng.integers(1 << 41, 1 << 63, len(rows), np.uint64), np.ones((4, len(rows))),
        ),
    )  # fmt: skip


def sizes(live: LiveFeatures) -> list[int]:
    """Bytes of everything that the state holds."""
    return [part.nbytes for part in vars(live).values() if isinstance(part, np.ndarray)]


@pytest.mark.parametrize("several", [False, True])
def test_a_flood_of_new_names_fills_each_table_to_its_cap_and_no_further(several: bool) -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=LIMITS)
    before = sizes(live)
    for number in range(4):
        live.advance(flood(1_000, seed=number, at=START + number * 10**6, several=several))
        figures = live.figures()
        assert max(figures[f"rows.{name}"] for name in TABLES) <= CAP
        assert figures["sketches"] <= LIMITS.sketches
    assert {name: figures[f"evicted.{name}"] > 0 for name in TABLES} == dict.fromkeys(TABLES, True)
    assert sizes(live) == before
    assert {name: figures[f"rows.{name}"] for name in TABLES} == dict.fromkeys(TABLES, CAP)
    assert figures["counted"] == 4_000
    # Each event had an account of its own: whoever is not there any more was given up, and each once.
    assert figures["evicted.account"] == 4_000 - CAP
    redemptions = 4 * len(range(TYPE_CODES["coupon_redeem"], 1_000, len(EVENT_TYPES)))
    # All redemptions stand in even rows, so all have three coupons or all have one.
    coupons = redemptions * 3 if several else redemptions
    assert figures["evicted.device*coupon"] == coupons - CAP
    other = LiveFeatures(DEFAULT, seed=2, limits=LIMITS)
    other.restore({name: array.copy() for name, array in live.state().items()})
    assert other.figures() == figures


def test_who_keeps_coming_stays_while_strangers_push_one_another_out() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=LIMITS)
    own = {"account": 5, "device": 6, "ip": 7, "coupon": 8, "payment": 9}
    for number in range(200):
        batch = flood(8, seed=number, at=START + number * 10**6)
        regular = flood(1, seed=10**6 + number, at=START + number * 10**6 + 9_000, several=False)
        for name, key in own.items():
            regular.keys[name][:] = key
        regular.type[:] = TYPE_CODES["coupon_redeem"]
        live.advance(batch)
        found = live.advance(regular)
        assert found.column("account_events_1d")[0] == number
        assert found.column("coupon_redemptions_life")[0] == number
        assert found.column("coupon_device_redemptions_life")[0] == number


def test_a_row_that_was_given_up_leaves_nothing_behind() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=LIMITS)
    known = flood(1, seed=5, several=False, kind="coupon_redeem")
    for _ in range(3):
        live.advance(known)
    for number in range(4):
        live.advance(flood(500, seed=100 + number, at=START + (1 + number) * 10**6, kind="coupon_redeem"))
    known.at[:] = known.received_at[:] = START + 60 * 10**6
    fresh = LiveFeatures(DEFAULT, seed=1, limits=LIMITS).score(known)
    again = live.score(known)
    assert again.values.tobytes() == fresh.values.tobytes()
    assert (again.missing == fresh.missing).all()


def test_keys_kept_ready_are_bounded_and_forgetting_changes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entities, "_CACHED_KEYS", 100)
    monkeypatch.setattr(entities, "_CACHED_SHOPS", 3)
    keyer, other = EntityKeyer(bytes(16)), EntityKeyer(bytes(16))
    for number in range(1_000):
        shop = f"shop-{number % 7}"
        assert keyer.key(shop, "account", f"a-{number}") == other.key(shop, "account", f"a-{number}")
        tables: tuple[dict[Any, int], ...] = tuple(itertools.chain.from_iterable(keyer._shops.values()))
        assert len(keyer._shops) <= 3
        assert sum(len(table) - 1 for table in tables) <= 101
    assert keyer.key("shop-0", "account", "a-0") == EntityKeyer(bytes(16)).key("shop-0", "account", "a-0")


def test_countries_that_are_remembered_are_bounded() -> None:
    codes = CountryCodes()
    names = [f"{number:04x}" for number in range(_KNOWN_COUNTRIES + 500)]
    first = [codes[name] for name in names]
    assert len(codes) <= _KNOWN_COUNTRIES
    assert [codes[name] for name in names] == first
    assert len(set(first)) == len(names)
