"""A table whose columns are already named like the fields of an event."""

from __future__ import annotations

from collections.abc import Sequence

from floorwalker.errors import UsageError
from floorwalker.sources.mapping._document import list_ready_mappings, load_mapping, parse_mapping
from floorwalker.sources.mapping._fields import field_kind
from floorwalker.sources.mapping._model import Mapping


def own_mapping(columns: Sequence[str], where: str) -> Mapping:
    """The mapping of every column that is named like a field onto that field; amounts are minor units.

    Errors
    ------
    `UsageError` where `type` or `at` is missing; it names the ready mapping that knows most of the columns.

    >>> sorted(own_mapping(["type", "at", "order", "colour"], "x.csv").events[0].fields)
    ['at', 'order', 'type']
    """
    fields: dict[str, object] = {}
    for name in columns:
        kind = field_kind(name)
        if kind is None:
            continue
        fields[name] = {"column": name, "unit": "minor"} if kind.name == "money" else {"column": name}
    if "type" not in fields or "at" not in fields:
        best = suggest_mapping(columns)
        raise UsageError(
            f"{where} has no columns named 'type' and 'at'; it has {', '.join(list(columns)[:20])}",
            allowed="columns named like the fields of an event, or a mapping",
            fix=f"give --mapping {best}" if best else "write a mapping, see docs/sources.md",
        )
    return parse_mapping({"fields": fields, "read": {"time_zone": "UTC"}}, name="events")


def suggest_mapping(columns: Sequence[str]) -> str:
    """The ready mapping most of whose columns are there, or an empty text."""
    known = set(columns)
    shares = {}
    for name in list_ready_mappings():
        wanted = load_mapping(name).columns()
        shares[name] = len(known.intersection(wanted)) / len(wanted)
    best = max(shares, key=lambda name: shares[name], default="")
    return best if best and shares[best] >= 0.25 else ""
