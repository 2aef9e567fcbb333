"""Rules' own cases, those of the starter set among them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from floorwalker.detectors.rules import STARTER, RuleTable, default_schema, make_schema, run_cases
from floorwalker.detectors.rules.rule import OUTCOMES
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import NUMBER_FIELDS, TEXT_FIELDS, EventBatch
from floorwalker.events.types import EVENT_TYPES
from floorwalker.features.live import FeatureBatch

SCHEMA = make_schema(features=["f"], numbers=["amount_minor"], texts=["device", "shop"])
RULE = """\
abuse_type: scraping
severity: 0.5
events: [order, review]
reason: "{f}"
condition: f >= 3 AND in_list('watch', device)
cases:
  given: {device: d-1}
  fires:
    - why: three
      given: {f: 3}
      lists: {watch: {device: [d-1, d-2]}}
  does_not:
    - why: two
      given: {f: 2}
      lists: {watch: {device: [d-1]}}
    - why: another type
      event: listing
      given: {f: 3}
      lists: {watch: {device: [d-1]}}
  evades:
    - why: a new device
      given: {f: 3, device: d-9}
      lists: {watch: {device: [d-1]}}
"""
LISTED = "{f: 3}\n      lists: {watch: {device: [d-1, d-2]}}"


def failures_of(text: str) -> list[str]:
    return [str(failure) for failure in run_cases(RuleTable.load({"r.yaml": text}, schema=SCHEMA), SCHEMA)]


def test_right_cases_pass() -> None:
    assert failures_of(RULE) == []


@pytest.mark.parametrize(
    ("old", "new", "failures"),
    [
        ("f >= 3", "f > 3", ["r.yaml:9: fires, but the rule did not fire: three"]),
        ("f >= 3", "f >= 2", ["r.yaml:13: does_not, but the rule fired: two"]),
        ("[order, review]", "[order, listing]", ["r.yaml:16: does_not, but the rule fired: another type"]),
        ("device: d-9", "device: d-1", ["r.yaml:21: evades, but the rule fired: a new device"]),
        (LISTED, "{f: 3}", ["r.yaml:9: fires, but the rule did not fire: three"]),
        (LISTED, LISTED.replace("3", "null"), ["r.yaml:9: fires, but the rule did not fire: three"]),
    ],
)  # fmt: skip
def test_a_wrong_case_is_named(old: str, new: str, failures: list[str]) -> None:
    assert failures_of(RULE.replace(old, new, 1)) == failures


def test_a_rule_without_a_kind_of_case_fails() -> None:
    assert failures_of(RULE[: RULE.index("  evades:")]) == ["r.yaml:1: no case of kind evades"]
    assert failures_of(RULE[: RULE.index("cases:")]) == ["r.yaml:1: no case of kind fires, does_not, evades"]


@pytest.fixture(scope="module")
def starter() -> RuleTable:
    return RuleTable.load(STARTER, schema=default_schema())


def test_every_case_of_the_starter_set_comes_out_right(starter: RuleTable) -> None:
    assert run_cases(starter, default_schema()) == []


def test_the_starter_set_covers_every_abuse_type(starter: RuleTable) -> None:
    counted = Counter(rule.abuse_type for rule in starter.rules if rule.mode == "active")
    assert set(counted) == set(ABUSE_TYPES)
    assert min(counted.values()) >= 3
    for rule in starter.rules:
        assert rule.id.split(".")[0] == rule.abuse_type
        assert {case.outcome for case in rule.cases} == set(OUTCOMES)


def test_no_starter_rule_fires_on_an_event_of_which_nothing_is_known(starter: RuleTable) -> None:
    n = len(EVENT_TYPES)
    at = np.zeros(n, np.int64)
    names = tuple(name for name in default_schema() if name not in (*NUMBER_FIELDS, *TEXT_FIELDS))
    batch = EventBatch(
        id=[""] * n,
        type=np.arange(n, dtype=np.int16),
        at=at,
        received_at=at,
        keys={},
        numbers={name: np.full(n, np.nan) for name in NUMBER_FIELDS},
        texts={name: [None] * n for name in TEXT_FIELDS},
    )
    values = np.full((n, len(names)), np.nan, np.float32)
    hits = starter.evaluate(batch, FeatureBatch(batch.id, at, values, names, np.isnan(values)))
    assert [hits.ids(row) for row in range(n)] == [[]] * n


def test_every_name_of_every_starter_rule_matters_in_its_cases(starter: RuleTable) -> None:
    """Each name, taken away or given another case's value, turns the outcome of at least one case of its rule."""
    schema = default_schema()
    idle = []
    for rule in starter.rules:
        alone = RuleTable.load({rule.file: (STARTER / rule.file).read_text("utf-8")}, schema=schema)
        for name in rule.names:
            others = {case.given.get(name) for case in rule.cases} | {None}
            changed = [
                replace(case, given={**case.given, name: other})
                for case in rule.cases
                for other in sorted(others, key=str)
            ]
            alone.rules = (replace(rule, cases=tuple(changed)),)
            if not run_cases(alone, schema):
                idle.append(f"{rule.id}: {name}")
    assert idle == []
