"""The one loop over events: look up, read the features, count."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live import _layout as layout
from floorwalker.features.live._hubs import is_hub, is_trusted
from floorwalker.features.live._inline import inline_kernel
from floorwalker.features.live._parts import clear_columns, join_columns, read_new_parts, tell_parts_apart
from floorwalker.features.live._read import read_features
from floorwalker.features.live._rings import bucket_numbers, read_windows, ring_places, roll
from floorwalker.features.live._rows import find_row, make_row, mix, pair_key
from floorwalker.features.live._saving import guard_new, guard_row
from floorwalker.features.live._tally import choose, count_event, count_invitation
from floorwalker.features.live._vocabulary import TRUSTED
from floorwalker.store._flat import flat_kernel
from floorwalker.store._hashing import widen

BLOCK = 32
"""Events whose rows are asked of memory together."""

_BLOCK = BLOCK
_LINE = np.uint64(8)
_PAGE = np.uint64(9)
_ROW = np.uint64((1 << 22) - 1)
_U0 = np.uint64(0)
_U1 = np.uint64(1)


@inline_kernel
def key_of(tables: NDArray[np.int64], k: int, i: int, codes: NDArray[np.uint64], seed: np.uint64) -> np.uint64:
    """The key under which table `k` knows event `i`; 0 for none."""
    key: np.uint64 = codes[np.uint64(tables[k, layout.T_FIRST]), i]
    if key != _U0 and tables[k, layout.T_SECOND] >= 0:
        key = pair_key(key, codes[np.uint64(tables[k, layout.T_SECOND]), i], seed)
    return key


@inline_kernel
def add_invited(
    a: int,
    i: int,
    tables: NDArray[np.int64],
    codes: NDArray[np.uint64],
    seed: np.uint64,
    present: NDArray[np.int64],
    row_keys: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
) -> None:
    """Let event `i`, the `a`-th of its block, be known to the tables of inviters as well."""
    for k in range(len(tables)):
        if tables[k, layout.T_INVITED] != 0:
            key = key_of(tables, k, i, codes, seed)
            if key != _U0:
                count = present[a, 0]
                row_keys[a, count] = key
                hashes[a, count] = mix(key, seed)
                present[a, count + 1] = k
                present[a, 0] = count + 1


@inline_kernel
def list_part(
    entity: int,
    c: int,
    tables: NDArray[np.int64],
    codes: NDArray[np.uint64],
    seed: np.uint64,
    present: NDArray[np.int64],
    row_keys: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
) -> None:
    """Which tables know the part in column `c`, and under which keys: into the row behind those of the block."""
    count = 0
    for k in range(len(tables)):
        if tables[k, layout.T_PART] == entity:
            key = key_of(tables, k, c, codes, seed)
            if key != _U0:
                row_keys[_BLOCK, count] = key
                hashes[_BLOCK, count] = mix(key, seed)
                count += 1
                present[_BLOCK, count] = k
    present[_BLOCK, 0] = count


@inline_kernel
def touch_ahead(
    start: int,
    end: int,
    at: NDArray[np.int64],
    tables: NDArray[np.int64],
    blocks: NDArray[np.int64],
    codes: NDArray[np.uint64],
    seed: np.uint64,
    slots: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    numbers: NDArray[np.int64],
    places: NDArray[np.int64],
    present: NDArray[np.int64],
    row_keys: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
    targets: NDArray[np.uint64],
    lines: NDArray[np.uint64],
    page_marks: NDArray[np.uint8],
) -> int:
    """Work out which tables know the next events, under which keys, and load what their rows begin with, all at once:
    the processor then waits for memory once, not for each row. What is loaded is added up and thrown away.

    A row of `present` begins with how many tables there are, and then names them.
    """
    stop = min(start + _BLOCK, end)
    found = 0
    for i in range(start, stop):
        count = 0
        for k in range(len(tables)):
            key = key_of(tables, k, i, codes, seed)
            if key != _U0:
                value = mix(key, seed)
                row_keys[i - start, count] = key
                hashes[i - start, count] = value
                count += 1
                present[i - start, count] = k
                slot = value & np.uint64(tables[k, layout.T_SLOT_MASK])
                targets[np.uint64(found)] = np.uint64(tables[k, layout.T_SLOT_BASE]) + slot
                found += 1
        present[i - start, 0] = count
    # Where to look is written down first: a loop of nothing but loads has the most of them under way at once.
    total = _U0
    for target in range(np.uint64(found)):
        total += np.uint64(slots[targets[target]])
    last = np.uint64(0)
    found = 0
    for i in range(start, stop):
        bucket_numbers(at[i], numbers)
        ring_places(numbers, places)
        for j in range(present[i - start, 0]):
            k = widen(present[i - start, j + 1])
            entry = np.uint64(slots[targets[np.uint64(found)]]) & _ROW
            found += 1
            if entry == _U0:
                continue
            width = np.uint64(tables[k, layout.T_WIDTH])
            row = (np.uint64(tables[k, layout.T_BASE]) + (entry - _U1) * width) >> _U1
            total += np.uint64(page_marks[row >> _PAGE])
            total += np.uint64(page_marks[(row + (width >> _U1) - _U1) >> _PAGE])
            for line in range(_U0, np.uint64(tables[k, layout.T_FRONT]) >> _U1, _LINE):
                lines[last] = row + line
                last += _U1
            for b in range(np.uint64(tables[k, layout.T_BLOCK_START]), np.uint64(tables[k, layout.T_BLOCK_END])):
                bucket = blocks[b, layout.B_BLOCK] + places[blocks[b, layout.B_LEVEL]] * blocks[b, layout.B_WIDTH]
                lines[last] = row + (np.uint64(bucket) >> _U1)
                last += _U1
    for line in range(last):
        total += keys[lines[line]]
    return widen(total >> _U1)


@flat_kernel
def run(
    moves: bool,
    types: NDArray[np.int16],
    at: NDArray[np.int64],
    received_at: NDArray[np.int64],
    starts: NDArray[np.int64],
    parts: NDArray[np.int64],
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
    hubs: NDArray[np.int64],
    shared: NDArray[np.int64],
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
    present: NDArray[np.int64],
    row_keys: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
    targets: NDArray[np.uint64],
    lines: NDArray[np.uint64],
    numbers: NDArray[np.int64],
    saved: NDArray[np.uint64],
    page_marks: NDArray[np.uint8],
    sketches: NDArray[np.uint64],
    sketches_saved: NDArray[np.uint64],
    sketch_marks: NDArray[np.uint8],
    as_of: NDArray[np.int64],
    out: NDArray[np.float32],
    missing: NDArray[np.bool_],
) -> None:
    """Read the features of every event and, where `moves` says so, count it. `out` arrives full of NaN, `missing` full
    of True. `numbers` is int64 [4, levels], room for bucket numbers; `codes` and `values` have an event per column, and
    behind them a part of an event per column: `parts` says of which entity, `starts` where those of each event begin.
    `out` and `missing` are flat, with one row more where there are parts. What a snapshot wants of rows and sketches is
    saved before they change: `saved` and `page_marks` belong to the arena, the last three to the sketches."""
    event = numbers[0]
    places = numbers[1]
    other = numbers[2]
    n = len(types)
    columns = marks[layout.M_COLUMNS]
    account = marks[layout.M_ACCOUNT]
    invited_at = marks[layout.M_INVITED_AT]
    inviter = marks[layout.M_INVITER_CODE]
    standing_at = marks[layout.M_STANDING_AT]
    devices = marks[layout.M_DEVICES]
    for i in range(n):
        if i % _BLOCK == 0:
            numbers[3, 0] = touch_ahead(
                i, n, at, tables, blocks, codes, seed, slots, keys, event, places, present, row_keys, hashes,
                targets, lines, page_marks,
            )  # fmt: skip
        t = at[i]
        if 0 < received_at[i] < t:
            t = received_at[i]
        t = max(t, 0)
        as_of[i] = t
        is_late = t < figures[layout.WATERMARK] - lateness
        out[i * columns] = np.float32(1.0 if is_late else 0.0)
        missing[i * columns] = False
        kind = widen(types[i])
        if kind >= spans.shape[1]:
            kind = -1
        counts = moves and not is_late and kind >= 0
        bucket_numbers(t, event)
        ring_places(event, places)
        first_part = 0
        last_part = 0
        if len(parts) > 0:
            first_part = starts[i]
            last_part = starts[i + 1]
        hubs_here = 0
        account_row = -1
        known_at = -1
        # First the event itself, then what it has several of, each in a column of its own.
        for step in range(first_part - 1, last_part):
            a = i % _BLOCK
            c = i
            base = i * columns
            if step >= first_part:
                a = _BLOCK
                c = n + step
                base = n * columns
                codes[inviter, c] = codes[inviter, i]
                list_part(parts[step], c, tables, codes, seed, present, row_keys, hashes)
            j = 0
            while j < present[a, 0]:
                k = present[a, j + 1]
                row = find_row(tables[k], row_keys[a, j], hashes[a, j], slots, keys)
                if a != _BLOCK:
                    rows[j] = row
                else:
                    clear_columns(tables[k], base, features, out, missing)
                if k == account and row >= 0:
                    account_row = row
                    if invited_at >= 0 and codes[inviter, i] == _U0:
                        # What an invited account does later counts for its inviter too.
                        codes[inviter, i] = keys[(row + invited_at) >> 1]
                        if codes[inviter, i] != _U0:
                            add_invited(a, i, tables, codes, seed, present, row_keys, hashes)
                elif k == devices and row >= 0:
                    known_at = row + marks[layout.M_KNOWN_AT]
                moment = t
                newest = t
                now = event
                if row < 0:
                    read_windows(tables[k], row, windows, event, event, floats, sums)
                else:
                    newest = times[(row + layout.CLOCK) >> 1]
                    if a != _BLOCK:
                        befores[j] = newest
                    clock = other
                    bucket_numbers(newest, clock)
                    if newest > t:
                        # An event out of order sees the row as of its newest one.
                        moment = newest
                        now = clock
                    elif counts and spans[k, kind, 0] < spans[k, kind, 1]:
                        # The event will be counted here: the clock may as well move now, and the totals are made once.
                        guard_row(tables[k], row, keys, saved, page_marks)
                        roll(tables[k], row, blocks, windows, clock, event, places, floats)
                        times[(row + layout.CLOCK) >> 1] = t
                        clock = event
                    read_windows(tables[k], row, windows, now, clock, floats, sums)
                read_features(
                    tables[k], row, c, moment, now, seed, features, factors, codes, values, sums, words, floats, times,
                    ticks, pages, heads, estimates, powers, scratch, base, out, missing,
                )  # fmt: skip
                if first_part < last_part and row >= 0 and tables[k, layout.T_TELLS] != 0:
                    read_new_parts(
                        tables[k], row, c, first_part, last_part, parts, seed, features, codes, words, base, out,
                        missing,
                    )  # fmt: skip
                hub = tables[k, layout.T_HUB]
                if hub >= 0:
                    here = base + hubs[hub, layout.H_OUT]
                    missing[here] = False
                    out[here] = np.float32(0.0)
                    if row >= 0 and is_hub(
                        hubs[hub], row, moment, now, words, times, ticks, pages, heads, estimates, powers, scratch
                    ):
                        out[here] = np.float32(1.0)
                        hubs_here |= 1 << hub
                if hubs_here & tables[k, layout.T_SHARED_BY] != 0:
                    for m in range(tables[k, layout.T_SHARED_START], tables[k, layout.T_SHARED_END]):
                        out[base + shared[m]] = np.float32(np.nan)
                        missing[base + shared[m]] = True
                if a == _BLOCK:
                    join_columns(tables[k], base, i * columns, features, out, missing)
                j += 1
        if not moves:
            continue
        if is_late:
            figures[layout.LATE] += 1
            continue
        figures[layout.COUNTED] += 1
        figures[layout.WATERMARK] = max(figures[layout.WATERMARK], t)
        if kind < 0:
            continue
        trusted = 0.0
        if account_row >= 0 and known_at >= 0 and is_trusted(account_row, standing_at, known_at, t, floats, times):
            trusted = 1.0
        for step in range(first_part - 1, last_part):
            a = i % _BLOCK
            c = i
            if step >= first_part:
                a = _BLOCK
                c = n + step
                list_part(parts[step], c, tables, codes, seed, present, row_keys, hashes)
            values[TRUSTED, c] = trusted
            chosen = choose(c, kind, type_bits, ranges, values)
            for j in range(present[a, 0]):
                k = present[a, j + 1]
                start = spans[k, kind, 0]
                end = spans[k, kind, 1]
                if start == end:
                    continue
                before = t
                row = rows[j]
                if a == _BLOCK:
                    # Rows found before may have been given up for the event's other values.
                    row = find_row(tables[k], row_keys[a, j], hashes[a, j], slots, keys)
                    if row >= 0:
                        before = times[(row + layout.CLOCK) >> 1]
                elif row >= 0:
                    before = befores[j]
                if row < 0:
                    guard_new(tables[k], tallies[k], keys, times, saved, page_marks)
                    row = make_row(
                        tables[k], tallies[k], row_keys[a, j], t, seed, slots, keys, times, words, sets, free, figures
                    )  # fmt: skip
                else:
                    if a == _BLOCK or before > t:
                        # Else the clock has moved, and the row is guarded.
                        guard_row(tables[k], row, keys, saved, page_marks)
                    if t < times[(row + layout.BORN) >> 1]:
                        times[(row + layout.BORN) >> 1] = t
                clock = event
                if before > t:
                    clock = other
                    bucket_numbers(before, clock)
                count_event(
                    tables[k], row, c, t, kind, chosen, start, end, before, event, places, clock, seed, blocks, windows,
                    updates, adds, codes, values, sets, words, floats, times, shorts, ticks, figures, free, pages,
                    heads, estimates, powers, sketches, sketches_saved, sketch_marks,
                )  # fmt: skip
                if first_part < last_part and tables[k, layout.T_TELLS] != 0:
                    tell_parts_apart(
                        tables[k], row, c, first_part, last_part, parts, chosen, start, end, event, clock, seed,
                        updates, codes, sets, words, floats, ticks, figures, free, pages, heads, estimates, powers,
                        sketches, sketches_saved, sketch_marks,
                    )  # fmt: skip
                if k == account and invited_at >= 0:
                    count_invitation(
                        row, c, chosen, start, end, seed, updates, tables, account, marks[layout.M_INVITER],
                        marks[layout.M_ONLY_AT], codes[inviter, c], words, floats, keys, slots,
                        saved, page_marks,
                    )  # fmt: skip
