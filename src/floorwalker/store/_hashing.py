"""Seeded hashing of byte spans, eight bytes at a time.

Visitors choose the texts that we intern, so the hash must stay fair when they try to make it unfair. NH (Black,
Halevi, Krawczyk, Krovetz, Rogaway: *UMAC*, CRYPTO 1999, section 3) multiplies the two halves of each word after adding
secret keys: two texts collide with a chance of about 2^-32 over the keys, however they were chosen. It is one
multiplication a word without a chain of dependencies, so it also is fast.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.store._flat import flat_kernel

PADDING = 16
"""Bytes that must be readable behind the last byte of every buffer given to a kernel that loads words."""

_KEYS = 129
_LOW = np.uint64(0xFFFFFFFF)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_MIX_1 = np.uint64(0xFF51AFD7ED558CCD)
_MIX_2 = np.uint64(0xC4CEB9FE1A85EC53)
_U0, _U1, _U2, _U3 = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)
_U4, _U5, _U6, _U7 = np.uint64(4), np.uint64(5), np.uint64(6), np.uint64(7)
_U8, _U16, _U24, _U32 = np.uint64(8), np.uint64(16), np.uint64(24), np.uint64(32)
_U33, _U40, _U48, _U56, _U64 = np.uint64(33), np.uint64(40), np.uint64(48), np.uint64(56), np.uint64(64)


def make_keys(seed: int) -> NDArray[np.uint64]:
    """The secret keys of one hash: uint64 [129], drawn from the seed."""
    return np.random.Generator(np.random.PCG64(seed)).integers(0, 1 << 64, size=_KEYS, dtype=np.uint64)


@flat_kernel
def widen(value: Any) -> int:
    """Any integer as a signed machine word: keeps kernels to one signature, and small unsigned types from wrapping."""
    return np.int64(value)  # type: ignore[return-value]


@flat_kernel
def load_word(buffer: NDArray[np.uint8], at: int) -> np.uint64:
    """The eight bytes from `at` on as one little-endian word; unsigned indices let LLVM make one load of it."""
    i = np.uint64(at)
    return (
        np.uint64(buffer[i])
        | (np.uint64(buffer[i + _U1]) << _U8)
        | (np.uint64(buffer[i + _U2]) << _U16)
        | (np.uint64(buffer[i + _U3]) << _U24)
        | (np.uint64(buffer[i + _U4]) << _U32)
        | (np.uint64(buffer[i + _U5]) << _U40)
        | (np.uint64(buffer[i + _U6]) << _U48)
        | (np.uint64(buffer[i + _U7]) << _U56)
    )


@flat_kernel
def is_same_span(left: NDArray[np.uint8], left_at: int, right: NDArray[np.uint8], right_at: int, length: int) -> bool:
    """Whether two spans of one length hold the same bytes."""
    done = 0
    while done + 8 <= length:
        if load_word(left, left_at + done) != load_word(right, right_at + done):
            return False
        done += 8
    if done < length:
        unused = _U64 - (np.uint64(length - done) << _U3)
        difference = load_word(left, left_at + done) ^ load_word(right, right_at + done)
        return bool((difference << unused) == _U0)
    return True


@flat_kernel
def hash_span(buffer: NDArray[np.uint8], start: int, end: int, keys: NDArray[np.uint64]) -> np.uint64:
    """The hash of one span; spans longer than 1 KiB chain blocks of 128 words."""
    total = keys[0]
    slot = 1
    at = start
    while at + 8 <= end:
        word = load_word(buffer, at)
        key = keys[np.uint64(slot)]
        total += ((word + key) & _LOW) * (((word >> _U32) + (key >> _U32)) & _LOW)
        at += 8
        slot += 1
        if slot == len(keys):
            total = (total ^ (total >> _U33)) * _MIX_1
            slot = 1
    if at < end:
        word = load_word(buffer, at) & (_ALL >> (_U64 - (np.uint64(end - at) << _U3)))
        key = keys[np.uint64(slot)]
        total += ((word + key) & _LOW) * (((word >> _U32) + (key >> _U32)) & _LOW)
    total ^= np.uint64(end - start)
    total = (total ^ (total >> _U33)) * _MIX_1
    total = (total ^ (total >> _U33)) * _MIX_2
    mixed: np.uint64 = total ^ (total >> _U33)
    return mixed


@flat_kernel
def hash_spans(
    buffer: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    keys: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
) -> None:
    """The hashes of many spans of one buffer."""
    for row in range(len(starts)):
        hashes[row] = hash_span(buffer, starts[row], ends[row], keys)
