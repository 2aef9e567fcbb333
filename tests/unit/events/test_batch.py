"""Events as columns."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.errors import UsageError
from floorwalker.events.batch import NUMBER_FIELDS, TEXT_FIELDS, Columns, EventBatch, make_batch
from floorwalker.events.entities import ENTITIES, EntityKeyer
from floorwalker.events.event import (
    CardFacts,
    ClientSignals,
    DeviceFacts,
    Event,
    Identity,
    NetworkFacts,
    OrderLine,
    ThreeDSecure,
)
from floorwalker.events.types import TYPE_CODES

KEYER = EntityKeyer(bytes(range(16)))
FULL = Event(
    id="e-2",
    type="checkout",
    at=5,
    received_at=6,
    shop="s",
    account="a-1",
    inviter="a-0",
    session="ses",
    device="d-1",
    ip="203.0.113.9",
    payment="tok-1",
    bin="411111",
    email="jane@Example.com",
    phone="+447911123456",
    promotion="spring",
    coupons=("A", "B"),
    lines=(OrderLine(item="i-1", seller="s-1", quantity=2), OrderLine(item="i-2")),
    seller="s-9",
    amount_minor=1234,
    currency="GBP",
    guest=True,
    digital=False,
    order="o-1",
    group="g-1",
    text="hello",
    rating=0.75,
    card=CardFacts(scheme="visa", commercial=True),
    three_d_secure=ThreeDSecure(result="failed", liability_shift=False),
    device_facts=DeviceFacts(kind="phone", emulator=True, install_age_seconds=60),
    network=NetworkFacts(asn=64500),
    signals=ClientSignals(webdriver=True, key_gap_ms=12.5),
)
BARE = Event(id="e-1", type="search", at=1)


def assert_equal(a: EventBatch, b: EventBatch) -> None:
    assert a.id == b.id
    assert a.texts == b.texts
    assert a.further == b.further
    assert set(a.texts) == set(TEXT_FIELDS)
    for left, right in ((a.type, b.type), (a.at, b.at), (a.received_at, b.received_at)):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    for columns, others, names in ((a.keys, b.keys, ENTITIES), (a.numbers, b.numbers, NUMBER_FIELDS)):
        assert tuple(columns) == tuple(others) == names
        for name in names:
            assert columns[name].dtype == others[name].dtype
            np.testing.assert_array_equal(columns[name], others[name], err_msg=name)


def test_every_fact_has_its_column() -> None:
    batch = make_batch([BARE, FULL], KEYER)
    assert batch.type.tolist() == [TYPE_CODES["search"], TYPE_CODES["checkout"]]
    assert (batch.at.tolist(), batch.received_at.tolist()) == ([1, 5], [0, 6])
    second = {name: column[1] for name, column in batch.numbers.items() if not np.isnan(column[1])}
    assert second == {
        "amount_minor": 1234,
        "amount_base_minor": 1234,
        "rating": 0.75,
        "guest": 1,
        "digital": 0,
        "lines": 2,
        "coupons": 2,
        "card_commercial": 1,
        "three_d_secure_liability_shift": 0,
        "device_emulator": 1,
        "device_install_age_seconds": 60,
        "network_asn": 64500,
        "client_webdriver": 1,
        "client_key_gap_ms": 12.5,
    }
    texts = {name: column[1] for name, column in batch.texts.items() if column[1] is not None and name not in ENTITIES}
    assert texts == {
        "shop": "s",
        "currency": "GBP",
        "order_id": "o-1",
        "group_id": "g-1",
        "written": "hello",
        "card_scheme": "visa",
        "three_d_secure_result": "failed",
        "device_kind": "phone",
    }
    named = {name: batch.texts[name][1] for name in ENTITIES}
    assert named == {
        "account": "a-1",
        "session": "ses",
        "device": "d-1",
        "ip": "203.0.113.9",
        "ip_network": "203.0.113.0/24",
        "payment": "tok-1",
        "bin": "411111",
        "email": "jane@Example.com",
        "email_domain": "example.com",
        "phone": "+447911123456",
        "phone_prefix": "+44791112",
        "delivery_point": None,
        "coupon": "A",
        "promotion": "spring",
        "item": "i-1",
        "seller": "s-9",
        "inviter": "a-0",
    }
    assert [name for name in ENTITIES if batch.keys[name][1] == 0] == ["delivery_point"]
    assert all(batch.keys[name][0] == 0 for name in ENTITIES)


@pytest.mark.parametrize("event", [BARE, FULL])
def test_one_event_alone_equals_one_among_others(event: Event) -> None:
    many = make_batch([BARE, event, FULL] * 10, KEYER)
    assert_equal(make_batch([event], KEYER), many.take([1]))
    assert_equal(make_batch([event, FULL, BARE, BARE, event], KEYER), many.take([1, 2, 3, 6, 28]))


def test_no_events_make_an_empty_batch() -> None:
    batch = make_batch([], KEYER)
    assert len(batch) == 0
    assert_equal(batch, make_batch([BARE, FULL], KEYER).take([]))


def test_keys_tell_shops_and_kinds_apart_and_an_inviter_is_an_account() -> None:
    events = [Event(id="1", type="search", at=1, shop=shop, account="x1", session="x1", inviter="x1") for shop in "ab"]
    keys = make_batch(events, KEYER).keys
    assert len({int(keys[kind][row]) for kind in ("account", "session") for row in (0, 1)}) == 4
    np.testing.assert_array_equal(keys["inviter"], keys["account"])
    other = make_batch(events, EntityKeyer(bytes(16))).keys
    assert not set(keys["account"].tolist()) & set(other["account"].tolist())


def test_a_key_does_not_depend_on_what_is_kept_ready() -> None:
    keyer = EntityKeyer(bytes(range(16)))
    first = keyer.key("shop", "account", "a-1")
    keyer.forget()
    assert keyer.key("shop", "account", "a-1") == first
    for number in range(140_000):
        keyer.key("shop", "session", f"s-{number}")
    assert sum(len(table) for table in keyer.known("shop")) < 1 << 18
    assert keyer.key("shop", "account", "a-1") == first


def test_hubs_and_what_identity_derived_come_before_the_raw_values() -> None:
    identity = Identity(
        ip_network="198.51.100.0/24",
        email_domain="gmail.com",
        phone_prefix="+4479",
        delivery_point="dp1_x",
        hubs=("email_domain", "ip"),
    )
    event = Event(id="1", type="search", at=1, ip="203.0.113.9", email="em1_x", identity=identity)
    for batch in (make_batch([event], KEYER), make_batch([BARE, event], KEYER).take([1])):
        assert batch.texts["ip_network"] == ["198.51.100.0/24"]
        assert batch.texts["delivery_point"] == ["dp1_x"]
        assert batch.keys["email_domain"][0] == batch.keys["ip"][0] == 0
        assert batch.keys["ip_network"][0] != 0


def test_a_type_of_a_newer_version_has_no_code() -> None:
    event = Event(id="1", type="teleport", at=1)
    assert make_batch([event], KEYER).type.tolist() == [-1]
    assert make_batch([event, BARE], KEYER).type.tolist() == [-1, TYPE_CODES["search"]]


def test_a_secret_of_another_length_is_refused() -> None:
    with pytest.raises(UsageError, match="allowed: 16 bytes"):
        EntityKeyer(b"short")


def test_columns_come_together_or_one_by_one() -> None:
    batch = make_batch([FULL, BARE], KEYER)
    assert isinstance(batch.keys, Columns)
    assert [*batch.keys] == [*ENTITIES]
    assert all(np.array_equal(batch.keys[name], batch.keys.rows[place]) for place, name in enumerate(ENTITIES))
    more = batch.keys.beside("route", np.array([7, 8], np.uint64))
    assert len(more) == len(ENTITIES) + 1
    assert (more["route"].tolist(), "route" in more, "route" in batch.keys) == ([7, 8], True, False)
    assert more.rows is batch.keys.rows
    with pytest.raises(KeyError):
        more["colour"]
    assert not isinstance({**more, "colour": more["route"]}, Columns)
