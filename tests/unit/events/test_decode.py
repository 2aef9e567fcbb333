"""What a shop may send, and by which field each refusal is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from floorwalker.errors import InputError
from floorwalker.events.decode import decode_event, decode_events
from floorwalker.events.faults import FieldError
from floorwalker.events.limits import DecodeLimits
from floorwalker.events.types import EVENT_TYPES, EventType

NOW = 1_760_000_000_000_000

SAMPLES: dict[str, Any] = {
    "account": "a-1",
    "amount_minor": 5,
    "coupons": ["A"],
    "currency": "EUR",
    "device": "d-1",
    "device_facts": {"kind": "phone"},
    "dispute": {"scheme": "visa", "reason_code": "10.4"},
    "email": "jane@example.com",
    "group": "g-1",
    "inviter": "a-0",
    "item": "i-1",
    "lines": [{"item": "i-1"}],
    "order": "o-1",
    "payment": "tok-1",
    "bin": "411111",
    "phone": "+447911123456",
    "promotion": "p-1",
    "rating": 1.0,
    "reason": "why",
    "result": "passed",
    "seller": "s-1",
    "session": "s-1",
    "signals": {"webdriver": False},
    "three_d_secure": {"result": "frictionless"},
    "url": "/",
}


def say(**fields: Any) -> bytes:
    """The JSON text of an order with these fields changed; None takes a field out."""
    values = {"id": "e-1", "type": "order", "at": NOW, "order": "o-1", "amount_minor": 1234, "currency": "EUR"} | fields
    return json.dumps({name: value for name, value in values.items() if value is not None}).encode()


def refused(body: bytes) -> FieldError:
    with pytest.raises(FieldError) as caught:
        decode_event(body, now=NOW)
    assert caught.value.field in str(caught.value)
    return caught.value


def test_the_time_of_receipt_is_ours() -> None:
    assert decode_event(say(received_at=1), now=NOW).received_at == NOW


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("2025-10-09T08:53:20Z", NOW),
        ("2025-10-09T10:53:20.000001+02:00", NOW + 1),
        ("1999-12-31T23:59:60Z", None),
        ("2025-10-09T08:53:20", None),
        ("yesterday", None),
    ],
)
def test_times_may_come_as_text_with_an_offset(text: str, microseconds: int | None) -> None:
    if microseconds is None:
        assert refused(say(at=text)).field == "at"
    else:
        assert decode_event(say(at=text), now=NOW).at == microseconds


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("id", {"id": None}),
        ("id", {"id": ""}),
        ("id", {"id": "x" * 257}),
        ("type", {"type": "ordr"}),
        ("at", {"at": NOW + 601_000_000}),
        ("at", {"at": NOW // 1_000}),
        ("at", {"at": NOW // 1_000_000}),
        ("at", {"at": 10**30}),
        ("at", {"at": True}),
        ("amount_minor", {"amount_minor": -1}),
        ("amount_minor", {"amount_minor": 12.5}),
        ("amount_minor", {"amount_minor": "12"}),
        ("amount_minor", {"amount_minor": 10**15 + 1}),
        ("currency", {"currency": "euro"}),
        ("currency", {"currency": None}),
        ("order", {"order": None}),
        ("lines[1].quantity", {"lines": [{"item": "a"}, {"quantity": -1}]}),
        ("lines[0].price_minor", {"lines": [{"price_minor": -1}]}),
        ("coupons[1]", {"coupons": ["A", ""]}),
        ("coupons", {"coupons": ["A"] * 51}),
        ("discounts[0].kind", {"discounts": [{"kind": "gift"}]}),
        ("card.funding", {"card": {"funding": "crdit"}}),
        ("card.last_four", {"card": {"last_four": "12345"}}),
        ("bin", {"bin": "4111111"}),
        ("three_d_secure.eci", {"three_d_secure": {"eci": "five"}}),
        ("dispute.due_at", {"dispute": {"due_at": 17}}),
        ("rating", {"rating": 5}),
        ("latitude", {"latitude": 91}),
        ("user_agent", {"user_agent": "x" * 2049}),
        ("identity", {"identity": {"ip_network": "203.0.113.0/24"}}),
        ("attributes", {"attributes": {str(place): 1 for place in range(101)}}),
        ("attributes.note", {"attributes": {"note": "x" * 2001}}),
        ("attributes.note[0]", {"attributes": {"note": ["x" * 2001]}}),
        ("attributes.count", {"attributes": {"count": 10**18 * 100}}),
        ("attributes", {"attributes": []}),
        ("url", {"url": "https://shop.example.com/?\u0000"}),
    ],
)
def test_what_does_not_fit_is_refused_by_name(field: str, fields: dict[str, Any]) -> None:
    assert refused(say(**fields)).field == field


def test_a_fault_says_what_is_allowed_and_offers_the_nearest_name() -> None:
    assert "credit" in refused(say(card={"funding": "crdit"})).allowed
    assert "'order'" in refused(say(type="ordr")).fix
    assert refused(say(type="login_failed")).allowed == "account or email or phone"


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("field", ["amount_minor", "attributes.x", "signals.key_gap_ms"])
def test_numbers_must_be_finite(literal: str, field: str) -> None:
    outer, _, inner = field.partition(".")
    value = f'{{"{inner}": {literal}}}' if inner else literal
    body = say(**{outer: None})[:-1] + f', "{outer}": {value}}}'.encode()
    assert refused(body).field == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b"7", "body"),
        (b"\xff\xfe", "body"),
        (say()[:-1] + b', "id": "e-2"}', "id"),
        (say()[:-1] + b', "\\u0069d": "e-2"}', "id"),
        (say()[:-1] + b', "lines": [{"item": "a", "item": "a"}]}', "lines[0].item"),
        (say()[:-1] + b', "attributes": {"a": {"b": 1, "c": 2, "b": 1}}}', "attributes.a.b"),
        (say()[:-1] + b', "attributes": ' + b'{"a":' * 9 + b"1" + b"}" * 9 + b"}", "attributes"),
        (say()[:-1] + b', "attributes": ' + b"[" * 100_000, "attributes"),
        (b"[" * 100_000, "body"),
        (b"]}" * 1_000, "body"),
        (b'"a":1', "body"),
        (b":" * 1_000, "body"),
        (b'{"a\\', "body"),
        (b'{"a":"\\u12', "body"),
        (say()[:-1] + b', "referrer": "\\ud800"}', "referrer"),
        (say()[:-1] + b', "referrer": "a\nb"}', "body"),
        (say(text="x" * 300_000), "body"),
    ],
)
def test_malformed_bodies_are_refused_by_name(body: bytes, field: str) -> None:
    assert refused(body).field == field


CARDS = [
    "4111111111111111",
    "5555555555554444",
    "378282246310005",
    "6011111111111117",
    "3530111333300000",
    "30569309025904",
    "4222222222222",
    "6200000000000005",
    "2223003122003222",
]


@pytest.mark.parametrize("number", CARDS)
@pytest.mark.parametrize(
    "write",
    [
        str,
        lambda number: " ".join(number[place : place + 4] for place in range(0, len(number), 4)),
        lambda number: "-".join(number),
        lambda number: f"Karte {number}.",
        lambda number: f"卡号{number}号",
        lambda number: number.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)}),
        lambda number: f"17 {number}",
        lambda number: f"https://shop.example.com/pay?card={number}&x=1",
    ],
)
@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("account", lambda text: {"account": text}),
        ("payment", lambda text: {"payment": text}),
        ("user_agent", lambda text: {"user_agent": text}),
        ("attributes.note", lambda text: {"attributes": {"note": text}}),
        ("attributes.a.b[1]", lambda text: {"attributes": {"a": {"b": [0, text]}}}),
        ("lines[1].item", lambda text: {"lines": [{}, {"item": text}]}),
        ("shipping_address.street", lambda text: {"shipping_address": {"street": text}}),
    ],
)
def test_card_numbers_are_refused_wherever_they_stand(number: str, write: Any, path: str, place: Any) -> None:
    for body in (
        say(**place(write(number))),
        json.dumps(json.loads(say(**place(write(number)))), ensure_ascii=False).encode(),
    ):
        fault = refused(body)
        assert fault.field == path
        assert number not in str(fault)


def test_card_numbers_are_refused_as_numbers_and_as_names() -> None:
    assert refused(say(attributes={"note": int(CARDS[0])})).field == "attributes.note"
    assert refused(say(attributes={CARDS[0]: 1})).field.startswith("attributes.")
    assert refused(say(**{CARDS[0]: 1})).field == CARDS[0]


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "a4111111111111111",
        "4111111111111111f",
        "41111111111111111111111",
        "0.4111111111111111",
        "1234567890123452",
        "4b1e5e2c-4111-4111-8111-111111111111",
        "2025-10-09 08:53:20.123456",
        "+44 7911 123456",
    ],
)
def test_what_only_looks_like_a_card_number_is_taken(text: str) -> None:
    assert decode_event(say(attributes={"note": text}), now=NOW).attributes["note"] == text


def test_long_runs_of_digits_and_names_are_looked_at_closely() -> None:
    digits = " ".join("12345678901234567890" * 40)
    assert decode_event(say(attributes={"note": digits}), now=NOW).attributes["note"] == digits
    assert (
        refused(say(attributes={"note": digits[:200], "card": f"{digits[:300]}, {CARDS[0]}"})).field
        == "attributes.card"
    )
    many = {f"n{place}": place for place in range(600)}
    assert refused(say(attributes=many)).field == "attributes"
    again = json.dumps(many)[:-1] + ', "n7": 1}'
    assert refused(say()[:-1] + f', "attributes": {again}}}'.encode()).field == "attributes.n7"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("password", {"password": "hunter2"}),
        ("attributes.password", {"attributes": {"password": "hunter2"}}),
        ("attributes.newPassword", {"attributes": {"newPassword": "hunter2"}}),
        ("attributes.user_pass-word", {"attributes": {"user_pass-word": "hunter2"}}),
        ("attributes.密码", {"attributes": {"密码": "hunter2"}}),
        ("attributes.PIN", {"attributes": {"PIN": 1234}}),
        ("attributes.a[0].cvv", {"attributes": {"a": [{"cvv": "123"}]}}),
        ("lines[0].passwd", {"lines": [{"passwd": "x"}]}),
        ("card.cvv2", {"card": {"cvv2": "123"}}),
        ("attributes.x.value", {"attributes": {"x": {"name": "password", "value": "hunter2"}}}),
        ("url", {"url": "https://shop.example.com/login?user=a&password=hunter2"}),
        ("attributes.log", {"attributes": {"log": '{"user":"a","pwd":"hunter2"}'}}),
    ],
)
def test_passwords_are_refused_wherever_they_stand(path: str, fields: dict[str, Any]) -> None:
    fault = refused(say(**fields))
    assert fault.field == path
    assert "hunter2" not in str(fault)


def test_what_only_names_a_password_is_taken() -> None:
    attributes = {"password_changed": True, "password_age_days": 41, "cvv_result": "match", "help": "password lost"}
    event = decode_event(say(method="password", card={"cvv_result": "match"}, attributes=attributes), now=NOW)
    assert event.attributes == attributes


def test_fields_of_a_newer_version_are_kept_under_their_paths() -> None:
    body = say(
        schema_version=7,
        mood="good",
        lines=[{"item": "a", "colour": "red"}],
        card={"scheme": "visa", "art": 3},
        channel="hologram",
        attributes={"mine": 1},
        lines_total=2,
    )
    event = decode_event(body, now=NOW)
    assert event.schema_version == 7
    assert event.attributes == {
        "mine": 1,
        "mood": "good",
        "lines[0].colour": "red",
        "card.art": 3,
        "channel": "hologram",
        "lines_total": 2,
    }
    assert event.lines[0].item == "a"
    assert event.channel is None


def test_a_newer_field_may_not_hide_one_of_the_attributes() -> None:
    assert refused(say(mood="good", attributes={"mood": "bad"})).field == "attributes.mood"


def test_a_type_of_a_newer_version_is_taken_and_of_ours_is_not() -> None:
    assert decode_event(say(schema_version=2, type="teleport"), now=NOW).type == "teleport"
    assert refused(say(type="teleport")).field == "type"


def test_of_many_events_each_fault_is_named_by_its_position() -> None:
    good, bad = say(), say(amount_minor=-1)
    for body, kind in (
        (b"[" + b",".join([good, bad, good, b"3"]) + b"]", "application/json; charset=utf-8"),
        (b"\n".join([good, b"", bad, good + b"\r", b"3"]), "application/x-ndjson"),
    ):
        events, faults = decode_events(body, content_type=kind, now=NOW)
        assert len(events) == 2
        assert [(fault.position, fault.field) for fault in faults] == [(1, "amount_minor"), (3, "body")]


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.name)
def test_every_type_is_taken_with_what_it_needs_and_not_without(kind: EventType) -> None:
    given = {need.partition("|")[0]: SAMPLES[need.partition("|")[0]] for need in kind.needs}
    body = {"id": "e-1", "type": kind.name, "at": NOW} | given
    assert decode_event(json.dumps(body).encode(), now=NOW).type == kind.name
    for need in kind.needs:
        first, *others = need.split("|")
        without = {name: value for name, value in body.items() if name != first}
        assert refused(json.dumps(without).encode()).field == first
        for other in others:
            assert decode_event(json.dumps(without | {other: SAMPLES[other]}).encode(), now=NOW)


def test_ten_thousand_events_are_taken() -> None:
    body = b"\n".join([say()] * 10_000)
    events, faults = decode_events(body, content_type="application/x-ndjson", now=NOW)
    assert (len(events), faults) == (10_000, [])


def test_bodies_that_cannot_be_used_at_all() -> None:
    for body, kind in (
        (b"{}", "application/json"),
        (b"[{", "application/json"),
        (b"[]", "text/html"),
        (b"[" + b"0," * 10_000 + b"0]", "application/json"),
        (b"[" * 200_000, "application/json"),
    ):
        with pytest.raises(InputError):
            decode_events(body, content_type=kind, now=NOW)
    assert decode_events(b"[]", content_type="application/json", now=NOW) == ([], [])
    with pytest.raises(FieldError, match="up to 10 bytes"):
        decode_events(
            b"[" + b" " * 10 + b"]", content_type="application/json", now=NOW, limits=DecodeLimits(batch_bytes=10)
        )
