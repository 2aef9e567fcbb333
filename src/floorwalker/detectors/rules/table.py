"""The rule table: all rules of an installation, checked and ready to be evaluated."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.rules import terms
from floorwalker.detectors.rules.faults import Fault, RuleError
from floorwalker.detectors.rules.files import read_sources
from floorwalker.detectors.rules.hits import NOTHING, RuleHits, accused_by_mode
from floorwalker.detectors.rules.kernel import evaluate_rules
from floorwalker.detectors.rules.limits import DEFAULT_LIMITS, Limits
from floorwalker.detectors.rules.lists import Lists
from floorwalker.detectors.rules.program import Program, build_program
from floorwalker.detectors.rules.rule import Rule, Vocabulary, read_rule
from floorwalker.detectors.rules.schema import Schema
from floorwalker.detectors.rules.text_kernel import UNKNOWN
from floorwalker.detectors.rules.texts import encode_texts, read_text, same_texts
from floorwalker.errors import UsageError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import NUMBER_PLACES, Columns, EventBatch
from floorwalker.events.parts import PART_ENTITIES
from floorwalker.events.types import EVENT_TYPES
from floorwalker.features.live.batch import FeatureBatch
from floorwalker.kernels import silent

_evaluate = silent(evaluate_rules)
CHUNK = 1_024
"""Events evaluated at a time, which bounds the memory of a large batch."""

_FEW = 16
"""Events whose types are looked at first: rules of other types need no texts of theirs."""
_MOST_NEEDS = 4096

EVENT_TYPE_NAMES: tuple[str, ...] = tuple(kind.name for kind in EVENT_TYPES)


class RuleTable:
    """Rules in one table; unchangeable, so that a reload is a new table and a swapped reference (`LiveRules`).

    Use `RuleTable.load`. Evaluating is pure: same events, features and lists, same hits.

    Attributes
    ----------
    rules : in the order of the columns of `RuleHits.fired`, by id.
    version : changes with any rule, its mode or its severity; journalled with decisions.
    lists : what ``in_list`` looks at.
    """

    def __init__(
        self,
        rules: tuple[Rule, ...],
        sources: Mapping[str, str],
        vocabulary: Vocabulary,
        program: Program,
        lists: Lists,
    ) -> None:
        self.rules = rules
        self.version = _version(sources)
        self.lists = lists
        self._sources = sources
        self._vocabulary = vocabulary
        self._program = program
        self._accused = accused_by_mode(rules)
        # Where the numbers of the rules stand among those of a batch; -1 for those that no batch has.
        self._number_rows = np.array(
            [NUMBER_PLACES.get(name, -1) if isinstance(name, str) else -1 for name in program.numbers], np.int32
        )
        self._reals = np.concatenate([program.constants, program.members])
        self._lengths = [(slot, name.text) for slot, name in enumerate(program.numbers) if not isinstance(name, str)]
        self._needs: dict[frozenset[int], _Needs] = {}
        self._needs_of_all = _Needs(program.patterns.texts, tuple(enumerate(program.direct)))
        self._unknown = bytes((UNKNOWN,)) * len(program.direct)
        self._bound: _Binding | None = None
        self._asks_parts = any(name in PART_ENTITIES for rule in rules for name in rule.names)

    @classmethod
    def load(
        cls,
        source: Path | Mapping[str, str],
        *,
        schema: Schema,
        lists: Lists | None = None,
        limits: Limits = DEFAULT_LIMITS,
        previous: RuleTable | None = None,
        between: Callable[[], None] | None = None,
    ) -> RuleTable:
        """Read, check and assemble rules.

        Parameters
        ----------
        source : a folder, of which every ``*.yaml`` below it is a rule, or the files' texts by path.
        schema : the fields and features that conditions may name.
        lists : what ``in_list`` looks at; empty lists without it.
        limits : how large rules may be.
        previous : a table whose unchanged rules need not be checked again.
        between : called after each rule that is checked, and now and then while the table is assembled; a server hands
            in a short sleep, so that decisions go on meanwhile.

        Raises `RuleError` with every fault of every file; `InputError` where the folder cannot be read.
        """
        lists = lists or Lists()
        pause = between or (lambda: None)
        sources, faults = read_sources(source, limits)
        vocabulary = Vocabulary(schema, EVENT_TYPE_NAMES, ABUSE_TYPES, lists.names)
        known: dict[tuple[str, str], Rule] = {}
        if previous is not None and previous._vocabulary == vocabulary:
            known = {(rule.file, previous._sources[rule.file]): rule for rule in previous.rules}
        rules = []
        for file, text in sources.items():
            rule: Rule | list[Fault] | None = known.get((file, text))
            if rule is None:
                rule = read_rule(_rule_id(file), file, text, vocabulary, limits)
                pause()
            if isinstance(rule, Rule):
                rules.append(rule)
            else:
                faults += rule
        rules.sort(key=lambda rule: rule.id)
        for before, after in pairwise(rules):
            if before.id == after.id:
                faults.append(Fault(after.file, 1, 1, f"the rule {after.id!r} is also in {before.file}"))
        if not faults:
            program = build_program(rules, EVENT_TYPE_NAMES, between)
            patterns = len(program.patterns.patterns)
            if patterns > limits.patterns:
                message = f"{patterns} text constants and patterns in all rules, allowed: {limits.patterns}"
                faults.append(Fault(rules[0].file, 1, 1, message))
        if faults:
            raise RuleError(faults)
        return cls(tuple(rules), sources, vocabulary, program, lists)

    def with_lists(self, lists: Lists) -> RuleTable:
        """The same rules with other lists; a list that a rule asks for and that is gone raises `UsageError`."""
        asked = {term.name for term in self._program.direct if isinstance(term, terms.TextListed)}
        gone = sorted(asked - set(lists.names))
        if gone:
            raise UsageError(f"rules ask for the lists {', '.join(gone)}", allowed=", ".join(lists.names))
        table = RuleTable(self.rules, self._sources, self._vocabulary, self._program, lists)
        table._bound = self._bound
        return table

    def __len__(self) -> int:
        return len(self.rules)

    @property
    def sources(self) -> Mapping[str, str]:
        """Texts of the files by path: `load` makes an equal table of them, with the same version."""
        return self._sources

    @property
    def asks_lists(self) -> bool:
        """Whether a rule looks at lists, so that the table's hits depend on them too."""
        return any(isinstance(term, terms.TextListed) for term in self._program.direct)

    @property
    def comparisons(self) -> int:
        """Distinct comparisons of all rules."""
        return self._program.comparisons

    def evaluate(self, batch: EventBatch, features: FeatureBatch) -> RuleHits:
        """Which rules fire on which events.

        Parameters
        ----------
        batch : n events.
        features : their live features, in the same order.

        Raises `UsageError` where the features lack one that a rule names.
        """
        n = len(batch.id)
        binding = self._bind(features.names)
        fired = np.zeros((n, len(self.rules)), np.bool_)
        total, instead = 0, NOTHING
        if self.rules:
            for start in range(0, n, CHUNK):
                total += self._evaluate(batch, features, binding, start, min(start + CHUNK, n), fired)
            if batch.further and self._asks_parts:
                instead = self._evaluate_further(batch, features, binding, fired)
                total = int(fired.sum())
        return RuleHits(self.rules, self.version, fired, total, batch, features, binding.places, self._accused, instead)

    def _evaluate(
        self,
        batch: EventBatch,
        features: FeatureBatch,
        binding: _Binding,
        start: int,
        end: int,
        fired: NDArray[np.bool_],
    ) -> int:
        n = end - start
        program = self._program
        texts: Mapping[str, list[str | None]] = batch.texts
        types, at, values, missing = batch.type, batch.at, features.values, features.missing
        if n != len(batch.id):
            texts = {name: column[start:end] for name, column in texts.items()}
            types, at, values, missing = types[start:end], at[start:end], values[start:end], missing[start:end]
            fired = fired[start:end]
        numbers, number_rows = self._read_numbers(batch, texts, start, end)
        needs = self._needs_of(types)
        width = len(program.direct)
        truths = bytearray(self._unknown * n)
        for place, term in needs.direct:
            if isinstance(term, terms.SameText):
                found = same_texts(term, texts, n)
            else:
                named, shops = texts.get(term.field) or [None] * n, texts.get("shop") or [None] * n
                found = self.lists.contains(term.name, term.field, named, shops, at)
            truths[place::width] = bytes(found)
        patterns = program.patterns
        letters, bounds = encode_texts(needs.texts, texts, n)
        return _evaluate(
            np.ascontiguousarray(values), np.ascontiguousarray(missing), numbers, number_rows, binding.tables,
            self._reals, letters, bounds, patterns.hashes, patterns.letters,
            np.frombuffer(truths, np.uint8).reshape(n, width), np.ascontiguousarray(types), program.applies, fired,
        )  # fmt: skip

    def _evaluate_further(
        self, batch: EventBatch, features: FeatureBatch, binding: _Binding, fired: NDArray[np.bool_]
    ) -> dict[tuple[int, int], dict[str, str | None]]:
        """Ask again for each further coupon, item and seller that an event names: whoever puts a harmless one first
        evades no rule. Answers for which of them rules fired that the first did not make fire: the earliest."""
        rows = np.array([row for row, several in batch.further.items() for _ in several], np.intp)
        names = zip(*(one for several in batch.further.values() for one in several), strict=True)
        again = batch.take(rows)
        again = replace(again, texts=again.texts | dict(zip(PART_ENTITIES, map(list, names), strict=True)), further={})
        theirs = FeatureBatch(again.id, again.at, features.values[rows], features.names, features.missing[rows])
        found = np.zeros((len(rows), len(self.rules)), np.bool_)
        for start in range(0, len(rows), CHUNK):
            self._evaluate(again, theirs, binding, start, min(start + CHUNK, len(rows)), found)
        instead: dict[tuple[int, int], dict[str, str | None]] = {}
        for place, rule in np.argwhere(found & ~fired[rows]).tolist():
            named = {name: again.texts[name][place] for name in PART_ENTITIES}
            instead.setdefault((int(rows[place]), rule), named)
        np.logical_or.at(fired, rows, found)
        return instead

    def _read_numbers(
        self, batch: EventBatch, texts: Mapping[str, Sequence[str | None]], start: int, end: int
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Numbers of the events, float64 [k, end - start], and the row of each number that rules name, -1 for none."""
        given, n = batch.numbers, end - start
        if isinstance(given, Columns) and not self._lengths:
            rows = given.rows if n == len(batch.id) else given.rows[:, start:end]
            return np.ascontiguousarray(rows), self._number_rows
        names = self._program.numbers
        numbers = np.full((len(names), n), np.nan)
        for slot, name in enumerate(names):
            if isinstance(name, str):
                column = given.get(name)
                if column is not None:
                    numbers[slot] = column[start:end]
        for slot, read in self._lengths:
            numbers[slot] = [np.nan if text is None else len(text) for text in read_text(read, texts, n)]
        return numbers, np.arange(len(names), dtype=np.int32)

    def _needs_of(self, types: NDArray[np.int16]) -> _Needs:
        """What the rules that look at these types of event look at; of a large batch, everything."""
        if len(types) > _FEW:
            return self._needs_of_all
        kinds = frozenset(types.tolist())
        found = self._needs.get(kinds)
        if found is None:
            if len(self._needs) >= _MOST_NEEDS:
                self._needs.clear()
            found = self._needs[kinds] = _find_needs(self._program, kinds)
        return found

    def _bind(self, names: tuple[str, ...]) -> _Binding:
        bound = self._bound
        if bound is not None and bound.names is names:
            return bound
        places = {name: column for column, name in enumerate(names)}
        lacking = [name for name in self._program.features if name not in places]
        if lacking:
            raise UsageError(
                f"the features lack {', '.join(lacking)}, which rules name", fix="load the rules with their schema"
            )
        columns = np.array([places[name] for name in self._program.features], np.int32)
        self._bound = bound = _Binding(names, places, self._program.tables(columns))
        return bound


@dataclass(frozen=True, eq=False)
class _Needs:
    """Which inputs some rules need: the texts, None for one that is not; direct terms with their places."""

    texts: tuple[terms.Text | None, ...]
    direct: tuple[tuple[int, terms.DirectTerm], ...]


def _find_needs(program: Program, kinds: Iterable[int]) -> _Needs:
    """What the rules that look at one of these types look at; terms of other rules may hold anything."""
    known = [kind for kind in kinds if 0 <= kind < len(program.applies)]
    numbers: set[int] = set()
    for rule in np.flatnonzero(np.any(program.applies[known], axis=0)).tolist():
        numbers.update(program.programs[program.program_starts[rule] : program.program_starts[rule + 1]].tolist())
    patterns = program.patterns
    first_text = program.comparisons - len(program.direct) - patterns.count
    bounds = [*patterns.layout[:, 0].tolist(), patterns.count]
    return _Needs(
        tuple(
            text if any(first_text + term in numbers for term in range(*bound)) else None
            for text, bound in zip(patterns.texts, pairwise(bounds), strict=True)
        ),
        tuple(
            (place, term)
            for place, term in enumerate(program.direct)
            if program.comparisons - len(program.direct) + place in numbers
        ),
    )


@dataclass(frozen=True, eq=False)
class _Binding:
    """Where the features of one set of names stand; live features hand in the same names again and again."""

    names: tuple[str, ...]
    places: dict[str, int]
    tables: NDArray[np.int32]


def _rule_id(file: str) -> str:
    return re.sub(r"\.yaml\Z", "", file).replace("/", ".")


def _version(sources: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for file in sorted(sources):
        for part in (file, sources[file]):
            raw = part.encode()
            digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()[:16]
