"""Kernels that take many events in, and read many records, against the functions that do it one by one."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import msgspec
import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from floorwalker.errors import InputError
from floorwalker.events._facts import Address, CardFacts, ClientSignals, DeviceFacts, NetworkFacts, OrderLine
from floorwalker.events.batch import NUMBER_FIELDS, make_batch
from floorwalker.events.bulk import RECORD_HEAD
from floorwalker.events.bulk._addresses import is_public_four, is_public_six
from floorwalker.events.bulk.packed import PackedReader, code_country
from floorwalker.events.bulk.splitting import split_array, split_lines
from floorwalker.events.bulk.taking import BulkTaker
from floorwalker.events.codec import pack_event
from floorwalker.events.codes import code_rows
from floorwalker.events.decode import decode_event
from floorwalker.events.entities import ENTITIES, EntityKeyer
from floorwalker.events.event import Event
from floorwalker.events.faults import FieldError
from floorwalker.events.identity import PersonalValue, Tokeniser, normalise
from floorwalker.events.networks import network_of, read_groups, write_groups
from floorwalker.events.placeholders import judge
from floorwalker.events.types import EVENT_TYPES
from floorwalker.pipeline.ids import IdHasher
from floorwalker.pipeline.records import EventRecord, encode_record

NOW = 1_760_000_000_000_000
SECRET = bytes(range(16))
KEYER, HASHER = EntityKeyer(SECRET), IdHasher(SECRET)
TOKENISER = Tokeniser(bytes(32))
TAKER = BulkTaker(TOKENISER, seed=bytes(range(32)))
READER = PackedReader(KEYER, SECRET, lambda shop: HASHER.prefix("event", shop))

words = st.one_of(
    st.sampled_from(
        [
            "a-1", "unknown", "Unknown", "0000", "00-00", "-", "test", "webview", "jane@example.com", "+447911123456",
            "4111111111111111", "4111 1111-1111 1111", "x4111111111111111", "?password=x", "pwd='x'", "a=b",
            "passing=1",
            "Köln", "张三", "ｕｎｋｎｏｗｎ", "a b", " a", "tab\there", 'quo"te', "back\\slash", "\x7f", "\u2028", "😀",
            "20100101 5.0 1234 5678", "1.2.3.4.5.6.7.8.9.0.1.2.3", "a%40b.example", "12345678901234567890",
            "/n?m=jane%2Bx%40gmail.com", "/n?r=%3Fm%3Djane%2540gmail.com", "bob＠example.net",
            "bob%EF%BC%A0example.net", "o'brien@example.com", "bob﹫example.net", "100%25", "%ef%bc%a0", "\ud800",
            "/p/17?x=1", "a" * 300, "é" * 200,
        ]
    ),
    st.text(max_size=6),
    st.text("0123456789 -./x", max_size=24),
)  # fmt: skip
wholes = st.one_of(
    st.integers(0, 300), st.integers(-2, 10**16), st.just(4111111111111111), st.integers(10**12, 10**14),
    st.floats(0, 10), st.booleans(), st.none(), st.just("5"),
)  # fmt: skip
reals = st.one_of(
    st.floats(-1, 2), st.floats(-200, 200), st.integers(-3, 3), st.none(),
    st.decimals(0, 1, places=4).map(float), st.just(0.1 + 0.2), st.just(1e-7), st.just(-0.0),
)  # fmt: skip
ips = st.sampled_from(
    ["203.0.113.9", "198.51.100.77", "10.0.0.1", "2001:db8::7", "::ffff:192.0.2.1", "no address", "203.0.113.09", ""]
)
phones = st.sampled_from(["+442079460000", "020 7946 0000", "1234567890", "call me", "0".rjust(12, "0")])
mails = st.sampled_from(["jane@example.com", "Jane+x@gmail.com", "nobody", "test@test.com", "jané@example.org"])
words_of = {
    "channel": st.sampled_from(["web", "app", "boat"]),
    "currency": st.sampled_from(["EUR", "JPY", "eur", "EURO"]),
    "country": st.sampled_from(["GB", "DE", "de", "DEU"]),
    "bin": st.sampled_from(["411111", "41111111", "4111111", "123456", "666666"]),
    "result": st.sampled_from(["passed", "failed", "lost"]),
    "balance_kind": st.sampled_from(["points", "gift_card", "gold"]),
}


def record_of(kind: type[msgspec.Struct], chosen: Any) -> st.SearchStrategy[Any]:
    """Records with some of their fields, and now and then one that is not theirs."""
    fields = st.fixed_dictionaries({}, optional={name: chosen(name) for name in kind.__struct_fields__})
    return st.one_of(fields, st.fixed_dictionaries({"other": words}))


def of_address(name: str) -> st.SearchStrategy[Any]:
    return st.sampled_from(["GB", "DE", "CN"]) if name == "country" else st.one_of(words, st.just("12 High Street"))


def of_line(name: str) -> st.SearchStrategy[Any]:
    return words if name in ("item", "seller", "category") else (st.booleans() if name == "digital" else wholes)


def of_fact(name: str) -> st.SearchStrategy[Any]:
    return st.one_of(st.booleans(), wholes, reals, words, st.sampled_from(["phone", "credit", "mobile", "GB", "1234"]))


lines = st.lists(
    record_of(OrderLine, of_line) | st.sampled_from([{"item": "i-1", "price_minor": 7, "quantity": 3}]), max_size=4
)
fields: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(["account", "session", "device", "payment", "inviter", "recipient", "item", "seller"], words),
    **dict.fromkeys(["promotion", "order", "group", "user_agent", "url", "referrer", "reason", "method"], words),
    **dict.fromkeys(["amount_minor", "quantity", "status", "list_price_minor", "discount_minor"], wholes),
    **dict.fromkeys(["latitude", "longitude", "rating"], reals),
    **dict.fromkeys(["guest", "digital", "returned"], st.one_of(st.booleans(), st.none(), words)),
    **words_of,
    "ip": ips | words,
    "phone": phones | words,
    "email": mails | words,
    "shop": st.sampled_from(["default", "north", "süd", "unknown"]),
    "schema_version": st.sampled_from([1, 2, 0]),
    "received_at": wholes,
    "coupons": st.lists(words, max_size=3),
    "lines": lines,
    "shipping_address": record_of(Address, of_address),
    "billing_address": record_of(Address, of_address),
    "card": record_of(CardFacts, of_fact),
    "device_facts": record_of(DeviceFacts, of_fact),
    "signals": record_of(ClientSignals, of_fact),
    "network": record_of(NetworkFacts, of_fact),
    "attributes": st.dictionaries(words, words, max_size=2),
    "identity": st.just({}),
    "dispute": st.just({"id": "d-1"}),
    "surprise": words,
}
starts = st.sampled_from([kind.name for kind in EVENT_TYPES]).map(
    lambda kind: {
        "id": f"e-{kind}", "type": kind, "at": NOW, "account": "a-1", "session": "s-1", "order": "o-1", "url": "/",
        "amount_minor": 5, "currency": "EUR", "coupons": ["A"], "item": "i-1", "seller": "s", "group": "g",
        "inviter": "a-2", "result": "passed", "reason": "why", "rating": 1, "bin": "411111",
    }
)  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """JSON texts of events, most of them sound, some with a name twice, other white space or changed bytes."""
    chosen = draw(st.lists(st.sampled_from(sorted(fields)), max_size=4, unique=True))
    values: dict[str, Any] = draw(starts) | {name: draw(fields[name]) for name in chosen}
    items = list(values.items())
    draw(st.randoms(use_true_random=False)).shuffle(items)
    gap = draw(st.sampled_from(["", "", " ", "\t"]))
    parts = [
        f"{json.dumps(name)}{gap}:{gap}" + json.dumps(each, ensure_ascii=draw(st.booleans())) for name, each in items
    ]
    if draw(st.integers(0, 9)) == 0:
        parts.append(draw(st.sampled_from(parts)))
    text = (gap + "{" + f"{gap},{gap}".join(parts) + "}" + gap).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 7)) == 0:
        place = draw(st.integers(0, len(text) - 1))
        text = text[:place] + draw(st.binary(max_size=2)) + text[place + draw(st.integers(0, 2)) :]
    return text


def one_by_one(text: bytes) -> tuple[bytes, list[PersonalValue]] | None:
    """The record of an event and its raw values, as the twin makes them; None where it refuses."""
    try:
        kept, values = normalise(decode_event(text, now=NOW), TOKENISER)
    except FieldError:
        return None
    return RECORD_HEAD + pack_event(kept), values


@given(st.lists(texts(), min_size=1, max_size=4))
@settings(max_examples=250, deadline=None)
@example([b'{"id":"e","type":"logout","at":1760000000000000,"account":"a","latitude":0.1}'])
@example([b'{"id":"e","type":"logout","at":1760000000000000,"account":"4111 1111 1111 1111"}'])
@example([b'{"id":"e","type":"logout","at":1760000000000000,"account":"a"} x'])
@example([b'{"id":"e","type":"logout","at":1760000000000000,"account":"\xed\xa0\x80"}'])
def test_what_the_kernel_takes_is_what_the_twin_takes_to_the_byte(bodies: list[bytes]) -> None:
    stops = np.cumsum([len(text) + 1 for text in bodies]) - 1
    begins = stops - [len(text) for text in bodies]
    TAKER.forget_given()
    taken = TAKER.take(b"\n".join(bodies), begins, stops, now=NOW)
    left = set(taken.left)
    known: set[PersonalValue] = set()
    for row, text in enumerate(bodies):
        expected = one_by_one(text)
        if row in left:
            continue
        assert expected is not None, text
        assert taken.record(row) == expected[0]
        known |= set(expected[1])
    assert {(value.subject, value.field, value.token) for value in taken.personal} == {
        (value.subject, value.field, value.token) for value in known
    }
    assert set(taken.personal) <= known
    for row in taken.left:
        TAKER.look_closely(taken, row, bodies[row], now=NOW)
    taken.settle()
    refused = {fault.position for fault in taken.faults}
    assert refused == {row for row, text in enumerate(bodies) if one_by_one(text) is None}
    assert set(taken.rows.tolist()) == set(range(len(bodies))) - refused


@given(st.lists(texts(), min_size=1, max_size=6))
@settings(max_examples=250, deadline=None)
def test_columns_read_from_records_are_those_made_of_the_events(bodies: list[bytes]) -> None:
    records = [made[0] for text in bodies if (made := one_by_one(text)) is not None]
    # Among them a record of another kind, as in a journal.
    records.insert(len(records) // 2, b"\x83\xa4type\xa5model\xa2at\x00\xa8detector\xa1x")
    events = [
        msgspec.msgpack.decode(record, type=dict[str, msgspec.Raw])["event"] for record in records if record[0] == 0x82
    ]
    made = [msgspec.msgpack.decode(event, type=Event) for event in events]
    stops = np.cumsum([len(record) for record in records])
    begins = stops - [len(record) for record in records]
    read = READER.read(np.frombuffer(b"".join(records), np.uint8).copy(), begins, stops)
    batch = make_batch(made, KEYER)
    assert read.is_event.tolist() == [record[0] == 0x82 for record in records]
    for name in ("type", "at", "received_at"):
        np.testing.assert_array_equal(getattr(read.batch, name), getattr(batch, name))
    for name in ENTITIES:
        np.testing.assert_array_equal(read.batch.keys[name], batch.keys[name], name)
    for name in NUMBER_FIELDS:
        np.testing.assert_array_equal(read.batch.numbers[name], batch.numbers[name], name)
    for name in ("row", "entity", "key", "numbers"):
        np.testing.assert_array_equal(getattr(read.batch.parts, name), getattr(batch.parts, name), name)
    np.testing.assert_array_equal(read.id_keys, HASHER.hash_all("event", [event.shop for event in made], batch.id))
    np.testing.assert_array_equal(code_rows(read.batch), code_rows(batch))
    countries = zip(batch.texts["country"], batch.texts["network_country"], strict=True)
    assert read.batch.keys["country"].tolist() == [code_country(named or other) for named, other in countries]
    assert read.urls.tobytes().split(b"\x00")[:-1] == [
        (event.url or "").encode("utf-8", "surrogatepass").replace(b"\x00", b" ") for event in made
    ]


def test_the_record_is_the_one_that_the_journal_holds() -> None:
    event = Event(id="e-1", type="logout", at=NOW, account="a-1")
    assert encode_record(EventRecord(event=event)) == RECORD_HEAD + pack_event(event)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["]", "}", '"', "\\", ",", "[{"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(json_values, max_size=6), st.sampled_from(["", " ", "\n\t"]))
@settings(max_examples=200, deadline=None)
def test_an_array_falls_into_its_elements(values: list[Any], gap: str) -> None:
    body = (gap + "[" + gap + f"{gap},{gap}".join(map(json.dumps, values)) + gap + "]" + gap).encode()
    assert [json.loads(text) for text in split_array(body, 10).texts()] == values


@given(st.binary(max_size=40) | st.text('[]{},"\\ a1', max_size=20).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_what_msgspec_splits_is_split_alike(body: bytes) -> None:
    try:
        expected = [bytes(raw) for raw in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return
    assert split_array(body, 50).texts() == expected


@given(st.binary(max_size=60) | st.text("ab \t\n\r", max_size=40).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_lines_are_those_that_are_not_blank(body: bytes) -> None:
    expected = [line for line in body.split(b"\n") if line.strip()]
    try:
        found = split_lines(body, 8).texts()
    except InputError:
        assert len(expected) > 8
    else:
        assert found == expected


NETWORKS = st.one_of(
    st.ip_addresses(v=4).map(lambda ip: f"{ip}/24"),
    st.ip_addresses(v=4).map(lambda ip: network_of(str(ip)) or ""),
    st.ip_addresses(v=6).map(str),
    st.ip_addresses(v=6, network="2000::/3").map(str),
    st.ip_addresses(v=6, network="2000::/3").map(lambda ip: network_of(str(ip)) or ""),
    st.ip_addresses(network="172.0.0.0/8").map(str),
    st.text("0123456789.:/af24", min_size=1, max_size=24),
    st.sampled_from(
        [
            "100.64.0.0/24", "0.0.0.0/24", "192.168.1.0/24", "203.0.113.0/24", "203.0.113.0/25", "01.2.3.4",
            "1.2.3.256",
            "2001:db8::/64", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5::", "2001:db8:1:2:3:4:5:6::", "2001::1::2",
            "2001:", "2001::", "::", "::1", "fe80::/64", "2001:db8::12345", "2001:db8::1.2.3.4", "3fff::", "4000::",
        ]
    ),
)  # fmt: skip


@given(NETWORKS)
@settings(deadline=None)
def test_a_network_that_the_kernel_calls_public_is_one(text: str) -> None:
    data = np.frombuffer(b"x" + text.encode() + b"/24", np.uint8)
    is_public = is_public_four(data, 1, 1 + len(text)) or is_public_six(data, 1, 1 + len(text))
    assert not (is_public and judge("ip_network", text))
    if not judge("ip_network", text) and text == network_of(text.partition("/")[0]):
        assert is_public or ":" in text


@given(NETWORKS)
@settings(deadline=None)
def test_addresses_read_by_the_system_are_those_of_ipaddress(text: str) -> None:
    groups = read_groups(text)
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        assert groups is None
        return
    is_public = found.version == 6 and 0x20 <= found.packed[0] < 0x40
    assert (groups is not None) == is_public
    if groups is not None:
        assert groups == found.packed
        assert write_groups(groups) == str(found)
        assert network_of(text) == str(ipaddress.ip_network((found, 64), strict=False))
