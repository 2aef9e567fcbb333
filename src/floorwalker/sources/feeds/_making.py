"""From the JSON text of a record to an event, or to the reason why it is none."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import msgspec

from floorwalker.events.decode import decode_event
from floorwalker.events.event import Event
from floorwalker.events.faults import FieldError
from floorwalker.events.limits import DEFAULT_LIMITS, DecodeLimits
from floorwalker.sources.feeds._base import Clock, Refused


def derived_id(*parts: bytes) -> str:
    """An id for a record that has none: the same bytes, the same id, after every restart.

    >>> derived_id(b"orders", b"line") == derived_id(b"orders", b"line") != derived_id(b"ordersl", b"ine")
    True
    """
    hashed = hashlib.blake2b(digest_size=16)
    for part in parts:
        hashed.update(len(part).to_bytes(8, "little"))
        hashed.update(part)
    return "d_" + hashed.hexdigest()


class EventMaker:
    """Decodes records strictly; what is refused names its field.

    Parameters
    ----------
    clock : gives `received_at`.
    limits : as `decode_event` takes them.
    keep_received : put the record's own `received_at` into the event where it names one.
    """

    def __init__(self, clock: Clock, limits: DecodeLimits = DEFAULT_LIMITS, *, keep_received: bool = False) -> None:
        self._clock = clock
        self._limits = limits
        self._keep_received = keep_received

    def make(self, body: bytes, place: str, *, event_id: str | None = None) -> Event | Refused:
        """The event of one JSON object.

        Parameters
        ----------
        body : the record.
        place : where it stands.
        event_id : its id where it names none; without it, one made of its bytes.
        """
        now = self._clock()
        try:
            try:
                return self._with_receipt(decode_event(body, now=now, limits=self._limits), body)
            except FieldError as error:
                other = error.field != "id" or "twice" in error.given
                nameless = None if other else _without_empty_id(body)
                if nameless is None:
                    raise
            name = event_id or derived_id(body.strip())
            rest = nameless.lstrip()[1:].lstrip()
            named = b'{"id":' + msgspec.json.encode(name) + (b"" if rest.startswith(b"}") else b",") + rest
            return self._with_receipt(decode_event(named, now=now, limits=self._limits), body)
        except FieldError as error:
            return Refused(place, error.field, str(error), body.decode("utf-8", "backslashreplace"))

    def _with_receipt(self, event: Event, body: bytes) -> Event:
        if self._keep_received and b'"received_at"' in body:
            try:
                receipt = _receipts.decode(body).received_at
            except (msgspec.DecodeError, UnicodeDecodeError):
                return event
            event = msgspec.structs.replace(event, received_at=read_time(receipt))
        return event


def _without_empty_id(body: bytes) -> bytes | None:
    """The record without its `id` that is null or an empty text; None where it has an id, or is no object."""
    try:
        values = _objects.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if "id" not in values:
        return body
    return msgspec.json.encode(values) if bytes(values.pop("id")) in (b"null", b'""') else None


_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Receipt(msgspec.Struct):
    received_at: int | datetime | None = None


_receipts = msgspec.json.Decoder(_Receipt)


def read_time(given: int | datetime | None) -> int:
    """Microseconds since 1970-01-01 UTC; 0 where nothing is known."""
    if isinstance(given, datetime):
        since = given - datetime(1970, 1, 1, tzinfo=UTC if given.tzinfo else None)
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return given or 0
