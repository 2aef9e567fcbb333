"""A grow-only table from pairs of integers to dense codes, kept in flat arrays for kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.store._flat import flat_kernel

EMPTY = np.int32(-1)


@flat_kernel
def _intern(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    slots: NDArray[np.int32],
    keys: NDArray[np.int64],
    used: int,
    seed: int,
    codes: NDArray[np.int32],
) -> int:
    mask = np.uint64(len(slots) - 1)
    for row in range(len(first)):
        a = first[row]
        b = second[row]
        mixed = (np.uint64(a) ^ np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        mixed = (mixed + np.uint64(b)) * np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(32)
        slot = mixed & mask
        while True:
            code = slots[slot]
            if code < 0:
                keys[used, 0] = a
                keys[used, 1] = b
                slots[slot] = used
                codes[row] = used
                used += 1
                break
            if keys[code, 0] == a and keys[code, 1] == b:
                codes[row] = code
                break
            slot = (slot + np.uint64(1)) & mask
    return used


@flat_kernel
def _reslot(keys: NDArray[np.int64], used: int, slots: NDArray[np.int32], seed: int) -> None:
    mask = np.uint64(len(slots) - 1)
    for code in range(used):
        mixed = (np.uint64(keys[code, 0]) ^ np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        mixed = (mixed + np.uint64(keys[code, 1])) * np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(32)
        slot = mixed & mask
        while slots[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = code


class PairTable:
    """Codes for pairs `(a, b)` of int64, in the order in which they were first met.

    Parameters
    ----------
    seed : mixed into the hash, because attackers choose keys.

    >>> table = PairTable(seed=7)
    >>> table.intern(np.array([1, 1, 2]), np.array([5, 5, 5])).tolist()
    [0, 0, 1]
    >>> table.keys.tolist()
    [[1, 5], [2, 5]]
    """

    def __init__(self, *, seed: int) -> None:
        self._seed = seed & 0x7FFFFFFFFFFFFFFF
        self._slots = np.full(1 << 12, EMPTY, np.int32)
        self._keys = np.empty((1 << 11, 2), np.int64)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    @property
    def keys(self) -> NDArray[np.int64]:
        """int64 [len, 2], the pair of each code."""
        return self._keys[: self._used]

    def intern(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int32]:
        """int32 [n], the code of each pair; new pairs get the next codes."""
        needed = self._used + len(first)
        if needed > len(self._keys):
            grown = np.empty((max(needed, 2 * len(self._keys)), 2), np.int64)
            grown[: self._used] = self.keys
            self._keys = grown
        if 2 * needed > len(self._slots):
            self._slots = np.full(1 << (2 * needed).bit_length(), EMPTY, np.int32)
            _reslot(self._keys, self._used, self._slots, self._seed)
        codes = np.empty(len(first), np.int32)
        self._used = _intern(
            np.ascontiguousarray(first, np.int64),
            np.ascontiguousarray(second, np.int64),
            self._slots,
            self._keys,
            self._used,
            self._seed,
            codes,
        )
        return codes
