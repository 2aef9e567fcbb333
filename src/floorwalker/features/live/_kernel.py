"""The one loop over events: look up, read the features, count."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live import _layout as layout
from floorwalker.features.live._count import (
    add_gap,
    add_token,
    bin_of,
    entropy,
    fingerprint_of,
    hour_of,
    hour_share,
    is_new,
    remember,
    set_place,
    travel_speed,
)
from floorwalker.features.live._inline import inline_kernel
from floorwalker.features.live._normal import (
    LEAST,
    add_normal,
    add_purchase,
    expected,
    normal_deviation,
)
from floorwalker.features.live._rings import add_to_ring, bucket_numbers, read_windows, ring_places, roll
from floorwalker.features.live._rows import find_row, make_row, mix, pair_key
from floorwalker.features.live._sketch import add_distinct, count_distinct
from floorwalker.features.live._vocabulary import AMOUNT, LATITUDE, LONGITUDE, QUANTITY
from floorwalker.store._flat import flat_kernel
from floorwalker.store._hashing import widen

_U0 = np.uint64(0)
_U1 = np.uint64(1)
_SECOND = 1e-6


@inline_kernel
def read_features(
    table: NDArray[np.int64],
    row: int,
    i: int,
    at: int,
    now: NDArray[np.int64],
    seed: np.uint64,
    features: NDArray[np.int64],
    factors: NDArray[np.float64],
    codes: NDArray[np.uint64],
    values: NDArray[np.float64],
    sums: NDArray[np.float64],
    words: NDArray[np.uint32],
    floats: NDArray[np.float32],
    times: NDArray[np.int64],
    ticks: NDArray[np.int64],
    pages: NDArray[np.uint8],
    heads: NDArray[np.int64],
    estimates: NDArray[np.float64],
    powers: NDArray[np.float64],
    scratch: NDArray[np.uint8],
    out: NDArray[np.float32],
    missing: NDArray[np.bool_],
) -> None:
    """Write the features of one table for event `i`; `row` is -1 where the entity was never counted."""
    for f in range(table[layout.T_FEATURE_START], table[layout.T_FEATURE_END]):
        op = features[f, layout.OP]
        a = features[f, layout.A]
        b = features[f, layout.B]
        value = np.nan
        if op == layout.READ:
            value = sums[a]
        elif op == layout.SCALED:
            value = sums[a] * factors[f]
        elif op == layout.QUOTIENT:
            if sums[b] > 0.0:
                value = sums[a] / sums[b] * factors[f]
        elif op == layout.DEPTH:
            value = 0.0 if row < 0 else np.float64(floats[row + a + 2])
        elif op == layout.DISTINCT:
            value = 0.0
            if row >= 0:
                value = count_distinct(
                    row, a, b, features[f, layout.C], features[f, layout.D], features[f, layout.E],
                    now[features[f, layout.D]], words, ticks, pages, heads, estimates, powers, scratch,
                )  # fmt: skip
        elif row >= 0:
            place = row + a
            if op == layout.SINCE:
                if times[place >> 1] != 0:
                    value = max(at - times[place >> 1], 0) * _SECOND
            elif op == layout.BETWEEN:
                first = times[place >> 1]
                then = times[(row + b) >> 1]
                if first != 0 and then != 0:
                    value = max(then - first, 0) * _SECOND
            elif op == layout.GAP_MEAN:
                if floats[place + 2] >= 1.0:
                    value = np.float64(floats[place + 3])
            elif op == layout.GAP_SPREAD:
                if floats[place + 2] >= 2.0:
                    value = np.sqrt(np.float64(floats[place + 4]) / np.float64(floats[place + 2]))
            elif op == layout.GAP_DEVIATION:
                count = np.float64(floats[place + 2])
                if count >= LEAST:
                    spread = np.sqrt((np.float64(floats[place + 6]) + 0.5) / (count + 2.0))
                    gap = max(at - times[place >> 1], 0) * _SECOND
                    value = (np.log1p(gap) - np.float64(floats[place + 5])) / spread
            elif op == layout.NEW:
                if codes[b, i] != _U0:
                    value = is_new(place, fingerprint_of(mix(codes[b, i], seed)), words)
            elif op == layout.ENTROPY:
                value = entropy(place, floats)
            elif op == layout.HOUR:
                value = hour_share(place, at, floats)
            elif op == layout.TRAVEL:
                value = travel_speed(place, at, values[LATITUDE, i], values[LONGITUDE, i], floats, times)
            elif op == layout.DEVIATION:
                value = normal_deviation(place, values[b, i], floats)
            elif op == layout.REGRESSION:
                mean, spread = expected(place, at, values[QUANTITY, i], floats, times)
                if values[AMOUNT, i] >= 0.0:
                    value = (np.log1p(values[AMOUNT, i]) - mean) / spread
            elif op == layout.EXPECTED:
                mean, spread = expected(place, at, values[QUANTITY, i], floats, times)
                value = np.expm1(min(mean, 60.0))
            elif op == layout.SURGE:
                # An entity younger than the longer window is measured over its own age.
                age = (at - times[(row + layout.BORN) >> 1]) * _SECOND
                if sums[b] > 0.0:
                    value = sums[a] / factors[f] / (sums[b] / min(max(age, factors[f]), features[f, layout.C]))
            elif op == layout.ONLY_REDEEM and sums[b] > 0.0:
                value = min(np.float64(floats[place]) / sums[b], 1.0)
        column = features[f, layout.OUT]
        if not np.isnan(value):
            out[column] = np.float32(value)
            missing[column] = False


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
                    pages, heads, estimates, powers,
                )  # fmt: skip
        elif op == layout.REMEMBER:
            if codes[b, i] != _U0:
                remember(place, fingerprint_of(mix(codes[b, i], seed)), words)
        elif op == layout.ADD_BIN:
            if codes[b, i] != _U0:
                floats[place + bin_of(mix(codes[b, i], seed))] += np.float32(1.0)
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
                above = find_row(tables[account], key, seed, slots, keys)
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
        above = find_row(tables[inviter], keys[place >> 1], seed, slots, keys)
        if above < 0:
            continue
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


@flat_kernel
def run(
    moves: bool,
    types: NDArray[np.int16],
    at: NDArray[np.int64],
    received_at: NDArray[np.int64],
    codes: NDArray[np.uint64],
    values: NDArray[np.float64],
    seed: np.uint64,
    lateness: int,
    marks: NDArray[np.int64],
    tables: NDArray[np.int64],
    tallies: NDArray[np.int64],
    windows: NDArray[np.int64],
    blocks: NDArray[np.int64],
    features: NDArray[np.int64],
    factors: NDArray[np.float64],
    spans: NDArray[np.int64],
    updates: NDArray[np.int64],
    adds: NDArray[np.int64],
    sets: NDArray[np.int64],
    type_bits: NDArray[np.uint64],
    ranges: NDArray[np.float64],
    slots: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    times: NDArray[np.int64],
    words: NDArray[np.uint32],
    floats: NDArray[np.float32],
    shorts: NDArray[np.uint16],
    figures: NDArray[np.int64],
    free: NDArray[np.int32],
    pages: NDArray[np.uint8],
    heads: NDArray[np.int64],
    estimates: NDArray[np.float64],
    ticks: NDArray[np.int64],
    powers: NDArray[np.float64],
    scratch: NDArray[np.uint8],
    sums: NDArray[np.float64],
    rows: NDArray[np.int64],
    befores: NDArray[np.int64],
    row_keys: NDArray[np.uint64],
    numbers: NDArray[np.int64],
    as_of: NDArray[np.int64],
    out: NDArray[np.float32],
    missing: NDArray[np.bool_],
) -> None:
    """Read the features of every event and, where `moves` says so, count it. `out` arrives full of NaN, `missing` full
    of True. `numbers` is int64 [3, levels], room for bucket numbers; `codes` and `values` have an event per column."""
    event = numbers[0]
    places = numbers[1]
    clock = numbers[2]
    levels = len(event)
    account = marks[0]
    inviter = marks[1]
    invited_at = marks[2]
    for i in range(len(types)):
        t = at[i]
        if 0 < received_at[i] < t:
            t = received_at[i]
        t = max(t, 0)
        as_of[i] = t
        is_late = t < figures[layout.WATERMARK] - lateness
        out[i, 0] = np.float32(1.0 if is_late else 0.0)
        missing[i, 0] = False
        kind = widen(types[i])
        counts = moves and not is_late and kind >= 0
        bucket_numbers(t, event)
        ring_places(event, places)
        if invited_at >= 0 and codes[marks[4], i] == _U0 and codes[marks[5], i] != _U0:
            # What an invited account does later counts for its inviter too.
            row = find_row(tables[account], codes[marks[5], i], seed, slots, keys)
            if row >= 0:
                codes[marks[4], i] = keys[(row + invited_at) >> 1]
        for k in range(len(tables)):
            first = tables[k, layout.T_FIRST]
            second = tables[k, layout.T_SECOND]
            key = codes[first, i]
            if second >= 0:
                key = pair_key(key, codes[second, i], seed)
            row_keys[k] = key
            rows[k] = -1 if key == _U0 else find_row(tables[k], key, seed, slots, keys)
        for k in range(len(tables)):
            if row_keys[k] == _U0:
                continue
            row = rows[k]
            moment = t
            newest = t
            if row >= 0:
                newest = times[(row + layout.CLOCK) >> 1]
                befores[k] = newest
                bucket_numbers(newest, clock)
            if newest <= t:
                if row >= 0 and counts and spans[k, kind, 0] < spans[k, kind, 1]:
                    # The event will be counted here: the clock may as well move now, and the totals are made once.
                    roll(tables[k], row, blocks, windows, clock, event, places, floats, sums)
                    times[(row + layout.CLOCK) >> 1] = t
                    bucket_numbers(t, clock)
                read_windows(tables[k], row, windows, event, clock, floats, sums)
                now = event
            else:
                # An event out of order sees the row as of its newest one.
                moment = newest
                read_windows(tables[k], row, windows, clock, clock, floats, sums)
                now = clock
            read_features(
                tables[k], row, i, moment, now, seed, features, factors, codes, values, sums, words, floats, times,
                ticks, pages, heads, estimates, powers, scratch, out[i], missing[i],
            )  # fmt: skip
        if not moves:
            continue
        if is_late:
            figures[layout.LATE] += 1
            continue
        figures[layout.COUNTED] += 1
        figures[layout.WATERMARK] = max(figures[layout.WATERMARK], t)
        if kind < 0:
            continue
        chosen = choose(i, kind, type_bits, ranges, values)
        for k in range(len(tables)):
            start = spans[k, kind, 0]
            end = spans[k, kind, 1]
            if row_keys[k] == _U0 or start == end:
                continue
            row = rows[k]
            before = t
            if row < 0:
                row = make_row(
                    tables[k], tallies[k], row_keys[k], t, seed, slots, keys, times, words, sets, free, figures
                )  # fmt: skip
            else:
                before = befores[k]
                if t < times[(row + layout.BORN) >> 1]:
                    times[(row + layout.BORN) >> 1] = t
            newest = times[(row + layout.CLOCK) >> 1]
            if newest == t:
                for level in range(levels):
                    clock[level] = event[level]
            else:
                bucket_numbers(newest, clock)
            count_event(
                tables[k], row, i, t, kind, chosen, start, end, before, event, places, clock, seed, blocks, windows,
                updates, adds, codes, values, sets, words, floats, times, shorts, ticks, figures, free, pages, heads,
                estimates, powers,
            )  # fmt: skip
            if k == account and invited_at >= 0:
                count_invitation(
                    row, i, chosen, start, end, seed, updates, tables, account, inviter, marks[3],
                    codes[marks[4], i], words, floats, keys, slots,
                )  # fmt: skip
