"""Events with several coupons, items or sellers: further columns behind those of the events, one for each value.

In the kernel's matrices of codes and numbers, an event's column has no code for an entity of which the event has parts;
each part has a column that is a copy of the event's, with the part's own code and numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live import _layout as layout
from floorwalker.features.live._inline import inline_kernel


@inline_kernel
def next_part(part: int, last: int, code: int, parts: NDArray[np.int64]) -> int:
    """The first part from `part` on that is of this kind of entity, or `last`."""
    while part < last and parts[part] != code:
        part += 1
    return part


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
