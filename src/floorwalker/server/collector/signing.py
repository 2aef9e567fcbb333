"""Ids that browsers cannot make up, and sessions that they cannot borrow.

The form is the one that `floorwalker_client.web.collector` uses, so that both know each other's ids.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

PREFIX = "fd1_"
_NAME_LENGTH = len(PREFIX) + 22


def make_id(secret: bytes, shop: str) -> str:
    """A new id for a browser with its signature, `fd1_<random>.<signature>`."""
    name = PREFIX + _text(secrets.token_bytes(16))
    return f"{name}.{sign(secret, 'device', shop, name)}"


def read_id(secret: bytes, shop: str, signed: str) -> str | None:
    """The id without its signature, as events hold it; None where it is none of ours.

    >>> signed = make_id(b"sixteen bytes or more", "default")
    >>> read_id(b"sixteen bytes or more", "default", signed) == signed.partition(".")[0]
    True
    >>> read_id(b"sixteen bytes or more", "another shop", signed) is None
    True
    """
    name, _, signature = signed.partition(".")
    if len(name) != _NAME_LENGTH or not name.startswith(PREFIX) or not signature.isascii():
        return None
    return name if hmac.compare_digest(sign(secret, "device", shop, name), signature) else None


def is_signed_session(secret: bytes, shop: str, session: str, proof: str) -> bool:
    """Whether the shop itself put this session into its page."""
    return proof.isascii() and hmac.compare_digest(sign(secret, "session", shop, session), proof)


def sign(secret: bytes, kind: str, shop: str, value: str) -> str:
    """128 bits of an HMAC-SHA256, as 22 characters."""
    told = "\x00".join((kind, shop, value)).encode("utf-8", "surrogateescape")
    return _text(hmac.digest(secret, told, hashlib.sha256)[:16])


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
