"""Events as the journal keeps them: MessagePack maps by field name, nothing that was not said.

>>> from floorwalker.events.event import Event
>>> event = Event(id="e-1", type="logout", at=7, account="a-1")
>>> unpack_event(pack_event(event)) == event
True

A field added later is missing from older records and takes its default, so every older journal stays readable. A
record written by a newer version may hold fields that this one does not know: they move to `attributes`, as they do
when such an event is sent.
"""

from __future__ import annotations

import msgspec

from floorwalker.errors import ArtefactError
from floorwalker.events import _strict
from floorwalker.events.event import Event
from floorwalker.events.faults import FieldError

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Event)


def pack_event(event: Event) -> bytes:
    """The bytes of an event; equal events have equal bytes where their attributes were sent in the same order."""
    return _encoder.encode(event)


def unpack_event(record: bytes) -> Event:
    """The event that `pack_event` was given; bytes that are no event raise `ArtefactError`."""
    try:
        return _decoder.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        values = msgspec.msgpack.decode(record, type=dict[str, object])
        return _strict.rebuild_event(values)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, FieldError) as error:
        raise ArtefactError(f"a record of {len(record)} bytes that is no event: {error}") from error
