"""Bytes from a shop to events: strict, and every refusal names its field.

>>> body = b'{"id": "e-1", "type": "login_failed", "at": 1760000000000000, "account": "a-1"}'
>>> event = decode_event(body, now=1760000000000000)
>>> event.account, event.received_at
('a-1', 1760000000000000)
>>> decode_event(body.replace(b'"a-1"', b'"a-1", "amount_minor": -5'), now=1760000000000000)
Traceback (most recent call last):
    ...
floorwalker.events.faults.FieldError: amount_minor: it does not fit; allowed: `int` >= 0
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from floorwalker.errors import InputError
from floorwalker.events import _screen, _strict
from floorwalker.events.event import SCHEMA_VERSION, Event
from floorwalker.events.faults import Fault, FieldError
from floorwalker.events.hints import hint_missing
from floorwalker.events.limits import DEFAULT_LIMITS, DecodeLimits
from floorwalker.events.types import EVENT_TYPES

_decoder = msgspec.json.Decoder(Event)
_array_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_NEEDS = {
    kind.name: tuple((need, tuple(attrgetter(name) for name in need.split("|"))) for need in kind.needs)
    for kind in EVENT_TYPES
}
_SIMPLE = (bool, int, float, type(None))

JSON_TYPES = ("application/json",)
LINE_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines")
"""Kinds of body that `decode_events` reads: one array, or one event a line."""


def decode_event(body: bytes, *, now: int, limits: DecodeLimits = DEFAULT_LIMITS) -> Event:
    """One event out of its JSON text.

    Parameters
    ----------
    body : JSON in UTF-8, one object.
    now : int64 microseconds since 1970-01-01 UTC; becomes `received_at`, whatever the sender says.
    limits : what may be sent.

    Errors
    ------
    `FieldError` (an `InputError`) naming the field: malformed or repeated names, numbers that are not finite, negative
    amounts, times beyond `limits`, texts too long, nested too deep, card numbers and passwords wherever they stand,
    a type that this version does not know, a field that the type needs.
    """
    if len(body) > limits.event_bytes:
        raise FieldError("body", f"{len(body)} bytes", allowed=f"up to {limits.event_bytes} bytes for one event")
    event: Event | None = None
    flags, place = _screen.screen(body, limits.depth)
    if not flags:
        try:
            event = _decoder.decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            event = None  # the close look finds the field, or a field of a newer version
    if event is None or event.identity is not None:
        deep_name = body[place[0] : place[1]] or b"body" if flags & _screen.DEEP else b""
        event = _strict.build_event(_strict.read_json(body, limits, deep_name, flags != 0))
    _check(event, now, limits)
    force_setattr(event, "received_at", now)
    return event


def _check(event: Event, now: int, limits: DecodeLimits) -> None:
    """What no type can say: the times, the attributes, and what this type of event needs."""
    if event.at > now + limits.ahead_seconds * 1_000_000:
        raise FieldError("at", "it lies in the future", allowed=f"up to {limits.ahead_seconds} s ahead of our clock")
    if event.at < limits.earliest:
        raise FieldError(
            "at", "it lies before the year 2000", allowed="microseconds since 1970-01-01 UTC",
            fix="multiply seconds by 1,000,000 and milliseconds by 1,000",
        )  # fmt: skip
    if event.dispute is not None:
        for name in ("opened_at", "due_at"):
            time = getattr(event.dispute, name)
            if time is not None and not limits.earliest <= time < 4_102_444_800_000_000:
                raise FieldError(f"dispute.{name}", "it lies outside the years 2000 to 2099")
    if event.attributes:
        _check_attributes(event.attributes, limits)
    needs = _NEEDS.get(event.type)
    if needs is None:
        if event.schema_version > SCHEMA_VERSION:
            return
        raise FieldError("type", "unknown type of event", fix=_strict.suggest(event.type, list(_NEEDS)))
    for need, getters in needs:
        for get in getters:
            value = get(event)
            if value is not None and value != ():
                break
        else:
            field = need.partition("|")[0]
            raise FieldError(
                    field, f"{event.type!r} needs it", allowed=" or ".join(need.split("|")),
                    fix=hint_missing(need.split("|"), event.attributes),
                )  # fmt: skip


def _check_attributes(attributes: dict[str, Any], limits: DecodeLimits) -> None:
    longest = limits.attribute_length
    count = 0
    todo: list[tuple[str, Any]] = [("attributes", attributes)]
    while todo:
        path, value = todo.pop()
        if isinstance(value, str):
            if len(value) > longest:
                raise FieldError(path, f"{len(value)} characters", allowed=f"up to {longest}")
            continue
        if isinstance(value, _SIMPLE):
            if isinstance(value, int) and not -(2**63) <= value < 2**63:
                raise FieldError(path, "too large a number", allowed="whole numbers of 64 bits")
            continue
        pairs: Iterable[tuple[object, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in pairs:
            count += 1
            if count > limits.attributes:
                raise FieldError("attributes", "too many", allowed=f"up to {limits.attributes} names and list entries")
            if isinstance(name, str):
                if len(name) > 256:
                    raise FieldError(path, "a name is too long", allowed="up to 256 characters")
                todo.append((f"{path}.{name}", inner))
            else:
                todo.append((f"{path}[{name}]", inner))


def decode_events(
    body: bytes, *, content_type: str, now: int, limits: DecodeLimits = DEFAULT_LIMITS
) -> tuple[list[Event], list[Fault]]:
    """Many events out of one body: those that can be taken in, and a fault for each of the others.

    Parameters
    ----------
    body : a JSON array, or one JSON object a line (blank lines are skipped).
    content_type : one of `JSON_TYPES` or `LINE_TYPES`; parameters after a semicolon are ignored.
    now, limits : as in `decode_event`.

    Errors
    ------
    `InputError` where the body as a whole cannot be used: unknown kind, too long, no array, too many events.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in JSON_TYPES + LINE_TYPES:
        raise InputError(
            "a body of unknown kind", allowed=", ".join(JSON_TYPES + LINE_TYPES), fix="set the Content-Type header"
        )
    if len(body) > limits.batch_bytes:
        raise FieldError(
            "body", f"{len(body)} bytes", allowed=f"up to {limits.batch_bytes} bytes", fix="send less at once"
        )
    texts: list[bytes]
    if kind in LINE_TYPES:
        texts = [line for line in body.split(b"\n") if line.strip()]
    else:
        try:
            texts = [bytes(raw) for raw in _array_decoder.decode(body)]
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise FieldError(
                "body",
                "not an array of JSON objects",
                allowed="[{…}, {…}], or one object a line as application/x-ndjson",
            ) from error
    if len(texts) > limits.events:
        raise FieldError("body", f"{len(texts)} events", allowed=f"up to {limits.events}", fix="send less at once")
    events: list[Event] = []
    faults: list[Fault] = []
    for position, text in enumerate(texts):
        try:
            events.append(decode_event(text, now=now, limits=limits))
        except FieldError as error:
            faults.append(Fault(position, error.field, str(error)))
    return events, faults
