"""Events with several coupons, items or sellers: further columns behind those of the events, one for each value.

In the kernel's matrices of codes and numbers, an event's column has no code for an entity of which the event has parts;
each part has a column that is a copy of the event's, with the part's own code and numbers. What tells such entities
apart, an account's items say, is counted here, out of the way of the many events that have no parts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live import _layout as layout
from floorwalker.features.live._count import bin_of, fingerprint_of, is_new, remember
from floorwalker.features.live._inline import inline_kernel
from floorwalker.features.live._rows import mix
from floorwalker.features.live._sketch import add_distinct
from floorwalker.store._flat import flat_kernel

_U0 = np.uint64(0)
_U1 = np.uint64(1)


@flat_kernel
def lay_parts(
    row: NDArray[np.int32],
    entity: NDArray[np.int8],
    key: NDArray[np.uint64],
    own: NDArray[np.float64],
    own_places: NDArray[np.int64],
    starts: NDArray[np.int64],
    parts: NDArray[np.int64],
    codes: NDArray[np.uint64],
    values: NDArray[np.float64],
) -> None:
    """Fill `starts` (all zero), `parts` and the columns behind those of the events. `own_places` says where among the
    values the numbers `own` stand, -1 for one that no feature asks for."""
    behind = codes.shape[1] - len(row)
    for p in range(len(row)):
        starts[row[p] + 1] += 1
        parts[p] = entity[p]
        codes[entity[p], row[p]] = _U0
    for i in range(behind):
        starts[i + 1] += starts[i]
    for p in range(len(row)):
        for place in range(codes.shape[0]):
            codes[place, behind + p] = codes[place, row[p]]
        codes[entity[p], behind + p] = key[p]
        for place in range(values.shape[0]):
            values[place, behind + p] = values[place, row[p]]
        for number in range(len(own_places)):
            if own_places[number] >= 0:
                values[own_places[number], behind + p] = own[number, p]


@inline_kernel
def clear_columns(
    table: NDArray[np.int64],
    base: int,
    features: NDArray[np.int64],
    out: NDArray[np.float32],
    missing: NDArray[np.bool_],
) -> None:
    """Make the features of a table missing in the row that starts at `base`."""
    for f in range(table[layout.T_FEATURE_START], table[layout.T_FEATURE_END]):
        column = base + features[f, layout.OUT]
        out[column] = np.float32(np.nan)
        missing[column] = True


@inline_kernel
def join_columns(
    table: NDArray[np.int64],
    base: int,
    to: int,
    features: NDArray[np.int64],
    out: NDArray[np.float32],
    missing: NDArray[np.bool_],
) -> None:
    """Take the features of one value into those of the event: the largest, or the smallest, of all its values."""
    for f in range(table[layout.T_FEATURE_START], table[layout.T_FEATURE_END]):
        column = base + features[f, layout.OUT]
        if missing[column]:
            continue
        event = to + features[f, layout.OUT]
        value = out[column]
        is_worse = value < out[event] if features[f, layout.SMALLEST] != 0 else value > out[event]
        if missing[event] or is_worse:
            out[event] = value
            missing[event] = False


@flat_kernel
def read_new_parts(
    table: NDArray[np.int64],
    row: int,
    c: int,
    first: int,
    last: int,
    parts: NDArray[np.int64],
    seed: np.uint64,
    features: NDArray[np.int64],
    codes: NDArray[np.uint64],
    words: NDArray[np.uint32],
    base: int,
    out: NDArray[np.float32],
    missing: NDArray[np.bool_],
) -> None:
    """Whether one of the event's parts is new to a row; `c` is the column that the row is counted by."""
    behind = codes.shape[1] - len(parts)
    for f in range(table[layout.T_OTHERS_START], table[layout.T_FEATURE_END]):
        code = features[f, layout.B]
        if features[f, layout.OP] != layout.NEW or codes[code, c] != _U0:
            continue
        column = base + features[f, layout.OUT]
        for part in range(first, last):
            if parts[part] != code:
                continue
            found = is_new(row + features[f, layout.A], fingerprint_of(mix(codes[code, behind + part], seed)), words)
            if not np.isnan(found) and (missing[column] or found > out[column]):
                out[column] = np.float32(found)
                missing[column] = False


@flat_kernel
def tell_parts_apart(
    table: NDArray[np.int64],
    row: int,
    c: int,
    first: int,
    last: int,
    parts: NDArray[np.int64],
    chosen: np.uint64,
    start: int,
    end: int,
    now: NDArray[np.int64],
    clock: NDArray[np.int64],
    seed: np.uint64,
    updates: NDArray[np.int64],
    codes: NDArray[np.uint64],
    sets: NDArray[np.int64],
    words: NDArray[np.uint32],
    floats: NDArray[np.float32],
    ticks: NDArray[np.int64],
    figures: NDArray[np.int64],
    free: NDArray[np.int32],
    pages: NDArray[np.uint8],
    heads: NDArray[np.int64],
    estimates: NDArray[np.float64],
    powers: NDArray[np.float64],
    sketches: NDArray[np.uint64],
    sketches_saved: NDArray[np.uint64],
    sketch_marks: NDArray[np.uint8],
) -> None:
    """Take all parts of the event into the sets, memories and bins of a row that tell such entities apart, by the
    operations `start` to `end`; `c` is the column that the row is counted by."""
    behind = codes.shape[1] - len(parts)
    for u in range(start, end):
        op = updates[u, layout.OP]
        if op != layout.ADD_DISTINCT and op != layout.REMEMBER and op != layout.ADD_BIN:
            continue
        code = updates[u, layout.B]
        if (chosen >> np.uint64(updates[u, layout.SELECTION])) & _U1 == _U0 or codes[code, c] != _U0:
            continue
        place = row + updates[u, layout.A]
        first_set = table[layout.T_SET_START]
        for part in range(first, last):
            if parts[part] != code:
                continue
            value = codes[code, behind + part]
            if op == layout.ADD_DISTINCT:
                add_distinct(
                    row, updates[u, layout.A], updates[u, layout.C], first_set + updates[u, layout.D],
                    first_set + updates[u, layout.E], value, seed, now, clock, sets, words, ticks, figures, free, pages,
                    heads, estimates, powers, sketches, sketches_saved, sketch_marks,
                )  # fmt: skip
            elif op == layout.REMEMBER:
                remember(place, fingerprint_of(mix(value, seed)), words)
            else:
                floats[place + bin_of(mix(value, seed))] += np.float32(1.0)
