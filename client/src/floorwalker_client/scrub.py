"""Card numbers and passwords are taken out before anything leaves the shop's process.

>>> scrub({"reason": "card 4111 1111 1111 1111 refused", "attributes": {"password": "x", "basket": "b-1"}})
{'reason': 'card [card number] refused', 'attributes': {'basket': 'b-1'}}
"""

from __future__ import annotations

import re
from typing import Any

CARD_TEXT = "[card number]"
_CARD = re.compile(r"(?<![A-Za-z0-9.])[2-6](?:[ \-_/.]?[0-9]){12,18}(?![A-Za-z0-9])|(?<![A-Za-z0-9.])81[0-9]{14,17}")
_SECRET_PARTS = ("password", "passwd", "passphrase", "passwort", "kennwort", "contrase", "motdepasse", "cardnumber")
_SECRET_NAMES = frozenset(
    {
        "pass", "pwd", "userpwd", "passcode", "pin", "cardpin", "pan", "cvv", "cvc", "cvn", "csc", "cardcvv", "cardcvc",
        "cvvcode", "cvccode", "securitycode", "cardsecuritycode", "otp", "secret", "clientsecret", "accountnumber",
        "token", "accesstoken", "refreshtoken", "idtoken", "apikey", "authorization", "cookie", "sessionid",
    }
)  # fmt: skip
_NOT_LETTERS = re.compile(r"[\W\d_]+")
_PASSWORD_IN_TEXT = re.compile(
    r"""((?:password|passwd|passphrase|\bpwd)["']?(?:=|["']?\s*:\s*["']?))[^&\s"']+""", re.IGNORECASE | re.ASCII
)


def is_secret(name: str, value: object = "") -> bool:
    """Whether a value of this name must not leave the shop.

    >>> is_secret("newPassword"), is_secret("cvv_result"), is_secret("password_age_days", 40), is_secret("pin", 1234)
    (True, False, False, True)
    """
    if value is None or isinstance(value, bool):
        return False
    bare = _NOT_LETTERS.sub("", name).lower()
    if bare in _SECRET_NAMES:
        return True
    return not isinstance(value, int | float) and any(part in bare for part in _SECRET_PARTS)


def scrub_text(text: str) -> str:
    """A text without card numbers, and without passwords that stand with their name."""
    if len(text) >= 13:
        text = _CARD.sub(_replace_card, text)
    if len(text) >= 5 and ("=" in text or ":" in text):
        text = _PASSWORD_IN_TEXT.sub(r"\1***", text)
    return text


def scrub(value: Any) -> Any:
    """A copy of a JSON value without card numbers and secrets; statements and numbers of a secret's name stay."""
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, dict):
        return {
            name: scrub(inner)
            for name, inner in value.items()
            if not (isinstance(name, str) and is_secret(name, inner))
        }
    if isinstance(value, list | tuple):
        return [scrub(inner) for inner in value]
    return value


def _replace_card(found: re.Match[str]) -> str:
    digits = [int(character) for character in found[0] if character.isdigit()]
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = digit * 2 - 9 if digit > 4 else digit * 2
        total += doubled if place % 2 else digit
    return CARD_TEXT if total % 10 == 0 else found[0]
