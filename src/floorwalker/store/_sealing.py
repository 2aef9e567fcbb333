"""How a value is sealed, and the forms it has before, while and after."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class PersonalValue(Protocol):
    """A raw value that was replaced by a token."""

    @property
    def field(self) -> str:
        """Which field of the event it stood in."""

    @property
    def token(self) -> str:
        """What stands there instead."""

    @property
    def raw(self) -> str:
        """What stood there."""

    @property
    def subject(self) -> str:
        """Whose it is."""

    @property
    def shop(self) -> str:
        """Whose customer that is: subjects of the same name in two shops are two people."""


@dataclass(frozen=True)
class SealedValue:
    """A value that only the vault can open, and only until its person is erased; fit for the journal.

    Parameters
    ----------
    shop, subject, field, token : as in the raw value; they are bound to what is sealed.
    sealed : 12 bytes of nonce, the ciphertext, 16 bytes of tag.
    seen_at : µs UTC.
    """

    shop: str
    subject: str
    field: str
    token: str
    sealed: bytes
    seen_at: int

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Shop, subject, field and token: what names a value in the vault."""
        return self.shop, self.subject, self.field, self.token


@dataclass(frozen=True)
class StoredValue:
    """One opened value; times are µs UTC, the later one exact to a day."""

    field: str
    token: str
    raw: str
    first_seen: int
    last_seen: int


def bind(*parts: str) -> bytes:
    """What a sealed value is bound to; lengths keep two lists of parts from looking the same."""
    texts = [part.encode() for part in parts]
    return b"".join([piece for text in texts for piece in (len(text).to_bytes(4, "big"), text)])


def seal(key: AESGCM, value: bytes, bound: bytes) -> bytes:
    """AES-256-GCM under a fresh random nonce, which stands in front."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + key.encrypt(nonce, value, bound)


def unseal(key: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    """The value; another key, another binding or a changed byte raises `cryptography.exceptions.InvalidTag`."""
    return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
