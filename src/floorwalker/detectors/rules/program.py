"""One rule table out of many conditions: every distinct comparison once, grouped by operator, in flat arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.rules import terms
from floorwalker.detectors.rules.kernel import AND, NOT, OR, pack_tables
from floorwalker.detectors.rules.rule import Rule
from floorwalker.detectors.rules.texts import Patterns, lay_out

Ints = NDArray[np.int32]

RULES_A_REST = 16
"""Rules that are assembled in about the time in which one is checked."""


@dataclass(frozen=True, eq=False)
class Program:
    """What `kernel.evaluate_rules` reads; see there for the shapes. No code is made, so a reload is cheap.

    Parameters
    ----------
    features : names of the features, by slot.
    numbers : names of event numbers and lengths of texts, by slot after the features'.
    patterns : distinct text terms.
    direct : terms that are evaluated text by text, such as two fields of one event.
    comparisons : distinct terms in all.
    """

    features: tuple[str, ...]
    numbers: tuple[str | terms.Length, ...]
    constants: NDArray[np.float64]
    reckonings: Ints
    less: Ints
    less_equal: Ints
    equal: Ints
    missing: Ints
    memberships: Ints
    members: NDArray[np.float64]
    patterns: Patterns
    direct: tuple[terms.DirectTerm, ...]
    applies: NDArray[np.bool_]
    programs: Ints
    program_starts: Ints
    comparisons: int

    def tables(self, columns: Ints) -> Ints:
        """The `tables` of `kernel.evaluate_rules`, for features that stand in these columns."""
        sections = [
            columns, self.reckonings, self.less, self.less_equal, self.equal, self.missing, self.memberships,
            self.patterns.layout, self.patterns.patterns, self.programs, self.program_starts,
        ]  # fmt: skip
        return pack_tables(sections, self.patterns.count, len(self.constants))


def build_program(
    rules: Sequence[Rule], event_types: Sequence[str], between: Callable[[], None] | None = None
) -> Program:
    """The program of these rules.

    Parameters
    ----------
    rules : in the order of the columns of the result.
    event_types : names by code.
    between : called after every few rules, so that a build beside a busy server can let others run.
    """
    book = _Book()
    pause = between or (lambda: None)
    for number, rule in enumerate(rules):
        book.collect(rule.condition)
        if number % RULES_A_REST == 0:
            pause()
    return book.assemble(rules, event_types, pause)


class _Book:
    """Distinct parts in the order of their first use; dicts serve as ordered sets."""

    def __init__(self) -> None:
        self.features: dict[str, None] = {}
        self.numbers: dict[str | terms.Length, None] = {}
        self.constants: dict[float, None] = {}
        self.reckonings: dict[terms.Reckoning, None] = {}
        self.less: dict[terms.Less, None] = {}
        self.less_equal: dict[terms.Less, None] = {}
        self.equal: dict[terms.Equal, None] = {}
        self.missing: dict[terms.NumberMissing, None] = {}
        self.memberships: dict[terms.InNumbers, None] = {}
        self.texts: dict[terms.Text, dict[terms.TextTerm, None]] = {}
        self.direct: dict[terms.DirectTerm, None] = {}

    def collect(self, node: terms.Condition) -> None:
        if isinstance(node, terms.Both | terms.Either):
            self.collect(node.left)
            self.collect(node.right)
        elif isinstance(node, terms.Not):
            self.collect(node.condition)
        elif isinstance(node, terms.Less):
            (self.less_equal if node.or_equal else self.less)[node] = None
            self.number(node.left)
            self.number(node.right)
        elif isinstance(node, terms.Equal):
            self.equal[node] = None
            self.number(node.left)
            self.number(node.right)
        elif isinstance(node, terms.NumberMissing):
            self.missing[node] = None
            self.number(node.number)
        elif isinstance(node, terms.InNumbers):
            self.memberships[node] = None
            self.number(node.number)
        elif isinstance(node, terms.SameText | terms.TextListed):
            self.direct[node] = None
        else:
            self.texts.setdefault(node.text, {})[node] = None

    def number(self, number: terms.Number) -> None:
        if isinstance(number, terms.Column):
            (self.features if number.feature else self.numbers)[number.name] = None
        elif isinstance(number, terms.Constant):
            self.constants[number.value] = None
        elif isinstance(number, terms.Length):
            self.numbers[number] = None
        elif number not in self.reckonings:
            # Operands first: the kernel reckons in this order.
            self.number(number.left)
            self.number(number.right)
            self.reckonings[number] = None

    def assemble(self, rules: Sequence[Rule], event_types: Sequence[str], pause: Callable[[], None]) -> Program:
        slots = self._slots()

        def pairs(several: Sequence[terms.Less | terms.Equal]) -> Ints:
            return _table([(slots[_slot(one.left)], slots[_slot(one.right)]) for one in several], 2)

        members: list[float] = []
        memberships = []
        for membership in self.memberships:
            memberships.append((slots[_slot(membership.number)], len(members), len(members) + len(membership.values)))
            members += membership.values
        texts = {text: list(several) for text, several in self.texts.items()}
        numbered: dict[terms.Term, int] = {}
        groups: tuple[Iterable[terms.Term], ...] = (
            self.less, self.less_equal, self.equal, self.missing, self.memberships, *texts.values(), self.direct,
        )  # fmt: skip
        for group in groups:
            for term in group:
                numbered[term] = len(numbered)
        programs: list[int] = []
        program_starts = [0]
        for number, rule in enumerate(rules):
            _write(rule.condition, numbered, programs)
            program_starts.append(len(programs))
            if number % RULES_A_REST == 0:
                pause()
        reckonings = [
            (terms.OPERATORS.index(one.operator), slots[_slot(one.left)], slots[_slot(one.right)])
            for one in self.reckonings
        ]
        return Program(
            features=tuple(self.features),
            numbers=tuple(self.numbers),
            constants=np.array(list(self.constants), np.float64),
            reckonings=_table(reckonings, 3),
            less=pairs(list(self.less)),
            less_equal=pairs(list(self.less_equal)),
            equal=pairs(list(self.equal)),
            missing=np.array([slots[_slot(one.number)] for one in self.missing], np.int32),
            memberships=_table(memberships, 3),
            members=np.array(members, np.float64),
            patterns=lay_out(texts),
            direct=tuple(self.direct),
            applies=_by_type(rules, event_types),
            programs=np.array(programs, np.int32),
            program_starts=np.array(program_starts, np.int32),
            comparisons=len(numbered),
        )

    def _slots(self) -> dict[object, int]:
        ordered: list[object] = [("feature", name) for name in self.features]
        ordered += [("number", name) for name in self.numbers]
        ordered += [("constant", value) for value in self.constants]
        ordered += list(self.reckonings)
        return {key: slot for slot, key in enumerate(ordered)}


def _slot(number: terms.Number) -> object:
    if isinstance(number, terms.Column):
        return ("feature" if number.feature else "number", number.name)
    if isinstance(number, terms.Constant):
        return ("constant", number.value)
    return ("number", number) if isinstance(number, terms.Length) else number


def _write(node: terms.Condition, numbered: dict[terms.Term, int], programs: list[int]) -> None:
    if isinstance(node, terms.Both | terms.Either):
        _write(node.left, numbered, programs)
        _write(node.right, numbered, programs)
        programs.append(AND if isinstance(node, terms.Both) else OR)
    elif isinstance(node, terms.Not):
        _write(node.condition, numbered, programs)
        programs.append(NOT)
    else:
        programs.append(numbered[node])


def _by_type(rules: Sequence[Rule], event_types: Sequence[str]) -> NDArray[np.bool_]:
    codes = {name: code for code, name in enumerate(event_types)}
    applies = np.zeros((len(event_types), len(rules)), np.bool_)
    for index, rule in enumerate(rules):
        applies[[codes[name] for name in rule.event_types] or slice(None), index] = True
    return applies


def _table(rows: Sequence[Sequence[int]], width: int) -> Ints:
    return np.array(rows, np.int32).reshape(len(rows), width)
