"""What many strangers share: a carrier's address, a campus, a pickup point, a fingerprint that a whole series has.

Five accounts behind a carrier's address mean nothing. A hub is recognised in two ways, and both are data: by lists
(`hubs.toml` beside this file, and a shop's own file of the same form) and by degree, when more accounts share an
entity than any household could.

>>> hubs = read_hubs()
>>> hubs.holds("email_domain", "gmail.com"), hubs.holds("email_domain", "example.com")
(True, False)
>>> hubs = read_hubs('networks = [{ range = "203.0.113.0/24", name = "campus" }]')
>>> hubs.holds("ip", "203.0.113.9"), hubs.holds("ip", "198.51.100.9")
(True, False)
"""

from __future__ import annotations

import ipaddress
import tomllib
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.events.entities import ENTITIES
from floorwalker.events.identity._mail_hosts import FREE
from floorwalker.events.networks import parse_address

DEGREE_LIMITS = MappingProxyType(
    {
        "ip": 50,
        "ip_network": 300,
        "device": 20,
        "phone": 8,
        "email": 8,
        "payment": 12,
        "delivery_point": 40,
        "session": 8,
    }
)
"""Accounts above which an entity is a hub; a household, a shared flat and a small office stay below."""


class Hubs:
    """Declared hubs.

    Parameters
    ----------
    networks : ranges of addresses, IPv4 and IPv6.
    values : kind of entity -> values in canonical form, as they are before tokens take their place.
    """

    __slots__ = ("_by_prefix", "_values", "_widths")

    def __init__(
        self, networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network], values: dict[str, frozenset[str]]
    ) -> None:
        self._values = values
        self._by_prefix = {(net.version, net.prefixlen, int(net.network_address)) for net in networks}
        self._widths = {
            version: sorted({width for v, width, _ in self._by_prefix if v == version}) for version in (4, 6)
        }

    def holds(self, entity: str, value: str) -> bool:
        """Whether this value of this kind of entity is declared a hub."""
        listed = self._values.get(entity)
        if listed is not None and value in listed:
            return True
        if entity not in ("ip", "ip_network") or not self._by_prefix:
            return False
        found = parse_address(value.partition("/")[0])
        if found is None:
            return False
        bits = 32 if found.version == 4 else 128
        number = int(found)
        return any(
            (found.version, width, number >> (bits - width) << (bits - width)) in self._by_prefix
            for width in self._widths[found.version]
        )


@lru_cache(maxsize=8)
def read_hubs(*texts: str) -> Hubs:
    """The hubs that come with the product, and those of a shop's own TOML texts.

    A text holds `networks`, a list of tables with `range` and `name`, and for each kind of entity a list of values.

    Errors
    ------
    `UsageError` naming what is at fault: no TOML, an unknown kind of entity, a range that is none.
    """
    shipped = resources.files("floorwalker.events.identity").joinpath("hubs.toml").read_text("utf-8")
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
    values: dict[str, set[str]] = {"email_domain": set(FREE)}
    for text in (shipped, *texts):
        try:
            tables: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"a list of hubs is no TOML: {error}") from error
        for name, entries in tables.items():
            if name == "networks":
                networks += [_read_range(entry) for entry in entries]
            elif name in ENTITIES and isinstance(entries, list) and all(isinstance(entry, str) for entry in entries):
                values.setdefault(name, set()).update(entries)
            else:
                raise UsageError(
                    f"a list of hubs holds {name!r}", allowed="networks, or a kind of entity with a list of values"
                )
    return Hubs(networks, {name: frozenset(entries) for name, entries in values.items()})


def _read_range(entry: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(entry["range"])
    except (TypeError, KeyError, ValueError) as error:
        raise UsageError(f"a hub's network is {entry!r}", allowed='{ range = "203.0.113.0/24", name = "…" }') from error


def find_hubs(keys: NDArray[np.uint64], accounts: NDArray[np.uint64], limit: int) -> NDArray[np.uint64]:
    """Keys that more than `limit` different accounts share, in rising order.

    Parameters
    ----------
    keys : uint64 [n], keys of one kind of entity; 0 is nobody.
    accounts : uint64 [n], keys of the accounts that used them; 0 is nobody.
    limit : as in `DEGREE_LIMITS`.

    >>> find_hubs(np.array([7, 7, 7, 8], dtype=np.uint64), np.array([1, 2, 3, 1], dtype=np.uint64), 2).tolist()
    [7]
    """
    known = (keys != 0) & (accounts != 0)
    pairs = np.unique(np.stack([keys[known], accounts[known]], axis=1), axis=0)
    shared, counts = np.unique(pairs[:, 0], return_counts=True)
    return shared[counts > limit]
