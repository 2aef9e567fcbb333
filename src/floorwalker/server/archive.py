"""Questions to the ledger: what was applied, labels, and the API keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from floorwalker.errors import UsageError
from floorwalker.pipeline.records import AppliedRecord
from floorwalker.server.keys import ApiKey
from floorwalker.store.ledger import Ledger
from floorwalker.store.ledger.tables import api_keys, applied, labels


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
