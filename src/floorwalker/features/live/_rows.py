"""Find, make and give up rows: open addressing with linear probing over one array of slots for all tables.

A slot holds the row's number plus one in its lower 22 bits and ten bits of the hash above, so that most foreign keys
are told apart without looking at their rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live import _layout as layout
from floorwalker.features.live._inline import inline_kernel
from floorwalker.store._flat import flat_kernel

ROW_BITS = 22
MOST_ROWS = (1 << ROW_BITS) - 2

_ROW = np.uint64((1 << ROW_BITS) - 1)
_MIX_1 = np.uint64(0x9E3779B97F4A7C15)
_MIX_2 = np.uint64(0xBF58476D1CE4E5B9)
_U0 = np.uint64(0)
_U1 = np.uint64(1)
_U22 = np.uint64(22)
_U29 = np.uint64(29)
_U32 = np.uint64(32)
_U54 = np.uint64(54)

_GROUP = layout.EVICTION_GROUP
_HEAD = layout.HEAD


@inline_kernel
def mix(key: np.uint64, seed: np.uint64) -> np.uint64:
    """Spread a key under the state's seed; whoever knows keys still cannot aim at slots."""
    value = (key ^ seed) * _MIX_1
    value = (value ^ (value >> _U32)) * _MIX_2
    mixed: np.uint64 = value ^ (value >> _U29)
    return mixed


@inline_kernel
def pair_key(first: np.uint64, second: np.uint64, seed: np.uint64) -> np.uint64:
    """The key of an ordered pair; 0 where one of them is missing."""
    if first == _U0 or second == _U0:
        return _U0
    both = mix(mix(first, seed) + second, seed)
    return both if both != _U0 else _U1


@inline_kernel
def find_row(
    table: NDArray[np.int64], key: np.uint64, value: np.uint64, slots: NDArray[np.uint32], keys: NDArray[np.uint64]
) -> int:
    """Offset of the key's row in the arena, in 32-bit words; -1 where there is none. `value` is the mixed key, `keys`
    is the arena in 64 bits."""
    mask = np.uint64(table[layout.T_SLOT_MASK])
    start = np.uint64(table[layout.T_SLOT_BASE])
    tag = (value >> _U54) << _U22
    at = value & mask
    while True:
        entry = np.uint64(slots[start + at])
        if entry == _U0:
            return -1
        if (entry & ~_ROW) == tag:
            row = table[layout.T_BASE] + (np.int64(entry & _ROW) - 1) * table[layout.T_WIDTH]
            if keys[row >> 1] == key:
                found: int = row
                return found
        at = (at + _U1) & mask


@inline_kernel
def put_slot(table: NDArray[np.int64], number: int, key: np.uint64, seed: np.uint64, slots: NDArray[np.uint32]) -> None:
    """Let the slots know row `number`."""
    value = mix(key, seed)
    mask = np.uint64(table[layout.T_SLOT_MASK])
    start = np.uint64(table[layout.T_SLOT_BASE])
    at = value & mask
    while slots[start + at] != 0:
        at = (at + _U1) & mask
    slots[start + at] = np.uint32(((value >> _U54) << _U22) | np.uint64(number + 1))


@inline_kernel
def drop_slot(
    table: NDArray[np.int64],
    number: int,
    seed: np.uint64,
    slots: NDArray[np.uint32],
    keys: NDArray[np.uint64],
) -> None:
    """Take row `number` out of the slots, and move those behind it up (Knuth, volume 3, algorithm 6.4R)."""
    mask = np.uint64(table[layout.T_SLOT_MASK])
    start = np.uint64(table[layout.T_SLOT_BASE])
    base = table[layout.T_BASE]
    width = table[layout.T_WIDTH]
    hole = mix(keys[(base + number * width) >> 1], seed) & mask
    while np.int64(np.uint64(slots[start + hole]) & _ROW) != number + 1:
        hole = (hole + _U1) & mask
    at = hole
    while True:
        at = (at + _U1) & mask
        entry = np.uint64(slots[start + at])
        if entry == _U0:
            break
        home = mix(keys[(base + (np.int64(entry & _ROW) - 1) * width) >> 1], seed) & mask
        # An entry may fill the hole only where that is not before its home.
        if ((at - home) & mask) >= ((at - hole) & mask):
            slots[start + hole] = slots[start + at]
            hole = at
    slots[start + hole] = np.uint32(0)


@inline_kernel
def oldest_of_group(table: NDArray[np.int64], first: int, times: NDArray[np.int64]) -> int:
    """The row of a group whose newest event is oldest; of equals the first."""
    base = table[layout.T_BASE]
    width = table[layout.T_WIDTH]
    cap = table[layout.T_CAP]
    found = first
    oldest = times[(base + first * width + layout.CLOCK) >> 1]
    for step in range(1, min(_GROUP, cap)):
        number = (first + step) % cap
        clock = times[(base + number * width + layout.CLOCK) >> 1]
        if clock < oldest:
            oldest = clock
            found = number
    return found


@inline_kernel
def free_pages(
    table: NDArray[np.int64],
    row: int,
    sets: NDArray[np.int64],
    words: NDArray[np.uint32],
    free: NDArray[np.int32],
    figures: NDArray[np.int64],
) -> None:
    """Give the sketches of a row back."""
    for place in range(table[layout.T_SET_START], table[layout.T_SET_END]):
        page = words[row + sets[place, 0]]
        if page != 0:
            free[figures[layout.PAGES_FREE]] = np.int32(page - 1)
            figures[layout.PAGES_FREE] += 1


@inline_kernel
def make_row(
    table: NDArray[np.int64],
    tally: NDArray[np.int64],
    key: np.uint64,
    at: int,
    seed: np.uint64,
    slots: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    times: NDArray[np.int64],
    words: NDArray[np.uint32],
    sets: NDArray[np.int64],
    free: NDArray[np.int32],
    figures: NDArray[np.int64],
) -> int:
    """A new row for a key, all zero but for its head; where the table is full, an old one goes."""
    base = table[layout.T_BASE]
    width = table[layout.T_WIDTH]
    if tally[layout.USED] < table[layout.T_CAP]:
        number = tally[layout.USED]
        tally[layout.USED] += 1
    else:
        number = oldest_of_group(table, tally[layout.HAND], times)
        tally[layout.HAND] = (tally[layout.HAND] + _GROUP) % table[layout.T_CAP]
        tally[layout.EVICTED] += 1
        drop_slot(table, number, seed, slots, keys)
        old = base + number * width
        free_pages(table, old, sets, words, free, figures)
        for word in range(old, old + width):
            words[word] = np.uint32(0)
    row = base + number * width
    keys[row >> 1] = key
    times[(row + layout.CLOCK) >> 1] = at
    times[(row + layout.BORN) >> 1] = at
    put_slot(table, number, key, seed, slots)
    found: int = row
    return found


@flat_kernel
def fill_slots(
    table: NDArray[np.int64], used: int, seed: np.uint64, slots: NDArray[np.uint32], keys: NDArray[np.uint64]
) -> None:
    """Let the slots know all rows in use, after a restore."""
    for number in range(used):
        put_slot(table, number, keys[(table[layout.T_BASE] + number * table[layout.T_WIDTH]) >> 1], seed, slots)
