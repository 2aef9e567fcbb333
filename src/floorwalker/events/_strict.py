"""The close look at an event's JSON text: slower than the screen, and every fault gets the name of its field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints

import msgspec

from floorwalker.events._facts import Fact
from floorwalker.events.cards import find_card_number
from floorwalker.events.event import SCHEMA_VERSION, Event
from floorwalker.events.faults import FieldError
from floorwalker.events.limits import DecodeLimits
from floorwalker.events.secrets import is_secret, names_secret
from floorwalker.registry import nearest_name


class _Repeated(dict[str, Any]):
    """An object in which a name stands twice."""

    name = ""


class _NotFinite:
    """`NaN`, `Infinity` or a number beyond them."""


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_FIELD_IN_TEXT = re.compile(r"(?:required|unknown) field `(?P<name>[^`]*)`")
_LONGEST_TEXT = 20_000
"""Characters of the longest text that any field may hold: a longer one is refused before anything is looked for."""
_TIMES = ("at", "received_at", "dispute.opened_at", "dispute.due_at")


def read_json(body: bytes, limits: DecodeLimits, deep_name: bytes, is_suspect: bool = True) -> dict[str, Any]:
    """The object that a JSON text holds, with every value looked at where something is suspected.

    Parameters
    ----------
    body : the text.
    limits : what may be sent.
    deep_name : the outermost name whose value is nested too deep, as the screen found it; empty where none is.
    is_suspect : whether the screen found anything; without it only numbers that are not finite are looked for.
    """
    if deep_name:
        name = deep_name.decode("utf-8", "replace")[:64]
        raise FieldError(name, "it is nested too deep", allowed=f"{limits.depth} levels, the event itself counted")
    odd: list[_NotFinite] = []

    def keep_odd(text: str) -> _NotFinite:
        odd.append(_NotFinite())
        return odd[0]

    def read_float(text: str) -> float | _NotFinite:
        value = float(text)
        return value if value - value == 0.0 else keep_odd(text)

    def read_int(text: str) -> int | _NotFinite:
        return int(text) if len(text) < 20 else keep_odd(text)

    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_make_object,
            parse_constant=keep_odd,
            parse_float=read_float,
            parse_int=read_int,
        )
    except UnicodeDecodeError as error:
        raise FieldError("body", f"byte {error.start} is not UTF-8", allowed="JSON in UTF-8") from None
    except json.JSONDecodeError as error:
        raise FieldError("body", f"not JSON: {error.msg} at character {error.pos}", allowed="one JSON object") from None
    except RecursionError:
        raise FieldError("body", "it is nested too deep", allowed=f"{limits.depth} levels") from None
    if not isinstance(value, dict):
        raise FieldError("body", "it is not an object", allowed="one JSON object per event")
    for path, faulty in _walk(value, "") if is_suspect or odd else ():
        raise FieldError(path, faulty[0], allowed=faulty[1], fix=faulty[2])
    return value


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    repeated = _Repeated(found)
    for name, _ in pairs:
        if name in seen:
            repeated.name = name
            break
        seen.add(name)
    return repeated


def _walk(value: Any, path: str) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Paths of faulty values, in the order of the text, each with what is wrong, what is allowed and what to do."""
    if isinstance(value, str):
        if len(value) > _LONGEST_TEXT:
            yield path, (f"{len(value)} characters", f"up to {_LONGEST_TEXT}", "")
        elif _CONTROL.search(value):
            yield path, ("it holds a control character or half a character", "printable text, tabs and line ends", "")
        elif find_card_number(value) is not None:
            yield path, _CARD_FAULT
        elif names_secret(value):
            yield path, ("it carries a password", "texts without passwords", "take the password out before you send")
    elif isinstance(value, dict):
        if isinstance(value, _Repeated):
            yield _join(path, value.name), ("it stands twice in one object", "each name once", "")
        for name, inner in value.items():
            below = _join(path, name)
            if _CONTROL.search(name) or find_card_number(name) is not None or len(name) > 256:
                yield below, ("no name of a field", "up to 256 printable characters, no card number", "")
            elif is_secret(name, inner):
                yield below, _SECRET_FAULT
            else:
                yield from _walk(inner, below)
        named = value.get("name", value.get("key", value.get("field")))
        if isinstance(named, str) and is_secret(named, value.get("value")):
            yield _join(path, "value"), _SECRET_FAULT
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _walk(inner, f"{path}[{place}]")
    elif isinstance(value, _NotFinite):
        yield path, ("not a finite number of at most 19 digits", "finite numbers", "leave the field out where unknown")
    elif isinstance(value, int | float) and not isinstance(value, bool) and find_card_number(repr(value)) is not None:
        yield path, _CARD_FAULT


_CARD_FAULT = (
    "it holds a card number",
    "a token from your payment service, and the first six or eight digits as `bin`",
    "if it is an id of your own, put a letter before its digits",
)
_SECRET_FAULT = ("passwords and card security codes are never taken", "their results only", "leave the field out")


def _join(path: str, name: str) -> str:
    name = name[:64].encode("utf-8", "backslashreplace").decode() or '""'
    return f"{path}.{name}" if path else name


def build_event(values: dict[str, Any]) -> Event:
    """The event that a checked object describes; what no field is named for moves to `attributes` under its path."""
    if "identity" in values:
        raise FieldError("identity", "it is derived here and never sent", fix="leave the field out")
    return rebuild_event(values)


def rebuild_event(values: dict[str, Any]) -> Event:
    """As `build_event`, for what was once taken in and may hold what was derived."""
    spare: dict[str, Any] = {}
    _move_unknown(values, Event, "", spare)
    for path in _TIMES:
        _read_time(values, path)
    version = values.get("schema_version", SCHEMA_VERSION)
    is_newer = isinstance(version, int) and version > SCHEMA_VERSION
    for _ in range(16):
        try:
            event = msgspec.convert(values, Event)
            break
        except msgspec.ValidationError as error:
            fault = explain(error)
            if not (is_newer and "enum" in str(error) and _set_aside(values, fault.field, spare)):
                raise fault from None
    else:
        raise FieldError("body", "too many values of a newer version that this version does not know")
    if spare:
        for name in spare:
            if name in event.attributes:
                raise FieldError(f"attributes.{name}", "a field of the same name stands outside `attributes`")
        event = msgspec.structs.replace(event, attributes={**event.attributes, **spare})
    return event


def explain(error: msgspec.ValidationError) -> FieldError:
    """What msgspec found, as a fault of a field; its messages hold types and bounds, no values."""
    found = _PLACE.match(str(error))
    what, path = (found["what"], found["path"] or "") if found else (str(error), "")
    path = path.removeprefix("$").removeprefix(".").replace("[...]", "")
    if named := _FIELD_IN_TEXT.search(what):
        return FieldError(_join(path, named["name"]), "it is missing" if "required" in what else "unknown field")
    if what.startswith("Invalid enum value"):
        return FieldError(path or "body", "not one of its values", allowed=_list_values(path) or "see docs/events.md")
    return FieldError(path or "body", "it does not fit", allowed=what.removeprefix("Expected "))


def _members(kind: Any) -> tuple[type[msgspec.Struct] | None, tuple[Any, ...]]:
    """The record and the literals inside a field's type."""
    record: type[msgspec.Struct] | None = None
    literals: tuple[Any, ...] = ()
    todo = [kind]
    while todo:
        part = todo.pop()
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            record = part
        elif isinstance(part, str):
            literals += (part,)
        else:
            todo += get_args(part)
    return record, literals


_RECORDS: tuple[type[msgspec.Struct], ...] = (Event, *Fact.__subclasses__())
_KNOWN: dict[type[msgspec.Struct], dict[str, tuple[type[msgspec.Struct] | None, tuple[Any, ...]]]] = {
    record: {name: _members(kind) for name, kind in get_type_hints(record).items()} for record in _RECORDS
}


def _list_values(path: str) -> str:
    record: type[msgspec.Struct] | None = Event
    literals: tuple[Any, ...] = ()
    for name in re.sub(r"\[\d*\]", "", path).split("."):
        if record is None or name not in _KNOWN[record]:
            return ""
        record, literals = _KNOWN[record][name]
    return ", ".join(sorted(literals))


def _move_unknown(values: dict[str, Any], record: type[msgspec.Struct], path: str, spare: dict[str, Any]) -> None:
    known = _KNOWN[record]
    for name in list(values):
        below = _join(path, name)
        if name not in known:
            spare[below] = values.pop(name)
            continue
        inner, value = known[name][0], values[name]
        if inner is not None and isinstance(value, dict):
            _move_unknown(value, inner, below, spare)
        elif inner is not None and isinstance(value, list):
            for place, part in enumerate(value):
                if isinstance(part, dict):
                    _move_unknown(part, inner, f"{below}[{place}]", spare)


def _set_aside(values: dict[str, Any], path: str, spare: dict[str, Any]) -> bool:
    """Move one value that only a newer version knows out of its field; False where the path leads nowhere."""
    *parents, last = re.findall(r"[^.\[\]]+", path)
    holder: Any = values
    for name in parents:
        holder = holder[int(name)] if isinstance(holder, list) else holder.get(name)
    if not isinstance(holder, dict) or last not in holder:
        return False
    spare[path] = holder.pop(last)
    return True


def _read_time(values: dict[str, Any], path: str) -> None:
    """Put microseconds in the place of a time that came as RFC 3339 text."""
    *parents, last = path.split(".")
    holder: Any = values
    for name in parents:
        holder = holder.get(name)
        if not isinstance(holder, dict):
            return
    text = holder.get(last)
    if not isinstance(text, str):
        return
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise FieldError(
            path, "no time", allowed="microseconds since 1970-01-01 UTC, or RFC 3339 text with its offset from UTC"
        ) from None
    holder[last] = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def suggest(name: str, known: list[str]) -> str:
    """The advice that goes with an unknown name."""
    close = nearest_name(name, known)
    return f"did you mean {close!r}?" if close else "see docs/events.md for the list"
