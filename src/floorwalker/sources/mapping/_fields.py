"""The fields of an event that a mapping can fill, with what each may hold; read from the record itself."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from msgspec import inspect

from floorwalker.events.event import Event, OrderLine

TIMES = frozenset({"at", "received_at", "dispute.opened_at", "dispute.due_at"})
_NEVER = frozenset({"schema_version", "identity", "attributes", "discounts", "lines"})


@dataclass(frozen=True)
class FieldKind:
    """What one field may hold.

    Parameters
    ----------
    name : `time`, `money`, `whole`, `number`, `statement`, `text` or `list`.
    least, most : bounds of a number, or of a text's length.
    pattern : what a text must match, or empty.
    choices : the only texts allowed, or empty.
    """

    name: str
    least: float | None = None
    most: float | None = None
    pattern: str = ""
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """What may stand there, for a message."""
        if self.choices:
            return ", ".join(self.choices)
        if self.pattern:
            return f"text like {self.pattern}"
        if self.name in ("whole", "number", "money"):
            return f"a number from {self.least:g} to {self.most:g}" if self.most is not None else "a number"
        if self.name == "statement":
            return "true or false"
        if self.name == "time":
            return "a time in one of the mapping's formats"
        return f"up to {self.most:g} characters" if self.most is not None else "text"


def _kind_of(path: str, described: Any) -> FieldKind | None:
    """The kind of a field that holds one value; None for a record."""
    if isinstance(described, inspect.UnionType):
        parts = [part for part in described.types if not isinstance(part, inspect.NoneType)]
        return _kind_of(path, parts[0]) if len(parts) == 1 else None
    if path in TIMES:
        return FieldKind("time")
    if isinstance(described, inspect.IntType):
        return FieldKind("money" if path.endswith("_minor") else "whole", described.ge, described.le)
    if isinstance(described, inspect.FloatType):
        return FieldKind("number", described.ge, described.le)
    if isinstance(described, inspect.BoolType):
        return FieldKind("statement")
    if isinstance(described, inspect.LiteralType):
        return FieldKind("text", choices=tuple(str(value) for value in described.values))
    if isinstance(described, inspect.StrType):
        return FieldKind("text", described.min_length, described.max_length, described.pattern or "")
    if isinstance(described, inspect.VarTupleType) and isinstance(described.item_type, inspect.StrType):
        return FieldKind("list", most=described.item_type.max_length)
    return None


def _record_of(described: Any) -> inspect.StructType | None:
    if isinstance(described, inspect.StructType):
        return described
    if isinstance(described, inspect.UnionType):
        return next((part for part in described.types if isinstance(part, inspect.StructType)), None)
    return None


def _list_fields(record: type) -> dict[str, FieldKind]:
    found: dict[str, FieldKind] = {}
    described = inspect.type_info(record)
    assert isinstance(described, inspect.StructType)
    todo = [("", described)]
    while todo:
        prefix, struct = todo.pop(0)
        for one in struct.fields:
            path = prefix + one.name
            if path in _NEVER:
                continue
            if (kind := _kind_of(path, one.type)) is not None:
                found[path] = kind
            elif (inner := _record_of(one.type)) is not None:
                todo.append((f"{path}.", inner))
    return found


EVENT_FIELDS = MappingProxyType(_list_fields(Event))
"""Fields by their paths: `account`, `shipping_address.city`."""

LINE_FIELDS = MappingProxyType(_list_fields(OrderLine))
"""Fields of an order line."""

ATTRIBUTE = FieldKind("text", most=2000)
"""What `attributes.NAME` may hold."""


def field_kind(path: str) -> FieldKind | None:
    """The kind of an event's field, or None where there is no such field.

    >>> field_kind("amount_minor").name, field_kind("attributes.colour").name, field_kind("colour")
    ('money', 'text', None)
    """
    if path.startswith("attributes.") and path.count(".") == 1:
        return ATTRIBUTE
    return EVENT_FIELDS.get(path)
