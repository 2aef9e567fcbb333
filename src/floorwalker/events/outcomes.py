"""What the world later did, and the labels that are made of it.

A label says of one subject whether it took part in one kind of abuse. It carries who says so, when it was observed and
when it counts: the absence of a chargeback proves nothing until the time for chargebacks is over.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

import msgspec

from floorwalker.errors import InputError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.entities import ENTITIES
from floorwalker.events.faults import FieldError
from floorwalker.registry import nearest_name

DAY = 86_400_000_000
"""Microseconds."""

OUTCOMES = MappingProxyType(
    {
        "chargeback": "the bank took the money back",
        "dispute_won": "the shop's answer to a chargeback was accepted",
        "refund": "the shop gave the money back",
        "verdict": "an analyst decided",
        "customer_report": "a customer said: that was not me",
        "challenge_passed": "the client or the person gave the proof that was asked for",
        "challenge_failed": "they did not",
        "decoy_hit": "something that only an abuser touches was touched",
        "time_passed": "nothing happened until the time for complaints was over",
    }
)
"""What can come after a decision, each in one line."""

SOURCES = MappingProxyType(
    {
        "chargeback": 120 * DAY,
        "issuer_alert": 0,
        "analyst": 0,
        "customer": 0,
        "rule": 0,
        "decoy": 0,
        "challenge": 0,
        "import": 0,
        "time": 0,
    }
)
"""Who says so -> microseconds after the event until the *absence* of such a label may be read as "good".

Card schemes let a cardholder complain for 120 days after the purchase or the expected delivery.
"""

SUBJECTS: tuple[str, ...] = ("event", "decision", "order", "dispute", *ENTITIES)
"""Kinds of thing that a label may speak of."""


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One statement about the truth.

    Parameters
    ----------
    shop : whose.
    subject_kind : one of `SUBJECTS`.
    subject : its id, name or token.
    abuse_type : one of `floorwalker.events.abuse.ABUSE_TYPES`.
    value : the share of abuse in it, 0 to 1: 1 is abuse, 0 is honest.
    source : one of `SOURCES`.
    disposition : `confirmed`, `suspected`, or `withdrawn`, which takes an earlier label of the same source back.
    observed_at : when it became known, microseconds since 1970-01-01 UTC.
    matures_at : from when it counts; never before `observed_at`.
    weight : how much it counts against others, 0 to 1.
    reason : a code out of the source's own vocabulary, `visa:10.4`.
    author : who entered it.

    >>> label = Label(subject_kind="order", subject="o-1", abuse_type="payment_fraud", value=1.0, source="chargeback",
    ...               observed_at=5, matures_at=5)
    >>> label.disposition
    'confirmed'
    """

    shop: str = "default"
    subject_kind: str
    subject: str
    abuse_type: str
    value: float
    source: str
    disposition: Literal["confirmed", "suspected", "withdrawn"] = "confirmed"
    observed_at: int
    matures_at: int
    weight: float = 1.0
    reason: str = ""
    author: str = ""

    def __post_init__(self) -> None:
        for name, known in (("subject_kind", SUBJECTS), ("abuse_type", ABUSE_TYPES), ("source", tuple(SOURCES))):
            _check_member(name, getattr(self, name), known)
        if not 1 <= len(self.subject) <= 256:
            raise FieldError("subject", "empty or too long", allowed="1 to 256 characters")
        for name in ("value", "weight"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise FieldError(name, f"it is {getattr(self, name)}", allowed="0 to 1")
        if self.observed_at < 0 or self.matures_at < self.observed_at:
            raise FieldError("matures_at", "it lies before observed_at", allowed="observed_at <= matures_at")

    def is_mature(self, now: int) -> bool:
        """Whether it counts at this time, in microseconds since 1970-01-01 UTC."""
        return now >= self.matures_at


def _check_member(field: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        close = nearest_name(given, list(known))
        raise FieldError(
            field, f"unknown value {given!r}", allowed=", ".join(known), fix=f"did you mean {close!r}?" if close else ""
        )


def read_label(body: bytes) -> Label:
    """A label out of its JSON text; `InputError` names the field at fault."""
    try:
        return msgspec.json.decode(body, type=Label)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from None
        from floorwalker.events._strict import explain

        raise explain(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FieldError("body", "not JSON", allowed="one JSON object in UTF-8") from error
