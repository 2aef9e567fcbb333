"""What a payment says without its number: scheme, and the checks of address and security code in plain words.

>>> card = read_payment("411111", CardFacts(avs_result="Y", cvv_result="N"))
>>> card.scheme, card.avs_result, card.cvv_result
('visa', 'match', 'mismatch')
"""

from __future__ import annotations

from types import MappingProxyType

import msgspec

from floorwalker.events.cards import card_scheme
from floorwalker.events.event import CardFacts

AVS_WORDS = MappingProxyType(
    {
        "match": "match", "y": "match", "x": "match", "d": "match", "f": "match", "m": "match", "v": "match",
        "j": "match", "partial": "partial", "a": "partial", "b": "partial", "h": "partial", "l": "partial",
        "o": "partial", "p": "partial", "q": "partial", "t": "partial", "w": "partial", "z": "partial", "k": "partial",
        "mismatch": "mismatch", "n": "mismatch", "c": "unavailable", "unavailable": "unavailable", "u": "unavailable",
        "r": "unavailable", "s": "unavailable", "g": "unavailable", "i": "unavailable", "e": "unavailable",
        "not_checked": "unavailable",
    }
)  # fmt: skip
"""Letters of the address check, in plain words: all of it, part of it, nothing of it fits, or it was not made."""

CVV_WORDS = MappingProxyType(
    {
        "match": "match", "m": "match", "y": "match", "mismatch": "mismatch", "n": "mismatch",
        "unavailable": "unavailable", "p": "unavailable", "s": "unavailable", "u": "unavailable",
        "x": "unavailable", "not_checked": "unavailable",
    }
)  # fmt: skip
"""Letters of the security code's check, in plain words."""

_SCHEMES = MappingProxyType(
    {
        "vi": "visa", "visaelectron": "visa", "mc": "mastercard", "master": "mastercard", "americanexpress": "amex",
        "ax": "amex", "dinersclub": "diners", "cup": "unionpay", "chinaunionpay": "unionpay",
    }
)  # fmt: skip


def read_payment(first_digits: str | None, card: CardFacts | None) -> CardFacts | None:
    """The facts of a card with its scheme named one way, out of its BIN where nobody said it."""
    scheme = card.scheme if card is not None else None
    if scheme is not None:
        bare = "".join(filter(str.isalnum, scheme.lower()))
        named: str | None = _SCHEMES.get(bare, bare or scheme)
    else:
        named = card_scheme(first_digits) if first_digits is not None else None
    if card is None:
        return None if named is None else CardFacts(scheme=named)
    avs, cvv = card.avs_result, card.cvv_result
    plain_avs = avs if avs is None else AVS_WORDS.get(avs.lower(), avs)
    plain_cvv = cvv if cvv is None else CVV_WORDS.get(cvv.lower(), cvv)
    if named == scheme and plain_avs == avs and plain_cvv == cvv:
        return card
    return msgspec.structs.replace(card, scheme=named, avs_result=plain_avs, cvv_result=plain_cvv)
