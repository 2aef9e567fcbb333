"""SipHash-2-4 over spans of bytes, as `floorwalker.events.entities` uses it, for kernels.

Source: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.bulk._inline import flat_kernel, inline_kernel

_U8, _U13, _U16, _U17, _U21, _U32 = (np.uint64(bits) for bits in (8, 13, 16, 17, 21, 32))
_U51, _U48, _U47, _U43, _U56 = (np.uint64(bits) for bits in (51, 48, 47, 43, 56))
_C0, _C1 = np.uint64(0x736F6D6570736575), np.uint64(0x646F72616E646F6D)
_C2, _C3 = np.uint64(0x6C7967656E657261), np.uint64(0x7465646279746573)
_END = np.uint64(0xFF)


@inline_kernel
def _mix(
    v0: np.uint64, v1: np.uint64, v2: np.uint64, v3: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    v0 += v1
    v1 = (v1 << _U13) | (v1 >> _U51)
    v1 ^= v0
    v0 = (v0 << _U32) | (v0 >> _U32)
    v2 += v3
    v3 = (v3 << _U16) | (v3 >> _U48)
    v3 ^= v2
    v0 += v3
    v3 = (v3 << _U21) | (v3 >> _U43)
    v3 ^= v0
    v2 += v1
    v1 = (v1 << _U17) | (v1 >> _U47)
    v1 ^= v2
    v2 = (v2 << _U32) | (v2 >> _U32)
    return v0, v1, v2, v3


@flat_kernel
def hash_words_and_span(
    first: np.uint64, second: np.uint64, words: int, data: NDArray[np.uint8], start: int, stop: int,
    low: np.uint64, high: np.uint64,
) -> np.uint64:  # fmt: skip
    """SipHash-2-4 of `words` (0 to 2) leading words and ``data[start:stop]``, under the key of two words."""
    v0, v1, v2, v3 = low ^ _C0, high ^ _C1, low ^ _C2, high ^ _C3
    if words > 0:
        v3 ^= first
        v0, v1, v2, v3 = _mix(v0, v1, v2, v3)
        v0, v1, v2, v3 = _mix(v0, v1, v2, v3)
        v0 ^= first
    if words > 1:
        v3 ^= second
        v0, v1, v2, v3 = _mix(v0, v1, v2, v3)
        v0, v1, v2, v3 = _mix(v0, v1, v2, v3)
        v0 ^= second
    at = start
    while at + 8 <= stop:
        word = np.uint64(data[at])
        for step in range(1, 8):
            word |= np.uint64(data[at + step]) << np.uint64(8 * step)
        v3 ^= word
        v0, v1, v2, v3 = _mix(v0, v1, v2, v3)
        v0, v1, v2, v3 = _mix(v0, v1, v2, v3)
        v0 ^= word
        at += 8
    word = np.uint64((8 * words + stop - start) & 255) << _U56
    step = 0
    while at < stop:
        word |= np.uint64(data[at]) << np.uint64(8 * step)
        at += 1
        step += 1
    v3 ^= word
    v0, v1, v2, v3 = _mix(v0, v1, v2, v3)
    v0, v1, v2, v3 = _mix(v0, v1, v2, v3)
    v0 ^= word
    v2 ^= _END
    for _ in range(4):
        v0, v1, v2, v3 = _mix(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@flat_kernel
def hash_span(data: NDArray[np.uint8], start: int, stop: int, low: np.uint64, high: np.uint64) -> np.uint64:
    """SipHash-2-4 of ``data[start:stop]``."""
    return hash_words_and_span(low, low, 0, data, start, stop, low, high)
