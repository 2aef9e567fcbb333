"""The query keys below each path, described by how often they come and what their values look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.routes._grouping import Groups, group, mix
from floorwalker.features.routes._split import LOWER, MAX_KEYS, MIXED, OTHER, SHAPE_NAMES, UPPER, SplitTargets
from floorwalker.features.routes._tokens import (
    PRIOR,
    QUERY_LENGTH,
    WIDTH,
    length_bin,
    log_bin,
    make_tokens,
    relative_bin,
    share_bin,
)
from floorwalker.features.routes._words import VERB


@dataclass
class QueryLevel:
    """The distinct (state, key) pairs, *units*, and one sequence for each state that has any.

    Parameters
    ----------
    dispatched : false while dispatching keys are sought, true once their values are part of the state.
    keys : int64 [m], places of the keys in the cut; key_target : int64 [m], their targets.
    units : the keys by (state, key).
    unit_state : int64 [units].
    sequence : int64 [units], the unit's sequence, or -1 where the state has too many keys to show this one.
    slot : int64 [units], its token there.
    tokens : int16 [k, QUERY_LENGTH, WIDTH]; lengths : int64 [k].
    distinct : float64 [units], distinct values seen.
    acts, letters : float64 [units], share of the distinct values that name an act, and that are made of letters.
    posted : float64 [units], share of the distinct values that are sent mostly by POST; 0 where methods are unknown.
    named : float64 [units], distinct values by target that has the key: 1 where the key alone says what is asked.
    numbered : float64 [units], share of the targets whose value holds a digit; 0 once dispatched.
    """

    dispatched: bool
    keys: NDArray[np.int64]
    key_target: NDArray[np.int64]
    units: Groups
    unit_state: NDArray[np.int64]
    sequence: NDArray[np.int64]
    slot: NDArray[np.int64]
    tokens: NDArray[np.int16]
    lengths: NDArray[np.int64]
    distinct: NDArray[np.float64]
    acts: NDArray[np.float64]
    letters: NDArray[np.float64]
    posted: NDArray[np.float64]
    named: NDArray[np.float64]
    numbered: NDArray[np.float64]


def describe_queries(
    cut: SplitTargets,
    state_of: NDArray[np.int64],
    counts: NDArray[np.float64],
    posts: NDArray[np.float64] | None,
    prior: NDArray[np.int16],
    prior_lengths: NDArray[np.int64],
    *,
    dispatched: bool,
) -> QueryLevel | None:
    """Describe the query keys of every state; None where no target has any. Parameters as `describe_level`."""
    number = np.diff(cut.key_of)
    if number.sum() == 0:
        return None
    targets = np.repeat(np.arange(len(cut)), number)
    places = np.arange(len(targets))
    targets_in = np.zeros(int(state_of.max()) + 1)
    requests_in, without, posted = targets_in.copy(), targets_in.copy(), targets_in.copy()
    np.add.at(targets_in, state_of, 1)
    np.add.at(requests_in, state_of, counts)
    np.add.at(without, state_of, number == 0)
    if posts is not None:
        np.add.at(posted, state_of, posts)
    units = group(mix(state_of[targets], cut.key_hash, 3))
    unit_state = state_of[targets[units.first]]
    owner = group(unit_state)
    held = group(mix(units.of, cut.value_hash, 4))
    value_unit = units.of[held.first]
    distinct = np.bincount(value_unit, minlength=len(units)).astype(np.float64)
    weight = np.maximum(counts[targets], 1e-9)
    acts = np.bincount(value_unit, weights=cut.value_word[held.first] == VERB, minlength=len(units)) / distinct
    plain = np.isin(cut.value_shape[held.first], (LOWER, MIXED, UPPER, OTHER))
    letters = np.bincount(value_unit, weights=plain, minlength=len(units)) / distinct
    posted_values = np.zeros(len(units))
    if posts is not None:
        mostly = held.total(posts[targets]) >= 0.5 * held.total(weight)
        posted_values = np.bincount(value_unit, weights=mostly, minlength=len(units)) / distinct
    requests = units.total(weight)
    top = np.zeros(len(units))
    np.maximum.at(top, value_unit, held.total(weight))
    shape_counts = np.zeros((len(units), len(SHAPE_NAMES)))
    np.add.at(shape_counts, (units.of, cut.value_shape), 1)
    mean_length = units.mean(cut.value_end - cut.value_start)
    slash = units.mean(_holds(cut, places, targets, cut.text == 47))
    numbered = np.zeros(len(units))
    if not dispatched:
        numbered = units.mean(_holds(cut, places, targets, (cut.text >= 48) & (cut.text <= 57)))
    alone = units.mean(number[targets] == 1)
    post = posted[unit_state] / np.maximum(requests_in[unit_state], 1e-9) if posts is not None else None
    rows = make_tokens(
        "key", share_bin(requests / np.maximum(requests_in[unit_state], 1e-9)),
        share_bin(units.size / np.maximum(targets_in[unit_state], 1)), log_bin(distinct, 13),
        share_bin(distinct / units.size), share_bin(top / np.maximum(requests, 1e-9)), shape_counts.argmax(axis=1),
        log_bin(mean_length, 8), share_bin(slash), log_bin(owner.size[owner.of], 8), cut.key_word[units.first],
        share_bin(without[unit_state] / np.maximum(targets_in[unit_state], 1)), share_bin(alone),
        np.full(len(units), int(dispatched)),
        np.full(len(units), 0) if post is None else 1 + np.minimum(post * 4, 4).astype(np.int64),
        relative_bin(units.size / np.maximum(distinct, 1)),
    )  # fmt: skip
    # The keys of a state, most frequent first; equal ones by their text, not by chance of arrival.
    order = np.lexsort(
        (cut.key_hash[units.first], length_bin(cut.key_end - cut.key_start)[units.first], -units.size, owner.of)
    )
    rank = np.empty(len(units), np.int64)
    rank[order] = np.arange(len(units)) - (np.cumsum(owner.size) - owner.size)[owner.of[order]]
    shown = rank < MAX_KEYS
    before = prior_lengths[unit_state[owner.first]]
    tokens = np.zeros((len(owner), QUERY_LENGTH, WIDTH), np.int16)
    tokens[:, :PRIOR] = prior[unit_state[owner.first]]
    slot = before[owner.of] + rank
    tokens[owner.of[shown], slot[shown]] = rows[shown]
    lengths = before + np.minimum(owner.size, MAX_KEYS)
    return QueryLevel(
        dispatched,
        places,
        targets,
        units,
        unit_state,
        np.where(shown, owner.of, -1),
        slot,
        tokens,
        lengths,
        distinct,
        acts,
        letters,
        posted_values,
        distinct / units.size,
        numbered,
    )


def _holds(
    cut: SplitTargets, places: NDArray[np.int64], targets: NDArray[np.int64], sought: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether a key's value holds one of the bytes that are marked in the text: bool [keys]."""
    running = np.concatenate([[0], np.cumsum(sought)])
    base = cut.offsets[targets]
    found: NDArray[np.bool_] = running[base + cut.value_end[places]] > running[base + cut.value_start[places]]
    return found
