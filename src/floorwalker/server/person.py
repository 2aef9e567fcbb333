"""Who is meant by a name that somebody types, and which records are about them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from floorwalker.errors import InputError, UsageError
from floorwalker.events.event import Event
from floorwalker.events.identity import Tokeniser, stored_value
from floorwalker.events.identity.tokens import is_token
from floorwalker.events.identity.values import names_mail
from floorwalker.events.placeholders import is_placeholder
from floorwalker.pipeline.records import (
    AppliedRecord,
    DecisionRecord,
    EventRecord,
    JoinedRecord,
    LabelRecord,
    Record,
    decode_record,
)
from floorwalker.server.installation import Installation
from floorwalker.store.journal import read_journal
from floorwalker.store.vault_people import find_people, find_tokens

ACCOUNT = "account:"
_OWN = ("em", "ph", "ac")
"""Tokens that belong to a person. Client addresses and postal ones are shared by households and carriers."""
_NAMES = ("account", "inviter", "recipient", "seller", "email", "phone")


@dataclass(frozen=True)
class Person:
    """One person, as the records know them.

    Parameters
    ----------
    typed : what was asked for.
    shop : whose records are meant.
    subjects : under which the vault keeps raw values: `account:a-17`, or a token.
    names : accounts and tokens that stand for the person alone.
    """

    typed: str
    shop: str
    subjects: tuple[str, ...]
    names: frozenset[str]

    @property
    def accounts(self) -> tuple[str, ...]:
        """Accounts of the person, as the records name them."""
        return tuple(each.removeprefix(ACCOUNT) for each in self.subjects if each.startswith(ACCOUNT))

    def owns(self, event: Event) -> bool:
        """Whether an event is the person's own, by the rule that the vault's subjects are made by."""
        if event.account is not None and not is_placeholder("account", event.account):
            return event.account in self.accounts
        return (event.email or event.phone or event.ip) in self.names

    def roles(self, event: Event) -> list[str]:
        """The fields in which an event names the person."""
        return [name for name in _NAMES if getattr(event, name) in self.names]


@dataclass
class Trace:
    """What the journal holds about a person, in its order.

    Parameters
    ----------
    own : the person's events, with the decisions about them.
    mentions : others' events that name the person.
    first : sequence with which the journal begins; -1 for an empty one.
    other_shops : events of accounts of the same name elsewhere, by shop. They are other people, with other keys.
    """

    own: list[EventRecord] = field(default_factory=list)
    again: list[DecisionRecord] = field(default_factory=list)
    mentions: list[Event] = field(default_factory=list)
    applied: list[AppliedRecord] = field(default_factory=list)
    joined: list[JoinedRecord] = field(default_factory=list)
    labels: list[LabelRecord] = field(default_factory=list)
    other_shops: dict[str, int] = field(default_factory=dict)
    first: int = -1

    @property
    def records(self) -> list[EventRecord | DecisionRecord]:
        """The person's events and what was decided about them later."""
        return [*self.own, *self.again]


def find_person(
    installation: Installation, typed: str, *, shop: str, is_all: bool, tokeniser: Tokeniser | None = None
) -> Person:
    """The person behind an e-mail address, a telephone number, an account or a token.

    An account stands for itself and for what was sent without an account under e-mail addresses and telephone numbers
    that no other account has. An e-mail address or telephone number stands for the account that has it.

    Parameters
    ----------
    installation, shop : where to look.
    typed : as somebody wrote to the shop.
    is_all : take every account that has the e-mail address or telephone number.

    Raises `InputError` for a name that is nobody's, and `UsageError` where several accounts share it.
    """
    check_installation(installation)
    tokeniser = tokeniser or Tokeniser(installation.token_key())
    text = typed.strip().removeprefix(ACCOUNT)
    if not text:
        raise UsageError("the subject is empty", allowed="an e-mail address, telephone number, account or token")
    forms = {form for kind in ("email", "phone", "account") for form in _forms(kind, text, shop, tokeniser)}
    tokens = {form for form in forms if is_token(form)}
    subjects = set(tokens) if tokens else {ACCOUNT + text}
    if tokens:
        subjects |= {ACCOUNT + token for token in tokens if token.startswith("ac")}
        holders = find_people(installation.vault, shop, sorted(tokens))
        shared = any(not token.startswith(_OWN) for token in tokens)
        accounts = sorted(subject for subject in holders if subject.startswith(ACCOUNT))
        if len(accounts) > 1 and not shared and not is_all:
            listed = ", ".join(subject.removeprefix(ACCOUNT) for subject in accounts[:10])
            raise UsageError(
                f"{len(accounts)} accounts have this e-mail address or telephone number: {listed}",
                fix="name one of them, or take them all with --all",
            )
        # A client address or a postal address is nobody's own: its token stands for what is kept under it alone.
        subjects |= set() if shared else set(accounts)
    names = {subject.removeprefix(ACCOUNT) for subject in subjects} | tokens
    for token in _own_tokens(installation.vault, shop, subjects):
        found = find_people(installation.vault, shop, [token])
        elsewhere = {each for each in found if each.startswith(ACCOUNT)} - subjects
        if not elsewhere:
            names.add(token)
            subjects |= {token} if token in found else set()
    return Person(typed, shop, tuple(sorted(subjects)), frozenset(names))


def find_trace(installation: Installation, person: Person) -> Trace:
    """Everything in the journal that is about a person, also beside a running server; one pass.

    Raises `InputError` where neither the journal nor the vault knows the person.
    """
    trace = Trace()
    pattern = re.compile(b"|".join(re.escape(name.encode()) for name in sorted(person.names)))
    tokens = [name.encode() for name in person.names if is_token(name)]
    ids = {(kind, name) for kind in _NAMES for name in person.names}
    later: list[LabelRecord | AppliedRecord | JoinedRecord] = []
    for sequence, data, record in _records(installation.journal, pattern):
        if trace.first < 0:
            trace.first = sequence
        if isinstance(record, EventRecord | DecisionRecord):
            event = record.event
            if event.shop != person.shop:
                if event.account in person.accounts:
                    trace.other_shops[event.shop] = trace.other_shops.get(event.shop, 0) + 1
            elif person.owns(event):
                ids |= _ids_of(record)
                if isinstance(record, EventRecord):
                    trace.own.append(record)
                else:
                    trace.again.append(record)
            elif person.roles(event) or any(token in data for token in tokens):
                trace.mentions.append(event)
        elif record is not None:
            later.append(record)
    withdrawn = set()
    for each in later:
        if isinstance(each, AppliedRecord):
            if ("decision", each.decision_id) in ids:
                trace.applied.append(each)
        elif isinstance(each, JoinedRecord):
            if ("decision", each.decision_id) in ids:
                trace.joined.append(each)
        elif each.label is None:
            if each.id in withdrawn:
                trace.labels.append(each)
        elif each.shop == person.shop and (each.label.subject_kind, each.label.subject) in ids:
            withdrawn.add(each.id)
            trace.labels.append(each)
    return trace


def check_installation(installation: Installation) -> None:
    """Raise `UsageError` where the folder holds no installation."""
    for path in (installation.journal, installation.vault):
        if not path.exists():
            raise UsageError(
                f"{installation.folder} holds no {path.name}", fix="give the --folder that the server was given"
            )


def nobody(person: Person) -> InputError:
    """What is raised where nothing is known of a person."""
    return InputError(
        f"nothing is kept of {person.typed!r} in the shop {person.shop!r}",
        fix="check the spelling and --shop; an account is typed as the events name it",
    )


def _forms(kind: str, text: str, shop: str, tokeniser: Tokeniser) -> list[str]:
    if kind == "email" and not names_mail(text):
        return []
    # A number without a country code is indistinguishable from an account's: only the international form is one.
    if kind == "phone" and not text.startswith("+"):
        return []
    return [form for form in stored_value(kind, text, shop, tokeniser) if kind == "account" or is_token(form)]


def _own_tokens(vault: Path, shop: str, subjects: set[str]) -> list[str]:
    return [token for token in find_tokens(vault, shop, sorted(subjects)) if token.startswith(_OWN)]


def _records(
    journal: Path, pattern: re.Pattern[bytes]
) -> Iterator[tuple[int, bytes, EventRecord | DecisionRecord | AppliedRecord | LabelRecord | JoinedRecord | None]]:
    """Records that may be about the person; of the others only the journal's first sequence is told."""
    is_first = True
    for sequence, data in read_journal(journal):
        # What people did names events and decisions, which the pattern does not know: such records are few.
        if pattern.search(data) or any(kind in data[:24] for kind in (b"applied", b"label", b"joined")):
            record: Record = decode_record(data)
            if isinstance(record, EventRecord | DecisionRecord | AppliedRecord | LabelRecord | JoinedRecord):
                yield sequence, data, record
                is_first = False
                continue
        if is_first:
            yield sequence, data, None
            is_first = False


def _ids_of(record: EventRecord | DecisionRecord) -> set[tuple[str, str]]:
    event, decision = record.event, record.decision
    found = {("event", event.id)}
    if event.order is not None:
        found.add(("order", event.order))
    if decision is not None:
        found.add(("decision", decision.id))
    return found
