"""Whatever is sent: an event or a named fault; whatever is kept comes back; whatever is normal stays normal."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import siphash24
from hypothesis import example, given, settings
from hypothesis import strategies as st

from floorwalker.errors import FloorwalkerError
from floorwalker.events import _screen, _strict
from floorwalker.events.batch import make_batch
from floorwalker.events.cards import find_card_number, is_card_number
from floorwalker.events.codec import pack_event, unpack_event
from floorwalker.events.decode import decode_event, decode_events
from floorwalker.events.entities import ENTITIES, EntityKeyer
from floorwalker.events.event import Address, Event
from floorwalker.events.faults import FieldError
from floorwalker.events.identity import Tokeniser, normalise
from floorwalker.events.identity.addresses import read_address
from floorwalker.events.identity.emails import read_email
from floorwalker.events.identity.phones import read_phone
from floorwalker.events.limits import DEFAULT_LIMITS
from floorwalker.events.placeholders import is_placeholder
from floorwalker.events.types import EVENT_TYPES

NOW = 1_760_000_000_000_000
FIELDS = [field.name for field in msgspec.structs.fields(Event) if field.name not in ("identity", "received_at")]
KEYER = EntityKeyer(bytes(range(16)))
TOKENISER = Tokeniser(bytes(32))

nasty_texts = st.one_of(
    st.text(max_size=12),
    st.text("0123456789 -./４４１１xA", max_size=30),
    st.sampled_from(
        [
            "4111111111111111",
            "4111 1111 1111 1111",
            "x4111111111111111",
            "password=x",
            "a@example.com",
            "\x00",
            "NaN",
            "2025-10-09T08:53:20Z",
            "EUR",
            "passwd",
            "pwd=1",
            "\ud800",
            "visa",
            "411111",
            "5555-5555-5555-4444.",
            "378282246310005",
        ]
    ),
)
names = st.one_of(
    st.sampled_from(
        [*FIELDS, "item", "price_minor", "scheme", "password", "new_pass", "PIN", "cvv", "value", "name", "funding"]
    ),
    st.text(max_size=8),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), nasty_texts, st.just(NOW), st.integers(0, 99)
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)),
    max_leaves=8,
)
good_starts = st.sampled_from([kind.name for kind in EVENT_TYPES]).map(
    lambda kind: {
        "id": "e",
        "type": kind,
        "at": NOW,
        "account": "a-1",
        "order": "o-1",
        "amount_minor": 5,
        "currency": "EUR",
    }
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """JSON texts near those of events, sometimes with a name twice or bytes changed."""
    fields: dict[str, Any] = draw(good_starts) | draw(st.dictionaries(names, values, max_size=5))
    text = json.dumps(fields, ensure_ascii=draw(st.booleans()))
    if draw(st.booleans()):
        text = text[:-1] + f", {json.dumps(draw(names))}: {json.dumps(draw(values))}}}"
    body = text.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 4)) == 0 and body:
        place = draw(st.integers(0, len(body) - 1))
        body = body[:place] + draw(st.binary(max_size=3)) + body[place + 1 :]
    return body


def decode_or_name(body: bytes) -> Event | None:
    """The event, or None where it was refused with a field's name."""
    found = None
    try:
        return decode_event(body, now=NOW)
    except FieldError as error:
        found = error
    assert found.field
    assert str(found).startswith(f"{found.field}: ")
    return None


@given(bodies() | st.binary(max_size=60))
@settings(max_examples=400)
@example(b'{"id":"e","type":"custom","reason":"x","at":1760000000000000,"attributes":{"a":1e400}}')
def test_bytes_become_an_event_or_a_named_fault(body: bytes) -> None:
    event = decode_or_name(body)
    if event is None:
        return
    assert unpack_event(pack_event(event)) == event
    kept, raw = normalise(event, TOKENISER)
    assert unpack_event(pack_event(kept)) == kept
    assert normalise(kept, TOKENISER) == (kept, [])
    assert all(value.token and value.subject for value in raw)
    alone = make_batch([kept], KEYER)
    among = make_batch([kept, event], KEYER).take([0])
    assert alone.texts == among.texts
    for name in ENTITIES:
        assert alone.keys[name][0] == among.keys[name][0]
    for name, column in alone.numbers.items():
        np.testing.assert_array_equal(column, among.numbers[name])


@given(bodies())
@settings(max_examples=400)
def test_the_screen_misses_nothing_that_the_close_look_finds(body: bytes) -> None:
    flags, _ = _screen.screen(body, DEFAULT_LIMITS.depth)
    if flags:
        return
    try:
        _strict.read_json(body, DEFAULT_LIMITS, b"")
    except FieldError as error:
        found = error
    else:
        return
    if isinstance(parse_or_none(body), dict):
        assert "finite" in str(found), found


def parse_or_none(body: bytes) -> Any:
    """What msgspec, which reads the body when the screen has nothing against it, makes of it."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


@given(st.lists(bodies(), max_size=6), st.booleans())
@settings(max_examples=100)
def test_many_events_are_each_taken_or_named(texts: list[bytes], as_lines: bool) -> None:
    if as_lines:
        texts = [text for text in texts if text.strip() and b"\n" not in text]
        body, kind = b"\n".join(texts), "application/x-ndjson"
    else:
        body, kind = b"[" + b",".join(texts) + b"]", "application/json"
    try:
        events, faults = decode_events(body, content_type=kind, now=NOW)
    except FloorwalkerError:
        assert not as_lines
        return
    if as_lines:
        assert len(events) + len(faults) == len(texts)
        expected = [decode_or_name(text) for text in texts]
        assert events == [event for event in expected if event is not None]
        assert [fault.position for fault in faults] == [place for place, event in enumerate(expected) if event is None]


@given(st.binary(max_size=80))
def test_records_that_are_no_events_are_refused(record: bytes) -> None:
    try:
        event = unpack_event(record)
    except FloorwalkerError:
        return
    # By chance the bytes are a record: then they say what every record says.
    assert event.id
    assert unpack_event(pack_event(event)) == event


digit_texts = st.text("0123456789", min_size=14, max_size=14)


def complete(digits: str) -> str:
    """The digits with the check digit that makes Luhn's sum right, found by trying."""
    return next(digits + last for last in "0123456789" if luhn_sum(digits + last) % 10 == 0)


def luhn_sum(digits: str) -> int:
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value // 10 + value % 10 for value in doubled)


@given(
    digit_texts.map(lambda digits: complete("4" + digits)),
    st.text("xyz ,;()\n", max_size=5),
    st.text(" ,;()\n", max_size=5),
)
def test_card_numbers_are_found_in_any_company(number: str, before: str, after: str) -> None:
    assert luhn_sum(number) % 10 == 0
    text = before + "|" + number + "|" + after
    found = find_card_number(text)
    assert found == (len(before) + 1, len(before) + 1 + len(number))
    body = json.dumps({"note": text}).encode()
    assert _screen.screen(body, 8)[0] & _screen.CARD
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert not is_card_number(wrong)


grouped = st.lists(
    st.sampled_from(
        [
            "4111",
            "1111",
            "411111",
            "41111111",
            "11111111",
            "1",
            "41",
            "7",
            "4111111111111111",
            "378282246310005",
            "x",
            "0.",
        ]
    ),
    max_size=8,
).flatmap(lambda groups: st.sampled_from([" ", "-", ".", "", "/", "  ", "－"]).map(lambda mark: mark.join(groups)))


@given(nasty_texts | grouped)
@settings(max_examples=500)
def test_the_screen_and_the_text_search_agree_on_card_numbers(text: str) -> None:
    body = json.dumps({"note": text}).encode()
    flags, _ = _screen.screen(body, 8)
    if not flags & _screen.MANY:
        assert bool(flags & _screen.CARD) == (find_card_number(text) is not None)


@given(st.text(min_size=1, max_size=20), st.sampled_from(ENTITIES), st.text(min_size=1, max_size=20))
def test_keys_are_siphash_under_a_derived_secret(shop: str, entity: str, value: str) -> None:
    keyer = EntityKeyer(bytes(range(16)))
    key = keyer.key(shop, entity, value)
    assert key == keyer.key(shop, entity, value)
    if is_placeholder(entity, value):
        assert key == 0
        return
    kind = "account" if entity == "inviter" else entity
    seed = f"{len(shop)}:{shop}:{kind}".encode("utf-8", "surrogatepass")
    subkey = b"".join(siphash24.siphash24(bytes([half]) + seed, key=bytes(range(16))).digest() for half in (0, 1))
    digest = siphash24.siphash24(value.encode("utf-8", "surrogatepass"), key=subkey).digest()
    assert key == int.from_bytes(digest, "little") or 1


mail_texts = st.one_of(
    st.text(max_size=20),
    st.text("aA.+-_@ß１x", max_size=16).map(lambda text: text + "@gmail.com"),
    st.emails(),
    st.text("aA.+-_", min_size=1, max_size=8).map(lambda text: text + "@yahoo.com"),
)


@given(mail_texts)
@settings(max_examples=300)
def test_a_normal_mailbox_is_normal(text: str) -> None:
    once = read_email(text)
    twice = read_email(once.canonical)
    assert (twice.canonical, twice.domain) == (once.canonical, once.domain)
    assert read_email(text.upper()).domain == once.domain or not text.isascii()
    if text.isascii():
        assert read_email(text.upper()).canonical == once.canonical


@given(
    st.text("0123456789+()- .x０１", max_size=20) | st.text(max_size=10),
    st.sampled_from(["GB", "CN", "US", "DE", None]),
)
@example("000000", "DE")
@settings(max_examples=200)
def test_a_normal_number_is_normal(text: str, region: str | None) -> None:
    phone = read_phone(text, region)
    if phone.canonical is not None:
        assert read_phone(phone.canonical, None) == phone
        assert phone.canonical.removeprefix("+").isdigit()


parts = st.none() | st.text(max_size=25) | st.text("12 aAÉstréet号楼路市区单元,#/-", max_size=25)


@given(
    st.builds(
        Address,
        street=parts,
        extra=parts,
        city=parts,
        postal_code=st.none() | st.text(max_size=8),
        text=parts,
        country=st.sampled_from([None, "GB", "CN", "US", "ES"]),
    )
)
@settings(max_examples=400)
def test_addresses_never_fail_and_case_and_width_do_not_count(address: Address) -> None:
    place = read_address(address)
    wide = {
        name: "".join(chr(ord(c) + 0xFEE0) if "0" <= c <= "9" else c for c in value)
        if (value := getattr(address, name))
        else None
        for name in ("street", "extra", "city", "text")
    }
    assert read_address(msgspec.structs.replace(address, **wide)) == place
    assert place.point is None or any(character.isalnum() for character in place.point)
