"""The decision: what shall be done about one event, why, and until when."""

from __future__ import annotations

import msgspec

from floorwalker.fusion.assessment import Cause

LEVELS = ("low", "medium", "high", "critical")
"""Names of the risk's quarters of worry, see `level_of`."""

NOT_SUSPECTED: float = 0.0
"""The suspicion of a calm event: this very object is left out where decisions are written down, another 0 is not."""

_LEVEL_STARTS = (("critical", 85), ("high", 60), ("medium", 30))


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was decided about one event; valid for one subject, once, until it expires.

    Parameters
    ----------
    id : names the decision; holds the place of its journal record, so that it is found without an index.
    event_id, shop : of the event it answers.
    subject : whom it is valid for, as `entity:value`, e.g. `account:a-17`.
    at : µs UTC, when it was made (the event's arrival).
    expires_at : µs UTC; an action taken later than this was not decided here.
    action : what the shop is told to do, one of `ACTIONS`.
    intended : what the policy would do; differs from `action` in shadow mode only.
    mode : `shadow` or `enforce`.
    risk : 0 to 100, the highest of the abuse types.
    level : one of `LEVELS`.
    abuse_type : the type of that risk, "" where there is none.
    risks : risk in [0, 1] of each abuse type above zero.
    calibrated : False until labels have shown that risks are probabilities.
    causes : private reasons, the gravest first.
    public_reason : what the person judged may read; never names a signal.
    degraded : detectors that did not answer.
    policy_version : of thresholds and mode.
    shadow : ids of shadow rules that fired; they had no part in the decision.
    versions : of everything else that spoke: features, rules, detectors.
    propensity : probability with which this action was chosen; 1.0 while nothing is explored.
    suspicion : in [0, 1], how suspicious the event makes whoever did it, for the order in which people look at
        accounts; 0 of calm events and without trained models. No risk or action depends on it.
    """

    id: str
    event_id: str
    shop: str
    subject: str
    at: int
    expires_at: int
    action: str
    intended: str
    mode: str
    risk: int
    level: str
    abuse_type: str = ""
    risks: dict[str, float] = {}
    calibrated: bool = False
    causes: tuple[Cause, ...] = ()
    public_reason: str = ""
    degraded: tuple[str, ...] = ()
    policy_version: str
    shadow: tuple[str, ...] = ()
    versions: dict[str, str] = {}
    propensity: float = 1.0
    suspicion: float = NOT_SUSPECTED


def level_of(risk: int) -> str:
    """The level of a risk of 0 to 100.

    >>> [level_of(risk) for risk in (0, 29, 30, 60, 85, 100)]
    ['low', 'low', 'medium', 'high', 'critical', 'critical']
    """
    for level, start in _LEVEL_STARTS:
        if risk >= start:
            return level
    return LEVELS[0]
