"""Names under which passwords and card security codes come, and must not.

>>> is_secret("newPassword", "hunter2"), is_secret("password_changed", True), is_secret("cvv_result", "match")
(True, False, False)
"""

from __future__ import annotations

import re

SECRET_PARTS: tuple[str, ...] = (
    "password", "passwd", "passphrase", "passwort", "kennwort", "contrasena", "contraseña", "motdepasse", "cardnumber",
    "密码", "密碼", "口令",
)  # fmt: skip
"""A name with one of these in it is a secret's, unless its value is a statement or a number of something."""

SECRET_NAMES: tuple[str, ...] = (
    "pass", "pwd", "userpwd", "passcode", "pin", "cardpin", "pan", "cvv", "cvc", "cvn", "csc", "cardcvv", "cardcvc",
    "cvvcode", "cvccode", "securitycode", "cardsecuritycode", "otp", "secret", "clientsecret", "accountnumber",
)  # fmt: skip
"""A name that is one of these, whatever stands between its letters, is a secret's."""

_WHOLE = frozenset(SECRET_NAMES)
_NOT_LETTERS = re.compile(r"[\W\d_]+")
_IN_TEXT = re.compile(
    r"""(?:password|passwd|passphrase|\bpwd)["']?(?:=|["']\s*:\s*["'])[^&\s"'*]""",
    re.IGNORECASE | re.ASCII,
)


def is_secret(name: str, value: object) -> bool:
    """Whether a field of this name holds a password or a security code.

    `password_changed: true` and `password_age_days: 40` do not; `pin: 1234` does.
    """
    if value is None or isinstance(value, bool):
        return False
    bare = _NOT_LETTERS.sub("", name).lower()
    if bare in _WHOLE or bare in SECRET_PARTS:
        return value not in ("", [], {})
    return not isinstance(value, int | float) and any(part in bare for part in SECRET_PARTS)


def names_secret(text: str) -> bool:
    """Whether a text carries a password with its name: `?password=…`, `"pwd": "…"`.

    >>> names_secret("https://shop.example.com/login?user=a&password=x"), names_secret("my password is lost")
    (True, False)
    """
    return _IN_TEXT.search(text) is not None
