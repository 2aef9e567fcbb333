"""Bucket numbers, and the rings of a row: sums over windows, clearing what has passed, adding an event."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live import _layout as layout
from floorwalker.store._flat import flat_kernel


@flat_kernel
def bucket_numbers(at: int, numbers: NDArray[np.int64]) -> None:
    """The bucket of every level that a time lies in; see `windows.LEVELS`. The widths nest, and dividing by constants
    takes a tenth of the time of dividing by what a table says."""
    tick = at // 10_000_000
    minute = tick // 6
    five = minute // 5
    hours = five // 24
    half_day = hours // 6
    numbers[0] = tick
    numbers[1] = minute
    numbers[2] = five
    numbers[3] = hours
    numbers[4] = half_day
    numbers[5] = half_day // 4
    numbers[6] = five // 8760
    numbers[7] = 0


@flat_kernel
def sum_windows(
    table: NDArray[np.int64],
    row: int,
    windows: NDArray[np.int64],
    now: NDArray[np.int64],
    clock: NDArray[np.int64],
    born: NDArray[np.int64],
    floats: NDArray[np.float32],
    sums: NDArray[np.float64],
) -> None:
    """Every figure of every window of a row, oldest bucket first, in double precision. `now`, `clock` and `born` are
    bucket numbers: of this moment, of the row's newest and of its oldest event. A missing row (-1) sums to zero."""
    for w in range(table[layout.T_WINDOW_START], table[layout.T_WINDOW_END]):
        start = windows[w, layout.W_SUM]
        width = windows[w, layout.W_WIDTH]
        for column in range(start, start + width):
            sums[column] = 0.0
        if row < 0:
            continue
        level = windows[w, layout.W_LEVEL]
        ring = windows[w, layout.W_RING]
        added = windows[w, layout.W_ADDED]
        block = row + windows[w, layout.W_BLOCK]
        first = max(now[level] - windows[w, layout.W_BUCKETS] + 1, born[level])
        for bucket in range(first, clock[level] + 1):
            at = block + (bucket % ring) * width
            for column in range(added):
                sums[start + column] += np.float64(floats[at + column])
            for column in range(added, width):
                sums[start + column] = max(sums[start + column], np.float64(floats[at + column]))


@flat_kernel
def roll(
    table: NDArray[np.int64],
    row: int,
    blocks: NDArray[np.int64],
    old: NDArray[np.int64],
    new: NDArray[np.int64],
    floats: NDArray[np.float32],
) -> None:
    """Clear the buckets that a row enters as its clock moves on."""
    for b in range(table[layout.T_BLOCK_START], table[layout.T_BLOCK_END]):
        level = blocks[b, layout.B_LEVEL]
        if new[level] > old[level]:
            ring = blocks[b, layout.B_RING]
            width = blocks[b, layout.B_WIDTH]
            block = row + blocks[b, layout.B_BLOCK]
            for bucket in range(max(old[level] + 1, new[level] - ring + 1), new[level] + 1):
                at = block + (bucket % ring) * width
                for column in range(width):
                    floats[at + column] = np.float32(0.0)


@flat_kernel
def add_to_ring(
    update: NDArray[np.int64],
    row: int,
    i: int,
    chosen: np.uint64,
    now: NDArray[np.int64],
    clock: NDArray[np.int64],
    adds: NDArray[np.int64],
    values: NDArray[np.float64],
    floats: NDArray[np.float32],
) -> None:
    """Add event `i` to its bucket of one level, unless the ring has moved past it."""
    level = update[2]
    ring = update[4]
    bucket = now[level]
    if bucket <= clock[level] - ring:
        return
    at = row + update[3] + (bucket % ring) * update[5]
    for a in range(update[6], update[7]):
        if (chosen >> np.uint64(adds[a, 2])) & np.uint64(1) == np.uint64(0):
            continue
        value = 1.0
        if adds[a, 1] >= 0:
            value = values[adds[a, 1], i]
            if np.isnan(value):
                continue
        place = at + adds[a, 0]
        mode = adds[a, 3]
        if mode == layout.TO_LARGEST:
            floats[place] = np.float32(max(np.float64(floats[place]), value))
        else:
            if mode == layout.TO_COUNT:
                value = 1.0
            floats[place] = np.float32(np.float64(floats[place]) + value)
