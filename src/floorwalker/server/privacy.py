"""A person's data: everything that is kept of them in one document, and forgetting who they were."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, or_, select

from floorwalker.events.identity import Tokeniser
from floorwalker.events.identity.tokens import is_token
from floorwalker.server.installation import Installation
from floorwalker.server.person import ACCOUNT, Person, Trace, check_installation, find_person, find_trace, nobody
from floorwalker.server.privacy_audit import ERASED, ERASING, EXPORTED, note_access
from floorwalker.server.vaults import open_vault
from floorwalker.store.errors import StoreError
from floorwalker.store.ledger import Ledger
from floorwalker.store.ledger.tables import audit, decisions, labels, lists
from floorwalker.store.vault_people import drop_values, find_in_files, read_wrapped_keys

Clock = Callable[[], int]
QUEUE_SECONDS = 1.0
"""A running server puts values into the vault within a fifth of a second; twice that, and more, is waited."""
_TRIES = 3
_AT_ONCE = 400


def export_person(
    installation: Installation, typed: str, *, shop: str, is_all: bool, ledger: Ledger, clock: Clock, actor: str = ""
) -> dict[str, Any]:
    """Everything that is kept of a person; also beside a running server.

    Parameters
    ----------
    installation, shop : where to look.
    typed : an e-mail address, telephone number, account or token.
    is_all : take every account that has the e-mail address or telephone number.
    ledger : of the installation.
    clock : µs UTC.
    actor : who wants it, for the audit.

    Returns
    -------
    `values` (raw, by field, with the days on which they were first and last seen), `events`, `decisions`, `applied`,
    `joined`, `labels`, `mentions` (other people's events that name this person: id, type, time and the field only), and
    from the ledger `lists`, `audit` and `older` (rows that are older than the journal).

    Raises `InputError` for somebody of whom nothing is kept, `UsageError` where several accounts are meant.
    """
    check_installation(installation)
    with open_vault(installation, clock=clock) as vault:
        person = find_person(installation, typed, shop=shop, is_all=is_all)
        trace = find_trace(installation, person)
        rows = _ledger_rows(ledger, person, trace)
        note_access(ledger, _as_recorded(installation, person, trace, rows), EXPORTED, actor=actor, at=clock())
        kept = [(subject, value) for subject in person.subjects for value in vault.export(shop, subject)]
    if not (
        kept
        or trace.own
        or trace.again
        or trace.mentions
        or rows["lists"]
        or rows["audit"]
        or any(rows["older"].values())
    ):
        raise nobody(person)
    return {
        "subject": typed,
        "shop": shop,
        "known_as": {
            "accounts": _accounts_of(person, trace, {subject for subject, _ in kept}),
            "tokens": sorted(filter(is_token, person.names - set(person.accounts))),
        },
        "values": [
            {
                "field": value.field, "raw": value.raw, "token": value.token, "kept_under": subject,
                "first_seen": _text(value.first_seen), "last_seen": _text(value.last_seen),
            }
            for subject, value in kept
        ],
        "events": [msgspec.to_builtins(record.event) for record in trace.own],
        "decisions": [
            msgspec.to_builtins(record.decision)
            for record in trace.records if record.decision is not None
        ],
        "applied": [msgspec.to_builtins(record) for record in trace.applied],
        "joined": [msgspec.to_builtins(record) for record in trace.joined],
        "labels": [msgspec.to_builtins(record) for record in trace.labels],
        "mentions": [
            {"id": event.id, "type": event.type, "at": event.at, "as": person.roles(event) or ["text"]}
            for event in trace.mentions
        ],
        **rows,
        "other_shops": trace.other_shops,
    }  # fmt: skip


def plan_erasure(
    installation: Installation, typed: str, *, shop: str, is_all: bool, clock: Clock
) -> tuple[Person, dict[str, Any]]:
    """Whom an erasure would concern and what would remain of them; changes nothing but an old vault's form.

    Raises `InputError` for somebody of whom nothing is kept, `UsageError` where several people are meant.
    """
    check_installation(installation)
    open_vault(installation, clock=clock).close()
    person = find_person(installation, typed, shop=shop, is_all=is_all)
    trace = find_trace(installation, person)
    keys = read_wrapped_keys(installation.vault, shop, person.subjects)
    if not (keys or trace.own or trace.again or trace.mentions):
        raise nobody(person)
    decided = sum(record.decision is not None for record in trace.records)
    return person, {
        "subject": typed,
        "shop": shop,
        "accounts": list(person.accounts),
        "keys": len(keys),
        "other_shops": trace.other_shops,
        "remains": {
            "tokens": len(_tokens_of(trace)), "events": len(trace.own), "decisions": decided,
            "labels": len(trace.labels), "mentions": len(trace.mentions),
        },
    }  # fmt: skip


def erase_person(
    installation: Installation,
    person: Person,
    *,
    clock: Clock,
    ledger: Ledger,
    actor: str = "",
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Drop the keys of a person and check that their bytes have left the vault's files; returns the values erased.

    A running server may hold raw values that came before the erasure and are not in the vault yet. So it is done twice,
    with a pause between. What the person sends afterwards is kept under a new key, as a new person's.

    Raises `StoreError` where the old keys are still found in a file, as while another process reads the vault.
    """
    note_access(ledger, person, ERASING, actor=actor, at=clock())
    wrapped = read_wrapped_keys(installation.vault, person.shop, person.subjects)
    erased = _erase(installation, person, clock)
    pause(QUEUE_SECONDS)
    wrapped += read_wrapped_keys(installation.vault, person.shop, person.subjects)
    erased += _erase(installation, person, clock)
    for _ in range(_TRIES):
        left = find_in_files(installation.vault, wrapped) if wrapped else []
        if not left:
            note_access(ledger, person, ERASED, actor=actor, at=clock(), values=erased)
            return erased
        pause(0.25)
        # Erasing nobody once more empties the write-ahead log, which a reader held before.
        _erase(installation, person, clock)
    raise StoreError(
        f"the values are deleted, but the old key still stands in {', '.join(path.name for path in left)}",
        fix="end whatever else reads the vault and erase once more",
    )


def _erase(installation: Installation, person: Person, clock: Clock) -> int:
    with open_vault(installation, clock=clock) as vault:
        # Somebody else's text may hold this person's address: that value lies under the other one's key.
        elsewhere = drop_values(installation.vault, person.shop, sorted(filter(is_token, person.names)))
        return elsewhere + sum(vault.erase(person.shop, subject) for subject in person.subjects)


def _accounts_of(person: Person, trace: Trace, kept: set[str]) -> list[str]:
    """Those accounts of a person that occur: an e-mail address might name one, and mostly does not."""
    seen = {record.event.account for record in trace.records}
    return [name for name in person.accounts if name in seen or ACCOUNT + name in kept]


def _as_recorded(installation: Installation, person: Person, trace: Trace, rows: dict[str, Any]) -> Person:
    """The person with a token in the place of each account that occurs nowhere: somebody may have typed anything."""
    seen = {record.event.account for record in trace.records}
    seen |= {getattr(event, role) for event in trace.mentions for role in person.roles(event)}
    seen |= {record.label.subject for record in trace.labels if record.label is not None}
    seen |= {row["value"] for row in rows["lists"]} | {row["object"] for row in rows["audit"]}
    seen |= {row["subject"].removeprefix(ACCOUNT) for table in rows["older"].values() for row in table}
    unseen = [
        name for name in person.accounts
        if not (is_token(name) or name in seen or read_wrapped_keys(installation.vault, person.shop, [ACCOUNT + name]))
    ]  # fmt: skip
    if not unseen:
        return person
    tokeniser = Tokeniser(installation.token_key())
    tokens = {name: tokeniser.token("account", person.shop, name) for name in unseen}
    tokens |= {ACCOUNT + name: ACCOUNT + token for name, token in tokens.items()}
    subjects = tuple(tokens.get(subject, subject) for subject in person.subjects)
    return replace(person, subjects=subjects, names=frozenset(tokens.get(name, name) for name in person.names))


def _tokens_of(trace: Trace) -> set[str]:
    """Every token in the person's own events."""
    found: set[str] = set()
    for record in trace.records:
        _collect_tokens(msgspec.to_builtins(record.event), found)
    return found


def _collect_tokens(value: Any, found: set[str]) -> None:
    if isinstance(value, str):
        found |= {word for word in _words(value) if is_token(word)}
    elif isinstance(value, dict):
        for inner in value.values():
            _collect_tokens(inner, found)
    elif isinstance(value, list | tuple):
        for inner in value:
            _collect_tokens(inner, found)


def _words(text: str) -> list[str]:
    # Tokens are letters, digits and one underscore; in a text they stand between other things.
    return "".join(sign if sign.isalnum() or sign == "_" else " " for sign in text).split()


def _ledger_rows(ledger: Ledger, person: Person, trace: Trace) -> dict[str, Any]:
    names = sorted(person.names)
    subjects = [f"{kind}:{name}" for name in names for kind in ("account", "email", "phone")]
    about = [*names, *(record.id for record in trace.labels)]
    older = {
        "decisions": (decisions, decisions.c.subject, subjects),
        "labels": (labels, labels.c.subject, names),
    }

    def read(connection: Connection) -> dict[str, Any]:
        return {
            "lists": _select(connection, lists, lists.c.value, names, person.shop),
            "audit": _select(connection, audit, audit.c.object, about, person.shop),
            "older": {
                name: [row for row in _select(connection, *where, person.shop) if row["sequence"] < trace.first]
                for name, where in older.items()
            },
        }

    return ledger.read(read)


def _select(
    connection: Connection, table: Table, column: Any, values: Sequence[str], shop: str
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for start in range(0, len(values), _AT_ONCE):
        query = (
            select(table)
            .where(column.in_(values[start : start + _AT_ONCE]), or_(table.c.shop == shop, table.c.shop == ""))
            .order_by(table.c.sequence)
        )
        rows += [
            {name: value for name, value in row.items() if not isinstance(value, bytes)}
            for row in connection.execute(query).mappings()
        ]
    return rows


def _text(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1e6, UTC).isoformat(timespec="seconds")
