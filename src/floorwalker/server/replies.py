"""What the API answers with: the wire form of decisions, receipts and lists."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from floorwalker.fusion.assessment import Cause
from floorwalker.policy.decision import Decision


class PrivatePart(msgspec.Struct, frozen=True, kw_only=True):
    """What only the shop may read: whoever is judged must never see it, or he learns what to avoid next time.

    Parameters
    ----------
    risk : 0 to 100; no probability while `calibrated` is false.
    intended : what would be answered in enforce mode.
    suspicion : 0 to 1, how suspicious the event makes whoever did it, for the order in which people look at accounts.
    """

    risk: int
    level: str
    calibrated: bool
    mode: str
    intended: str
    abuse_type: str
    risks: dict[str, float]
    reasons: tuple[Cause, ...]
    degraded: tuple[str, ...]
    policy_version: str
    versions: dict[str, str]
    propensity: float
    suspicion: float = 0.0


class DecisionReply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `POST /v1/decisions`.

    Parameters
    ----------
    decision_id : for `applied` and for looking the decision up.
    action : what to do; `allow` in shadow mode, whatever was found.
    public_reason : may be shown to the person.
    subject : whom the decision is valid for, once, until `expires_at` (µs UTC).
    duplicate : the event had been decided before, and this is that decision.
    private : for the shop's own eyes.
    """

    decision_id: str
    event_id: str
    action: str
    public_reason: str
    subject: str
    expires_at: int
    duplicate: bool
    private: PrivatePart


class FaultReply(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a body that was not taken: its place from 0, the field, what is wrong."""

    position: int
    field: str
    message: str


class EventsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `POST /v1/events`: every event is accepted, a duplicate, or named among the faults."""

    accepted: int
    duplicates: int
    rejected: int
    faults: tuple[FaultReply, ...]


class AppliedBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the shop really did about a decision.

    Parameters
    ----------
    action : one of the actions.
    by : `policy`, or the person who overrode the decision.
    reason : why it was overridden.
    """

    action: str
    by: str = "policy"
    reason: str = ""


class AppliedReply(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt: whether it differs from the decision, and whether the decision had expired."""

    decision_id: str
    action: str
    override: bool
    late: bool


class LabelBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that turned out to be true.

    Parameters
    ----------
    subject_kind : `event`, `decision`, `order`, `dispute`, or a kind of entity as `account`.
    subject : which one, in the form in which events hold it.
    source : who says so, as `chargeback`, `analyst`, `customer`.
    shop : the default shop where left out.
    abuse_type : what it was; may be left out where `scheme` and `reason_code` say it.
    value : 1 abuse, 0 honest; between them, how sure.
    disposition : `confirmed` or `suspected`.
    scheme, reason_code : of a card scheme's dispute.
    observed_at : µs UTC; 0 = now.
    matures_at : µs UTC, when it counts; 0 = at once.
    weight : how much it counts against others, 0 to 1.
    """

    subject_kind: str
    subject: str
    source: str
    shop: str = "default"
    abuse_type: str = ""
    value: float = 1.0
    disposition: Literal["confirmed", "suspected"] = "confirmed"
    scheme: str = ""
    reason_code: str = ""
    observed_at: int = 0
    matures_at: int = 0
    weight: float = 1.0


class LabelReply(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt of a label; `label_id` is null where a reason code is evidence of no abuse, and nothing was kept."""

    label_id: str | None
    abuse_type: str | None


class ListBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry for a list.

    Parameters
    ----------
    entity : kind of entity, as `account` or `ip_network`.
    value : who; of a personal value its token is kept.
    reason : why; analysts will ask.
    author : who put it there.
    shop : the default shop where left out.
    expires_at : µs UTC; 0 = never.
    """

    entity: str
    value: str
    reason: str
    author: str
    shop: str = "default"
    expires_at: int = 0


class ListEntryReply(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a list."""

    list: str
    shop: str
    entity: str
    value: str
    reason: str
    author: str
    created_at: int
    expires_at: int


class RulesReply(msgspec.Struct, frozen=True, kw_only=True):
    """The rules that decide now.

    Parameters
    ----------
    version : as decisions carry it.
    rules : how many.
    since : µs UTC, when they began to decide.
    seconds : how long reading, checking and exchanging them took.
    """

    version: str
    rules: int
    since: int
    seconds: float


class SuspectReply(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom decisions of a day were about.

    Parameters
    ----------
    subject : as decisions name it, e.g. `account:a-17`.
    suspicion : of the most suspicious decision, or what is left of one of earlier days, or of one about the same order;
        above 0, at most 1.
    risk : 0 to 100, the highest of that day's decisions.
    abuse_type : of the decision with that risk, "" where there is none.
    events : decisions of that day about this subject.
    decision_id : of the decision that the suspicion comes from, on that day or before.
    """

    shop: str
    subject: str
    suspicion: float
    risk: int
    abuse_type: str
    events: int
    decision_id: str


class SuspectsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to look at, the most suspicious first.

    Parameters
    ----------
    day : as YYYY-MM-DD, UTC.
    """

    day: str
    items: tuple[SuspectReply, ...]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows, and the cursor of the next page; null where there is none."""

    items: list[Any]
    next_cursor: str | None


def make_reply(decision: Decision, *, duplicate: bool) -> DecisionReply:
    """The wire form of a decision."""
    return DecisionReply(
        decision_id=decision.id,
        event_id=decision.event_id,
        action=decision.action,
        public_reason=decision.public_reason,
        subject=decision.subject,
        expires_at=decision.expires_at,
        duplicate=duplicate,
        private=PrivatePart(
            risk=decision.risk,
            level=decision.level,
            calibrated=decision.calibrated,
            mode=decision.mode,
            intended=decision.intended,
            abuse_type=decision.abuse_type,
            risks=decision.risks,
            reasons=decision.causes,
            degraded=decision.degraded,
            policy_version=decision.policy_version,
            versions=decision.versions,
            propensity=decision.propensity,
            suspicion=decision.suspicion,
        ),
    )
