"""Records of the journal: exact, and readable across versions."""

from __future__ import annotations

import msgspec
import pytest

from floorwalker.errors import ArtefactError
from floorwalker.events.codec import pack_event, unpack_event
from floorwalker.events.event import CardFacts, Event, Identity, OrderLine

EVENT = Event(
    id="e-1",
    type="order",
    at=5,
    received_at=6,
    order="o-1",
    amount_minor=7,
    currency="EUR",
    lines=(OrderLine(item="i", quantity=2),),
    card=CardFacts(scheme="visa"),
    identity=Identity(ip_network="203.0.113.0/24"),
    attributes={"a": [1, {"b": 0.5}], "c": None, "d": "é"},
)


def test_an_event_comes_back_as_it_was() -> None:
    assert unpack_event(pack_event(EVENT)) == EVENT
    assert pack_event(unpack_event(pack_event(EVENT))) == pack_event(EVENT)


def test_a_record_of_the_first_version_is_readable() -> None:
    # The bytes as they were written, so that a change of the record that breaks old journals is seen.
    record = bytes.fromhex(
        "85a26964a3652d31a474797065a56f72646572a2617405ab72656365697665645f617406a56f72646572a36f2d31"
    )
    assert unpack_event(record) == Event(id="e-1", type="order", at=5, received_at=6, order="o-1")


def test_fields_of_a_newer_version_are_kept() -> None:
    values = msgspec.msgpack.decode(pack_event(EVENT))
    values["mood"] = "good"
    values["identity"]["nose"] = "long"
    values["lines"][0]["colour"] = "red"
    found = unpack_event(msgspec.msgpack.encode(values))
    assert found.attributes == {**EVENT.attributes, "mood": "good", "identity.nose": "long", "lines[0].colour": "red"}
    assert found.identity == EVENT.identity


@pytest.mark.parametrize("record", [b"", b"\x80", b"\xc1", b"\x93\x01\x02\x03", pack_event(EVENT)[:-3]])
def test_bytes_that_are_no_event_are_refused(record: bytes) -> None:
    with pytest.raises(ArtefactError, match=f"a record of {len(record)} bytes"):
        unpack_event(record)
