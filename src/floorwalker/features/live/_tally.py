"""Count one event into one row, by the operations that the table has for its type."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live import _layout as layout
from floorwalker.features.live._count import add_gap, add_token, bin_of, fingerprint_of, hour_of, remember, set_place
from floorwalker.features.live._hubs import add_standing
from floorwalker.features.live._inline import inline_kernel
from floorwalker.features.live._normal import add_normal, add_purchase
from floorwalker.features.live._rings import add_to_ring
from floorwalker.features.live._rows import find_row, mix
from floorwalker.features.live._saving import guard_row
from floorwalker.features.live._sketch import add_distinct
from floorwalker.features.live._vocabulary import AMOUNT, LATITUDE, LONGITUDE, QUANTITY
from floorwalker.store._hashing import widen

_U0 = np.uint64(0)
_U1 = np.uint64(1)


@inline_kernel
def count_event(
    table: NDArray[np.int64],
    row: int,
    i: int,
    at: int,
    kind: int,
    chosen: np.uint64,
    first: int,
    last: int,
    clock_before: int,
    now: NDArray[np.int64],
    places: NDArray[np.int64],
    clock: NDArray[np.int64],
    seed: np.uint64,
    blocks: NDArray[np.int64],
    windows: NDArray[np.int64],
    updates: NDArray[np.int64],
    adds: NDArray[np.int64],
    codes: NDArray[np.uint64],
    values: NDArray[np.float64],
    sets: NDArray[np.int64],
    words: NDArray[np.uint32],
    floats: NDArray[np.float32],
    times: NDArray[np.int64],
    shorts: NDArray[np.uint16],
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
    """Count event `i` into one row, by the operations `first` to `last` of the table for events of its type."""
    for u in range(first, last):
        op = updates[u, layout.OP]
        if op == layout.ADD:
            add_to_ring(u, row, i, chosen, now, places, clock, updates, blocks, windows, adds, values, floats)
            continue
        if (chosen >> np.uint64(updates[u, layout.SELECTION])) & _U1 == _U0:
            continue
        place = row + updates[u, layout.A]
        b = updates[u, layout.B]
        if op == layout.SET_FIRST:
            if times[place >> 1] == 0 or at < times[place >> 1]:
                times[place >> 1] = at
        elif op == layout.SET_LAST:
            times[place >> 1] = max(times[place >> 1], at)
        elif op == layout.ADD_GAP:
            add_gap(place, at, floats, times)
        elif op == layout.ADD_DISTINCT:
            if codes[b, i] != _U0:
                start = table[layout.T_SET_START]
                add_distinct(
                    row, updates[u, layout.A], updates[u, layout.C], start + updates[u, layout.D],
                    start + updates[u, layout.E], codes[b, i], seed, now, clock, sets, words, ticks, figures, free,
                    pages, heads, estimates, powers, sketches, sketches_saved, sketch_marks,
                )  # fmt: skip
                if updates[u, layout.SHOWN] != 0:
                    words[row + updates[u, layout.SHOWN] + 1] = words[place]
        elif op == layout.REMEMBER:
            if codes[b, i] != _U0:
                remember(place, fingerprint_of(mix(codes[b, i], seed)), words)
        elif op == layout.ADD_BIN:
            if codes[b, i] != _U0:
                floats[place + bin_of(mix(codes[b, i], seed))] += np.float32(1.0)
        elif op == layout.ADD_STANDING:
            add_standing(place, at, b, values[AMOUNT, i], words, floats, times)
        elif op == layout.ADD_HOUR:
            floats[place + hour_of(at)] += np.float32(1.0)
        elif op == layout.SET_PLACE:
            set_place(place, at, values[LATITUDE, i], values[LONGITUDE, i], floats, times)
        elif op == layout.ADD_NORMAL:
            add_normal(place, values[b, i], floats)
        elif op == layout.ADD_PURCHASE:
            add_purchase(place, at, values[AMOUNT, i], values[QUANTITY, i], floats, times)
        elif op == layout.ADD_TOKEN:
            add_token(place, kind, max(at - clock_before, 0), shorts, words)


@inline_kernel
def count_invitation(
    row: int,
    i: int,
    chosen: np.uint64,
    first: int,
    last: int,
    seed: np.uint64,
    updates: NDArray[np.int64],
    tables: NDArray[np.int64],
    account: int,
    inviter: int,
    only_at: int,
    key: np.uint64,
    words: NDArray[np.uint32],
    floats: NDArray[np.float32],
    keys: NDArray[np.uint64],
    slots: NDArray[np.uint32],
    saved: NDArray[np.uint64],
    page_marks: NDArray[np.uint8],
) -> None:
    """What an account's events say about the tree of invitations: they touch the inviter's rows beside its own."""
    for u in range(first, last):
        op = updates[u, layout.OP]
        if op < layout.SET_INVITER or (chosen >> np.uint64(updates[u, layout.SELECTION])) & _U1 == _U0:
            continue
        place = row + updates[u, layout.A]
        if op == layout.SET_INVITER:
            if key != _U0 and keys[place >> 1] == _U0:
                keys[place >> 1] = key
                above = find_row(tables[account], key, mix(key, seed), slots, keys)
                depth = np.float32(0.0) if above < 0 else floats[above + updates[u, layout.A] + 2]
                floats[place + 2] = min(depth + np.float32(1.0), np.float32(255.0))
            continue
        flag = np.uint32(layout.HAS_REDEEMED if op == layout.MARK_REDEEMED else layout.HAS_BOUGHT)
        before = words[place + 3]
        if before & flag != 0:
            continue
        words[place + 3] = before | flag
        if keys[place >> 1] == _U0 or inviter < 0 or only_at < 0:
            continue
        above = find_row(tables[inviter], keys[place >> 1], mix(keys[place >> 1], seed), slots, keys)
        if above < 0:
            continue
        guard_row(tables[inviter], above, keys, saved, page_marks)
        if op == layout.MARK_REDEEMED and before & np.uint32(layout.HAS_BOUGHT) == 0:
            floats[above + only_at] += np.float32(1.0)
        elif op == layout.MARK_BOUGHT and before & np.uint32(layout.HAS_REDEEMED) != 0:
            floats[above + only_at] = max(floats[above + only_at] - np.float32(1.0), np.float32(0.0))


@inline_kernel
def choose(
    i: int, kind: int, type_bits: NDArray[np.uint64], ranges: NDArray[np.float64], values: NDArray[np.float64]
) -> np.uint64:
    """The selections that event `i` is in, as bits."""
    chosen: np.uint64 = type_bits[kind]
    for r in range(len(ranges)):
        bit = np.uint64(widen(ranges[r, 0]))
        if (chosen >> bit) & _U1 != _U0:
            value = values[widen(ranges[r, 1]), i]
            if np.isnan(value):
                value = ranges[r, 4]
            if not ranges[r, 2] <= value <= ranges[r, 3]:
                chosen &= ~(_U1 << bit)
    return chosen
