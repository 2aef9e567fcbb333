"""One level of the URL tree: the segments below each state, described by their own and their siblings' figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.routes._grouping import Groups, group, mix, ranges
from floorwalker.features.routes._split import SplitTargets
from floorwalker.features.routes._tokens import (
    FUTURE,
    LENGTH,
    PRIOR,
    WIDTH,
    length_bin,
    log_bin,
    make_tokens,
    relative_bin,
    share_bin,
)

SAMPLED = 1500
"""Siblings below one state that are shown to the network; the rest follow what these decide about their parts."""

NUMBERED = (4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16)
"""Shapes that hold digits."""

_COARSE = np.array([0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 2, 1, 4, 5, 6])


@dataclass
class Level:
    """The distinct segments at one depth, *units*, and their parts.

    Parameters
    ----------
    depth : 0 for the first segment.
    rows : int64 [rows], the targets that reach this depth.
    units : the rows by unit.
    unit_state : int64 [units], the state that a unit hangs below.
    unit_target, unit_segment : int64 [units], a target that shows it and the segment's place in the cut.
    unit_count : float64 [units], its requests.
    unit_post : float64 [units], the share of POST among them, or -1 where methods are unknown.
    parts, part_unit : int64 [parts], places in the cut and the unit that each belongs to.
    part_key : the parts by (state, delimiter, text): siblings' equal parts decide together.
    sampled : int64 [k], the units that the network sees.
    tokens : int16 [k, LENGTH, WIDTH]; lengths : int64 [k].
    part_slot : int64 [parts], the token of each part in its unit's sequence.
    segment_slot : int64 [units], the token of the segment itself.
    signature : the units by (state, delimiters and shapes); state : the units by state.
    leaf : bool [units], nothing hangs below, at most a few queries.
    kin : the units by (state, signature, the most frequent kind of path below).
    """

    depth: int
    rows: NDArray[np.int64]
    units: Groups
    unit_state: NDArray[np.int64]
    unit_target: NDArray[np.int64]
    unit_segment: NDArray[np.int64]
    unit_count: NDArray[np.float64]
    unit_post: NDArray[np.float64]
    parts: NDArray[np.int64]
    part_unit: NDArray[np.int64]
    part_key: Groups
    sampled: NDArray[np.int64]
    tokens: NDArray[np.int16]
    lengths: NDArray[np.int64]
    part_slot: NDArray[np.int64]
    segment_slot: NDArray[np.int64]
    signature: Groups
    state: Groups
    leaf: NDArray[np.bool_]
    kin: Groups


def describe_level(
    cut: SplitTargets,
    depth: int,
    state_of: NDArray[np.int64],
    counts: NDArray[np.float64],
    posts: NDArray[np.float64] | None,
    prior: NDArray[np.int16],
    prior_lengths: NDArray[np.int64],
    suffixes: NDArray[np.uint64],
    broad: NDArray[np.uint64],
    *,
    sampled: int = SAMPLED,
) -> Level | None:
    """Describe the segments at this depth, or give None where no target is that deep.

    Parameters
    ----------
    cut : the targets.
    state_of : int64 [n], where each target stands after the segments before.
    counts, posts : float64 [n], requests and POST requests of each target.
    prior : int16 [states, PRIOR, WIDTH], the tokens of the last decided segments of each state.
    prior_lengths : int64 [states], how many of them there are.
    suffixes, broad : uint64 [segments], see `suffix_kinds` and `broad_kinds`.
    """
    segments = np.diff(cut.segment_of)
    rows = np.flatnonzero(segments > depth)
    if len(rows) == 0:
        return None
    places = cut.segment_of[rows].astype(np.int64) + depth
    units = group(mix(state_of[rows], cut.segment_hash[places]))
    unit_row = rows[units.first]
    unit_state, unit_segment = state_of[unit_row], places[units.first]
    weight = counts[rows]
    unit_count = units.total(weight)
    unit_post = np.full(len(units), -1.0) if posts is None else units.total(posts[rows]) / np.maximum(unit_count, 1e-9)
    state = group(unit_state)
    siblings, mean_count = state.size[state.of], (state.total(unit_count) / state.size)[state.of]
    share = unit_count / np.maximum(state.total(unit_count)[state.of], 1e-9)
    entropy = (state.total(-share * np.log(np.maximum(share, 1e-12))) / np.log(np.maximum(state.size, 2)))[state.of]
    top = state.largest(share)[state.of]

    parts, part_unit = ranges(cut.part_of[unit_segment], cut.part_of[unit_segment + 1])
    shape, delimiter = cut.part_shape[parts].astype(np.int64), cut.part_delimiter[parts].astype(np.int64)
    part_state = unit_state[part_unit]
    part_key = group(mix(part_state, cut.part_hash[parts] + delimiter.astype(np.uint64)))
    frequency = part_key.size[part_key.of]
    weighted = (part_key.total(unit_count[part_unit]))[part_key.of] / np.maximum(
        state.total(unit_count)[state.of][part_unit], 1e-9
    )
    kinds = group(mix(part_state, delimiter * 16 + _COARSE[shape], 1))
    fan = np.bincount(kinds.of[part_key.first], minlength=len(kinds))[kinds.of]
    number = np.bincount(part_unit, minlength=len(units))
    begins = np.cumsum(number) - number
    order = np.arange(len(parts)) - begins[part_unit]
    following = np.append(delimiter[1:], 0)
    following[begins + number - 1] = 0
    length = (cut.part_end - cut.part_start)[parts]

    # The signature keeps delimiters and coarse shapes and is blind to how many equal ones follow each other.
    code = (delimiter * 8 + _COARSE[shape]).astype(np.uint64)
    repeated = np.concatenate([[False], (code[1:] == code[:-1]) & (order[1:] > 1)])
    with np.errstate(over="ignore"):
        folded = (code + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) * (np.minimum(order, 3) + 1).astype(np.uint64)
        folded[repeated] = 0
        sums = np.add.reduceat(folded, begins)
    signature = group(mix(unit_state, sums, 2))
    alike = signature.size[signature.of]

    below = _look_below(cut, depth, rows, units, unit_state, suffixes, broad)
    ends_here = below.ends_here
    final = np.maximum(cut.part_of[cut.segment_of[unit_row + 1]].astype(np.int64) - 1, 0)
    ending = np.where(cut.part_delimiter[final] == 3, cut.part_word[final], 0)
    extension = np.zeros(len(units), np.int64)
    last = begins + number - 1
    extension[(delimiter[last] == 3) & (length[last] <= 5) & (number > 1)] = 1
    post = np.where(unit_post < 0, 0, np.where(unit_post < 0.02, 1, np.where(unit_post < 0.6, 2, 3)))
    byte_length = (cut.segment_end - cut.segment_start)[unit_segment]
    segment_tokens = make_tokens(
        "segment", log_bin(siblings, 13), log_bin(mean_count, 7), share_bin(top),
        np.minimum(entropy * 6, 5).astype(np.int64), share_bin(alike / siblings), log_bin(alike, 13),
        relative_bin(unit_count / np.maximum(mean_count, 1e-9)), log_bin(unit_count, 8), log_bin(below.targets, 13),
        share_bin(below.children_shared), number, length_bin(byte_length), np.full(len(units), min(depth, 5)),
        extension + 2 * (ends_here > 0.99) + 2 * (ends_here > 0.01), post, share_bin(below.shared),
        log_bin(below.sharing, 6), log_bin(below.kinds, 8), ending, share_bin(below.queried),
    )  # fmt: skip
    part_tokens = make_tokens(
        "part", delimiter, following, shape, length_bin(length), share_bin(frequency / siblings[part_unit]),
        log_bin(frequency, 13), log_bin(fan, 13), np.minimum(order, 4), np.minimum(number[part_unit] - 1 - order, 4),
        cut.part_word[parts], share_bin(weighted), share_bin((alike / siblings)[part_unit]),
        relative_bin((unit_count / np.maximum(mean_count, 1e-9))[part_unit]), post[part_unit],
        log_bin(siblings[part_unit], 8),
    )  # fmt: skip

    chosen = _sample(state, unit_count, cut.segment_hash[unit_segment], sampled)
    before = prior_lengths[unit_state]
    tokens = np.zeros((len(chosen), LENGTH, WIDTH), np.int16)
    tokens[:, :PRIOR] = prior[unit_state[chosen]]
    tokens[np.arange(len(chosen)), before[chosen]] = segment_tokens[chosen]
    place = np.full(len(units), -1)
    place[chosen] = np.arange(len(chosen))
    part_slot = before[part_unit] + 1 + order
    shown = place[part_unit] >= 0
    tokens[place[part_unit[shown]], part_slot[shown]] = part_tokens[shown]
    lengths = before + 1 + number
    lengths = lengths[chosen] + _add_future(cut, depth, unit_row[chosen], lengths[chosen], tokens)
    return Level(
        depth, rows, units, unit_state, unit_row, unit_segment, unit_count, unit_post, parts, part_unit, part_key,
        chosen, tokens, lengths, part_slot, before, signature, state,
        (ends_here > 0.99) & (below.targets <= 3),
        group(mix(mix(unit_state, _own_kind(cut, unit_segment), 14), below.usual, 12)),
    )  # fmt: skip


@dataclass(frozen=True)
class _Below:
    """What hangs below each unit, compared with what hangs below its siblings."""

    targets: NDArray[np.float64]
    ends_here: NDArray[np.float64]
    queried: NDArray[np.float64]
    children_shared: NDArray[np.float64]
    shared: NDArray[np.float64]
    sharing: NDArray[np.float64]
    kinds: NDArray[np.int64]
    usual: NDArray[np.uint64]


def _look_below(
    cut: SplitTargets,
    depth: int,
    rows: NDArray[np.int64],
    units: Groups,
    unit_state: NDArray[np.int64],
    suffixes: NDArray[np.uint64],
    broad: NDArray[np.uint64],
) -> _Below:
    """Siblings that lead to the same children or the same kinds of path are values of one variable."""
    here = cut.segment_of[rows].astype(np.int64) + depth + 1
    inside = here < cut.segment_of[rows + 1]
    bounded = np.minimum(here, max(len(cut.segment_hash) - 1, 0))
    keyed = key_sets(cut)[rows]
    child = np.where(inside, cut.segment_hash[bounded], keyed)
    suffix = np.where(inside, suffixes[bounded], keyed)
    children_shared, _, _, _ = _share(units, unit_state, child)
    shared, sharing, kinds, _ = _share(units, unit_state, suffix)
    usual = _share(units, unit_state, np.where(inside, broad[bounded], keyed))[3]
    return _Below(
        units.size.astype(np.float64), units.mean(~inside), units.mean((keyed > 0) & ~inside), children_shared,
        shared, sharing, kinds, usual,
    )  # fmt: skip


def _share(
    units: Groups, unit_state: NDArray[np.int64], continuation: NDArray[np.uint64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.uint64]]:
    """Of a unit's continuations: share that a sibling has too, mean number of those, distinct ones, the usual one."""
    held = group(mix(units.of, continuation, 8))
    unit = units.of[held.first]
    siblings = group(mix(unit_state[unit], continuation[held.first], 9))
    others = (siblings.size - 1)[siblings.of]
    kinds = np.bincount(unit, minlength=len(units))
    shared = np.bincount(unit, weights=others > 0, minlength=len(units)) / np.maximum(kinds, 1)
    sharing = np.bincount(unit, weights=others, minlength=len(units)) / np.maximum(kinds, 1)
    usual = np.zeros(len(units), np.uint64)
    rising = np.lexsort((continuation[held.first], held.size))
    usual[unit[rising]] = continuation[held.first][rising]
    return shared, sharing, kinds, usual


def _own_kind(cut: SplitTargets, segments: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Whether a segment holds digits, and its ending."""
    parts, owner = ranges(cut.part_of[segments], cut.part_of[segments + 1])
    shape = cut.part_shape[parts]
    numbered = np.bincount(owner, weights=np.isin(shape, NUMBERED), minlength=len(segments)) > 0
    last = cut.part_of[segments + 1].astype(np.int64) - 1
    many = np.diff(cut.part_of)[segments] > 1
    ending = np.where((cut.part_delimiter[last] == 3) & many, cut.part_hash[last], 0)
    return mix(numbered, ending, 15)


def broad_kinds(cut: SplitTargets) -> NDArray[np.uint64]:
    """As `suffix_kinds`, but only frequent texts, endings and digits count: a name of two words is like one of four."""
    if len(cut.segment_hash) == 0:
        return np.zeros(1, np.uint64)
    texts = group(cut.segment_hash)
    frequent = (texts.size >= max(5, len(cut) // 100))[texts.of]
    first, last = cut.part_of[:-1].astype(np.int64), cut.part_of[1:].astype(np.int64) - 1
    ending = np.where((cut.part_delimiter[last] == 3) & (last > first), cut.part_hash[last], 0)
    numbered = np.add.reduceat(np.isin(cut.part_shape, NUMBERED).astype(np.int64), first) > 0
    kinds = np.where(frequent, cut.segment_hash, mix(numbered, ending, 13))
    return _fold_suffixes(cut, kinds)


def _fold_suffixes(cut: SplitTargets, kinds: NDArray[np.uint64]) -> NDArray[np.uint64]:
    owner = np.repeat(np.arange(len(cut)), np.diff(cut.segment_of))
    place = np.arange(len(kinds)) - cut.segment_of[owner]
    last = cut.segment_of[owner + 1] - cut.segment_of[owner] - 1
    suffix = kinds.copy()
    for steps in range(1, int(last.max(initial=0)) + 1):
        rows = np.flatnonzero(last - place == steps)
        suffix[rows] = mix(suffix[rows + 1], kinds[rows], 10)
    return suffix


def key_sets(cut: SplitTargets) -> NDArray[np.uint64]:
    """A hash of each target's set of query keys; 0 where it has none."""
    sums = np.zeros(len(cut), np.uint64)
    with np.errstate(over="ignore"):
        np.add.at(sums, np.repeat(np.arange(len(cut)), np.diff(cut.key_of)), mix(cut.key_hash, np.uint64(5), 11))
    return sums


def suffix_kinds(cut: SplitTargets) -> NDArray[np.uint64]:
    """For each segment, the kind of path from it to the end: words of letters as they are, the rest by shape."""
    first = cut.part_of[:-1].astype(np.int64)
    number = np.diff(cut.part_of)
    shape = cut.part_shape.astype(np.int64)
    code = (cut.part_delimiter.astype(np.int64) * 8 + _COARSE[shape]).astype(np.uint64)
    if len(first) == 0:
        return np.zeros(1, np.uint64)
    order = np.arange(len(code)) - np.repeat(first, number)
    repeated = np.concatenate([[False], (code[1:] == code[:-1]) & (order[1:] > 1)])
    with np.errstate(over="ignore"):
        folded = (code + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) * (np.minimum(order, 3) + 1).astype(np.uint64)
        folded[repeated] = 0
        kinds = np.add.reduceat(folded, first)
        plain = (number == 1) & np.isin(shape[first], (1, 2, 3))
        kinds = np.where(plain, cut.segment_hash, kinds)
    return _fold_suffixes(cut, kinds)


def _sample(
    state: Groups, unit_count: NDArray[np.float64], hashes: NDArray[np.uint64], sampled: int
) -> NDArray[np.int64]:
    """Below each state all units, or the most requested third of a sample and chance for the rest of it."""
    if state.size.max() <= sampled:
        return np.arange(len(state.of))
    by_count = np.lexsort((hashes, -unit_count, state.of))
    begins = np.cumsum(state.size) - state.size
    rank = np.arange(len(by_count)) - begins[state.of[by_count]]
    kept = rank < sampled // 3
    rest = by_count[~kept]
    by_hash = rest[np.lexsort((hashes[rest], state.of[rest]))]
    left = np.bincount(state.of[by_hash], minlength=len(state))
    order = np.arange(len(by_hash)) - (np.cumsum(left) - left)[state.of[by_hash]]
    return np.sort(np.concatenate([by_count[kept], by_hash[order < sampled - sampled // 3]]))


def _add_future(
    cut: SplitTargets,
    depth: int,
    targets: NDArray[np.int64],
    lengths: NDArray[np.int64],
    tokens: NDArray[np.int16],
) -> NDArray[np.int64]:
    added = np.zeros(len(targets), np.int64)
    for ahead in range(1, FUTURE + 1):
        place = cut.segment_of[targets].astype(np.int64) + depth + ahead
        there = np.flatnonzero(place < cut.segment_of[targets + 1])
        if len(there) == 0:
            break
        segment = place[there]
        first = cut.part_of[segment]
        number = cut.part_of[segment + 1] - first
        second = np.where(number > 1, cut.part_delimiter[np.minimum(first + 1, len(cut.part_delimiter) - 1)], 0)
        keyed = (np.diff(cut.key_of)[targets[there]] > 0).astype(np.int64)
        rows = make_tokens(
            "future", cut.part_shape[first], number, second,
            length_bin(cut.segment_end[segment] - cut.segment_start[segment]), cut.part_word[first], keyed,
        )  # fmt: skip
        tokens[there, lengths[there] + ahead - 1] = rows
        added[there] += 1
    return added
