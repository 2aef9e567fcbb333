"""API keys: made once, shown once, kept as hashes; each may do only what its scopes say."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable

import msgspec

from floorwalker.errors import UsageError

SCOPES = ("ingest", "decide", "label", "read", "admin")
"""`ingest`: send events. `decide`: ask for decisions and report what was done. `label`: say what was true. `read`:
look at decisions, entities and lists. `admin`: change lists, and everything else."""

ALL_SHOPS = "*"
_PREFIX = "fw"
_ID_BYTES = 6
_SECRET_BYTES = 32
_NO_HASH = hashlib.sha256(b"").digest()


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a key.

    Parameters
    ----------
    id : public part of the key, 12 hexadecimal digits.
    name : for people.
    hash : SHA-256 of the secret part. The secret has 256 random bits, so a slow hash would protect nothing.
    scopes : subset of `SCOPES`.
    shop : the only shop that it may speak for, or `*`.
    created_at, expires_at : µs UTC; `expires_at` 0 = never.
    rate_per_second : requests a second, 0 = no limit.
    revoked_at : µs UTC; 0 = not revoked.
    """

    id: str
    name: str
    hash: bytes
    scopes: frozenset[str]
    shop: str = ALL_SHOPS
    created_at: int = 0
    expires_at: int = 0
    rate_per_second: int = 0
    revoked_at: int = 0

    def may(self, scope: str) -> bool:
        """Whether the key has this scope; `admin` has all.

        >>> make_key("till", ["ingest"], now=0)[0].may("decide")
        False
        """
        return scope in self.scopes or "admin" in self.scopes

    def is_valid(self, now: int) -> bool:
        """Whether the key has not expired at `now` (µs UTC)."""
        return self.expires_at == 0 or now < self.expires_at


def make_key(
    name: str,
    scopes: Iterable[str],
    *,
    now: int,
    shop: str = ALL_SHOPS,
    expires_at: int = 0,
    rate_per_second: int = 0,
) -> tuple[ApiKey, str]:
    """A new key and its text, which is shown once and never stored.

    Unknown scopes, or none, raise `UsageError`.

    >>> key, text = make_key("till", ["decide"], now=0)
    >>> text.startswith(f"fw_{key.id}_"), matches(key, text)
    (True, True)
    """
    wanted = frozenset(scopes)
    unknown = sorted(wanted - {*SCOPES})
    if unknown or not wanted:
        raise UsageError(
            f"unknown scopes {', '.join(unknown)}" if unknown else "a key without a scope", allowed=", ".join(SCOPES)
        )
    identity = secrets.token_hex(_ID_BYTES)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    key = ApiKey(
        id=identity,
        name=name,
        hash=hash_secret(secret),
        scopes=wanted,
        shop=shop,
        created_at=now,
        expires_at=expires_at,
        rate_per_second=rate_per_second,
    )
    return key, f"{_PREFIX}_{identity}_{secret}"


def hash_secret(secret: str) -> bytes:
    """SHA-256 of the secret part of a key."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def split_key(text: str) -> tuple[str, str]:
    """Id and secret of a key's text; both empty where it is no key.

    >>> split_key("fw_0123456789ab_secret_with_underscore")
    ('0123456789ab', 'secret_with_underscore')
    >>> split_key("Basic 1234")
    ('', '')
    """
    parts = text.split("_", 2)
    if len(parts) != 3 or parts[0] != _PREFIX or len(parts[1]) != 2 * _ID_BYTES:
        return "", ""
    return parts[1], parts[2]


def matches(key: ApiKey | None, text: str) -> bool:
    """Whether the text is this key's, in constant time; an unknown key (None) costs the same comparison."""
    _, secret = split_key(text)
    return has_hash(key, hash_secret(secret))


def has_hash(key: ApiKey | None, digest: bytes) -> bool:
    """As `matches`, for the hash of the secret."""
    same = hmac.compare_digest(key.hash if key is not None else _NO_HASH, digest)
    return same and key is not None
