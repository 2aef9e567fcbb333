"""Who asked for whose data: a row for every export and erasure, of tokens and never of what was typed."""

from __future__ import annotations

import json
import secrets
from typing import Any

from sqlalchemy import insert

from floorwalker.server.person import Person
from floorwalker.store.ledger import Ledger
from floorwalker.store.ledger.tables import personal_audit

EXPORTED, ERASING, ERASED = "personal.exported", "personal.erasing", "personal.erased"


def note_access(ledger: Ledger, person: Person, action: str, *, actor: str, at: int, **detail: Any) -> None:
    """Write down an access to a person's data; on the disk when this returns.

    Parameters
    ----------
    person : whose, by names that the records hold, or tokens; what was typed is not kept.
    action : one of `EXPORTED`, `ERASING`, `ERASED`.
    actor : who did it.
    at : µs UTC.
    detail : figures.
    """
    row = {
        "id": secrets.token_hex(16), "shop": person.shop, "at": at, "actor": actor[:200], "action": action,
        "subjects_json": json.dumps(sorted({*person.subjects, *person.names})), "detail_json": json.dumps(detail),
    }  # fmt: skip
    ledger.write(lambda connection: connection.execute(insert(personal_audit).values(row)))
