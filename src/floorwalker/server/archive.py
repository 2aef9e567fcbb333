"""Questions to the ledger: what was applied, labels, and the API keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from floorwalker.errors import UsageError
from floorwalker.fusion.assessment import Cause
from floorwalker.pipeline.records import AppliedRecord, JoinedRecord
from floorwalker.server.keys import ApiKey
from floorwalker.server.replies import SuspectReply
from floorwalker.server.suspects import find_suspects
from floorwalker.store.ledger import Ledger
from floorwalker.store.ledger.tables import api_keys, applied, joined, labels


@dataclass
class Archive:
    """The ledger as the server asks it.

    Parameters
    ----------
    ledger : open.
    """

    ledger: Ledger

    def find_applied(self, decision_id: str) -> AppliedRecord | None:
        """What was done about a decision, None where nothing was reported or is not in the ledger yet."""
        query = select(applied).where(applied.c.decision_id == decision_id).order_by(applied.c.sequence).limit(1)
        row = self.ledger.read(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            return None
        note = msgspec.json.decode(row.note or "{}", type=dict[str, Any])
        return AppliedRecord(
            decision_id=decision_id,
            shop=row.shop,
            at=row.at,
            action=row.action,
            by=row.by or "",
            reason=note.get("reason", ""),
            override=row.is_override,
            late=bool(note.get("late")),
        )

    def find_joined(self, decision_ids: Sequence[str]) -> dict[str, JoinedRecord]:
        """What came later to these decisions, of those to which something came, by their ids."""
        query = select(joined).where(joined.c.decision_id.in_(decision_ids), joined.c.joined_sequence.is_not(None))
        rows: Sequence[Row[Any]] = self.ledger.read(lambda connection: connection.execute(query).all())
        return {row.decision_id: _joined_record(row) for row in rows}

    def list_joined(
        self, *, after: int, limit: int, shop: str | None = None, raised: bool = False
    ) -> tuple[list[JoinedRecord], int]:
        """Signals that came later, in the order in which they came, and the sequence through which nothing is left.

        Parameters
        ----------
        after : only those of later sequences.
        limit : at most so many.
        shop : of this one only.
        raised : only those that a person should look at.
        """
        query = select(joined).where(joined.c.joined_sequence > after).order_by(joined.c.joined_sequence).limit(limit)
        if shop is not None:
            query = query.where(joined.c.shop == shop)
        if raised:
            query = query.where(joined.c.is_raised.is_(True))

        def read(connection: Connection) -> tuple[list[JoinedRecord], int]:
            rows = connection.execute(query).all()
            through = rows[-1].joined_sequence if rows else after
            if len(rows) < limit:
                # Others' rows behind the last one need not be looked at again.
                through = connection.execute(select(func.max(joined.c.joined_sequence))).scalar() or through
            return [_joined_record(row) for row in rows], max(through, after)

        return self.ledger.read(read)

    def list_unread(self, *, after: int, since: int, limit: int) -> list[tuple[int, str]]:
        """Sequences and ids of decisions about texts that nothing came to yet, in their order.

        Parameters
        ----------
        after : only decisions of later sequences.
        since : µs UTC, only decisions made since then.
        limit : at most so many.
        """
        query = (
            select(joined.c.sequence, joined.c.decision_id)
            .where(joined.c.joined_sequence.is_(None), joined.c.sequence > after, joined.c.decided_at >= since)
            .order_by(joined.c.sequence)
            .limit(limit)
        )
        rows = self.ledger.read(lambda connection: connection.execute(query).all())
        return [(int(row.sequence), str(row.decision_id)) for row in rows]

    def list_suspects(self, *, day: int, limit: int, shop: str | None = None) -> list[SuspectReply]:
        """Who was decided about on a day, the most suspicious first; see `find_suspects`."""
        return self.ledger.read(lambda connection: find_suspects(connection, day=day, limit=limit, shop=shop))

    def find_label_shop(self, label_id: str) -> str | None:
        """The shop of a label that stands, None where there is none."""
        query = select(labels.c.shop).where(labels.c.id == label_id, labels.c.withdrawn_at.is_(None))
        return self.ledger.read(lambda connection: connection.execute(query).scalar_one_or_none())

    def list_keys(self, *, with_revoked: bool = False) -> list[ApiKey]:
        """All API keys that are not revoked, or all."""
        query = select(api_keys).order_by(api_keys.c.created_at)
        if not with_revoked:
            query = query.where(api_keys.c.revoked_at.is_(None))
        rows: Sequence[Row[Any]] = self.ledger.read(lambda connection: connection.execute(query).all())
        return [
            ApiKey(
                id=row.id,
                name=row.name,
                hash=bytes(row.secret_hash),
                scopes=frozenset(row.scopes.split(",")),
                shop=row.shop,
                created_at=row.created_at,
                expires_at=row.expires_at or 0,
                rate_per_second=int(row.requests_per_second or 0),
                revoked_at=row.revoked_at or 0,
            )
            for row in rows
        ]

    def add_key(self, key: ApiKey) -> None:
        """Keep a new key."""
        row = {
            "id": key.id,
            "shop": key.shop,
            "name": key.name,
            "secret_hash": key.hash,
            "scopes": ",".join(sorted(key.scopes)),
            "requests_per_second": key.rate_per_second or None,
            "created_at": key.created_at,
            "expires_at": key.expires_at or None,
        }
        self.ledger.write(lambda connection: connection.execute(insert(api_keys).values(row)))

    def end_key(self, identity: str, *, now: int, at: int) -> None:
        """Revoke a key now (`at` = `now`), or let it expire at `at`; an unknown id raises `UsageError`."""
        values = {"revoked_at": now} if at <= now else {"expires_at": at}

        def change(connection: Connection) -> int:
            return connection.execute(update(api_keys).where(api_keys.c.id == identity).values(values)).rowcount

        if self.ledger.write(change) == 0:
            raise UsageError(f"no API key with the id {identity!r}", fix="list them with: floorwalker keys list")


def _joined_record(row: Row[Any]) -> JoinedRecord:
    return JoinedRecord(
        decision_id=row.decision_id,
        event_id=row.event_id,
        event_type=row.event_type,
        shop=row.shop,
        decided_at=row.decided_at,
        at=row.at,
        detector=row.detector,
        version=row.version,
        abuse_type=row.abuse_type,
        score=row.score,
        signal=row.signal,
        risk=round(row.risk * 100),
        level=row.level,
        intended=row.intended,
        raised=row.is_raised,
        causes=msgspec.json.decode(row.causes_json, type=tuple[Cause, ...]),
    )
