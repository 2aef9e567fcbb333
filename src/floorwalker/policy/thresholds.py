"""The first policy: each abuse type has a ladder of actions, and the risk says how far up it goes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from floorwalker.errors import UsageError
from floorwalker.events.abuse import ABUSE_TYPES, ACTIONS
from floorwalker.events.reply import PUBLIC_REASONS
from floorwalker.fusion.assessment import Assessment, Cause
from floorwalker.policy.decision import NOT_SUSPECTED, Decision, level_of
from floorwalker.registry import nearest_name

Ladder = tuple[tuple[float, str], ...]
"""(least risk, action) in rising order; below the first the action is `allow`."""

LADDERS: Mapping[str, Ladder] = {
    "account_takeover": ((0.3, "observe"), (0.6, "step_up"), (0.9, "terminate_session")),
    "fake_account": ((0.3, "observe"), (0.5, "challenge"), (0.7, "limit"), (0.9, "review")),
    "promotion_abuse": ((0.3, "observe"), (0.5, "challenge"), (0.7, "limit"), (0.9, "block")),
    "payment_fraud": ((0.3, "observe"), (0.5, "step_up"), (0.7, "review"), (0.9, "block")),
    "return_abuse": ((0.3, "observe"), (0.6, "limit"), (0.9, "review")),
    "content_abuse": ((0.3, "observe"), (0.6, "quarantine"), (0.95, "block")),
    "ranking_manipulation": ((0.3, "observe"), (0.6, "limit"), (0.9, "quarantine")),
    "inventory_abuse": ((0.3, "observe"), (0.5, "challenge"), (0.7, "limit"), (0.9, "block")),
    "scraping": ((0.3, "observe"), (0.5, "throttle"), (0.7, "challenge"), (0.9, "block")),
}

MODES = ("shadow", "enforce")
EXPIRY_SECONDS = 900
_MICROSECONDS = 1_000_000
_HUNDRED = np.float32(100)
_NOTHING_PROVEN: Mapping[str, Collection[str]] = MappingProxyType({})


@dataclass(frozen=True)
class ThresholdPolicy:
    """Chooses the action by thresholds on the risk of each abuse type; the strictest choice counts.

    Parameters
    ----------
    mode : `shadow` records what would be done and answers `allow`; `enforce` answers it. A new installation is in
        shadow mode, so that nobody is turned away before the shop has seen what would happen.
    ladders : by abuse type; types left out keep their default of `LADDERS`.
    expiry_seconds : how long a decision may be acted on.

    Faulty ladders raise `UsageError`, all faults at once.

    >>> ThresholdPolicy(ladders={"scrapping": ((0.5, "block"),)})
    Traceback (most recent call last):
        ...
    floorwalker.errors.UsageError: unknown abuse type 'scrapping' in the ladders (did you mean 'scraping'?)
    """

    mode: str = "shadow"
    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    expiry_seconds: int = EXPIRY_SECONDS
    version: str = field(init=False)

    def __post_init__(self) -> None:
        faults = _faults(self)
        if faults:
            raise UsageError("; ".join(faults))
        merged = {**LADDERS, **self.ladders}
        object.__setattr__(self, "ladders", merged)
        said = json.dumps([self.mode, merged, self.expiry_seconds], sort_keys=True)
        object.__setattr__(self, "version", f"thresholds-1.{hashlib.sha256(said.encode()).hexdigest()[:10]}")

    def decide(
        self,
        assessment: Assessment,
        *,
        ids: Sequence[str],
        event_ids: Sequence[str],
        shops: Sequence[str],
        subjects: Sequence[str],
        at: Sequence[int],
        listed: Sequence[str],
        versions: Mapping[str, str],
        shadow: Sequence[tuple[str, ...]] | None = None,
        proven: Mapping[str, Collection[str]] = _NOTHING_PROVEN,
    ) -> list[Decision]:
        """One decision an event.

        Parameters
        ----------
        assessment : of the same `n` events.
        ids, event_ids, shops, subjects, at : [n], see `Decision`.
        listed : [n], the list that the event is on: "" for none, `deny` (always `block`), `allow` (always `allow`),
            `watch` (at least `observe`).
        versions : recorded in every decision.
        shadow : [n], ids of shadow rules that fired; recorded, never acted on.
        proven : by shop, abuse types whose risks labels have shown to be probabilities.
        """
        risk = assessment.risk
        table = risk.tolist()
        versions = dict(versions)
        is_shadow = self.mode == "shadow"
        suspected = None if assessment.suspicion is None else assessment.suspicion.tolist()
        decisions = []
        for row, causes in enumerate(assessment.causes):
            values = table[row]
            highest = max(values)
            # Half a point is rounded as the risk itself is kept, in float32.
            number = round(float(np.float32(highest) * _HUNDRED)) if highest else 0
            risks: dict[str, float] = {}
            intended = "allow"
            if number > 0:
                risks = {name: round(value, 4) for name, value in zip(ABUSE_TYPES, values, strict=True) if value > 0}
                intended = self._strictest(risks)
            kept = tuple(causes)
            abuse_type = ABUSE_TYPES[values.index(highest)] if number > 0 else ""
            on = listed[row]
            if on:
                intended = _by_list(on, intended)
                kept = (_listed_cause(on), *kept)
            decisions.append(
                Decision(
                    id=ids[row],
                    event_id=event_ids[row],
                    shop=shops[row],
                    subject=subjects[row],
                    at=at[row],
                    expires_at=at[row] + self.expiry_seconds * _MICROSECONDS,
                    action="allow" if is_shadow else intended,
                    intended=intended,
                    mode=self.mode,
                    risk=number,
                    level=level_of(number),
                    abuse_type=abuse_type,
                    risks=risks,
                    calibrated=assessment.calibrated or (bool(proven) and abuse_type in proven.get(shops[row], ())),
                    causes=kept,
                    public_reason="" if is_shadow else PUBLIC_REASONS[intended],
                    degraded=assessment.degraded,
                    policy_version=self.version,
                    versions=versions,
                    shadow=shadow[row] if shadow is not None else (),
                    suspicion=round(suspected[row], 6) if suspected and suspected[row] else NOT_SUSPECTED,
                )
            )
        return decisions

    def reconsider(self, decision: Decision, risks: Mapping[str, float]) -> tuple[int, str]:
        """What a decision would be by other risks: risk from 0 to 100, and intended action. Lists speak as they did.

        Parameters
        ----------
        decision : as it was made.
        risks : in [0, 1], of each abuse type above zero.

        >>> policy = ThresholdPolicy()
        >>> before = Decision(id="d", event_id="e", shop="s", subject="account:a", at=0, expires_at=1, action="allow",
        ...                   intended="allow", mode="shadow", risk=0, level="low", policy_version=policy.version)
        >>> policy.reconsider(before, {"content_abuse": 0.7})
        (70, 'quarantine')
        """
        number = round(float(np.float32(max(risks.values(), default=0.0)) * _HUNDRED))
        intended = self._strictest(risks) if number > 0 else "allow"
        on = next((cause.code.removeprefix("list.") for cause in decision.causes if cause.detector == "lists"), "")
        return number, _by_list(on, intended) if on else intended

    def _strictest(self, risks: Mapping[str, float]) -> str:
        strictest = 0
        for abuse_type, value in risks.items():
            for least, action in self.ladders[abuse_type]:
                if value >= least:
                    strictest = max(strictest, _FRICTION[action])
        return ACTIONS[strictest]


_FRICTION = {action: place for place, action in enumerate(ACTIONS)}
_LIST_TEXTS = {
    "allow": "on the shop's allow list",
    "deny": "on the shop's deny list",
    "watch": "on the shop's watch list",
}


def _by_list(on: str, intended: str) -> str:
    if on == "deny":
        return "block"
    if on == "allow":
        return "allow"
    return intended if _FRICTION[intended] >= _FRICTION["observe"] else "observe"


def _listed_cause(on: str) -> Cause:
    return Cause(code=f"list.{on}", text=_LIST_TEXTS[on], severity=1.0, detector="lists")


def _faults(policy: ThresholdPolicy) -> list[str]:
    faults = []
    if policy.mode not in MODES:
        faults.append(f"mode is {policy.mode!r}, allowed: {', '.join(MODES)}")
    if policy.expiry_seconds < 1:
        faults.append(f"expiry_seconds is {policy.expiry_seconds}, allowed: 1 and up")
    for abuse_type, ladder in policy.ladders.items():
        if abuse_type not in ABUSE_TYPES:
            close = nearest_name(abuse_type, list(ABUSE_TYPES))
            hint = f" (did you mean {close!r}?)" if close else ""
            faults.append(f"unknown abuse type {abuse_type!r} in the ladders{hint}")
        for least, action in ladder:
            if action not in ACTIONS:
                faults.append(f"unknown action {action!r} for {abuse_type}, allowed: {', '.join(ACTIONS)}")
            if not 0 < least <= 1:
                faults.append(f"threshold {least} of {action} for {abuse_type}, allowed: above 0, at most 1")
        if [least for least, _ in ladder] != sorted(least for least, _ in ladder):
            faults.append(f"the thresholds for {abuse_type} do not rise")
        frictions = [_FRICTION[action] for _, action in ladder if action in _FRICTION]
        if frictions != sorted(frictions):
            faults.append(f"the actions for {abuse_type} do not rise in friction, as {', '.join(ACTIONS)}")
    return faults
