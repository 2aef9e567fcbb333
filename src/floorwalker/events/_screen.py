"""One pass over the bytes of an event's JSON text: is there anything that must be looked at closely?

Nearly every body is harmless, and a look at every value in Python costs more than all the rest of a decision. This
kernel reads the bytes once and answers 0, or says what it suspects; then `floorwalker.events._strict` takes the text
apart and decides. It may suspect wrongly and never misses: a property test holds the two together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.cards import DIGIT_ENDS, KINDS, LETTER, LONGEST, OTHER, POINT, RANGE_TABLE, SEPARATOR, SHORTEST
from floorwalker.events.secrets import SECRET_NAMES, SECRET_PARTS
from floorwalker.kernels import kernel

REPEATED_NAME, DEEP, CARD, SECRET, CONTROL, ODD_TEXT, MANY = (1 << bit for bit in range(7))
"""Reasons to look closely: a name twice in one object; nested too deep; digits like a card's; a word like `password`;
control characters; escaped names, half characters; more names or digits than the kernel keeps."""

_LONG_NAMES = tuple(name for name in SECRET_NAMES if len(name) > 8)
_INSIDE = (*(text[:8] for text in (*SECRET_PARTS, *_LONG_NAMES) if text.isascii()), "pwd")
_WHOLE = tuple(name for name in SECRET_NAMES if len(name) <= 8)


def _pack(text: str) -> tuple[int, int]:
    """The last eight letters of a text as one number, and the bits that count."""
    return int.from_bytes(text.encode()), min((1 << 8 * len(text)) - 1, _WINDOW)


_WINDOW = 0x7FFFFFFFFFFFFFFF
_INSIDE_TABLE = np.array([_pack(text) for text in _INSIDE], dtype=np.int64)
_WHOLE_TABLE = np.array([_pack(text)[0] for text in _WHOLE], dtype=np.int64)
_LAST = np.zeros(128, dtype=np.bool_)
_LAST[[ord(text[-1]) for text in _INSIDE]] = True

_KEPT_NAMES = 512
_KEPT_DIGITS = 64


@kernel
def _holds_card(
    digits: NDArray[np.int8],
    ends: NDArray[np.int64],
    marks: NDArray[np.int64],
    groups: int,
    after_letter: bool,
    before_letter: bool,
    ranges: NDArray[np.int64],
) -> bool:
    """Whether groups of digits, each parted from the next by one mark, hold a card number (see `cards`)."""
    for first in range(groups):
        if first == 0 and after_letter:
            continue
        start = ends[first - 1] if first > 0 else 0
        longest = 0
        shortest = 99
        eights = True
        for last in range(first, groups):
            length = ends[last] - (ends[last - 1] if last > 0 else 0)
            if last > first:
                shortest = min(shortest, ends[last - 1] - (ends[last - 2] if last > 1 else 0))
            longest = max(longest, length)
            eights = eights and length == 8
            size = ends[last] - start
            if size > LONGEST:
                break
            if size < SHORTEST or (last == groups - 1 and before_letter):
                continue
            if first == last:
                if (first > 0 and marks[first - 1] == POINT) or (last < groups - 1 and marks[last] == POINT):
                    continue
            elif (longest > 6 and not eights) or (shortest < 3 and not (first == 0 and last == groups - 1)):
                continue
            prefix = 0
            for place in range(start, start + 6):
                prefix = prefix * 10 + int(digits[place])
            fits = False
            for row in range(len(ranges)):
                if ranges[row, 0] <= prefix <= ranges[row, 1] and (ranges[row, 2] >> size) & 1:
                    fits = True
                    break
            if not fits:
                continue
            total = 0
            for place in range(size):
                value = int(digits[ends[last] - 1 - place])
                if place % 2 == 1:
                    value = 2 * value - 9 if value > 4 else 2 * value
                total += value
            if total % 10 == 0:
                return True
    return False


@kernel
def _hex_value(byte: int) -> int:
    if 48 <= byte <= 57:
        return byte - 48
    if 97 <= byte <= 102:
        return byte - 87
    if 65 <= byte <= 70:
        return byte - 55
    return -1


@kernel
def _screen(
    body: NDArray[np.uint8],
    max_depth: int,
    kinds: NDArray[np.int8],
    ranges: NDArray[np.int64],
    inside: NDArray[np.int64],
    whole: NDArray[np.int64],
    last_letters: NDArray[np.bool_],
    place_of: NDArray[np.int64],
) -> int:
    """Reasons to look closely, as bits; `place_of` [2] gets the bytes of the outermost name that is nested too deep."""
    flags = 0
    size = len(body)
    depth = 0
    name_starts = np.empty(_KEPT_NAMES, dtype=np.int64)
    name_ends = np.empty(_KEPT_NAMES, dtype=np.int64)
    kept = 0
    first_name = np.zeros(max_depth + 2, dtype=np.int64)
    in_text = False
    text_start = 0
    text_end = 0
    odd_text = False
    window = 0
    letters = 0
    digits = np.empty(_KEPT_DIGITS, dtype=np.int8)
    ends = np.empty(_KEPT_DIGITS, dtype=np.int64)
    marks = np.empty(_KEPT_DIGITS, dtype=np.int64)
    held = 0
    groups = 0
    pending = OTHER
    after_letter = False
    before = OTHER
    high = 0
    place = 0
    while place < size:
        byte = int(body[place])
        if in_text and held == 0 and 97 <= byte <= 122:  # most of a body: small letters with no digit before them
            window = (window << 8 | byte) & _WINDOW
            letters += 1
            if last_letters[byte]:
                for row in range(len(inside)):
                    if window & inside[row, 1] == inside[row, 0]:
                        flags |= SECRET
            before = LETTER
            place += 1
            continue
        code = byte
        step = 1
        if in_text:
            if byte == 92:  # backslash
                odd_text = True
                step = 2
                following = int(body[place + 1]) if place + 1 < size else 0
                if following == 117:  # u
                    step = 6
                    code = 0
                    for at in range(place + 2, place + 6):
                        value = _hex_value(int(body[at])) if at < size else -1
                        if value < 0:
                            flags |= ODD_TEXT
                            value = 0
                        code = code * 16 + value
                    if 0xD800 <= code < 0xDC00:
                        high = code
                        place += step
                        if not (place + 1 < size and body[place] == 92 and body[place + 1] == 117):
                            flags |= ODD_TEXT
                        continue
                    if 0xDC00 <= code < 0xE000:
                        if high == 0:
                            flags |= ODD_TEXT
                        else:
                            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
                    elif high != 0:
                        flags |= ODD_TEXT
                    high = 0
                    if (code < 32 and code != 9 and code != 10 and code != 13) or code == 127:
                        flags |= CONTROL
                elif following == 110 or following == 116 or following == 114:
                    code = 32 if following == 116 else 10
                elif following == 98 or following == 102:
                    flags |= CONTROL
                    code = 10
                else:
                    code = following
            elif byte == 34:
                in_text = False
                text_end = place
                code = 10
            elif byte < 32 or byte == 127:
                flags |= CONTROL
            elif byte >= 0xF0:
                step = 4
                code = 0x1FFFF
                if place + 3 < size:
                    code = (byte & 7) << 18 | (int(body[place + 1]) & 63) << 12
                    code |= (int(body[place + 2]) & 63) << 6 | (int(body[place + 3]) & 63)
            elif byte >= 0xE0:
                step = 3
                if place + 2 < size:
                    code = (byte & 15) << 12 | (int(body[place + 1]) & 63) << 6 | (int(body[place + 2]) & 63)
            elif byte >= 0xC0:
                step = 2
                if place + 1 < size:
                    code = (byte & 31) << 6 | (int(body[place + 1]) & 63)
            if in_text:
                small = code | 32
                if 97 <= small <= 122:
                    window = (window << 8 | small) & _WINDOW
                    letters += 1
                    if last_letters[small]:
                        for row in range(len(inside)):
                            if window & inside[row, 1] == inside[row, 0]:
                                flags |= SECRET
                elif code >= 128:
                    odd_text = True
        elif byte == 34:
            in_text = True
            text_start = place + 1
            odd_text = False
            window = 0
            letters = 0
        elif byte == 58:  # the text that just ended was a name
            if odd_text:
                flags |= ODD_TEXT
            if letters <= 8:
                for row in range(len(whole)):
                    if window == whole[row]:
                        flags |= SECRET
            if depth == 1 and not flags & DEEP:
                place_of[0] = text_start
                place_of[1] = text_end
            if depth <= max_depth:
                for row in range(first_name[depth], kept):
                    length = name_ends[row] - name_starts[row]
                    if length != text_end - text_start:
                        continue
                    same = True
                    for at in range(length):
                        if body[name_starts[row] + at] != body[text_start + at]:
                            same = False
                            break
                    if same:
                        flags |= REPEATED_NAME
                if kept < _KEPT_NAMES:
                    name_starts[kept] = text_start
                    name_ends[kept] = text_end
                    kept += 1
                else:
                    flags |= MANY
        elif byte == 123 or byte == 91:
            depth += 1
            if depth <= max_depth:
                first_name[depth] = kept
            else:
                flags |= DEEP
        elif byte == 125 or byte == 93:
            if 0 < depth <= max_depth:
                kept = first_name[depth]
            depth = max(depth - 1, 0)
        kind = int(kinds[code]) if code < 0x20000 else OTHER
        if kind < DIGIT_ENDS:
            if held == 0:
                after_letter = before == LETTER
            elif pending != OTHER and held < _KEPT_DIGITS:
                ends[groups] = held
                marks[groups] = pending
                groups += 1
            pending = OTHER
            if held < _KEPT_DIGITS:
                digits[held] = kind
                held += 1
            else:
                flags |= MANY
        elif held > 0:
            if SEPARATOR <= kind <= POINT and pending == OTHER:
                pending = kind
            else:
                if held >= SHORTEST:
                    ends[groups] = held
                    if _holds_card(
                        digits, ends, marks, groups + 1, after_letter, kind == LETTER and pending == OTHER, ranges
                    ):
                        flags |= CARD
                held = 0
                groups = 0
                pending = OTHER
        before = kind
        place += step
    if held >= SHORTEST:
        ends[groups] = held
        if _holds_card(digits, ends, marks, groups + 1, after_letter, False, ranges):
            flags |= CARD
    return flags


def screen(body: bytes, max_depth: int) -> tuple[int, NDArray[np.int64]]:
    """Reasons to look closely at a JSON text, as bits (0: none), and where the name stands that is nested too deep."""
    place_of = np.zeros(2, dtype=np.int64)
    flags = _screen(
        np.frombuffer(body, dtype=np.uint8), max_depth, KINDS, RANGE_TABLE, _INSIDE_TABLE, _WHOLE_TABLE, _LAST, place_of
    )
    return flags, place_of
