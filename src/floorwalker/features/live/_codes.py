"""Codes of an event's country and of the route of its URL: what can be told apart beside entities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import quiet
from floorwalker.store._flat import flat_kernel

_KNOWN_COUNTRIES = 4096
_SEPARATOR = "\0"
_PRIME = np.uint64(0x100000001B3)
_START = np.uint64(0xCBF29CE484222325)
_U0 = np.uint64(0)
_U1 = np.uint64(1)
_SLASH, _COLON, _QUERY, _HASH, _ZERO, _NINE = 47, 58, 63, 35, 48, 57


class CountryCodes(dict[str | None, int]):
    """Codes of countries as they are met; the code is made from the name alone, so every process has the same.

    >>> codes = CountryCodes()
    >>> codes["de"] == codes["DE"], codes["DE"] == codes["AT"], codes[None]
    (True, False, 0)
    """

    def __init__(self) -> None:
        super().__init__({None: 0})

    def __missing__(self, name: str | None) -> int:
        code = int.from_bytes((name or "").strip().upper().encode("utf-8", "replace")[:7], "big")
        if len(self) < _KNOWN_COUNTRIES:
            self[name] = code
        return code


@flat_kernel
def hash_routes(buffer: NDArray[np.uint8], separator: int, codes: NDArray[np.uint64]) -> None:
    """The route code of each text of a buffer that `separator` parts: its path, every run of digits taken as one digit,
    by FNV-1a. An empty text has code 0."""
    row = 0
    start = 0
    for end in range(len(buffer) + 1):
        if end < len(buffer) and buffer[end] != separator:
            continue
        at = start
        # Past "https://host" to the path.
        for place in range(start, end - 2):
            if buffer[place] == _COLON and buffer[place + 1] == _SLASH and buffer[place + 2] == _SLASH:
                at = place + 3
                while at < end and buffer[at] != _SLASH and buffer[at] != _QUERY:
                    at += 1
                break
            if buffer[place] == _SLASH or buffer[place] == _QUERY:
                break
        value = _START
        is_digit = False
        while at < end and buffer[at] != _QUERY and buffer[at] != _HASH:
            letter = buffer[at]
            at += 1
            if _ZERO <= letter <= _NINE:
                if is_digit:
                    continue
                is_digit = True
                letter = np.uint8(_ZERO)
            else:
                is_digit = False
            value = (value ^ np.uint64(letter)) * _PRIME
        if row < len(codes):
            codes[row] = _U0 if start == end else (value if value != _U0 else _U1)
        row += 1
        start = end + 1


def route_codes(urls: Sequence[str | None]) -> NDArray[np.uint64]:
    """uint64 [n], the route of each URL; 0 where there is none.

    >>> route_codes(["/p/17?x=1", "https://shop.example/p/4", "/q/4", None]).tolist().count(0)
    1
    >>> codes = route_codes(["/p/17?x=1", "https://shop.example/p/4", "/q/4"])
    >>> bool(codes[0] == codes[1]), bool(codes[0] == codes[2])
    (True, False)
    """
    codes = np.zeros(len(urls), np.uint64)
    joined = _SEPARATOR.join([url or "" for url in urls])
    if joined.count(_SEPARATOR) != len(urls) - 1:
        joined = _SEPARATOR.join([(url or "").replace(_SEPARATOR, " ") for url in urls])
    with quiet():
        hash_routes(np.frombuffer(joined.encode("utf-8", "surrogatepass"), np.uint8), 0, codes)
    return codes


def route_codes_of(urls: NDArray[np.uint8], count: int) -> NDArray[np.uint64]:
    """As `route_codes`, for `count` URLs behind one another, each ended by a zero byte; 0 for empty ones.

    >>> urls = np.frombuffer(b"/p/17\\x00\\x00/p/4\\x00", np.uint8)
    >>> route_codes_of(urls, 3).tolist() == route_codes(["/p/17", None, "/p/4"]).tolist()
    True
    """
    codes = np.zeros(count, np.uint64)
    with quiet():
        hash_routes(urls, 0, codes)
    return codes
