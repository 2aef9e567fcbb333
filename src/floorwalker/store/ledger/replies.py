"""First replies by idempotency key: the same request again gets the same answer, for as long as it is kept."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from floorwalker.store.ledger.tables import replies


@dataclass(frozen=True)
class StoredReply:
    """What was answered first.

    Parameters
    ----------
    body_hash : of the request's body; another body under the same key is a conflict.
    status, reply : HTTP status and body of the answer.
    """

    body_hash: bytes
    status: int
    reply: bytes


def find_reply(connection: Connection, key: str, *, now: int) -> StoredReply | None:
    """The reply kept under this key, or None where there is none or its time is over.

    Parameters
    ----------
    key : begins with the shop and the caller, so that keys of two callers never meet.
    now : µs UTC.
    """
    columns = (replies.c.body_hash, replies.c.status, replies.c.reply)
    row = connection.execute(select(*columns).where(replies.c.key == key, replies.c.expires_at > now)).one_or_none()
    return None if row is None else StoredReply(bytes(row.body_hash), row.status, bytes(row.reply))


def forget_expired(connection: Connection, *, now: int) -> int:
    """Delete replies whose time is over; returns their number."""
    return connection.execute(delete(replies).where(replies.c.expires_at <= now)).rowcount
