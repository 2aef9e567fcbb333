"""What rules found, as signals: active rules and shadow rules apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.rules.rule import MODES, Rule
from floorwalker.detectors.signal import Reason, Signal
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import EventBatch
from floorwalker.features.live.batch import FeatureBatch

DETECTOR = "rules"
SHADOW_DETECTOR = "rules.shadow"
NOTHING: Mapping[tuple[int, int], Mapping[str, str | None]] = MappingProxyType({})
_PLACES = {name: place for place, name in enumerate(ABUSE_TYPES)}


class RuleHits(NamedTuple):
    """Which rules fired on which events.

    Parameters
    ----------
    rules : R rules.
    version : the table's.
    fired : bool [n, R]; a condition that is unknown has not fired.
    total : how many of them are true.
    batch, features : what was evaluated, for the reasons.
    columns : places of the features by name.
    accused : for each mode, the abuse types that its rules accuse of, in the order of `ABUSE_TYPES`.
    instead : coupon, item and seller for which a rule fired, by row and column, where they are not those that the event
        names first.
    """

    rules: tuple[Rule, ...]
    version: str
    fired: NDArray[np.bool_]
    total: int
    batch: EventBatch
    features: FeatureBatch
    columns: Mapping[str, int]
    accused: Mapping[str, tuple[str, ...]]
    instead: Mapping[tuple[int, int], Mapping[str, str | None]] = NOTHING

    def ids(self, row: int) -> list[str]:
        """Ids of the rules that fired on this event, shadow rules too."""
        return [self.rules[column].id for column in np.flatnonzero(self.fired[row])]


def accused_by_mode(rules: Sequence[Rule]) -> dict[str, tuple[str, ...]]:
    """For each mode, the abuse types that rules of it accuse of, in the order of `ABUSE_TYPES`."""
    return {
        mode: tuple(one for one in ABUSE_TYPES if any(rule.mode == mode and rule.abuse_type == one for rule in rules))
        for mode in MODES
    }


def signals(hits: RuleHits, *, shadow: bool = False) -> list[Signal]:
    """One signal for each abuse type that a rule of this mode accuses of, in the order of `ABUSE_TYPES`.

    An event's score is the highest severity among the rules that fired; its reasons name each of them, gravest first.
    Signals in which nothing fired share their zeros and their empty lists: read them, do not write into them.

    Parameters
    ----------
    hits : of `RuleTable.evaluate`.
    shadow : the shadow rules' signals instead; they are for comparison and must not reach a decision.
    """
    mode = "shadow" if shadow else "active"
    n = len(hits.fired)
    found: dict[str, tuple[NDArray[np.float32], list[list[Reason]]]] = {}
    rows, columns = hits.fired.nonzero()
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        rule = hits.rules[column]
        if rule.mode != mode:
            continue
        if rule.abuse_type not in found:
            found[rule.abuse_type] = (np.zeros(n, np.float32), [[] for _ in range(n)])
        score, reasons = found[rule.abuse_type]
        score[row] = max(score[row], rule.severity)
        text = rule.reason.fill(partial(_value, hits, row, column))
        reasons[row].append(Reason(f"{DETECTOR}.{rule.id}", text, rule.severity))
    for _, reasons in found.values():
        _sort(reasons)
    zeros = np.zeros(n, np.float32)
    zeros.flags.writeable = False
    nothing: tuple[NDArray[np.float32], list[list[Reason]]] = (zeros, [[] for _ in range(n)])
    name = SHADOW_DETECTOR if shadow else DETECTOR
    return [
        Signal(name, hits.version, abuse_type, score, reasons, ready=True)
        for abuse_type in hits.accused[mode]
        for score, reasons in (found.get(abuse_type, nothing),)
    ]


def spoken(hits: RuleHits) -> tuple[list[Signal], list[tuple[str, ...]]]:
    """What a decision needs of the hits: `signals` of the active rules without those in which nothing fired, and for
    each event the codes of the shadow rules that fired, as the shadow signals name them one after another.
    """
    n = len(hits.fired)
    quiet: list[tuple[str, ...]] = [()] * n
    if not hits.total:
        return [], quiet
    found: dict[str, tuple[NDArray[np.float32], list[list[Reason]]]] = {}
    hidden: dict[int, list[tuple[int, float, str]]] = {}
    rows, columns = hits.fired.nonzero()
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        rule = hits.rules[column]
        code = f"{DETECTOR}.{rule.id}"
        if rule.mode == "shadow":
            hidden.setdefault(row, []).append((_PLACES[rule.abuse_type], -rule.severity, code))
            continue
        if rule.abuse_type not in found:
            found[rule.abuse_type] = (np.zeros(n, np.float32), [[] for _ in range(n)])
        score, reasons = found[rule.abuse_type]
        if score[row] < rule.severity:
            score[row] = rule.severity
        reasons[row].append(Reason(code, rule.reason.fill(partial(_value, hits, row, column)), rule.severity))
    for _, reasons in found.values():
        _sort(reasons)
    for row, fired in hidden.items():
        quiet[row] = tuple(code for _, _, code in sorted(fired))
    accused = [abuse_type for abuse_type in hits.accused["active"] if abuse_type in found]
    return [Signal(DETECTOR, hits.version, each, *found[each], ready=True) for each in accused], quiet


def _sort(reasons: list[list[Reason]]) -> None:
    for one in reasons:
        if len(one) > 1:
            one.sort(key=lambda reason: (-reason.severity, reason.code))


def _value(hits: RuleHits, row: int, rule: int, name: str) -> float | str | None:
    column = hits.columns.get(name)
    if column is not None:
        return None if hits.features.missing[row, column] else float(hits.features.values[row, column])
    if hits.instead and name in (theirs := hits.instead.get((row, rule), {})):
        return theirs[name]
    number = hits.batch.numbers.get(name)
    if number is not None:
        return float(number[row])
    text = hits.batch.texts.get(name)
    return None if text is None else text[row]
