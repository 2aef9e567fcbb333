"""Card numbers: which digits are one, and where one hides in a text. The rule is the server's own, without NumPy.

>>> hide_cards("paid with 4111 1111-1111 1111, thanks")
'paid with [card number], thanks'
>>> hide_cards("order 4111111111111112, device a4111111111111111f")
'order 4111111111111112, device a4111111111111111f'

Source: ISO/IEC 7812-1, annex B (the check digit).
"""

from __future__ import annotations

import re
from itertools import accumulate

CARD_TEXT = "[card number]"
_SHORTEST, _LONGEST = 13, 19
_MARKS = " \t\\-_/.\u00a0\u00ad\u2212\u202f\u2060\u3000\ufeff\uff0d\u2000-\u2015"
_MANY = re.compile(rf"\d(?:[{_MARKS}]?\d){{{_SHORTEST - 1}}}")
_CHAIN = re.compile(rf"\d+(?:[{_MARKS}]\d+)*")
_GROUP = re.compile(r"\d+")
_LETTER = re.compile(r"[A-Za-z]")
_LONG = range(16, 20)
_DINERS = range(14, 20)
_MAESTRO = range(13, 20)
_RANGES = (
    (400000, 499999, (13, 16, 19)), (510000, 559999, (16,)), (222100, 272099, (16,)), (340000, 349999, (15,)),
    (370000, 379999, (15,)), (622126, 622925, _LONG), (352800, 358999, _LONG), (300000, 305999, _DINERS),
    (309500, 309599, _DINERS), (360000, 369999, _DINERS), (380000, 399999, _DINERS), (810000, 817199, _LONG),
    (220000, 220499, _LONG), (508500, 508999, (16,)), (817200, 829999, (16,)), (353000, 353199, (16,)),
    (500000, 509999, _MAESTRO), (560000, 589999, _MAESTRO), (600000, 699999, _MAESTRO),
)  # fmt: skip
"""First and last six digits of the issuers' ranges, and how long their numbers are."""


def is_card_number(digits: str) -> bool:
    """Whether these digits have the length and first digits of an issuer's range, and the right last digit."""
    if not _SHORTEST <= len(digits) <= _LONGEST:
        return False
    prefix = int(digits[:6])
    if not any(low <= prefix <= high and len(digits) in lengths for low, high, lengths in _RANGES):
        return False
    total = 0
    for place, character in enumerate(reversed(digits)):
        value = int(character)
        total += value if place % 2 == 0 else (2 * value - 9 if value > 4 else 2 * value)
    return total % 10 == 0


def hide_cards(text: str) -> str:
    """The text with every card number replaced by `CARD_TEXT`.

    Digits of every script count, in groups parted by one mark. A run that touches a Latin letter is a part of
    something else (a token, a hash), and so is what follows a decimal point.
    """
    while _MANY.search(text) is not None:
        found = next((place for chain in _CHAIN.finditer(text) if (place := _search(text, chain)) is not None), None)
        if found is None:
            return text
        text = f"{text[: found[0]]}{CARD_TEXT}{text[found[1] :]}"
    return text


def _search(text: str, chain: re.Match[str]) -> tuple[int, int] | None:
    """Start and end of the first card number among the groups of a chain."""
    groups = [(group.start(), group.end()) for group in _GROUP.finditer(text, chain.start(), chain.end())]
    last = len(groups) - 1
    for first, (start, _) in enumerate(groups):
        if first == 0 and start > 0 and _LETTER.match(text[start - 1]):
            continue
        for end, size in enumerate(accumulate(stop - begin for begin, stop in groups[first:]), first):
            if size > _LONGEST:
                break
            stop = groups[end][1]
            if size < _SHORTEST or (end == last and stop < len(text) and _LETTER.match(text[stop])):
                continue
            follows_point = first > 0 and text[start - 1] == "."
            if first == end and (follows_point or (end < last and text[stop] == ".")):
                continue
            lengths = {group[1] - group[0] for group in groups[first : end + 1]}
            if first < end and max(lengths) > 6 and lengths != {8}:
                continue
            if is_card_number("".join(_GROUP.findall(text[start:stop]))):
                return start, stop
    return None
