"""Tokens in the place of personal values: equal values have equal tokens, and nobody without the key can go back.

A plain hash of a telephone number is no protection, for there are few enough to try them all. A keyed one is, as long
as the key is kept: whoever drops it makes every token meaningless.

>>> tokeniser = Tokeniser(bytes(32))
>>> token = tokeniser.token("email", "shop", "jane@example.com")
>>> token[:4], token == tokeniser.token("email", "shop", "jane@example.com")
('em1_', True)
>>> token == tokeniser.token("email", "another shop", "jane@example.com")
False

Source: H. Krawczyk, M. Bellare, R. Canetti, RFC 2104 (HMAC); with SHA-256, cut to 128 bits.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from types import MappingProxyType

from floorwalker.errors import UsageError

PREFIXES = MappingProxyType(
    {
        "email": "em",
        "phone": "ph",
        "ip": "ip",
        "address": "ad",
        "delivery_point": "dp",
        "account": "ac",
    }
)
"""First letters of a token, by kind of personal value."""

KEY_BYTES = 32
_TOKEN = re.compile(r"^(?:em|ph|ip|ad|dp|ac)[1-9][0-9]{0,3}_[a-z2-7]{26}$")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(first + second for first in _LETTERS for second in _LETTERS)
"""Ten bits in base 32 (RFC 4648) in small letters; the standard library's own takes four times as long."""
_CACHED = 1 << 16
"""Tokens kept ready, 12 MB at the most; they are the only raw values that live longer than a request."""


class Tokeniser:
    """Makes tokens under the newest key, and finds those made under older ones.

    Parameters
    ----------
    key : 32 random bytes, kept with the keys for personal data and not with the state.
    version : which key it is, 1 to 9999; it stands in the token.
    older : keys that were current before, by version: events of that time are still found.

    Errors
    ------
    `UsageError` for keys of another length and versions out of order.
    """

    __slots__ = ("_cache", "_keys", "version")

    def __init__(self, key: bytes, version: int = 1, older: Mapping[int, bytes] | None = None) -> None:
        self._keys = {**(older or {}), version: bytes(key)}
        self.version = version
        self._cache: dict[tuple[str, str, str], str] = {}
        if any(len(secret) != KEY_BYTES for secret in self._keys.values()):
            raise UsageError("a key for tokens has another length", allowed=f"{KEY_BYTES} bytes")
        if min(self._keys) < 1 or max(self._keys) != version or version > 9999:
            raise UsageError(f"version {version} of the key for tokens", allowed="1 to 9999, newer than all older ones")

    def token(self, kind: str, shop: str, value: str) -> str:
        """The token of a value in its canonical form; `kind` is one of `PREFIXES`."""
        name = (kind, shop, value)
        found = self._cache.get(name)
        if found is None:
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            found = self._cache[name] = self._make(kind, shop, value, self.version)
        return found

    def candidates(self, kind: str, shop: str, value: str) -> list[str]:
        """The tokens that this value may have in the records, the newest first."""
        return [self._make(kind, shop, value, version) for version in sorted(self._keys, reverse=True)]

    def forget(self) -> None:
        """Drop what is kept ready, as when somebody's data were erased."""
        self._cache.clear()

    def _make(self, kind: str, shop: str, value: str, version: int) -> str:
        message = f"{kind}\x00{len(shop)}:{shop}\x00{value}".encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._keys[version], message, "sha256")[:16]
        pairs, take = _PAIRS, int.from_bytes
        # Five bytes are four pairs; numbers of 40 bits are shifted in half the time of one of 128.
        first, second, third = take(digest[:5], "big"), take(digest[5:10], "big"), take(digest[10:15], "big")
        return (
            f"{PREFIXES[kind]}{version}_"
            f"{pairs[first >> 30]}{pairs[first >> 20 & 1023]}{pairs[first >> 10 & 1023]}{pairs[first & 1023]}"
            f"{pairs[second >> 30]}{pairs[second >> 20 & 1023]}{pairs[second >> 10 & 1023]}{pairs[second & 1023]}"
            f"{pairs[third >> 30]}{pairs[third >> 20 & 1023]}{pairs[third >> 10 & 1023]}{pairs[third & 1023]}"
            f"{pairs[digest[15] << 2]}"
        )


def is_token(text: str) -> bool:
    """Whether a text has the form of a token.

    >>> is_token("em1_" + "a" * 26), is_token("jane@example.com")
    (True, False)
    """
    return _TOKEN.match(text) is not None
