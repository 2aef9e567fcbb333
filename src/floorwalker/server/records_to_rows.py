"""The ledger's rows, made of journal records."""

from __future__ import annotations

import json

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Table, delete, update

from floorwalker.detectors.content.read_types import READ_TYPES
from floorwalker.events.bulk import RECORD_HEAD
from floorwalker.pipeline.records import (
    AppliedRecord,
    JoinedRecord,
    LabelRecord,
    ListRecord,
    ModelRecord,
    ProvenRecord,
    ReplyRecord,
    RulesRecord,
)
from floorwalker.policy.decision import Decision
from floorwalker.store.journal import RecordBatch
from floorwalker.store.ledger import put
from floorwalker.store.ledger.database import Row, pause_of
from floorwalker.store.ledger.tables import applied, audit, decisions, joined, labels, lists


class _LeanEvent(msgspec.Struct, frozen=True):
    """What a ledger row needs of an event; the rest of the record is passed over unread."""

    id: str
    type: str
    at: int
    order: str | None = None
    text: str | None = None


class _LeanRecord(msgspec.Struct, frozen=True, tag="event"):
    event: _LeanEvent
    decision: Decision | None = None


class _LeanDecision(msgspec.Struct, frozen=True, tag="decision"):
    event: _LeanEvent
    decision: Decision


_Known = (
    _LeanRecord
    | _LeanDecision
    | AppliedRecord
    | JoinedRecord
    | LabelRecord
    | ListRecord
    | ModelRecord
    | ProvenRecord
    | ReplyRecord
    | RulesRecord
)
_decoder = msgspec.msgpack.Decoder(_Known)
_RECORDS_A_TURN = 4
_SAID_LATER = (
    "joined_sequence", "at", "detector", "version", "abuse_type", "score", "signal", "risk", "level", "intended",
    "is_raised", "causes_json",
)  # fmt: skip
"""Columns of a joined row that are NULL until the text was read."""


def write_rows(connection: Connection, batch: RecordBatch) -> None:
    """Bring a batch of records into the tables of one transaction; doing it again changes nothing."""
    rows: dict[Table, list[Row]] = {}
    chosen = ~_are_told(batch)
    batch = RecordBatch(batch.sequences[chosen], batch.data, batch.starts[chosen], batch.stops[chosen])
    pause = pause_of(connection)
    for place, (sequence, data) in enumerate(zip(batch.sequences.tolist(), batch.records(), strict=True)):
        if pause is not None and place % _RECORDS_A_TURN == 0:
            pause()
        record = _decoder.decode(data)
        if isinstance(record, _LeanRecord | _LeanDecision):
            if record.decision is not None:
                rows.setdefault(decisions, []).append(_decision_row(sequence, record.event, record.decision))
                if record.event.text and record.event.type in READ_TYPES:
                    rows.setdefault(joined, []).append(_waiting_row(sequence, record.event, record.decision))
        elif isinstance(record, JoinedRecord):
            rows.setdefault(joined, []).append(_joined_row(sequence, record))
        elif isinstance(record, AppliedRecord):
            rows.setdefault(applied, []).append(_applied_row(sequence, record))
        elif isinstance(record, ModelRecord):
            detail: dict[str, object] = {"version": record.version}
            row = _audit_row(sequence, "", record.at, "floorwalker", "model.adopted", record.detector, detail)
            rows.setdefault(audit, []).append(row)
        elif isinstance(record, RulesRecord):
            detail = {"previous": record.previous, "rules": record.rules}
            row = _audit_row(sequence, "", record.at, record.by, "rules.adopted", record.version, detail)
            rows.setdefault(audit, []).append(row)
        elif isinstance(record, ProvenRecord):
            detail = {"types": record.types}
            row = _audit_row(sequence, "", record.at, "floorwalker", "calibration.changed", "calibrated", detail)
            rows.setdefault(audit, []).append(row)
        elif not isinstance(record, ReplyRecord):
            # Later statements may undo earlier ones, so what came before is written first.
            _flush(connection, rows)
            if isinstance(record, LabelRecord):
                _write_label(connection, sequence, record)
            else:
                _write_list(connection, sequence, record)
    _flush(connection, rows)


def _are_told(batch: RecordBatch) -> NDArray[np.bool_]:
    """bool [n]: the records of events without a decision, by their first bytes; nearly all are, and make no row."""
    head = np.frombuffer(RECORD_HEAD, np.uint8)
    are_told = batch.stops - batch.starts > len(head)
    first = batch.data[batch.starts[are_told, None] + np.arange(len(head))]
    are_told[are_told] = (first == head).all(axis=1)
    return are_told


def _flush(connection: Connection, rows: dict[Table, list[Row]]) -> None:
    for table, each in rows.items():
        put(connection, table, each)
    rows.clear()


def _decision_row(sequence: int, event: _LeanEvent, decision: Decision) -> Row:
    return {
        "id": decision.id,
        "sequence": sequence,
        "shop": decision.shop,
        "event_id": event.id[:200],
        "event_type": event.type,
        "subject": decision.subject[:200] or None,
        "at": event.at,
        "decided_at": decision.at,
        "action": decision.intended,
        "mode": decision.mode,
        "abuse_type": decision.abuse_type or None,
        "risk": decision.risk / 100,
        "level": decision.level,
        "policy_version": decision.policy_version,
        "reasons_json": json.dumps([cause.code for cause in decision.causes]),
        "body": None,
        "order_id": event.order[:200] if event.order else None,
        "risks_json": json.dumps(decision.risks),
        "scored_by": decision.versions.get("fusion", "")[:64],
        "suspicion": decision.suspicion or None,
    }


def _waiting_row(sequence: int, event: _LeanEvent, decision: Decision) -> Row:
    return {
        "decision_id": decision.id,
        "sequence": sequence,
        "shop": decision.shop,
        "event_id": event.id[:200],
        "event_type": event.type,
        "decided_at": decision.at,
        **dict.fromkeys(_SAID_LATER),
    }


def _joined_row(sequence: int, record: JoinedRecord) -> Row:
    said = {
        "joined_sequence": sequence,
        "at": record.at,
        "detector": record.detector[:64],
        "version": record.version[:64],
        "abuse_type": record.abuse_type,
        "score": record.score,
        "signal": record.signal,
        "risk": record.risk / 100,
        "level": record.level,
        "intended": record.intended,
        "is_raised": record.raised,
        "causes_json": msgspec.json.encode(record.causes).decode(),
    }
    assert said.keys() == set(_SAID_LATER)
    return {
        "decision_id": record.decision_id,
        "sequence": int(record.decision_id.split("_")[1], 16),
        "shop": record.shop,
        "event_id": record.event_id[:200],
        "event_type": record.event_type,
        "decided_at": record.decided_at,
        **said,
    }


def _applied_row(sequence: int, record: AppliedRecord) -> Row:
    return {
        "sequence": sequence,
        "decision_id": record.decision_id,
        "shop": record.shop,
        "action": record.action,
        "by": record.by[:200],
        "is_override": record.override,
        "at": record.at,
        "note": msgspec.json.encode({"reason": record.reason, "late": record.late}).decode(),
    }


def _audit_row(
    sequence: int, shop: str, at: int, actor: str, action: str, subject: str, detail: dict[str, object]
) -> Row:
    return {
        "sequence": sequence,
        "shop": shop,
        "at": at,
        "actor": actor[:200],
        "action": action,
        "object": subject[:200],
        "detail_json": json.dumps(detail),
    }


def _write_label(connection: Connection, sequence: int, record: LabelRecord) -> None:
    label = record.label
    if label is None:
        connection.execute(update(labels).where(labels.c.id == record.id).values(withdrawn_at=record.at))
        action, detail = "label.withdrawn", {}
    else:
        row = {
            "id": record.id,
            "sequence": sequence,
            "shop": record.shop,
            "subject_type": label.subject_kind,
            "subject": label.subject[:200],
            "abuse_type": label.abuse_type,
            "value": label.value,
            "source": label.source,
            "disposition": label.disposition,
            "observed_at": label.observed_at,
            "matures_at": label.matures_at,
            "weight": label.weight,
            "by": record.author[:200],
        }
        put(connection, labels, [row])
        action, detail = "label.added", {"abuse_type": label.abuse_type, "source": label.source}
    put(
        connection,
        audit,
        [_audit_row(sequence, record.shop, record.at, record.author, action, record.id, dict(detail))],
    )


def _write_list(connection: Connection, sequence: int, record: ListRecord) -> None:
    entry = record.entry
    if record.removed:
        connection.execute(
            delete(lists).where(
                lists.c.shop == entry.shop,
                lists.c.list == entry.list,
                lists.c.entity == entry.entity,
                lists.c.value == entry.value,
            )
        )
    else:
        row = {
            "shop": entry.shop,
            "list": entry.list,
            "entity": entry.entity,
            "value": entry.value,
            "sequence": sequence,
            "author": entry.author,
            "reason": entry.reason,
            "added_at": entry.created_at,
            "expires_at": entry.expires_at or None,
        }
        put(connection, lists, [row])
    detail: dict[str, object] = {"list": entry.list, "entity": entry.entity, "reason": entry.reason}
    action = "list.removed" if record.removed else "list.added"
    put(connection, audit, [_audit_row(sequence, entry.shop, record.at, record.author, action, entry.value, detail)])
