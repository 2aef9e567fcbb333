"""Build the machine of routes level by level: describe siblings, decide, merge, go on below the merged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.routes._automaton import (
    DISPATCH_KEY,
    DISPATCHED,
    FIXED_PART,
    LITERAL,
    PATTERN,
    REQUIRED_KEY,
    ROUTE,
    Automaton,
    fold_units,
)
from floorwalker.features.routes._forms import join_forms, join_lists
from floorwalker.features.routes._grouping import group, mix
from floorwalker.features.routes._levels import SAMPLED, Level, broad_kinds, describe_level, suffix_kinds
from floorwalker.features.routes._queries import QueryLevel, describe_queries
from floorwalker.features.routes._split import DELIMITERS, MAX_SEGMENTS, SplitTargets
from floorwalker.features.routes._tokens import PRIOR, WIDTH, log_bin, make_tokens

MAX_LITERALS = 300
"""Fixed segments kept apart below one state."""

MAX_PATTERNS = 60
"""Merged types of segment below one state."""

MAX_DISPATCHED = 300
"""Values of dispatching keys kept apart at one path."""

MAX_ROUTES = 5_000
"""Routes in all; the least requested ones beyond share the overflow route."""

OVERFLOW = "(other)"


class Judge(Protocol):
    """Who decides what varies: the network, the truth of a generated site, or nobody."""

    def judge_level(self, level: Level) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Literal units, bool [units], and fixed parts, bool [parts]."""

    def judge_queries(self, level: QueryLevel) -> NDArray[np.bool_]:
        """Units that dispatch, or once dispatched, units that belong to the route: bool [units]."""


@dataclass
class _Frontier:
    """What the next level needs to know of every state."""

    prior: NDArray[np.int16] = field(default_factory=lambda: np.zeros((1, PRIOR, WIDTH), np.int16))
    lengths: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    merged: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(1, np.bool_))

    def extend(self, parents: NDArray[np.int64], tokens: NDArray[np.int16], merged: NDArray[np.bool_]) -> None:
        """Add states below parents, each with its own token as the last of its prior ones.

        Parameters
        ----------
        merged : bool [parents], the new state stands for many segments.
        """
        self.merged = np.concatenate([self.merged, merged])
        prior, lengths = self.prior[parents].copy(), self.lengths[parents].copy()
        full = lengths == PRIOR
        prior[full, :-1] = prior[full, 1:]
        at = np.minimum(lengths, PRIOR - 1)
        prior[np.arange(len(parents)), at] = tokens
        self.prior = np.concatenate([self.prior, prior])
        self.lengths = np.concatenate([self.lengths, at + 1])


def build_routes(
    cut: SplitTargets,
    counts: NDArray[np.float64],
    posts: NDArray[np.float64] | None,
    judge: Judge,
    *,
    sampled: int = SAMPLED,
) -> tuple[Automaton, list[str]]:
    """The machine and the routes' names by code; the last route is the overflow.

    Parameters
    ----------
    cut : the targets to learn from.
    counts, posts : float64 [n], their requests, and those of them by POST (None where unknown).
    judge : decides on each level.
    """
    machine, frontier = Automaton(), _Frontier()
    state_of = np.zeros(len(cut), np.int64)
    suffixes, broad = suffix_kinds(cut), broad_kinds(cut)
    for depth in range(MAX_SEGMENTS):
        level = describe_level(
            cut, depth, state_of, counts, posts, frontier.prior, frontier.lengths, suffixes, broad, sampled=sampled
        )
        if level is None:
            break
        literal, fixed = judge.judge_level(level)
        unit_next = _merge_level(machine, frontier, cut, level, literal, fixed)
        state_of[level.rows] = unit_next[level.units.of]
    path_state = state_of.copy()
    level_keys = describe_queries(cut, state_of, counts, posts, frontier.prior, frontier.lengths, dispatched=False)
    if level_keys is not None:
        chosen = judge.judge_queries(level_keys) & (level_keys.distinct <= MAX_DISPATCHED)
        state_of = _dispatch(machine, frontier, cut, level_keys, chosen, state_of)
        level_keys = describe_queries(cut, state_of, counts, posts, frontier.prior, frontier.lengths, dispatched=True)
    required = np.zeros(len(cut.key_hash), np.bool_)
    if level_keys is not None:
        kept = judge.judge_queries(level_keys)
        # A dispatching key is in the state's name already.
        kept &= ~_is_dispatching(machine, cut, level_keys, path_state)
        required = kept[level_keys.units.of]
        units = level_keys.units.first[kept]
        machine.connect(level_keys.unit_state[kept], cut.key_hash[units], REQUIRED_KEY, np.ones(len(units)))
    forms = join_forms(machine, frontier.merged, cut, path_state)
    return machine, _number_routes(machine, frontier.merged, cut, counts, state_of, required, forms)


def _merge_level(
    machine: Automaton,
    frontier: _Frontier,
    cut: SplitTargets,
    level: Level,
    literal: NDArray[np.bool_],
    fixed: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """New states for a level's units: int64 [units], the state that each leads to."""
    literal = _cap(level.state.of, level.unit_count, literal, MAX_LITERALS)
    fixed = fixed & ~literal[level.part_unit]
    # A part's text is fixed below a state as a whole, so that a target which comes later is treated alike.
    keyed = level.part_key.largest(fixed)[level.part_key.of] > 0
    number = np.bincount(level.part_unit, minlength=len(literal))
    begins = np.concatenate([[0], np.cumsum(number)])
    part_hash = cut.part_hash[level.parts]
    delimiter = cut.part_delimiter[level.parts].astype(np.int64)
    folded, whole = np.empty(len(literal), np.uint64), np.empty(len(literal), np.bool_)
    with np.errstate(over="ignore"):
        fold_units(begins, part_hash, delimiter, keyed, folded, whole)
    merged = ~literal
    types = group(mix(level.unit_state[merged], folded[merged]))
    type_rows = np.flatnonzero(merged)[types.first]
    kept = _cap(
        level.state.of[type_rows], types.total(level.unit_count[merged]), np.ones(len(types), np.bool_), MAX_PATTERNS
    )
    if not kept.all():
        lost = np.zeros(len(literal), np.bool_)
        lost[merged] = ~kept[types.of]
        keyed = keyed & ~lost[level.part_unit]
        with np.errstate(over="ignore"):
            fold_units(begins, part_hash, delimiter, keyed, folded, whole)
        types = group(mix(level.unit_state[merged], folded[merged]))
        type_rows = np.flatnonzero(merged)[types.first]
    following = np.zeros(len(literal), np.int64)
    new_rows = np.concatenate([np.flatnonzero(literal), type_rows])
    first_new = len(machine)
    for unit in new_rows.tolist():
        machine.add_state(
            int(level.unit_state[unit]), "/" + _piece(cut, level, unit, begins, keyed, bool(literal[unit]))
        )
    following[literal] = first_new + np.arange(int(literal.sum()))
    following[merged] = first_new + int(literal.sum()) + types.of
    kinds = np.where(literal | whole, 0, 2)
    variable = np.bincount(level.part_unit, weights=~keyed, minlength=len(literal))
    kinds[(kinds == 2) & (variable < number)] = 1
    first_part = level.parts[begins[:-1]]
    frontier.extend(
        level.unit_state[new_rows],
        make_tokens(
            "prior", kinds[new_rows], log_bin(level.state.size[level.state.of], 13)[new_rows],
            cut.part_shape[first_part][new_rows], cut.part_word[first_part][new_rows],
            np.minimum(number[new_rows], 3), np.full(len(new_rows), min(level.depth, 5)),
        ),
        ~literal[new_rows] & ~whole[new_rows],
    )  # fmt: skip
    machine.connect(
        level.unit_state[literal], cut.segment_hash[level.unit_segment[literal]], LITERAL, following[literal]
    )
    machine.connect(level.unit_state[type_rows], folded[type_rows], PATTERN, following[type_rows])
    entries = level.part_key.first[level.part_key.largest(keyed & merged[level.part_unit]) > 0]
    machine.connect(
        level.unit_state[level.part_unit[entries]],
        part_hash[entries] + delimiter[entries].astype(np.uint64),
        FIXED_PART,
        np.ones(len(entries)),
    )
    return following


def _cap(
    owner: NDArray[np.int64], weight: NDArray[np.float64], chosen: NDArray[np.bool_], most: int
) -> NDArray[np.bool_]:
    """The chosen rows, but at most so many of each owner: those of the largest weight."""
    rows = np.flatnonzero(chosen)
    order = rows[np.lexsort((-weight[rows], owner[rows]))]
    by_owner = np.bincount(owner[order], minlength=int(owner.max(initial=0)) + 1)
    rank = np.arange(len(order)) - (np.cumsum(by_owner) - by_owner)[owner[order]]
    kept = np.zeros(len(chosen), np.bool_)
    kept[order[rank < most]] = True
    return kept


def _piece(
    cut: SplitTargets, level: Level, unit: int, begins: NDArray[np.int64], fixed: NDArray[np.bool_], literal: bool
) -> str:
    target, segment = int(level.unit_target[unit]), int(level.unit_segment[unit])
    if literal:
        return cut.slice_text(target, int(cut.segment_start[segment]), int(cut.segment_end[segment]))
    written: list[str] = []
    running = False
    for at in range(int(begins[unit]), int(begins[unit + 1])):
        part = int(level.parts[at])
        delimiter = int(cut.part_delimiter[part])
        mark = chr(DELIMITERS[delimiter - 1]) if 0 < delimiter <= len(DELIMITERS) else ""
        if fixed[at]:
            written.append(mark + cut.slice_text(target, int(cut.part_start[part]), int(cut.part_end[part])))
        elif not running:
            written.append(mark + "{}")
        running = not fixed[at]
    return "".join(written)


def _dispatch(
    machine: Automaton,
    frontier: _Frontier,
    cut: SplitTargets,
    level: QueryLevel,
    chosen: NDArray[np.bool_],
    state_of: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Follow the values of dispatching keys into states of their own."""
    if not chosen.any():
        return state_of
    first = level.units.first[chosen]
    machine.connect(level.unit_state[chosen], cut.key_hash[first], DISPATCH_KEY, np.ones(len(first)))
    rows = np.flatnonzero(chosen[level.units.of])
    targets = level.key_target[rows]
    total = np.zeros(len(cut), np.uint64)
    with np.errstate(over="ignore"):
        np.add.at(total, targets, mix(cut.key_hash[rows], cut.value_hash[rows], 23))
    touched = np.unique(targets)
    combined = group(mix(state_of[touched], total[touched], 5))
    heads = touched[combined.first]
    first_new = len(machine)
    words = np.zeros(len(heads), np.int64)
    for at, target in enumerate(heads.tolist()):
        texts = []
        for key in range(int(cut.key_of[target]), int(cut.key_of[target + 1])):
            if chosen[level.units.of[key]]:
                words[at] = cut.key_word[key]
                name = cut.slice_text(target, int(cut.key_start[key]), int(cut.key_end[key]))
                texts.append(f"{name}={cut.slice_text(target, int(cut.value_start[key]), int(cut.value_end[key]))}")
        machine.add_state(int(state_of[target]), "?" + "&".join(sorted(texts)))
    siblings = group(state_of[heads])
    frontier.extend(
        state_of[heads],
        make_tokens("prior", np.zeros(len(heads), np.int64), log_bin(siblings.size[siblings.of], 13), 1, words, 0, 5),
        np.zeros(len(heads), np.bool_),
    )
    machine.connect(state_of[heads], total[heads], DISPATCHED, first_new + np.arange(len(heads)))
    following = state_of.copy()
    following[touched] = first_new + combined.of
    return following


def _is_dispatching(
    machine: Automaton, cut: SplitTargets, level: QueryLevel, path_state: NDArray[np.int64]
) -> NDArray[np.bool_]:
    first = level.units.first
    states, keys = path_state[level.key_target[first]], cut.key_hash[first]
    return np.array([machine.knows(int(a), int(b), DISPATCH_KEY) for a, b in zip(states, keys, strict=True)], np.bool_)


def _number_routes(
    machine: Automaton,
    merged: NDArray[np.bool_],
    cut: SplitTargets,
    counts: NDArray[np.float64],
    state_of: NDArray[np.int64],
    required: NDArray[np.bool_],
    forms: NDArray[np.int64],
) -> list[str]:
    targets = np.repeat(np.arange(len(cut)), np.diff(cut.key_of))
    total = np.zeros(len(cut), np.uint64)
    needed = np.full(len(cut), -1)
    with np.errstate(over="ignore"):
        np.add.at(total, targets[required], mix(cut.key_hash[required], np.uint64(7), 24))
    needed[targets[required]] = np.flatnonzero(required)
    needed[np.bincount(targets[required], minlength=len(cut)) > 1] = -2
    # A route's forms share its number; each has its own transition to it.
    own = group(mix(state_of, total, ROUTE))
    first, requests = own.first, own.total(counts)
    lists = join_lists(machine, merged, cut, own, state_of[first], needed[first])
    shared = first[lists]
    routes = group(mix(forms[state_of[shared]], total[shared], ROUTE))
    head = np.lexsort((-requests, forms[state_of[shared]] != state_of[first], routes.of))
    head = head[np.cumsum(routes.size) - routes.size]
    order = np.argsort(-routes.total(requests), kind="stable")
    names: list[str] = []
    codes = np.empty(len(routes), np.int64)
    for rank, route in enumerate(order.tolist()):
        codes[route] = min(rank, MAX_ROUTES - 1)
        if rank < MAX_ROUTES - 1:
            target = int(first[head[route]])
            names.append(route_name(machine, cut, int(state_of[target]), target, required))
    names.append(OVERFLOW)
    codes[codes == MAX_ROUTES - 1] = len(names) - 1
    machine.connect(state_of[first], total[first], ROUTE, codes[routes.of])
    return names


def route_name(
    machine: Automaton, cut: SplitTargets, state: int, target: int, required: NDArray[np.bool_] | None = None
) -> str:
    """How a person reads the route of a target that ended in a state."""
    base = machine.name(state) or "/"
    keys = [
        f"{cut.slice_text(target, int(cut.key_start[key]), int(cut.key_end[key]))}={{}}"
        for key in range(int(cut.key_of[target]), int(cut.key_of[target + 1]))
        if (required[key] if required is not None else machine.knows(state, int(cut.key_hash[key]), REQUIRED_KEY))
    ]
    if base.startswith("?"):
        base = "/" + base
    if not keys:
        return base
    return base + ("&" if "?" in base else "?") + "&".join(sorted(keys))
