"""Card numbers and passwords are taken out before anything leaves the shop's process.

>>> scrub({"reason": "card 4111 1111 1111 1111 refused", "attributes": {"password": "x", "basket": "b-1"}})
{'reason': 'card [card number] refused', 'attributes': {'basket': 'b-1'}}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from floorwalker_client.cards import CARD_TEXT, hide_cards

_SECRET_PARTS = (
    "password", "passwd", "passphrase", "passwort", "kennwort", "contrasena", "contraseña", "motdepasse", "cardnumber",
    "密码", "密碼", "口令",
)  # fmt: skip
_SECRET_NAMES = frozenset(
    {
        "pass", "pwd", "userpwd", "passcode", "pin", "cardpin", "pan", "cvv", "cvc", "cvn", "csc", "cardcvv", "cardcvc",
        "cvvcode", "cvccode", "securitycode", "cardsecuritycode", "otp", "secret", "clientsecret", "accountnumber",
        "accesstoken", "refreshtoken", "idtoken", "apikey", "authorization", "cookie",
    }
)  # fmt: skip
_NOT_LETTERS = re.compile(r"[\W\d_]+")
_PASSWORD_IN_TEXT = re.compile(
    r"""((?:password|passwd|passphrase|\bpwd)["']?(?:=|["']\s*:\s*["']))[^&\s"'*][^&\s"']*""", re.IGNORECASE | re.ASCII
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def is_secret(name: str, value: object = "") -> bool:
    """Whether a value of this name must not leave the shop.

    >>> is_secret("newPassword"), is_secret("cvv_result"), is_secret("password_age_days", 40), is_secret("pin", 1234)
    (True, False, False, True)
    """
    if value is None or isinstance(value, bool):
        return False
    is_whole, is_part = _judge_name(name)
    return is_whole or (is_part and not isinstance(value, int | float))


@lru_cache(4096)
def _judge_name(name: str) -> tuple[bool, bool]:
    """Whether a name is a secret's, and whether it has a secret's word in it."""
    bare = _NOT_LETTERS.sub("", name).lower()
    return bare in _SECRET_NAMES or bare in _SECRET_PARTS, any(part in bare for part in _SECRET_PARTS)


def scrub_text(text: str) -> str:
    """A text without card numbers, and without passwords that stand with their name."""
    if len(text) >= 13:
        text = hide_cards(text)
    if "=" in text or ":" in text:
        text = _PASSWORD_IN_TEXT.sub(r"\1***", text)
    return text


def tidy_text(text: str) -> str:
    """A text that a stranger wrote, without what a server would refuse: control characters and half characters.

    A visitor must not get his page views refused, and so not counted, by an odd header.

    >>> tidy_text("agent\\x85 1")
    'agent\\ufffd 1'
    """
    return _CONTROL.sub("\ufffd", text)


def scrub(value: Any) -> Any:
    """A copy of a JSON value without card numbers and secrets; statements and ages of a secret stay."""
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, Mapping):
        return {
            scrub_text(name) if isinstance(name, str) else name: scrub(inner)
            for name, inner in value.items()
            if not (isinstance(name, str) and is_secret(name, inner)) and not _is_card(inner)
        }
    if isinstance(value, list | tuple):
        return [scrub(inner) for inner in value if not _is_card(inner)]
    return value


def _is_card(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and CARD_TEXT in hide_cards(repr(value))
