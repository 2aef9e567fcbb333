"""Reading times: the server's own (`22/Jan/2019:03:56:14 +0330`), ISO 8601 and seconds since 1970."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.store._flat import flat_kernel
from floorwalker.store._hashing import widen

BAD = -(1 << 62)
"""What is answered for a text that is no possible time."""

SECOND = 1_000_000
_DAY = 86_400
# Typed, because Numba would compile `digits` anew for each literal.
_TWO: Any = np.int64(2)
_FOUR: Any = np.int64(4)


@flat_kernel
def digits(buffer: NDArray[np.uint8], at: int, count: int) -> int:
    """The number that `count` decimal digits write, or -1."""
    value = 0
    for k in range(count):
        digit = widen(buffer[at + k]) - 48
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value


@flat_kernel
def day_number(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar, or -1 for a day that does not exist (or lies before 1970)."""
    if year < 1970 or month < 1 or month > 12 or day < 1 or day > 31:
        return -1
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    longest = 31
    if month == 2:
        longest = 29 if leap else 28
    elif month == 4 or month == 6 or month == 9 or month == 11:
        longest = 30
    if day > longest:
        return -1
    # Howard Hinnant's civil-from-days arithmetic: years begin in March, so that the leap day comes last.
    shifted = year - 1 if month <= 2 else year
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@flat_kernel
def month_number(buffer: NDArray[np.uint8], at: int) -> int:
    """1 to 12 for `Jan` to `Dec` in any case, or 0."""
    name = 0
    for k in range(3):
        name = (name << 8) | (widen(buffer[at + k]) | 32)
    if name == 0x6A616E:
        return 1
    if name == 0x666562:
        return 2
    if name == 0x6D6172:
        return 3
    if name == 0x617072:
        return 4
    if name == 0x6D6179:
        return 5
    if name == 0x6A756E:
        return 6
    if name == 0x6A756C:
        return 7
    if name == 0x617567:
        return 8
    if name == 0x736570:
        return 9
    if name == 0x6F6374:
        return 10
    if name == 0x6E6F76:
        return 11
    if name == 0x646563:
        return 12
    return 0


@flat_kernel
def clock_seconds(buffer: NDArray[np.uint8], at: int) -> int:
    """Seconds since midnight of `HH:MM:SS` (a leap second is taken as the one before), or -1."""
    hour = digits(buffer, at, _TWO)
    minute = digits(buffer, at + 3, _TWO)
    second = digits(buffer, at + 6, _TWO)
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 60:
        return -1
    if buffer[at + 2] != 58 or buffer[at + 5] != 58:
        return -1
    return hour * 3600 + minute * 60 + min(second, 59)


@flat_kernel
def parse_time(buffer: NDArray[np.uint8], start: int, end: int) -> tuple[int, int]:
    """Microseconds since 1970 UTC and the offset from UTC in minutes; (BAD, 0) for what is no time.

    A time without a zone is taken as UTC. Plain numbers are seconds, milliseconds, microseconds or nanoseconds by
    their size: seconds stay below 10^11 until the year 5138.
    """
    length = end - start
    if length < 1:
        return BAD, 0
    clf = length >= 20 and buffer[start + 2] == 47
    # Go programs write `2024/07/02 22:23:00`.
    iso = length >= 19 and (buffer[start + 4] == 45 or buffer[start + 4] == 47)
    if not clf and not iso:
        return parse_epoch(buffer, start, end), 0
    if clf:
        if buffer[start + 6] != 47 or buffer[start + 11] != 58:
            return BAD, 0
        day = day_number(digits(buffer, start + 7, _FOUR), month_number(buffer, start + 3), digits(buffer, start, _TWO))
        seconds = clock_seconds(buffer, start + 12)
        at = start + 20
    else:
        if buffer[start + 7] != buffer[start + 4]:
            return BAD, 0
        day = day_number(digits(buffer, start, _FOUR), digits(buffer, start + 5, _TWO), digits(buffer, start + 8, _TWO))
        seconds = clock_seconds(buffer, start + 11)
        at = start + 19
    if day < 0 or seconds < 0:
        return BAD, 0
    fraction = 0
    if at < end and (buffer[at] == 46 or buffer[at] == 44):
        at += 1
        unit = SECOND // 10
        while at < end and 48 <= buffer[at] <= 57:
            fraction += unit * (widen(buffer[at]) - 48)
            unit //= 10
            at += 1
    if at < end and buffer[at] == 32:
        at += 1
    offset = 0
    if at < end and not (buffer[at] == 90 and at + 1 == end):
        sign = widen(buffer[at])
        if sign != 43 and sign != 45:
            return BAD, 0
        if end - at == 5:
            minutes = digits(buffer, at + 3, _TWO)
        elif end - at == 6 and buffer[at + 3] == 58:
            minutes = digits(buffer, at + 4, _TWO)
        elif end - at == 3:
            minutes = 0
        else:
            return BAD, 0
        hours = digits(buffer, at + 1, _TWO)
        if hours < 0 or hours > 15 or minutes < 0 or minutes > 59:
            return BAD, 0
        offset = hours * 60 + minutes
        if sign == 45:
            offset = -offset
    return (day * _DAY + seconds - offset * 60) * SECOND + fraction, offset


@flat_kernel
def parse_epoch(buffer: NDArray[np.uint8], start: int, end: int) -> int:
    """Microseconds since 1970 of a decimal number of seconds, milliseconds, microseconds or nanoseconds, or BAD.

    Integers throughout (`1.7e9` is shifted, not multiplied): a float would lose microseconds.
    """
    mantissa = 0
    kept = 0
    scale = 0
    fraction = False
    seen = False
    at = start
    while at < end:
        byte = widen(buffer[at])
        if byte == 46 and not fraction:
            fraction = True
        elif 48 <= byte <= 57:
            seen = True
            if kept < 18:
                mantissa = mantissa * 10 + byte - 48
                kept += mantissa > 0
                scale -= fraction
            else:
                scale += not fraction
        else:
            break
        at += 1
    if not seen:
        return BAD
    if at < end and (buffer[at] == 101 or buffer[at] == 69):
        at += 1
        if at < end and buffer[at] == 43:
            at += 1
        exponent = 0
        if at == end:
            return BAD
        while at < end and 48 <= buffer[at] <= 57 and exponent < 100:
            exponent = exponent * 10 + widen(buffer[at]) - 48
            at += 1
        scale += exponent
    places = kept + scale  # digits before the point
    if at != end or places > 19:
        return BAD
    if places <= 11:
        scale += 6
    elif places <= 14:
        scale += 3
    elif places > 17:
        scale -= 3
    while scale > 0:
        mantissa *= 10
        scale -= 1
    while scale < 0:
        mantissa //= 10
        scale += 1
    return mantissa
