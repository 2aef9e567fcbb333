"""Whether an address or a network certainly is one of the public internet; in doubt `placeholders` is asked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.bulk._inline import flat_kernel, whole


@flat_kernel
def _ends_as(data: NDArray[np.uint8], at: int, stop: int, tens: int, ones: int) -> bool:
    """Whether nothing more stands there, or a slash and these two digits."""
    return bool(at == stop or (at + 3 == stop and data[at] == 47 and data[at + 1] == tens and data[at + 2] == ones))


@flat_kernel
def is_public_four(data: NDArray[np.uint8], start: int, stop: int) -> bool:
    """Whether a text certainly is an IPv4 address, or a /24, of the public internet."""
    at = start
    first = second = whole(0)
    for part in range(4):
        begin = at
        number = whole(0)
        while at < stop and 48 <= data[at] <= 57 and at - begin < 4:
            number = number * 10 + whole(data[at]) - 48
            at += 1
        if at == begin or number > 255 or (at - begin > 1 and data[begin] == 48):
            return False
        if part == 0:
            first = number
        elif part == 1:
            second = number
        if part < 3:
            if at >= stop or data[at] != 46:
                return False
            at += 1
    if first in (0, 10, 127) or first >= 224 or (first == 100 and 64 <= second < 128):
        return False
    if (first == 169 and second == 254) or (first == 172 and 16 <= second < 32) or (first == 192 and second == 168):
        return False
    return _ends_as(data, at, stop, 50, 52)


@flat_kernel
def is_public_six(data: NDArray[np.uint8], start: int, stop: int) -> bool:
    """Whether a text certainly is an IPv6 address, or a /64, of 2000::/3."""
    at = start
    first = parts = whole(0)
    has_gap = False
    while True:
        begin = at
        number = whole(0)
        while at < stop and at - begin < 5 and (48 <= data[at] <= 57 or 97 <= data[at] <= 102):
            number = number * 16 + whole(data[at]) - (48 if data[at] < 97 else 87)
            at += 1
        if at == begin or at - begin > 4:
            return False
        if parts == 0:
            first = number
        parts += 1
        if at == stop or data[at] == 47:
            break
        if data[at] != 58:
            return False
        at += 1
        if at < stop and data[at] == 58:
            if has_gap:
                return False
            has_gap = True
            at += 1
            if at == stop or data[at] == 47:
                break
    if not 0x2000 <= first < 0x4000 or not (parts < 8 if has_gap else parts == 8):
        return False
    return _ends_as(data, at, stop, 54, 52)
