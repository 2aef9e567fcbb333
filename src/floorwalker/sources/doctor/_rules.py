"""Which of the rules that come with the product can ever fire on the data, told from what each of them reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from floorwalker.events.entities import ENTITIES
from floorwalker.sources.doctor._columns import EXPECTED
from floorwalker.sources.doctor._support import THIN, Usable

if TYPE_CHECKING:
    from floorwalker.features.live.declarations import Feature

_STANDS_IN = {
    "delivery_point": "delivery_address", "phone_prefix": "phone", "order_id": "order", "group_id": "group",
    "written": "text",
}  # fmt: skip
"""Names of rules -> fields of the doctor that they are made of."""

_PREFIXES = {
    "card_": "card.", "three_d_secure_": "three_d_secure.", "dispute_": "dispute.", "device_": "device_facts.",
    "client_": "signals.", "network_": "network.",
}  # fmt: skip
_DERIVED = {"email_": "email", "phone_": "phone", "ip_": "ip", "delivery_": "delivery_address"}


def judge_rules(types: Mapping[str, int], usable: Usable) -> dict[str, Any] | None:
    """How many of the starter rules can fire, and why the others cannot; None without the `serve` extra."""
    try:
        from floorwalker.detectors.rules import STARTER, RuleTable, default_schema
        from floorwalker.features.live.defaults import DEFAULT
    except ImportError:
        return None
    features = {feature.name: feature for feature in DEFAULT}
    cannot = []
    rules = RuleTable.load(STARTER, schema=default_schema()).rules
    for rule in rules:
        wanted = [name for name in (rule.event_types or types) if types.get(name)]
        if not wanted:
            why = [f"no event of type {' or '.join(rule.event_types)}"]
        else:
            # What stands in coalesce(…) has a value for the case that it is missing.
            names = [name for name in rule.names if f"coalesce({name}" not in rule.text.replace(" ", "")]
            why = sorted({one for name in names for one in _lacks(name, features, wanted, types, usable)})
        if why:
            cannot.append({"rule": rule.id, "abuse_type": rule.abuse_type, "missing": why})
    return {"count": len(rules), "can_fire": len(rules) - len(cannot), "cannot": cannot}


def _lacks(
    name: str, features: Mapping[str, Feature], wanted: list[str], types: Mapping[str, int], usable: Usable
) -> Iterator[str]:
    feature = features.get(name)
    if feature is None:
        yield from _lacks_field(_field_of(name), wanted, usable)
        return
    for entity in feature.of:
        yield from _lacks_field(_STANDS_IN.get(entity, entity), wanted, usable)
    sought: tuple[str, ...] = feature.aggregate.what.types
    looked_at = [one for one in sought if types.get(one)] if sought else list(types)
    if not looked_at:
        yield f"no event of type {' or '.join(sought)}"
        return
    for one in fields(feature.aggregate):
        value = getattr(feature.aggregate, one.name)
        if isinstance(value, str) and value in ENTITIES:
            yield from _lacks_field(_STANDS_IN.get(value, value), looked_at, usable)


def _field_of(name: str) -> str:
    if name in _STANDS_IN:
        return _STANDS_IN[name]
    for prefix, path in _PREFIXES.items():
        if name.startswith(prefix) and path + name.removeprefix(prefix) in EXPECTED:
            return path + name.removeprefix(prefix)
    return next((field for prefix, field in _DERIVED.items() if name.startswith(prefix)), name)


def _lacks_field(field: str, wanted: list[str], usable: Usable) -> Iterator[str]:
    if field not in EXPECTED:
        return
    counts = [usable(kind, field) for kind in wanted]
    if sum(there for _, there in counts) < THIN * sum(total for total, _ in counts):
        yield field
