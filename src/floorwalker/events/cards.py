"""Card numbers: which digits are one, and where one hides in a text.

A card number must never reach the engine, in any field: it would stand in the journal, and with it every rule that
the card schemes make for whoever stores one. A number counts as one when it has the length and the first digits of an
issuer's range and its last digit is right; of random numbers of the same length and first digits, one in ten is.

>>> find_card_number("paid with 4111 1111-1111 1111, thanks")
(10, 29)
>>> find_card_number("order 4111111111111112, device a4111111111111111f") is None
True

Source: ISO/IEC 7812-1, annex B (the check digit); PCI DSS 4.0, requirement 3.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

SHORTEST, LONGEST = 13, 19
"""Digits that a card number has, at the least and at the most."""

LONGEST_TELEPHONE = 15
"""Digits that an international telephone number has at the most."""
_PLUS = ("+", "\uff0b")

DIGIT_ENDS = 10
SEPARATOR, POINT, LETTER, OTHER = 10, 11, 12, 13
"""Kinds of character beside the digits 0 to 9."""

_SEPARATORS = " \t-_/\u00a0\u00ad\u2212\u202f\u2060\u3000\ufeff\uff0d" + "".join(map(chr, range(0x2000, 0x2016)))


_DIGITS = re.compile(r"\d+")
_CHAIN = re.compile(rf"\d+(?:[.{re.escape(_SEPARATORS)}]\d+)*")


def _list_kinds() -> NDArray[np.int8]:
    """The kind of every character of the first two planes: its value where it is a digit of any script."""
    kinds = np.full(0x20000, OTHER, dtype=np.int8)
    for code in range(0x20000):
        value = unicodedata.decimal(chr(code), -1)
        if value >= 0:
            kinds[code] = value
    for text, kind in ((_SEPARATORS, SEPARATOR), (".", POINT), ("abcdefghijklmnopqrstuvwxyz", LETTER)):
        for character in text:
            kinds[ord(character)] = kind
            kinds[ord(character.upper())] = kind
    return kinds


KINDS = _list_kinds()
"""int8 [131072]: the kind of each character."""


def card_scheme(digits: str) -> str | None:
    """The scheme whose range and lengths fit these digits (a whole number or its first six), or None.

    >>> card_scheme("4111111111111111"), card_scheme("222100"), card_scheme("1234567890123456")
    ('visa', 'mastercard', None)
    """
    if len(digits) < 6 or not digits.isascii() or not digits.isdigit():
        return None
    prefix, length = int(digits[:6]), len(digits)
    for low, high, scheme, lengths in _RANGES:
        if low <= prefix <= high and (length in (6, 8) or length in lengths):
            return scheme
    return None


_LONG = tuple(range(16, 20))
_RANGES: tuple[tuple[int, int, str, tuple[int, ...]], ...] = (
    (400000, 499999, "visa", (13, 16, 19)),
    (510000, 559999, "mastercard", (16,)),
    (222100, 272099, "mastercard", (16,)),
    (340000, 349999, "amex", (15,)),
    (370000, 379999, "amex", (15,)),
    (601100, 601199, "discover", _LONG),
    (644000, 659999, "discover", _LONG),
    (622126, 622925, "discover", _LONG),
    (352800, 358999, "jcb", _LONG),
    (300000, 305999, "diners", tuple(range(14, 20))),
    (309500, 309599, "diners", tuple(range(14, 20))),
    (360000, 369999, "diners", tuple(range(14, 20))),
    (380000, 399999, "diners", tuple(range(14, 20))),
    (620000, 629999, "unionpay", _LONG),
    (810000, 817199, "unionpay", _LONG),
    (220000, 220499, "mir", _LONG),
    (508500, 508999, "rupay", (16,)),
    (817200, 829999, "rupay", (16,)),
    (353000, 353199, "rupay", (16,)),
    (500000, 509999, "maestro", tuple(range(13, 20))),
    (560000, 589999, "maestro", tuple(range(13, 20))),
    (600000, 699999, "maestro", tuple(range(13, 20))),
)
RANGE_TABLE = np.array(
    [(low, high, sum(1 << length for length in lengths)) for low, high, _, lengths in _RANGES], dtype=np.int64
)
"""int64 [ranges, 3]: first and last prefix of six digits, and the lengths as bits."""


def has_right_check_digit(digits: str) -> bool:
    """Whether the last digit is the one that the others ask for (Luhn's sum is a multiple of ten)."""
    total = 0
    for place, character in enumerate(reversed(digits)):
        value = int(character)
        total += value if place % 2 == 0 else (2 * value - 9 if value > 4 else 2 * value)
    return total % 10 == 0


def is_card_number(digits: str) -> bool:
    """Whether these digits, without separators, are a card number."""
    return SHORTEST <= len(digits) <= LONGEST and card_scheme(digits) is not None and has_right_check_digit(digits)


def find_card_number(text: str) -> tuple[int, int] | None:
    """Start and end of the first card number in a text, or None.

    A plus sign and up to 15 digits are a telephone number (E.164), whatever their sum: one German mobile number in ten
    would pass for a card.

    Digits of every script count; groups may be parted by one space, hyphen, slash, underscore or point. A run of
    digits that touches a Latin letter is a part of something else (a token, a hash), and so is what follows a decimal
    point. Groups must be short (up to six digits) or all of eight: a UUID of digits is no card. With groups of one or
    two digits the whole run must be the number: a list of marks is none.
    """
    for chain in _CHAIN.finditer(text):
        start, stop = chain.span()
        if stop - start < SHORTEST:
            continue
        groups = [(match.start() + start, match.end() + start) for match in _DIGITS.finditer(chain[0])]
        if text[start - 1 : start] in _PLUS and sum(stop - start for start, stop in groups) <= LONGEST_TELEPHONE:
            continue
        found = _search_chain(text, groups)
        if found is not None:
            return found
    return None


def _kind(text: str, place: int) -> int:
    code = ord(text[place]) if 0 <= place < len(text) else 0x20000
    return int(KINDS[code]) if code < 0x20000 else OTHER


def _search_chain(text: str, groups: list[tuple[int, int]]) -> tuple[int, int] | None:
    """The first card number among groups of digits (their places in the text), each one mark from the next."""
    last = len(groups) - 1
    after_letter = _kind(text, groups[0][0] - 1) == LETTER
    before_letter = _kind(text, groups[last][1]) == LETTER
    for first in range(1 if after_letter else 0, last + 1):
        start = groups[first][0]
        size, shortest, longest, are_eights = 0, LONGEST, 0, True
        for end in range(first, last + 1):
            length = groups[end][1] - groups[end][0]
            if end > first:
                shortest = min(shortest, groups[end - 1][1] - groups[end - 1][0])
            longest, are_eights = max(longest, length), are_eights and length == 8
            size += length
            if size > LONGEST or (shortest < 3 and (first > 0 or last - first >= LONGEST)):
                break
            if size < SHORTEST or (end == last and before_letter):
                continue
            stop = groups[end][1]
            if first == end:
                after_point = first > 0 and _kind(text, start - 1) == POINT
                if after_point or (end < last and _kind(text, stop) == POINT):
                    continue
            elif (longest > 6 and not are_eights) or (shortest < 3 and (first > 0 or end < last)):
                continue
            digits = "".join(_DIGITS.findall(text, start, stop))
            if not digits.isascii():
                digits = "".join(str(unicodedata.decimal(character)) for character in digits)
            if is_card_number(digits):
                return start, stop
    return None
