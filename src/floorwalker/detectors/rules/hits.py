"""What rules found, as signals: active rules and shadow rules apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.rules.rule import Rule
from floorwalker.detectors.signal import Reason, Signal
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import EventBatch
from floorwalker.features.live.batch import FeatureBatch

DETECTOR = "rules"
SHADOW_DETECTOR = "rules.shadow"


@dataclass(frozen=True, eq=False)
class RuleHits:
    """Which rules fired on which events.

    Parameters
    ----------
    rules : R rules.
    version : the table's.
    fired : bool [n, R]; a condition that is unknown has not fired.
    batch, features : what was evaluated, for the reasons.
    """

    rules: tuple[Rule, ...]
    version: str
    fired: NDArray[np.bool_]
    batch: EventBatch
    features: FeatureBatch

    def ids(self, row: int) -> list[str]:
        """Ids of the rules that fired on this event, shadow rules too."""
        return [self.rules[column].id for column in np.flatnonzero(self.fired[row])]


def signals(hits: RuleHits, *, shadow: bool = False) -> list[Signal]:
    """One signal for each abuse type that a rule of this mode accuses of, in the order of `ABUSE_TYPES`.

    An event's score is the highest severity among the rules that fired; its reasons name each of them, gravest first.

    Parameters
    ----------
    hits : of `RuleTable.evaluate`.
    shadow : the shadow rules' signals instead; they are for comparison and must not reach a decision.
    """
    mode = "shadow" if shadow else "active"
    n = len(hits.fired)
    accused = {rule.abuse_type for rule in hits.rules if rule.mode == mode}
    scores = {abuse_type: np.zeros(n, np.float32) for abuse_type in ABUSE_TYPES if abuse_type in accused}
    reasons: dict[str, list[list[Reason]]] = {abuse_type: [[] for _ in range(n)] for abuse_type in scores}
    columns = {name: column for column, name in enumerate(hits.features.names)} if hits.fired.any() else {}
    for row, column in np.argwhere(hits.fired).tolist():
        rule = hits.rules[column]
        if rule.mode != mode:
            continue
        score = scores[rule.abuse_type]
        score[row] = max(score[row], rule.severity)
        text = rule.reason.fill(partial(_value, hits, columns, row))
        reasons[rule.abuse_type][row].append(Reason(f"{DETECTOR}.{rule.id}", text, rule.severity))
    for several in reasons.values():
        for one in several:
            if len(one) > 1:
                one.sort(key=lambda reason: (-reason.severity, reason.code))
    name = SHADOW_DETECTOR if shadow else DETECTOR
    return [
        Signal(name, hits.version, abuse_type, score, reasons[abuse_type], ready=True)
        for abuse_type, score in scores.items()
    ]


def _value(hits: RuleHits, columns: dict[str, int], row: int, name: str) -> float | str | None:
    column = columns.get(name)
    if column is not None:
        return None if hits.features.missing[row, column] else float(hits.features.values[row, column])
    number = hits.batch.numbers.get(name)
    if number is not None:
        return float(number[row])
    text = hits.batch.texts.get(name)
    return None if text is None else text[row]
