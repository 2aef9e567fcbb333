"""What a server answers, as plain records; names it adds later are ignored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from floorwalker_client.errors import UnreachableError

Given = TypeVar("Given", str, int, float, bool)


@dataclass(frozen=True, slots=True)
class Reason:
    """One private cause of a decision.

    Parameters
    ----------
    code : stable, named for the pattern.
    text : for analysts.
    """

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Private:
    """The part of a decision that only the shop may read; never show any of it to the person judged.

    Parameters
    ----------
    risk : 0 to 100.
    level : `low`, `medium`, `high` or `critical`.
    calibrated : whether risks were checked against labels.
    mode : `shadow` or `enforce`.
    intended : the action that would be answered in enforce mode.
    abuse_type : of the highest risk; "" where there is none.
    reasons : the gravest first.
    raw : everything as the server sent it.
    """

    risk: int
    level: str
    calibrated: bool
    mode: str
    intended: str
    abuse_type: str
    reasons: tuple[Reason, ...]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one event.

    Parameters
    ----------
    id : under which `applied` reports what was done; "" where the server gave no decision.
    event_id : of the event.
    action : one of `floorwalker_client.ACTIONS`.
    public_reason : may be shown to the person.
    subject : whom it is valid for, once.
    expires_at : µs UTC.
    duplicate : the event had been decided before, and this is that decision.
    private : None where the server gave no decision.
    answered : False where the action comes from the failure policy.
    failure : why the server gave none, for a log; "" where it did.
    """

    id: str
    event_id: str
    action: str
    public_reason: str = ""
    subject: str = ""
    expires_at: int = 0
    duplicate: bool = False
    private: Private | None = None
    answered: bool = True
    failure: str = ""

    @property
    def allows(self) -> bool:
        """Whether the person goes on without friction."""
        return self.action in ("allow", "observe")


@dataclass(frozen=True, slots=True)
class Applied:
    """The receipt of what was done: whether it differs from the decision, and whether it came too late for it."""

    decision_id: str
    action: str
    override: bool
    late: bool


@dataclass(frozen=True, slots=True)
class EventFault:
    """One event that was not taken: its place among those given, the field, what is wrong."""

    position: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of many events; `faults` names the first thousand of a body, `rejected` counts them all."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    faults: tuple[EventFault, ...] = ()

    def plus(self, other: Receipt) -> Receipt:
        """Both together."""
        return Receipt(
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.rejected + other.rejected,
            self.faults + other.faults,
        )


@dataclass(frozen=True, slots=True)
class LabelReceipt:
    """Under which id a label can be taken back; None where a reason code is evidence of no abuse."""

    label_id: str | None
    abuse_type: str | None


def read_decision(given: Mapping[str, Any]) -> Decision:
    """A decision out of the server's JSON; `UnreachableError` where it is none."""
    private = _get(given, "private", dict)
    return Decision(
        id=_get(given, "decision_id", str),
        event_id=_get(given, "event_id", str),
        action=_get(given, "action", str),
        public_reason=_get(given, "public_reason", str, ""),
        subject=_get(given, "subject", str, ""),
        expires_at=_get(given, "expires_at", int, 0),
        duplicate=_get(given, "duplicate", bool, False),
        private=Private(
            risk=_get(private, "risk", int),
            level=_get(private, "level", str),
            calibrated=_get(private, "calibrated", bool, False),
            mode=_get(private, "mode", str, ""),
            intended=_get(private, "intended", str),
            abuse_type=_get(private, "abuse_type", str, ""),
            reasons=tuple(
                Reason(str(reason.get("code", "")), str(reason.get("text", "")))
                for reason in private.get("reasons", ())
                if isinstance(reason, dict)
            ),
            raw=private,
        ),
    )


def read_applied(given: Mapping[str, Any]) -> Applied:
    """The receipt of `applied`."""
    return Applied(
        _get(given, "decision_id", str), _get(given, "action", str), _get(given, "override", bool),
        _get(given, "late", bool),
    )  # fmt: skip


def read_receipt(given: Mapping[str, Any], offset: int) -> Receipt:
    """The receipt of a body of events whose first has this place among all that were given."""
    return Receipt(
        _get(given, "accepted", int),
        _get(given, "duplicates", int),
        _get(given, "rejected", int),
        tuple(
            EventFault(offset + _get(fault, "position", int), _get(fault, "field", str), _get(fault, "message", str))
            for fault in given.get("faults", ())
        ),
    )


def read_label(given: Mapping[str, Any]) -> LabelReceipt:
    """The receipt of a label."""
    return LabelReceipt(given.get("label_id"), given.get("abuse_type"))


_MISSING = object()


def _get(given: Mapping[str, Any], name: str, kind: type[Any], otherwise: Any = _MISSING) -> Any:
    value = given.get(name, otherwise)
    if value is otherwise and otherwise is not _MISSING:
        return otherwise
    if not isinstance(value, kind):
        raise UnreachableError(f"the answer is not a Floorwalker server's: {name} is missing or of another kind")
    return value
