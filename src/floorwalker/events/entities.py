"""Who and what takes part in an event, and the keyed hash under which the engine knows them.

An attacker chooses the names of accounts, devices and coupons. Were the hash known, they could choose names that fall
on one another, or on an honest customer; so every key is a SipHash-2-4 under a secret that stands in the state folder.
Shop and kind of entity are part of the key: the same address at two shops, or a coupon named like an item, never meet.
"""

from __future__ import annotations

from types import MappingProxyType

from floorwalker.errors import MissingExtraError, UsageError
from floorwalker.events.placeholders import judge

ENTITIES: tuple[str, ...] = (
    "account",
    "session",
    "device",
    "ip",
    "ip_network",
    "payment",
    "bin",
    "email",
    "email_domain",
    "phone",
    "phone_prefix",
    "delivery_point",
    "coupon",
    "promotion",
    "item",
    "seller",
    "inviter",
)
"""Kinds of entity, in the order of the rows of a batch's keys."""

ENTITY_MEANINGS = MappingProxyType(
    {
        "account": "the customer's account",
        "session": "one visit, by the shop's session id",
        "device": "a browser or telephone, by the id that the collector or the SDK gave it",
        "ip": "the client's address",
        "ip_network": "the /24 of an IPv4 address, the /64 of an IPv6 address",
        "payment": "a card, wallet or bank account, by its token",
        "bin": "the first six or eight digits of a card: issuer, country, kind",
        "email": "an e-mail address in canonical form",
        "email_domain": "the domain of the e-mail address; domains that everybody uses count as hubs",
        "phone": "a telephone number in E.164 form",
        "phone_prefix": "the number without its last four digits: blocks that are sold together",
        "delivery_point": "a door, mailbox or locker, whatever the spelling of the address",
        "coupon": "a coupon's code",
        "promotion": "the campaign that coupons, invitations or prices belong to",
        "item": "what is sold",
        "seller": "who sells it",
        "inviter": "the account that invited this one",
    }
)
"""What each entity is, in one line."""

_PLACES = {name: place for place, name in enumerate(ENTITIES)}

_SAME_AS = {"inviter": "account"}
"""An inviter is an account: its key is the account's, so that a chain of invitations can be followed."""

SECRET_BYTES = 16
"""Length of the secret that keys are made under."""

_CACHED_KEYS = 1 << 17
"""Keys kept ready; entities follow a power law, and a look-up costs a tenth of a hash. 24 MB at the most."""

_CACHED_SHOPS = 1024


class EntityKeyer:
    """Keyed 64-bit hashes of entities.

    Parameters
    ----------
    secret : 16 random bytes, made once for an installation and kept with its state: other bytes, other keys.

    Errors
    ------
    `UsageError` where the secret has another length; `MissingExtraError` without the `serve` extra.

    >>> keyer = EntityKeyer(bytes(range(16)))
    >>> keyer.key("shop", "account", "a-1") == keyer.key("shop", "account", "a-1")
    True
    >>> keyer.key("shop", "account", "a-1") == keyer.key("shop", "session", "a-1")
    False

    Source: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012.
    """

    __slots__ = ("_kept", "_secret", "_shops", "_siphash", "_subkeys")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise UsageError(f"the secret of the entity keys has {len(secret)} bytes", allowed=f"{SECRET_BYTES} bytes")
        try:
            import siphash24
        except ImportError as error:
            raise MissingExtraError("siphash24", "serve") from error
        self._secret = bytes(secret)
        self._siphash = siphash24.siphash24
        self._subkeys: dict[tuple[str, str], bytes] = {}
        self._shops: dict[str, tuple[dict[str | None, int], ...]] = {}
        self._kept = 0

    def key(self, shop: str, entity: str, value: str) -> int:
        """The key of one entity, 1 <= key < 2^64; 0 for a placeholder, which is nobody (see `placeholders`)."""
        known = self.known(shop)[_PLACES[entity]]
        found = known.get(value)
        if found is not None:
            return found
        kind = _SAME_AS.get(entity, entity)
        subkey = self._subkeys.get((shop, kind))
        if subkey is None:
            subkey = self._derive(shop, kind)
        key = 0
        if not judge(entity, value):
            key = (
                self._siphash(value.encode("utf-8", "surrogatepass"), key=subkey).intdigest() & 0xFFFFFFFFFFFFFFFF or 1
            )
        if self._kept >= _CACHED_KEYS:
            self.forget()
        else:
            self._kept += 1
            known[value] = key
        return key

    def known(self, shop: str) -> tuple[dict[str | None, int], ...]:
        """The keys of this shop that are kept ready, a table for each of `ENTITIES`; None is always 0."""
        tables = self._shops.get(shop)
        if tables is None:
            if len(self._shops) >= _CACHED_SHOPS:
                self.forget()
            tables = self._shops[shop] = tuple({None: 0} for _ in ENTITIES)
        return tables

    def subkeys(self, shop: str) -> list[bytes]:
        """The secret of each of `ENTITIES` in this shop, 16 bytes: for kernels that hash as `key` does."""
        return [self._derive(shop, _SAME_AS.get(entity, entity)) for entity in ENTITIES]

    def forget(self) -> None:
        """Drop what is kept ready: keys come out the same, once more slowly."""
        self._shops.clear()
        self._kept = 0

    def _derive(self, shop: str, entity: str) -> bytes:
        """The secret of one kind of entity of one shop: the kind and the shop need not be hashed each time."""
        text = f"{len(shop)}:{shop}:{entity}".encode("utf-8", "surrogatepass")
        subkey: bytes = (
            self._siphash(b"\x00" + text, key=self._secret).digest()
            + self._siphash(b"\x01" + text, key=self._secret).digest()
        )
        if len(self._subkeys) >= 4096:
            self._subkeys.clear()
        self._subkeys[shop, entity] = subkey
        return subkey
