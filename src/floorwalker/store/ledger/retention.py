"""How long rows stay in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sqlalchemy import Column, Connection, Delete, delete

from floorwalker.errors import UsageError
from floorwalker.store.ledger.database import Ledger
from floorwalker.store.ledger.tables import applied, audit, decisions, joined, labels, lists, replies, timeline

AGE_COLUMNS: dict[str, Column[int]] = {
    "decisions": decisions.c.decided_at,
    "joined": joined.c.decided_at,
    "applied": applied.c.at,
    "labels": labels.c.observed_at,
    "audit": audit.c.at,
    "timeline": timeline.c.at,
    "lists": lists.c.expires_at,
    "replies": replies.c.expires_at,
}
"""The column by which a table's rows grow old; list entries and replies count from their expiry."""


def sweep_ledger(ledger: Ledger, keep: Mapping[str, int], *, now: int) -> dict[str, int]:
    """Delete rows that are too old, one transaction a table; returns the number for each.

    Parameters
    ----------
    ledger : open.
    keep : µs for which the rows of each table are kept; tables not named are kept whole.
    now : µs UTC.
    """
    unknown = sorted(keep.keys() - AGE_COLUMNS.keys())
    if unknown:
        raise UsageError(f"no such tables to sweep: {', '.join(unknown)}", allowed=", ".join(AGE_COLUMNS))
    removed = {}
    for name, kept in keep.items():
        column = AGE_COLUMNS[name]
        statement = delete(column.table).where(column < now - kept)
        removed[name] = ledger.write(partial(_count, statement=statement))
    return removed


def _count(connection: Connection, statement: Delete) -> int:
    return connection.execute(statement).rowcount
