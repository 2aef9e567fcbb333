"""The record of an event as tables that kernels read: names, kinds and bounds of its fields, and words to look for.

Made of `floorwalker.events.event.Event` itself, so that a field added there is known here; a kind of field that the
kernels do not know is left to the slower twin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec
import numpy as np
from msgspec import inspect
from numpy.typing import NDArray

from floorwalker.events._columns import ENTITY_FIELDS, FLAT_NUMBERS, GROUPS, MADE, NUMBER_FIELDS
from floorwalker.events._facts import Address, CardFacts, Identity, OrderLine
from floorwalker.events.entities import ENTITIES
from floorwalker.events.event import Event
from floorwalker.events.placeholders import DEFAULT_DEVICES, WORDS
from floorwalker.events.types import EVENT_TYPES

TEXT, WHOLE, REAL, TRUTH, WORD, DIGITS, CAPITALS, RECORD, RECORDS, TEXTS, OTHER = range(11)
"""Kinds of field: a text; numbers; a statement; one of some words; a text of digits or of capitals only; a record;
a list of records; a list of texts; what only the twin reads."""

PLAIN, DIGIT, MARK, QUOTE, STOP, AT_SIGN, PERCENT, DOUBTFUL, WIDE = range(9)
"""Classes of byte inside a text: nothing special; a digit; what may part the digits of a card number; the end of the
text; what is left to the twin; `@`; `%`; what may stand between a name and a password; a character of several bytes."""

GROUP_TYPES, GROUP_NOBODY, GROUP_WORDS = 100, 101, 1000
"""Groups of the dictionary: below 100 names of a record's fields, then types of event, texts that may stand for
nobody (in small letters), and from 1000 on the words of a field."""

RECORD_HEAD = b"\x82\xa4type\xa5event\xa5event"
"""How the journal's record of an event without a decision begins; the packed event follows."""

_PATTERNS = {
    r"^[0-9]{6}([0-9]{2})?$": (DIGITS, (6, 8)),
    r"^[0-9]{4}$": (DIGITS, (4,)),
    r"^[0-9]{1,2}$": (DIGITS, (1, 2)),
    r"^[A-Z]{3}$": (CAPITALS, (3,)),
    r"^[A-Z]{2}$": (CAPITALS, (2,)),
}
_MOST_NEEDS = 4


class Schema(NamedTuple):
    """Tables over the `f` fields of the event and of the records inside it.

    Parameters
    ----------
    spelling : uint8, names and words behind one another, each field's name first.
    name_at : int64 [f + 1], where the names of the fields lie in `spelling`.
    slots : int32, the dictionary: an open table of entries, -1 for free.
    entries : int64 [e, 4]: group, start, stop in `spelling`, value.
    kinds : int64 [f], see `TEXT`.
    nullable : bool [f].
    low, high : int64 [f]: bounds of a whole number, or of the number of characters or parts; `DIGITS` and `CAPITALS`
        have the lengths that are allowed as bits in `high`.
    real_low, real_high : float64 [f].
    inner : int64 [f]: the record inside.
    record_at : int64 [r + 1]: first field of each record; record 0 is the event.
    classes : uint8 [256], see `PLAIN`.
    needs : int64 [types, 4]: sets of fields as bits, of each of which one must be given.
    number_rows : int64 [f]: row in the matrix of numbers, -1 for none.
    entity_rows : int64 [f]: row in the matrix of keys, -1 for none.
    """

    spelling: NDArray[np.uint8]
    name_at: NDArray[np.int64]
    slots: NDArray[np.int32]
    entries: NDArray[np.int64]
    kinds: NDArray[np.int64]
    nullable: NDArray[np.bool_]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    real_low: NDArray[np.float64]
    real_high: NDArray[np.float64]
    inner: NDArray[np.int64]
    record_at: NDArray[np.int64]
    classes: NDArray[np.uint8]
    needs: NDArray[np.int64]
    number_rows: NDArray[np.int64]
    entity_rows: NDArray[np.int64]


def hash_text(group: int, text: bytes) -> int:
    """As the kernels compute it; the names are ours, so no secret is needed."""
    value = group + 7
    for byte in text:
        value = (value * 31 + byte) & 0x3FFFFFFF
    return value ^ value >> 15


def _records() -> list[type[msgspec.Struct]]:
    """The event and every record inside it, in the order in which they are met."""
    found: list[type[msgspec.Struct]] = [Event]
    for field in inspect.type_info(Event).fields:  # type: ignore[attr-defined]
        kind, _ = _bare(field.type)
        if isinstance(kind, inspect.VarTupleType):
            kind, _ = _bare(kind.item_type)
        if isinstance(kind, inspect.StructType) and kind.cls not in found:
            found.append(kind.cls)
    return found


def _bare(kind: inspect.Type) -> tuple[inspect.Type, bool]:
    """A type without its None, and whether it had one."""
    if isinstance(kind, inspect.UnionType):
        rest = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        return (rest[0] if len(rest) == 1 else inspect.AnyType()), len(rest) < len(kind.types)
    return kind, False


RECORD_TYPES = tuple(_records())
_FIELDS = tuple((record, field) for record in RECORD_TYPES for field in inspect.type_info(record).fields)  # type: ignore[attr-defined]
_STARTS = np.cumsum([0, *(len(record.__struct_fields__) for record in RECORD_TYPES)])


def place(record: type[msgspec.Struct], name: str) -> int:
    """The number of a field."""
    return int(_STARTS[RECORD_TYPES.index(record)]) + record.__struct_fields__.index(name)


F = {name: place(Event, name) for name in Event.__struct_fields__}
"""Numbers of the event's own fields."""
I = {name: place(Identity, name) for name in Identity.__struct_fields__}  # noqa: E741 - as above, for identities
"""Numbers of the fields of an identity."""


def _describe(record: type[msgspec.Struct], field: inspect.Field) -> tuple[int, bool, float, float, int]:
    """Kind, whether it may be null, bounds, and the record inside."""
    kind, nullable = _bare(field.type)
    if record is Event and field.encode_name in ("attributes", "dispute", "identity"):
        return OTHER, nullable, 0, 0, -1
    most = 1 << 62
    if isinstance(kind, inspect.StrType):
        if kind.pattern is not None:
            shape, lengths = _PATTERNS.get(kind.pattern, (OTHER, ()))
            return shape, nullable, 0, sum(1 << length for length in lengths), -1
        return TEXT, nullable, kind.min_length or 0, most if kind.max_length is None else kind.max_length, -1
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        if kind.gt is not None or kind.lt is not None or kind.multiple_of is not None:
            return OTHER, nullable, 0, 0, -1
        shape = WHOLE if isinstance(kind, inspect.IntType) else REAL
        return shape, nullable, -most if kind.ge is None else kind.ge, most if kind.le is None else kind.le, -1
    if isinstance(kind, inspect.BoolType):
        return TRUTH, nullable, 0, 0, -1
    if isinstance(kind, inspect.LiteralType) and all(isinstance(value, str) for value in kind.values):
        return WORD, nullable, 0, 0, -1
    if isinstance(kind, inspect.StructType):
        return RECORD, nullable, 0, 0, RECORD_TYPES.index(kind.cls)
    if isinstance(kind, inspect.VarTupleType) and kind.min_length is None and kind.max_length is not None:
        item, _ = _bare(kind.item_type)
        if isinstance(item, inspect.StructType):
            return RECORDS, nullable, 0, kind.max_length, RECORD_TYPES.index(item.cls)
        if isinstance(item, inspect.StrType) and item.pattern is None and item.min_length == 1 and item.max_length:
            # The bound of each text lies where the record inside lies for lists of records.
            return TEXTS, nullable, 0, kind.max_length, item.max_length
    return OTHER, nullable, 0, 0, -1


def _words() -> Iterator[tuple[int, str, int]]:
    """Everything that the dictionary holds: group, text, value."""
    for number, (record, field) in enumerate(_FIELDS):
        yield RECORD_TYPES.index(record), field.encode_name, number
        kind, _ = _bare(field.type)
        if isinstance(kind, inspect.LiteralType):
            for value in kind.values:
                yield GROUP_WORDS + number, str(value), 1
    for code, kind_of_event in enumerate(EVENT_TYPES):
        yield GROUP_TYPES, kind_of_event.name, code


def _needs() -> NDArray[np.int64]:
    needs = np.full((len(EVENT_TYPES), _MOST_NEEDS), -1, np.int64)
    for code, kind in enumerate(EVENT_TYPES):
        for column, need in enumerate(kind.needs):
            needs[code, column] = sum(1 << F[name] for name in need.split("|"))
    return needs


def _classes() -> NDArray[np.uint8]:
    classes = np.full(256, PLAIN, np.uint8)
    classes[:32] = classes[127] = classes[ord("\\")] = STOP
    classes[128:] = WIDE
    classes[ord("0") : ord("9") + 1] = DIGIT
    classes[[ord(mark) for mark in " -_/."]] = MARK
    classes[ord('"')] = QUOTE
    classes[ord("@")], classes[ord("%")] = AT_SIGN, PERCENT
    classes[[ord(mark) for mark in "='"]] = DOUBTFUL
    return classes


def _number_rows() -> NDArray[np.int64]:
    rows = np.full(len(_FIELDS), -1, np.int64)
    for name in FLAT_NUMBERS:
        rows[F[name]] = NUMBER_FIELDS.index(name)
    for group, (empty, prefix, numbers, _) in GROUPS.items():
        for name in numbers:
            rows[place(type(empty), name)] = NUMBER_FIELDS.index(prefix + name)
        assert group in F
    return rows


def _entity_rows() -> NDArray[np.int64]:
    rows = np.full(len(_FIELDS), -1, np.int64)
    for name in ENTITY_FIELDS:
        rows[F[name]] = ENTITIES.index(name)
    for name in MADE[:4]:
        rows[I[name]] = ENTITIES.index(name)
    return rows


def make_schema(nobody: Iterable[str] = ()) -> Schema:
    """The tables.

    Parameters
    ----------
    nobody : values beside those that always stand for nobody which need a closer look, as declared hubs.
    """
    described = [_describe(record, field) for record, field in _FIELDS]
    names = [field.encode_name.encode() for _, field in _FIELDS]
    suspects = {text.strip().lower() for text in (*WORDS, *DEFAULT_DEVICES, "123456", "12345678", *nobody)}
    words = [*_words(), *((GROUP_NOBODY, text, 1) for text in sorted(suspects))]
    spelling, places = bytearray(b"".join(names)), np.cumsum([0, *map(len, names)])
    size = 1 << (4 * len(words)).bit_length()
    slots = np.full(size, -1, np.int32)
    entries = np.zeros((len(words), 4), np.int64)
    for number, (group, text, value) in enumerate(words):
        data = text.encode()
        entries[number] = group, len(spelling), len(spelling) + len(data), value
        spelling += data
        slot = hash_text(group, data) & (size - 1)
        while slots[slot] >= 0:
            slot = (slot + 1) & (size - 1)
        slots[slot] = number
    bounds = np.array([(low, high) for _, _, low, high, _ in described], np.float64)
    whole = [kind != REAL for kind, *_ in described]
    return Schema(
        spelling=np.frombuffer(bytes(spelling), np.uint8),
        name_at=places.astype(np.int64),
        slots=slots,
        entries=entries,
        kinds=np.array([kind for kind, *_ in described], np.int64),
        nullable=np.array([nullable for _, nullable, *_ in described], np.bool_),
        low=np.array([low if is_whole else 0 for (_, _, low, _, _), is_whole in zip(described, whole, strict=True)]),
        high=np.array([high if is_whole else 0 for (_, _, _, high, _), is_whole in zip(described, whole, strict=True)]),
        real_low=bounds[:, 0].copy(),
        real_high=bounds[:, 1].copy(),
        inner=np.array([inner for *_, inner in described], np.int64),
        record_at=_STARTS.astype(np.int64),
        classes=_classes(),
        needs=_needs(),
        number_rows=_number_rows(),
        entity_rows=_entity_rows(),
    )


def longest_suspect(schema: Schema) -> int:
    """Bytes of the longest text that may stand for nobody."""
    mine = schema.entries[schema.entries[:, 0] == GROUP_NOBODY]
    return int((mine[:, 2] - mine[:, 1]).max())


FIELDS = len(_FIELDS)
RECORDS_INSIDE: dict[str, Any] = {"address": Address, "card": CardFacts, "line": OrderLine}
