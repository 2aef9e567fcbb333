"""Request lines, targets and hosts: what is a request, and where its parts begin and end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.requests import METHODS
from floorwalker.sources.access_log._scanning import CLOSING_BRACKET, COLON, SPACE, find_byte, lower
from floorwalker.store._flat import flat_kernel
from floorwalker.store._hashing import load_word

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_U3, _U64 = np.uint64(3), np.uint64(64)
_METHOD_WORDS = np.array([int.from_bytes(name.encode(), "little") for name in METHODS[:-1]], np.uint64)
_OTHER = len(METHODS) - 1
_PROTOCOL = np.uint64(int.from_bytes(b" HTTP/", "little"))
_SIX_BYTES = np.uint64(0xFFFFFFFFFFFF)


@flat_kernel
def method_code(buffer: NDArray[np.uint8], start: int, end: int) -> int:
    """The index into `METHODS`, or -1 where these bytes cannot be a method."""
    length = end - start
    if length < 1 or length > 32:
        return -1
    if length < 8:
        word = load_word(buffer, start) & (_ALL >> (_U64 - (np.uint64(length) << _U3)))
        for code in range(_OTHER):
            if word == _METHOD_WORDS[code]:
                return code
    for at in range(start, end):
        byte = buffer[at]
        if not (65 <= byte <= 90 or 97 <= byte <= 122 or byte == 45 or byte == 95):
            return -1
    return _OTHER


@flat_kernel
def request_parts(buffer: NDArray[np.uint8], start: int, end: int) -> tuple[int, int, int]:
    """Method code, begin and end of the target of `GET /path HTTP/1.1`; the code is -1 where it is no request line.

    The protocol may be missing (HTTP/0.9), and a target may hold spaces (some servers log them unescaped).
    """
    space = find_byte(buffer, start, min(end, start + 33), SPACE)
    if space >= end or space == start + 33:
        return -1, start, end
    code = method_code(buffer, start, space)
    if code < 0:
        return -1, start, end
    begin = space + 1
    stop = end
    if end - 9 >= begin and load_word(buffer, end - 9) & _SIX_BYTES == _PROTOCOL:
        stop = end - 9
    elif end - 7 >= begin and load_word(buffer, end - 7) & _SIX_BYTES == _PROTOCOL:
        stop = end - 7
    while stop > begin and buffer[stop - 1] == 32:
        stop -= 1
    while begin < stop and buffer[begin] == 32:
        begin += 1
    if begin == stop:
        return -1, start, end
    return code, begin, stop


@flat_kernel
def authority(buffer: NDArray[np.uint8], start: int, end: int) -> tuple[int, int, int]:
    """Begin and end of the host name of `scheme://user@host:port/path`, and where the path begins; (end, end, start)
    where this is no absolute URL."""
    colon = find_byte(buffer, start, min(end, start + 24), COLON)
    if colon + 2 >= end or colon == start or buffer[colon] != 58:
        return end, end, start
    if buffer[colon + 1] != 47 or buffer[colon + 2] != 47:
        return end, end, start
    begin = colon + 3
    path = begin
    while path < end:
        byte = buffer[path]
        if byte == 47 or byte == 63 or byte == 35:
            break
        if byte == 64:
            begin = path + 1
        path += 1
    begin, stop = host_name(buffer, begin, path)
    return begin, stop, path


@flat_kernel
def host_name(buffer: NDArray[np.uint8], start: int, end: int) -> tuple[int, int]:
    """Begin and end of a host without its port and brackets; the letters are made small in place."""
    if start < end and buffer[start] == 91:
        stop = find_byte(buffer, start, end, CLOSING_BRACKET)
        lower(buffer, start + 1, stop)
        return start + 1, stop
    stop = find_byte(buffer, start, end, COLON)
    if stop < end and find_byte(buffer, stop + 1, end, COLON) < end:
        stop = end  # an IPv6 address without brackets
    while stop > start + 1 and buffer[stop - 1] == 46:
        stop -= 1  # the root's dot
    lower(buffer, start, stop)
    return start, stop


@flat_kernel
def find_named(
    buffer: NDArray[np.uint8], start: int, end: int, name: NDArray[np.uint8], in_target: np.bool_
) -> tuple[int, int]:
    """Begin and end of the value of `name=` in a Cookie header, or in a target's query or path parameters.

    (0, 0) where it is missing. In a target only what follows the first `?` or `;` can be a parameter.
    """
    at = start
    begins = not in_target
    width = len(name)
    while at < end:
        byte = buffer[at]
        if begins and byte != 32:
            matches = at + width < end and buffer[at + width] == 61
            k = 0
            while matches and k < width:
                matches = buffer[at + k] == name[k]
                k += 1
            if matches:
                begin = at + width + 1
                stop = begin
                while stop < end:
                    byte = buffer[stop]
                    if (
                        byte == 59
                        or byte == 44
                        or (in_target and (byte == 38 or byte == 63 or byte == 35 or byte == 47))
                    ):
                        break
                    stop += 1
                return begin, stop
            begins = False
        if byte == 59 or (in_target and (byte == 63 or byte == 38)) or (not in_target and byte == 44):
            begins = True
        at += 1
    return 0, 0
