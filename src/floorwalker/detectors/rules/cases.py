"""Rules' own test cases, run through the same table that decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from floorwalker.detectors.rules.lists import ListEntry, Lists
from floorwalker.detectors.rules.rule import OUTCOMES, Case, Rule
from floorwalker.detectors.rules.schema import Kind, Schema
from floorwalker.detectors.rules.table import RuleTable
from floorwalker.events.batch import EventBatch
from floorwalker.events.types import TYPE_CODES
from floorwalker.features.live.batch import FeatureBatch


@dataclass(frozen=True)
class CaseFailure:
    """A case that did not come out as its rule says.

    Parameters
    ----------
    file, line : where the case stands.
    message : what was expected and what happened.
    """

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


def run_cases(table: RuleTable, schema: Schema) -> list[CaseFailure]:
    """Run every case of every rule; what failed, in the order of the files.

    A rule without a case of each of the three outcomes fails too: a rule says what it is for, what it leaves alone and
    what it is known to miss.

    Parameters
    ----------
    table : rules, active and shadow ones.
    schema : the schema they were loaded with.
    """
    failures = []
    for rule in table.rules:
        present = {case.outcome for case in rule.cases}
        lacking = [outcome for outcome in OUTCOMES if outcome not in present]
        if lacking:
            failures.append(CaseFailure(rule.file, 1, f"no case of kind {', '.join(lacking)}"))
    several = [(column, rule, case) for column, rule in enumerate(table.rules) for case in rule.cases]
    if not several:
        return failures
    # Each case has its own lists, so cases with the same lists are evaluated together.
    groups: dict[str, list[tuple[int, Rule, Case]]] = {}
    for one in several:
        groups.setdefault(repr(one[2].lists), []).append(one)
    for group in groups.values():
        cases = [case for _, _, case in group]
        batch, features = _columns(cases, schema)
        hits = table.with_lists(_lists(cases[0], table.lists.names)).evaluate(batch, features)
        for row, (column, rule, case) in enumerate(group):
            if bool(hits.fired[row, column]) != (case.outcome == "fires"):
                did = "did not fire" if case.outcome == "fires" else "fired"
                failures.append(CaseFailure(rule.file, case.line, f"{case.outcome}, but the rule {did}: {case.why}"))
    return sorted(failures, key=lambda failure: (failure.file, failure.line))


def _columns(cases: Sequence[Case], schema: Schema) -> tuple[EventBatch, FeatureBatch]:
    n = len(cases)
    named = {name for case in cases for name in case.given}
    features = tuple(name for name, kind in schema.items() if kind == Kind.FEATURE)
    values = np.full((n, len(features)), np.nan, np.float32)
    missing = np.ones((n, len(features)), np.bool_)
    for column, name in enumerate(features):
        if name in named:
            for row, case in enumerate(cases):
                value = case.given.get(name)
                if isinstance(value, float):
                    values[row, column], missing[row, column] = value, False
    numbers = {}
    texts: dict[str, list[str | None]] = {}
    for name in named:
        given = [case.given.get(name) for case in cases]
        if schema[name] == Kind.NUMBER:
            numbers[name] = np.array([value if isinstance(value, float) else np.nan for value in given], np.float64)
        elif schema[name] == Kind.TEXT:
            texts[name] = [value if isinstance(value, str) else None for value in given]
    at = np.zeros(n, np.int64)
    batch = EventBatch(
        id=[f"case-{row}" for row in range(n)],
        type=np.array([TYPE_CODES[case.event_type] for case in cases], np.int16),
        at=at,
        received_at=at,
        keys={},
        numbers=numbers,
        texts=texts,
    )
    return batch, FeatureBatch(batch.id, at, values, features, missing)


def _lists(case: Case, names: Sequence[str]) -> Lists:
    entries = [
        ListEntry(name, field, value)
        for name, fields in case.lists.items()
        for field, values in fields.items()
        for value in values
    ]
    return Lists(entries, names)
