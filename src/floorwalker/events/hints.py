"""What somebody probably meant by a name that is none: shown with the refusal, never acted on."""

from __future__ import annotations

import re
from collections.abc import Iterable

from floorwalker.registry import nearest_name

_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]*)`")
_LONGEST = 64


def hint_at(given: str, known: Iterable[str]) -> str:
    """Advice for a name that is not known, "" where none of those known is like it.

    >>> hint_at("coupon", ["coupons", "currency"])
    "did you mean 'coupons'?"
    >>> hint_at("xyz", ["coupons"])
    ''
    """
    close = nearest_name(given[:_LONGEST], list(known))
    return f"did you mean {close!r}?" if close else ""


def hint_missing(needed: Iterable[str], unknown: Iterable[str]) -> str:
    """Advice where a field is missing and a name that no field has was sent.

    >>> hint_missing(["coupons"], ["coupon", "colour"])
    "the field 'coupon' is unknown: did you mean 'coupons'?"
    """
    names = [name[:_LONGEST] for name in unknown]
    for field in needed:
        close = nearest_name(field, names)
        if close is not None:
            return f"the field {close!r} is unknown: did you mean {field!r}?"
    return ""


def hint_refused(message: str, known: Iterable[str]) -> str:
    """Advice for a message of msgspec about an unknown field; "" for other messages.

    >>> hint_refused("Object contains unknown field `reasn`", ["reason", "author"])
    "did you mean 'reason'?"
    """
    found = _UNKNOWN.search(message)
    return hint_at(found["name"], known) if found else ""
