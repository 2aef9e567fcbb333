"""One rule: what an analyst wrote in one file, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from floorwalker.detectors.rules import terms
from floorwalker.detectors.rules.checking import check_condition
from floorwalker.detectors.rules.document import Items, Node, Place, Scalar, Table, place_inside, read_document
from floorwalker.detectors.rules.faults import Fault
from floorwalker.detectors.rules.limits import Limits
from floorwalker.detectors.rules.reason import ReasonTemplate, read_template
from floorwalker.detectors.rules.schema import Kind, Schema
from floorwalker.registry import nearest_name

MODES = ("active", "shadow")
OUTCOMES = ("fires", "does_not", "evades")
"""Kinds of test cases: the rule fires; it rightly does not; it does not though it should (a known gap)."""
_KEYS = ("abuse_type", "severity", "mode", "events", "reason", "condition", "cases")
_REQUIRED = ("abuse_type", "severity", "events", "reason", "condition")
ANY_EVENT = "any"
ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*\Z")

Value = float | str | None


@dataclass(frozen=True)
class Case:
    """One test case.

    Parameters
    ----------
    outcome : one of `OUTCOMES`.
    why : what the case stands for.
    event_type : the type of the event.
    given : values by name; None is missing. Every name that the condition reads has a value here.
    lists : values on lists, as list → field → values.
    line : where it stands in the file.
    """

    outcome: str
    why: str
    event_type: str
    given: Mapping[str, Value]
    lists: Mapping[str, Mapping[str, tuple[str, ...]]]
    line: int


@dataclass(frozen=True)
class Rule:
    """One rule.

    Parameters
    ----------
    id : from the path: ``promotion_abuse/many_accounts.yaml`` is ``promotion_abuse.many_accounts``.
    file : the path as given, for messages.
    abuse_type : what a hit accuses of.
    severity : score of an event that the rule hits, in (0, 1].
    mode : ``active``, or ``shadow``: evaluated and reported apart, without effect.
    event_types : types it looks at; empty means all.
    text : the condition as written.
    condition : the checked condition.
    reason : template of the sentence that explains a hit.
    cases : its test cases.
    names : fields and features that the condition reads, in the order of first use.
    """

    id: str
    file: str
    abuse_type: str
    severity: float
    mode: str
    event_types: tuple[str, ...]
    text: str
    condition: terms.Condition
    reason: ReasonTemplate
    cases: tuple[Case, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """What rules may name.

    Parameters
    ----------
    schema : fields and features.
    event_types : types of events, in the order of their codes.
    abuse_types : what a rule may accuse of.
    lists : names of lists.
    """

    schema: Schema
    event_types: tuple[str, ...]
    abuse_types: tuple[str, ...]
    lists: tuple[str, ...]


def read_rule(rule_id: str, file: str, source: str, vocabulary: Vocabulary, limits: Limits) -> Rule | list[Fault]:
    """The rule of one file, or everything that is wrong with the file."""
    if len(source) > limits.file_characters:
        return [Fault(file, 1, 1, f"the file has {len(source)} characters, allowed: {limits.file_characters}")]
    table = read_document(file, source)
    if isinstance(table, Fault):
        return [table]
    return _Reader(rule_id, file, source, table, vocabulary, limits).read()


class _Reader:
    def __init__(
        self, rule_id: str, file: str, source: str, table: Table, vocabulary: Vocabulary, limits: Limits
    ) -> None:
        self.rule_id = rule_id
        self.file = file
        self.source = source
        self.table = table
        self.vocabulary = vocabulary
        self.limits = limits
        self.faults: list[Fault] = []

    def object_to(self, place: Place, message: str) -> None:
        self.faults.append(Fault(self.file, place.line, place.column, message))

    def read(self) -> Rule | list[Fault]:
        self.known_keys(self.table, _KEYS, "key")
        for key in _REQUIRED:
            if key not in self.table.values:
                self.object_to(Place(1, 1), f"{key!r} is missing; a rule needs {', '.join(_REQUIRED)}")
        abuse_type = self.choice("abuse_type", self.vocabulary.abuse_types, "abuse type", "")
        mode = self.choice("mode", MODES, "mode", "active")
        severity = self.severity()
        event_types = self.event_types()
        reason = self.reason()
        text, condition = self.condition()
        names = () if condition is None else names_read(condition)
        cases = self.cases(event_types, names)
        if self.faults or condition is None or reason is None:
            return self.faults
        return Rule(
            self.rule_id, self.file, abuse_type, severity, mode, event_types, text, condition, reason, cases, names
        )

    def known_keys(self, table: Table, known: Sequence[str], what: str) -> None:
        for key, place in table.keys.items():
            if key not in known:
                self.object_to(place, f"unknown {what} {key[:80]!r}{_hint(key, known)}")

    def choice(self, key: str, allowed: Sequence[str], what: str, default: str) -> str:
        node = self.table.values.get(key)
        if node is None:
            return default
        if not isinstance(node, Scalar) or node.text not in allowed:
            shown = repr(node.text[:80]) if isinstance(node, Scalar) else "no name"
            self.object_to(node.place, f"{what} is {shown}, allowed: {', '.join(allowed)}")
            return default
        return node.text

    def severity(self) -> float:
        node = self.table.values.get("severity")
        if node is None:
            return 0.0
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, float) or not 0.0 < value <= 1.0:
            shown = node.text[:40] if isinstance(node, Scalar) else "no number"
            self.object_to(node.place, f"severity is {shown}, allowed: 0 < severity <= 1")
            return 0.0
        return value

    def event_types(self) -> tuple[str, ...]:
        node = self.table.values.get("events")
        if node is None:
            return ()
        if isinstance(node, Scalar) and node.text == ANY_EVENT:
            return ()
        if not isinstance(node, Items) or not 1 <= len(node.values) <= self.limits.event_types:
            self.object_to(node.place, f"events must be a list of event types, or {ANY_EVENT}")
            return ()
        types: list[str] = []
        for value in node.values:
            name = value.text if isinstance(value, Scalar) else ""
            if name not in self.vocabulary.event_types:
                hint = _hint(name, self.vocabulary.event_types)
                self.object_to(value.place, f"unknown event type {name[:80]!r}{hint}")
            elif name in types:
                self.object_to(value.place, f"the event type {name!r} is given twice")
            else:
                types.append(name)
        return tuple(types)

    def reason(self) -> ReasonTemplate | None:
        node = self.table.values.get("reason")
        if node is None:
            return None
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self.object_to(node.place, "the reason must be a text")
            return None
        template, faults = read_template(node.text.strip(), self.vocabulary.schema, self.limits)
        for message in faults:
            self.object_to(node.place, message)
        return template

    def condition(self) -> tuple[str, terms.Condition | None]:
        node = self.table.values.get("condition")
        if node is None:
            return "", None
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self.object_to(node.place, "the condition must be a text, such as account_orders_1d > 10")
            return "", None
        checked = check_condition(node.text, self.vocabulary.schema, self.limits, self.vocabulary.lists)
        if isinstance(checked, list):
            for objection in checked:
                self.object_to(place_inside(self.source, node, objection.offset), objection.message)
            return node.text, None
        return node.text, checked

    # Test cases.

    def cases(self, event_types: tuple[str, ...], names: Sequence[str]) -> tuple[Case, ...]:
        node = self.table.values.get("cases")
        if node is None:
            return ()
        if not isinstance(node, Table):
            self.object_to(node.place, f"cases must hold {', '.join(OUTCOMES)}")
            return ()
        self.known_keys(node, ("given", *OUTCOMES), "kind of case")
        shared = self.values(node.values.get("given"))
        default_type = (event_types or self.vocabulary.event_types or ("",))[0]
        cases = []
        for outcome in OUTCOMES:
            several = node.values.get(outcome)
            if several is None:
                continue
            if not isinstance(several, Items):
                self.object_to(several.place, f"{outcome} must be a list of cases")
                continue
            cases += [self.case(one, outcome, default_type, shared, names) for one in several.values]
        if len(cases) > self.limits.cases:
            self.object_to(node.place, f"{len(cases)} cases, allowed: {self.limits.cases}")
        return tuple(cases)

    def case(
        self, node: Node, outcome: str, default_type: str, shared: Mapping[str, Value], names: Sequence[str]
    ) -> Case:
        why, event_type, given = "", default_type, dict(shared)
        if not isinstance(node, Table):
            self.object_to(node.place, "a case holds why and given")
            return Case(outcome, why, event_type, given, {}, node.place.line)
        self.known_keys(node, ("why", "event", "given", "lists"), "key of a case")
        for key in ("why", "event"):
            value = node.values.get(key)
            if value is not None and not isinstance(value, Scalar):
                self.object_to(value.place, f"{key} must be a text")
        why_node, event_node = node.values.get("why"), node.values.get("event")
        if isinstance(why_node, Scalar):
            why = why_node.text
        if not why.strip():
            self.object_to(node.place, "a case says in why what it stands for")
        if isinstance(event_node, Scalar):
            event_type = event_node.text
            if event_type not in self.vocabulary.event_types:
                hint = _hint(event_type, self.vocabulary.event_types)
                self.object_to(event_node.place, f"unknown event type {event_type[:80]!r}{hint}")
        given.update(self.values(node.values.get("given")))
        unset = [name for name in names if name not in given]
        if unset:
            # A case that leaves a value out would be missing it, and "does not fire" would then prove nothing.
            self.object_to(node.place, f"the case gives no value for {', '.join(unset)}; write null for a missing one")
        lists = self.case_lists(node.values.get("lists"))
        return Case(outcome, why, event_type, given, lists, node.place.line)

    def values(self, node: Node | None) -> dict[str, Value]:
        given: dict[str, Value] = {}
        if node is None:
            return given
        if not isinstance(node, Table):
            self.object_to(node.place, "given holds name: value")
            return given
        for name, value in node.values.items():
            kind = self.vocabulary.schema.get(name)
            if kind is None:
                message = f"unknown field or feature {name[:80]!r}{_hint(name, list(self.vocabulary.schema))}"
                self.object_to(node.keys[name], message)
            elif not isinstance(value, Scalar):
                self.object_to(value.place, f"{name} must be one value")
            elif value.value is None:
                given[name] = None
            elif kind == Kind.TEXT:
                given[name] = value.text
            elif isinstance(value.value, str):
                self.object_to(value.place, f"{name} is {value.text[:40]!r}, allowed: a number or null")
            else:
                given[name] = float(value.value)
        return given

    def case_lists(self, node: Node | None) -> dict[str, dict[str, tuple[str, ...]]]:
        lists: dict[str, dict[str, tuple[str, ...]]] = {}
        if node is None:
            return lists
        if not isinstance(node, Table):
            self.object_to(node.place, "lists holds name of list: {field: [values]}")
            return lists
        self.known_keys(node, self.vocabulary.lists, "list")
        for name, fields in node.values.items():
            if not isinstance(fields, Table):
                self.object_to(fields.place, f"the list {name[:80]!r} holds field: [values]")
                continue
            lists[name] = {}
            for field, values in fields.values.items():
                if self.vocabulary.schema.get(field) != Kind.TEXT:
                    self.object_to(fields.keys[field], f"{field[:80]!r} is no text field")
                elif not isinstance(values, Items) or not all(isinstance(one, Scalar) for one in values.values):
                    self.object_to(values.place, f"the list {name[:80]!r} holds {field}: [values]")
                else:
                    lists[name][field] = tuple(one.text for one in values.values if isinstance(one, Scalar))
        return lists


def _hint(given: str, known: Sequence[str]) -> str:
    close = nearest_name(given[:80], list(known))
    if close is not None:
        return f" (did you mean {close!r}?)"
    return f"; allowed: {', '.join(known)}" if len(known) <= 12 else ""


def names_read(node: object) -> tuple[str, ...]:
    """Names of fields and features that a condition reads, in the order of first use."""
    names: dict[str, None] = {}

    def walk(part: object) -> None:
        if isinstance(part, terms.Both | terms.Either | terms.Reckoning | terms.Less | terms.Equal | terms.SameText):
            walk(part.left)
            walk(part.right)
        elif isinstance(part, terms.Not):
            walk(part.condition)
        elif isinstance(part, terms.InNumbers | terms.NumberMissing):
            walk(part.number)
        elif isinstance(part, terms.TextIn | terms.TextLike | terms.TextMissing | terms.Length):
            walk(part.text)
        elif isinstance(part, terms.Text):
            names.update((piece.value, None) for piece in part.pieces if not piece.constant)
        elif isinstance(part, terms.Column):
            names[part.name] = None
        elif isinstance(part, terms.TextListed):
            names[part.field] = None

    walk(node)
    return tuple(names)
