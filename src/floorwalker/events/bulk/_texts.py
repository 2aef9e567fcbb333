"""Kernels that read the texts and numbers of a JSON body: what is beyond doubt, and nothing else.

A position of -1 means: leave this event to the slower twin. It may be handed a harmless event, never spared a doubtful
one: escapes, control characters, bytes that are no UTF-8, thirteen digits that may be a card number, words before a
value that may be a password, numbers whose value needs care.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.bulk._inline import flat_kernel, inline_kernel, whole
from floorwalker.events.bulk._schema import AT_SIGN, DIGIT, DOUBTFUL, MARK, PERCENT, PLAIN, QUOTE, WIDE
from floorwalker.events.cards import DIGIT_ENDS, POINT, SEPARATOR, SHORTEST

MAIL, SECRET, NOT_ASCII = 1, 2, 4
"""What a text may hold, as bits: an e-mail address; a password with its name; characters of several bytes."""

CHARACTERS, FLAGS, VALUE = 0, 1, 2
"""What the kernels below leave in `mark`."""

_MOST_EXACT = 15
_TENS = np.array([10.0**power for power in range(_MOST_EXACT + 1)])


@inline_kernel
def skip_space(body: NDArray[np.uint8], at: int, stop: int) -> int:
    """The first byte at or behind `at` that is no white space."""
    while at < stop and (body[at] == 32 or body[at] == 10 or body[at] == 13 or body[at] == 9):
        at += 1
    return at


@flat_kernel
def read_wide(body: NDArray[np.uint8], at: int, stop: int) -> int:
    """The character of several bytes at `at` (RFC 3629); -1 where there is none."""
    first = whole(body[at])
    more = 0
    code = whole(0)
    least = whole(0x80)
    if 0xC2 <= first < 0xE0:
        more, code = 1, first & 31
    elif 0xE0 <= first < 0xF0:
        more, code, least = 2, first & 15, whole(0x800)
    elif 0xF0 <= first < 0xF5:
        more, code, least = 3, first & 7, whole(0x10000)
    else:
        return -1
    if at + more >= stop:
        return -1
    for step in range(1, more + 1):
        byte = whole(body[at + step])
        if byte & 0xC0 != 0x80:
            return -1
        code = code << 6 | byte & 63
    if code < least or code > 0x10FFFF or 0xD800 <= code < 0xE000:
        return -1
    return code


@flat_kernel
def _names_secret(body: NDArray[np.uint8], start: int, stop: int) -> bool:
    """Whether a text holds `pass` or `pwd`, in whatever case."""
    for at in range(start, stop - 2):
        if body[at] | 32 != 112:
            continue
        second, third = body[at + 1] | 32, body[at + 2] | 32
        if second == 119 and third == 100:
            return True
        if second == 97 and third == 115 and at + 3 < stop and body[at + 3] | 32 == 115:
            return True
    return False


@flat_kernel
def read_text(
    body: NDArray[np.uint8], start: int, stop: int, classes: NDArray[np.uint8], kinds: NDArray[np.int8],
    mark: NDArray[np.int64],
) -> int:  # fmt: skip
    """The place of the quotation mark that ends the text beginning at `start`; its characters and flags in `mark`."""
    at = start
    held = 0
    is_pending = False
    extra = 0
    flags = 0
    while at < stop:
        kind = classes[body[at]]
        if kind == PLAIN:
            held = 0
            at += 1
            continue
        if kind == QUOTE:
            if flags & SECRET and _names_secret(body, start, at):
                return -1
            mark[CHARACTERS] = at - start - extra
            mark[FLAGS] = flags
            return at
        wide = 0
        is_digit = kind == DIGIT
        is_mark = kind == MARK
        if kind == WIDE:
            code = read_wide(body, at, stop)
            if code < 0:
                return -1
            wide = 1 if code < 0x800 else (2 if code < 0x10000 else 3)
            flags |= NOT_ASCII
            if code == 0xFF20 or code == 0xFE6B:
                flags |= MAIL
            if code < len(kinds):
                is_digit = kinds[code] < DIGIT_ENDS
                is_mark = kinds[code] == SEPARATOR or kinds[code] == POINT
        if is_digit:
            held += 1
            is_pending = False
            if held >= SHORTEST:
                return -1
        elif is_mark and held > 0 and not is_pending:
            is_pending = True
        else:
            held = 0
            is_pending = False
            if kind == AT_SIGN:
                flags |= MAIL
            elif kind == PERCENT:
                # An @ (%40), a percent sign before what is encoded twice (%25), the beginning of a full-width @ (%EF).
                if at + 2 < stop:
                    first, second = body[at + 1], body[at + 2]
                    is_at = first == 52 and second == 48
                    is_twice = first == 50 and second == 53
                    if is_at or is_twice or (first | 32 == 101 and second | 32 == 102):
                        flags |= MAIL
            elif kind == DOUBTFUL:
                flags |= SECRET
            elif kind != WIDE and kind != MARK:
                return -1
        extra += wide
        at += 1 + wide
    return -1


@flat_kernel
def read_number(
    body: NDArray[np.uint8], start: int, stop: int, is_real: bool, mark: NDArray[np.int64],
    reals: NDArray[np.float64], place: int,
) -> int:  # fmt: skip
    """The place behind the number at `start`: in ``mark[VALUE]``, or ``reals[place]`` where it may have a fraction."""
    at = start
    is_negative = is_real and at < stop and body[at] == 45
    if is_negative:
        at += 1
    value = whole(0)
    count = 0
    fraction = 0
    while at < stop and 48 <= body[at] <= 57:
        if count == 18 or (count == 1 and value == 0):
            return -1
        value = value * 10 + whole(body[at]) - 48
        count += 1
        at += 1
    if count == 0 or at >= stop:
        return -1
    if body[at] == 46:
        if not is_real:
            return -1
        at += 1
        while at < stop and 48 <= body[at] <= 57:
            if count == 18:
                return -1
            value = value * 10 + whole(body[at]) - 48
            count += 1
            fraction += 1
            at += 1
        if fraction == 0 or at >= stop:
            return -1
    if body[at] == 101 or body[at] == 69 or (is_negative and value == 0):
        return -1
    if count >= SHORTEST:
        # Digits enough for a card number: below 22 no issuer has a range (`cards`).
        if is_real:
            return -1
        leading = value
        while leading >= 1_000_000:
            leading //= 10
        if leading >= 220_000:
            return -1
    if is_real:
        # Both are exact in a float64, so the quotient is rounded once, as a full parser rounds it.
        real = np.float64(value) / _TENS[fraction]
        reals[place] = -real if is_negative else real
    mark[VALUE] = value
    return at
