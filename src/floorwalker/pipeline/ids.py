"""Keyed hashes of ids that occur once: event ids, decision ids."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import MissingExtraError


class IdHasher:
    """SipHash-2-4 of a shop's ids under the installation's secret.

    As `floorwalker.events.entities.EntityKeyer`, but without its store of keys kept ready: an id that occurs once
    would only push out the entities that come again.

    Parameters
    ----------
    secret : 16 bytes.

    >>> hasher = IdHasher(bytes(16))
    >>> hasher.hash("event", "shop", "e-1") == hasher.hash("event", "other", "e-1")
    False
    """

    def __init__(self, secret: bytes) -> None:
        try:
            from siphash24 import siphash24
        except ImportError as error:
            raise MissingExtraError("siphash24", "serve") from error
        self._siphash = siphash24
        self.secret = bytes(secret)

    def hash(self, kind: str, shop: str, name: str) -> int:
        """1 <= hash < 2^64."""
        text = _prefix(kind, shop) + name.encode("utf-8", "surrogatepass")
        value: int = self._siphash(text, key=self.secret).intdigest() & 0xFFFFFFFFFFFFFFFF
        return value or 1

    def prefix(self, kind: str, shop: str) -> bytes:
        """What stands before a name when it is hashed: kinds and shops never meet."""
        return _prefix(kind, shop)

    def hash_all(self, kind: str, shops: Sequence[str | None], names: Sequence[str]) -> NDArray[np.uint64]:
        """Hashes of several ids: uint64 [n]."""
        hash_one = self.hash
        return np.array([hash_one(kind, shop or "", name) for shop, name in zip(shops, names, strict=True)], np.uint64)


@lru_cache(maxsize=1024)
def _prefix(kind: str, shop: str) -> bytes:
    return f"{kind}\x00{len(shop)}:{shop}".encode("utf-8", "surrogatepass")
