"""Finding bytes: eight at a time within machine words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.store._flat import flat_kernel
from floorwalker.store._hashing import load_word, widen

# Typed, because Numba would compile the functions below anew for each literal byte.
NEWLINE, SPACE, QUOTE, COLON = np.uint8(10), np.uint8(32), np.uint8(34), np.uint8(58)
QUESTION_MARK, BACKSLASH, CLOSING_BRACKET = np.uint8(63), np.uint8(92), np.uint8(93)

_ONES = np.uint64(0x0101010101010101)
_HIGHS = np.uint64(0x8080808080808080)
_SPACES = np.uint64(0x2020202020202020)
_DELETES = np.uint64(0x7F7F7F7F7F7F7F7F)
_BACKSLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_U0, _U1, _U3, _U56, _U64 = np.uint64(0), np.uint64(1), np.uint64(3), np.uint64(56), np.uint64(64)


@flat_kernel
def find_byte(buffer: NDArray[np.uint8], at: int, end: int, byte: np.uint8) -> int:
    """The first position of a byte in `buffer[at:end]`, or `end`."""
    pattern = np.uint64(byte) * _ONES
    while at < end:
        word = load_word(buffer, at) ^ pattern
        hits = (word - _ONES) & ~word & _HIGHS
        if hits != _U0:
            # The lowest hit is exact; its index is the number of whole bytes below it.
            below = (((hits & (~hits + _U1)) - _U1) & _ONES) * _ONES
            at += widen(below >> _U56) - 1
            return min(at, end)
        at += 8
    return end


@flat_kernel
def find_stop(buffer: NDArray[np.uint8], at: int, end: int, byte: np.uint8) -> int:
    """The first position of a byte or of a backslash in `buffer[at:end]`, or `end`."""
    pattern = np.uint64(byte) * _ONES
    while at < end:
        loaded = load_word(buffer, at)
        word = loaded ^ pattern
        slash = loaded ^ _BACKSLASHES
        hits = (((word - _ONES) & ~word) | ((slash - _ONES) & ~slash)) & _HIGHS
        if hits != _U0:
            below = (((hits & (~hits + _U1)) - _U1) & _ONES) * _ONES
            at += widen(below >> _U56) - 1
            return min(at, end)
        at += 8
    return end


@flat_kernel
def has_control(buffer: NDArray[np.uint8], at: int, end: int) -> bool:
    """Whether `buffer[at:end]` holds a byte below 0x20 or 0x7f."""
    found = _U0
    while at + 8 <= end:
        word = load_word(buffer, at)
        delete = word ^ _DELETES
        found |= ((word - _SPACES) & ~word) | ((delete - _ONES) & ~delete)
        at += 8
    if at < end:
        # The bytes behind the end become 0xff, which is neither.
        word = load_word(buffer, at) | (_ALL << (np.uint64(end - at) << _U3))
        delete = word ^ _DELETES
        found |= ((word - _SPACES) & ~word) | ((delete - _ONES) & ~delete)
    return bool((found & _HIGHS) != _U0)


@flat_kernel
def lower(buffer: NDArray[np.uint8], at: int, end: int) -> None:
    """Make ASCII letters small, in place."""
    for k in range(at, end):
        if 65 <= buffer[k] <= 90:
            buffer[k] += np.uint8(32)


@flat_kernel
def query_starts(
    buffer: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], found: NDArray[np.int64]
) -> None:
    """Where the query of each span begins (at its `?`), or the span's end."""
    for row in range(len(starts)):
        found[row] = find_byte(buffer, starts[row], ends[row], QUESTION_MARK)


@flat_kernel
def are_plain_ipv4(
    buffer: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], plain: NDArray[np.bool_]
) -> None:
    """Whether each span is an IPv4 address as it is always written: four numbers up to 255 without leading zeros."""
    for row in range(len(starts)):
        dots = 0
        digits = 0
        value = 0
        good = True
        for at in range(starts[row], ends[row]):
            byte = widen(buffer[at])
            if byte == 46:
                good = good and digits > 0
                dots += 1
                digits = 0
                value = 0
            elif 48 <= byte <= 57:
                good = good and (digits == 0 or value > 0)
                value = value * 10 + byte - 48
                digits += 1
                good = good and value <= 255
            else:
                good = False
            if not good:
                break
        plain[row] = good and dots == 3 and digits > 0
