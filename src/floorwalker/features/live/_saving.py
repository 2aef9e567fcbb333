"""Before a row changes, a snapshot that is being taken saves what it holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live import _layout as layout
from floorwalker.features.live._inline import inline_kernel
from floorwalker.features.live._rows import oldest_of_group
from floorwalker.store.pages import guard


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
def guard_new(
    table: NDArray[np.int64],
    tally: NDArray[np.int64],
    keys: NDArray[np.uint64],
    times: NDArray[np.int64],
    saved: NDArray[np.uint64],
    marks: NDArray[np.uint8],
) -> None:
    """Call before `make_row`: the row that it will take. The sketches of a row that goes are given back unchanged."""
    number = tally[layout.USED]
    if number >= table[layout.T_CAP]:
        number = oldest_of_group(table, tally[layout.HAND], times)
    guard_row(table, table[layout.T_BASE] + number * table[layout.T_WIDTH], keys, saved, marks)
