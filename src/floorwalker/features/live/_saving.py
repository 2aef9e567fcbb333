"""Before a row or a sketch changes, a snapshot that is being taken saves what it holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live import _layout as layout
from floorwalker.features.live._inline import inline_kernel
from floorwalker.features.live._rows import oldest_of_group
from floorwalker.store._hashing import widen
from floorwalker.store.pages import PAGE_WORDS, guard

_PAGE_WORDS = PAGE_WORDS


@inline_kernel
def guard_row(
    table: NDArray[np.int64],
    row: int,
    keys: NDArray[np.uint64],
    saved: NDArray[np.uint64],
    marks: NDArray[np.uint8],
) -> None:
    """Call before a row is written; `keys` is the arena in 64 bits."""
    guard(row >> 1, (row + table[layout.T_WIDTH] - 1) >> 1, keys, saved, marks)


@inline_kernel
def guard_sketches(
    table: NDArray[np.int64],
    row: int,
    sets: NDArray[np.int64],
    words: NDArray[np.uint32],
    sketches: NDArray[np.uint64],
    saved: NDArray[np.uint64],
    marks: NDArray[np.uint8],
) -> None:
    """Call before and after an event is counted into a row: before for the sketches that it has, afterwards for those
    that it took; nobody misses what those held."""
    for place in range(table[layout.T_SET_START], table[layout.T_SET_END]):
        number = widen(words[row + sets[place, 0]]) - 1
        if number >= 0:
            guard(number * _PAGE_WORDS, number * _PAGE_WORDS + _PAGE_WORDS - 1, sketches, saved, marks)


@inline_kernel
def guard_new(
    table: NDArray[np.int64],
    tally: NDArray[np.int64],
    sets: NDArray[np.int64],
    words: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    times: NDArray[np.int64],
    saved: NDArray[np.uint64],
    marks: NDArray[np.uint8],
    sketches: NDArray[np.uint64],
    sketches_saved: NDArray[np.uint64],
    sketch_marks: NDArray[np.uint8],
) -> None:
    """Call before `make_row`: the row that it will take, and the sketches that this gives up."""
    number = tally[layout.USED]
    is_full = number >= table[layout.T_CAP]
    if is_full:
        number = oldest_of_group(table, tally[layout.HAND], times)
    row = table[layout.T_BASE] + number * table[layout.T_WIDTH]
    guard_row(table, row, keys, saved, marks)
    if is_full:
        guard_sketches(table, row, sets, words, sketches, sketches_saved, sketch_marks)
