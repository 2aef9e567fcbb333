"""Bucket numbers, and the rings of a row: clearing what has passed, adding an event, totals over windows.

A row keeps, beside the buckets, the total of every window as of the row's clock, so that reading a feature is one load.
A total always is what adding the window's buckets up gives, oldest first, in double precision, rounded once: it is made
anew whenever the clock enters another bucket or a sum of numbers changes; a count is moved by one, which is the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live import _layout as layout
from floorwalker.features.live._inline import inline_kernel

_U1 = np.uint64(1)


@inline_kernel
def bucket_numbers(at: int, numbers: NDArray[np.int64]) -> None:
    """The bucket of every level that a time lies in; see `windows.LEVELS`. The widths nest, and dividing by constants
    takes a tenth of the time of dividing by what a table says."""
    tick = np.uint64(at) // np.uint64(10_000_000)
    minute = tick // np.uint64(6)
    five = minute // np.uint64(5)
    hours = five // np.uint64(24)
    half_day = hours // np.uint64(6)
    numbers[0] = tick
    numbers[1] = minute
    numbers[2] = five
    numbers[3] = hours
    numbers[4] = half_day
    numbers[5] = half_day // np.uint64(4)
    numbers[6] = five // np.uint64(8760)
    numbers[7] = 0


@inline_kernel
def ring_places(numbers: NDArray[np.int64], places: NDArray[np.int64]) -> None:
    """Where those buckets stand in their rings."""
    places[0] = np.uint64(numbers[0]) % np.uint64(6)
    places[1] = np.uint64(numbers[1]) % np.uint64(10)
    places[2] = np.uint64(numbers[2]) % np.uint64(12)
    places[3] = np.uint64(numbers[3]) % np.uint64(12)
    places[4] = np.uint64(numbers[4]) % np.uint64(14)
    places[5] = np.uint64(numbers[5]) % np.uint64(15)
    places[6] = np.uint64(numbers[6]) % np.uint64(12)
    places[7] = 0


@inline_kernel
def total_column(
    block: int,
    column: int,
    place: int,
    buckets: int,
    ring: int,
    width: int,
    is_sum: bool,
    floats: NDArray[np.float32],
) -> np.float32:
    """One column over `buckets` buckets of a block, the last of which stands at `place`: their sum, oldest first, or
    their largest value."""
    at = place - buckets + 1
    if at < 0:
        at += ring
    total = 0.0
    for _ in range(buckets):
        value = np.float64(floats[np.uint64(block + at * width + column)])
        if is_sum:
            total += value
        elif value > total:
            total = value
        at += 1
        if at == ring:
            at = 0
    return np.float32(total)


@inline_kernel
def read_windows(
    table: NDArray[np.int64],
    row: int,
    windows: NDArray[np.int64],
    now: NDArray[np.int64],
    clock: NDArray[np.int64],
    floats: NDArray[np.float32],
    sums: NDArray[np.float64],
) -> None:
    """The totals of every window of a row as of the buckets `now`, which are those of its clock or later ones. A
    missing row (-1) has zeros."""
    totals = table[layout.T_TOTALS]
    if row < 0:
        for column in range(np.uint64(totals)):
            sums[column] = 0.0
        return
    # Most often the row's clock stands in the same buckets: the totals are copied in one run.
    for column in range(np.uint64(totals)):
        sums[column] = np.float64(floats[np.uint64(row + layout.HEAD) + column])
    if now[0] == clock[0]:
        return
    for w in range(np.uint64(table[layout.T_WINDOW_START]), np.uint64(table[layout.T_WINDOW_END])):
        level = windows[w, layout.W_LEVEL]
        passed = now[level] - clock[level]
        if passed == 0:
            continue
        start = np.uint64(windows[w, layout.W_SUM])
        width = windows[w, layout.W_WIDTH]
        buckets = windows[w, layout.W_BUCKETS] - passed
        ring = windows[w, layout.W_RING]
        place = clock[level] % ring
        for column in range(width):
            total = np.float32(0.0)
            if buckets > 0:
                total = total_column(
                    row + windows[w, layout.W_BLOCK], column, place, buckets, ring, width,
                    column < windows[w, layout.W_ADDED], floats,
                )  # fmt: skip
            sums[start + np.uint64(column)] = np.float64(total)


@inline_kernel
def roll(
    table: NDArray[np.int64],
    row: int,
    blocks: NDArray[np.int64],
    windows: NDArray[np.int64],
    old: NDArray[np.int64],
    new: NDArray[np.int64],
    places: NDArray[np.int64],
    floats: NDArray[np.float32],
) -> None:
    """Clear the buckets that a row enters as its clock moves on, and make the totals anew. `places` are those of
    `new`."""
    for b in range(np.uint64(table[layout.T_BLOCK_START]), np.uint64(table[layout.T_BLOCK_END])):
        level = blocks[b, layout.B_LEVEL]
        passed = new[level] - old[level]
        if passed <= 0:
            continue
        ring = blocks[b, layout.B_RING]
        width = blocks[b, layout.B_WIDTH]
        block = row + blocks[b, layout.B_BLOCK]
        if passed >= ring:
            for cell in range(np.uint64(block), np.uint64(block + ring * width)):
                floats[cell] = np.float32(0.0)
        else:
            place = places[level]
            for _ in range(passed):
                where = np.uint64(block + place * width)
                for column in range(np.uint64(width)):
                    floats[where + column] = np.float32(0.0)
                place = (ring if place == 0 else place) - 1
        for w in range(np.uint64(blocks[b, layout.B_FIRST]), np.uint64(blocks[b, layout.B_LAST])):
            total = np.uint64(row + windows[w, layout.W_TOTAL])
            if passed >= windows[w, layout.W_BUCKETS]:
                for column in range(np.uint64(width)):
                    floats[total + column] = np.float32(0.0)
                continue
            for column in range(width):
                floats[total + np.uint64(column)] = total_column(
                    block, column, places[level], windows[w, layout.W_BUCKETS], ring, width,
                    column < windows[w, layout.W_ADDED], floats,
                )  # fmt: skip


@inline_kernel
def add_to_ring(
    u: int,
    row: int,
    i: int,
    chosen: np.uint64,
    now: NDArray[np.int64],
    places: NDArray[np.int64],
    clock: NDArray[np.int64],
    updates: NDArray[np.int64],
    blocks: NDArray[np.int64],
    windows: NDArray[np.int64],
    adds: NDArray[np.int64],
    values: NDArray[np.float64],
    floats: NDArray[np.float32],
) -> None:
    """Add event `i` to its bucket of one level, unless the ring has moved past it, and to the totals."""
    b = np.uint64(updates[u, 2])
    level = blocks[b, layout.B_LEVEL]
    ring = blocks[b, layout.B_RING]
    behind = clock[level] - now[level]
    if behind >= ring:
        return
    width = blocks[b, layout.B_WIDTH]
    block = row + blocks[b, layout.B_BLOCK]
    bucket = block + places[level] * width
    for a in range(np.uint64(updates[u, 3]), np.uint64(updates[u, 4])):
        if (chosen >> np.uint64(adds[a, 2])) & _U1 == np.uint64(0):
            continue
        mode = adds[a, 3]
        value = 1.0
        if adds[a, 1] >= 0:
            value = values[np.uint64(adds[a, 1]), np.uint64(i)]
            if np.isnan(value):
                continue
            if mode == layout.TO_COUNT:
                value = 1.0
        column = adds[a, 0]
        where = np.uint64(bucket + column)
        if mode == layout.TO_LARGEST:
            floats[where] = np.float32(max(np.float64(floats[where]), value))
        else:
            floats[where] = np.float32(np.float64(floats[where]) + value)
        for w in range(np.uint64(blocks[b, layout.B_FIRST]), np.uint64(blocks[b, layout.B_LAST])):
            if behind >= windows[w, layout.W_BUCKETS]:
                continue
            total = np.uint64(row + windows[w, layout.W_TOTAL] + column)
            if mode == layout.TO_LARGEST:
                floats[total] = max(floats[total], np.float32(value))
            elif mode == layout.TO_COUNT or adds[a, 1] < 0:
                floats[total] += np.float32(1.0)
            else:
                end = places[level] + behind
                if end >= ring:
                    end -= ring
                floats[total] = total_column(
                    block, column, end, windows[w, layout.W_BUCKETS], ring, width, True, floats
                )
