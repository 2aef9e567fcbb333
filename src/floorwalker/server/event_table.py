"""Journal records as a flat table for analysts: one row an event, with what was decided about it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from floorwalker.events.event import Event
from floorwalker.pipeline.records import EventRecord, decode_record
from floorwalker.store.journal import RecordBatch

_TEXT, _WHOLE, _REAL, _TRUTH = pa.string(), pa.int64(), pa.float64(), pa.bool_()

EVENT_COLUMNS: dict[str, tuple[str, pa.DataType]] = {
    "event_id": ("id", _TEXT), "shop": ("shop", _TEXT), "received_at": ("received_at", _WHOLE),
    "account": ("account", _TEXT), "session": ("session", _TEXT), "device": ("device", _TEXT), "ip": ("ip", _TEXT),
    "email": ("email", _TEXT), "phone": ("phone", _TEXT), "inviter": ("inviter", _TEXT),
    "recipient": ("recipient", _TEXT), "guest": ("guest", _TRUTH), "channel": ("channel", _TEXT),
    "payment": ("payment", _TEXT), "bin": ("bin", _TEXT), "decline_code": ("decline_code", _TEXT),
    "order_id": ("order", _TEXT), "item": ("item", _TEXT), "seller": ("seller", _TEXT), "quantity": ("quantity", _REAL),
    "promotion": ("promotion", _TEXT), "group_id": ("group", _TEXT), "amount_minor": ("amount_minor", _WHOLE),
    "list_price_minor": ("list_price_minor", _WHOLE), "discount_minor": ("discount_minor", _WHOLE),
    "currency": ("currency", _TEXT), "country": ("country", _TEXT), "url": ("url", _TEXT), "method": ("method", _TEXT),
    "status": ("status", _WHOLE), "result": ("result", _TEXT), "reason": ("reason", _TEXT), "rating": ("rating", _REAL),
}  # fmt: skip
"""Column -> field of the event and type. Names are those that rules use."""
IDENTITY_COLUMNS: dict[str, pa.DataType] = {
    "ip_network": _TEXT, "email_domain": _TEXT, "phone_prefix": _TEXT, "delivery_point": _TEXT,
    "delivery_area": _TEXT, "amount_base_minor": _WHOLE,
}  # fmt: skip
"""What was derived from personal values."""
DECISION_COLUMNS: dict[str, tuple[str, pa.DataType]] = {
    "decision_id": ("id", _TEXT), "decided_at": ("at", _WHOLE), "action": ("action", _TEXT),
    "intended": ("intended", _TEXT), "risk": ("risk", _WHOLE), "level": ("level", _TEXT),
    "abuse_type": ("abuse_type", _TEXT),
}  # fmt: skip
"""NULL for events about which no decision was asked for."""


def make_event_table(batch: RecordBatch) -> pa.Table:
    """The events of a batch of journal records, for `floorwalker.store.history.History`; other records are left out.

    Columns: `sequence`, `at` (µs UTC), `type`, those of `EVENT_COLUMNS`, `IDENTITY_COLUMNS` and `DECISION_COLUMNS`,
    `coupons` (list of text) and `reasons` (codes, list of text).
    """
    rows: list[tuple[int, EventRecord]] = []
    for sequence, data in zip(batch.sequences.tolist(), batch.records(), strict=True):
        if b"event" in data[:16]:
            record = decode_record(data)
            if isinstance(record, EventRecord):
                rows.append((sequence, record))
    events = [record.event for _, record in rows]
    decisions = [record.decision for _, record in rows]
    columns: dict[str, pa.Array] = {
        "sequence": pa.array([sequence for sequence, _ in rows], _WHOLE),
        "at": pa.array([event.at for event in events], _WHOLE),
        "type": pa.array([event.type for event in events], _TEXT),
    }
    for name, (source, kind) in EVENT_COLUMNS.items():
        columns[name] = _column(events, source, kind)
    for name, kind in IDENTITY_COLUMNS.items():
        columns[name] = _column([event.identity for event in events], name, kind)
    for name, (source, kind) in DECISION_COLUMNS.items():
        columns[name] = _column(decisions, source, kind)
    columns["coupons"] = pa.array([_coupons(event) for event in events], pa.list_(_TEXT))
    reasons = [decision and [cause.code for cause in decision.causes] for decision in decisions]
    columns["reasons"] = pa.array(reasons, pa.list_(_TEXT))
    return pa.table(columns)


def _column(structs: list[Any], source: str, kind: pa.DataType) -> pa.Array:
    return pa.array([None if each is None else getattr(each, source) for each in structs], kind)


def _coupons(event: Event) -> list[str] | None:
    return list(event.coupons) or None


__all__ = ["DECISION_COLUMNS", "EVENT_COLUMNS", "IDENTITY_COLUMNS", "make_event_table"]
