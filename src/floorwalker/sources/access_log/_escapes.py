"""Undoing what log writers do to bytes that would break a line; texts only shrink, so it works in place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.store._flat import flat_kernel
from floorwalker.store._hashing import widen

_BACKSLASH, _PERCENT = 92, 37
# Typed, because Numba would compile `hex_number` anew for each literal.
_TWO: Any = np.int64(2)
_FOUR: Any = np.int64(4)


@flat_kernel
def hex_digit(byte: int) -> int:
    """The value of a hexadecimal digit, or -1."""
    if 48 <= byte <= 57:
        return byte - 48
    if 97 <= byte <= 102:
        return byte - 87
    if 65 <= byte <= 70:
        return byte - 55
    return -1


@flat_kernel
def hex_number(buffer: NDArray[np.uint8], at: int, end: int, digits: int) -> int:
    """The number that `digits` hexadecimal digits at `at` write, or -1."""
    if at + digits > end:
        return -1
    value = 0
    for k in range(digits):
        digit = hex_digit(widen(buffer[at + k]))
        if digit < 0:
            return -1
        value = value * 16 + digit
    return value


@flat_kernel
def unescape(buffer: NDArray[np.uint8], start: int, end: int) -> int:
    r"""Undo `\"`, `\\`, `\n`, `\xHH` (nginx, Apache) and `\uHHHH` (JSON) in place; answers the new end.

    A `\u` escape becomes UTF-8; surrogates pair up where they can.
    """
    write = start
    at = start
    while at < end:
        byte = widen(buffer[at])
        if byte != _BACKSLASH or at + 1 >= end:
            buffer[write] = byte
            write += 1
            at += 1
            continue
        mark = widen(buffer[at + 1])
        at += 2
        if mark == 120:  # x
            value = hex_number(buffer, at, end, _TWO)
            if value < 0:
                buffer[write] = _BACKSLASH
                buffer[write + 1] = mark
                write += 2
            else:
                buffer[write] = value
                write += 1
                at += 2
        elif mark == 117:  # u
            point = hex_number(buffer, at, end, _FOUR)
            if point < 0:
                buffer[write] = _BACKSLASH
                buffer[write + 1] = mark
                write += 2
                continue
            at += 4
            if 0xD800 <= point < 0xDC00 and at + 6 <= end and buffer[at] == _BACKSLASH and buffer[at + 1] == 117:
                second = hex_number(buffer, at + 2, end, _FOUR)
                if 0xDC00 <= second < 0xE000:
                    point = 0x10000 + ((point - 0xD800) << 10) + (second - 0xDC00)
                    at += 6
            if point < 0x80:
                buffer[write] = point
                write += 1
            elif point < 0x800:
                buffer[write] = 0xC0 | (point >> 6)
                buffer[write + 1] = 0x80 | (point & 63)
                write += 2
            elif point < 0x10000:
                buffer[write] = 0xE0 | (point >> 12)
                buffer[write + 1] = 0x80 | ((point >> 6) & 63)
                buffer[write + 2] = 0x80 | (point & 63)
                write += 3
            else:
                buffer[write] = 0xF0 | (point >> 18)
                buffer[write + 1] = 0x80 | ((point >> 12) & 63)
                buffer[write + 2] = 0x80 | ((point >> 6) & 63)
                buffer[write + 3] = 0x80 | (point & 63)
                write += 4
        else:
            value = mark
            if mark == 110:  # n
                value = 10
            elif mark == 116:  # t
                value = 9
            elif mark == 114:  # r
                value = 13
            elif mark == 98:  # b
                value = 8
            elif mark == 102:  # f
                value = 12
            elif mark == 118:  # v
                value = 11
            buffer[write] = value
            write += 1
    return write


@flat_kernel
def unquote(buffer: NDArray[np.uint8], start: int, end: int, plus: bool) -> int:
    """Undo percent-encoding (and plus signs for spaces) in place, twice where applied twice; answers the new end."""
    for _ in range(2):
        write = start
        at = start
        while at < end:
            byte = widen(buffer[at])
            if byte == _PERCENT:
                value = hex_number(buffer, at + 1, end, _TWO)
                if value >= 0:
                    byte = value
                    at += 2
            elif plus and byte == 43:
                byte = widen(32)
            buffer[write] = byte
            write += 1
            at += 1
        plus = False
        if write == end:
            break
        end = write
    return end
