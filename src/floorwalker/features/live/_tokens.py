"""Read the event tokens of accounts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live import _layout as layout
from floorwalker.features.live._rows import find_row, mix
from floorwalker.store._flat import flat_kernel
from floorwalker.store._hashing import widen

_TOKENS = layout.TOKENS
_U0 = np.uint64(0)


@flat_kernel
def read_tokens(
    wanted: NDArray[np.uint64],
    table: NDArray[np.int64],
    tokens_at: int,
    seed: np.uint64,
    slots: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    words: NDArray[np.uint32],
    shorts: NDArray[np.uint16],
    tokens: NDArray[np.uint16],
) -> None:
    """The tokens of each key, oldest first, at the end of its row of `tokens`, which arrives full of zeros."""
    for i in range(len(wanted)):
        row = -1 if wanted[i] == _U0 else find_row(table, wanted[i], mix(wanted[i], seed), slots, keys)
        if row < 0:
            continue
        place = row + tokens_at
        count = widen(words[place])
        held = min(count, _TOKENS)
        for j in range(held):
            tokens[i, _TOKENS - held + j] = shorts[2 * (place + 2) + (count - held + j) % _TOKENS]
