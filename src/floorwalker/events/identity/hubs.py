"""What many strangers share: a carrier's address, a campus, a pickup point, a fingerprint that a whole series has.

Five accounts behind a carrier's address mean nothing. A hub is recognised in two ways, and both are data: by lists
(`hubs.toml` beside this file, and a shop's own file of the same form) and by degree, when more customers of good
standing share an entity than any household could.

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
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from floorwalker.errors import UsageError
from floorwalker.events.entities import ENTITIES
from floorwalker.events.identity._mail_hosts import FREE
from floorwalker.events.networks import parse_address


@dataclass(frozen=True)
class DegreeRule:
    """From which degree on an entity is a hub.

    Parameters
    ----------
    window : name of the window of live features in which accounts are counted.
    limit : more different trusted accounts than this make a hub; a household, a shared flat and a small office stay
        below.
    share : least share of trusted accounts among all accounts.
    """

    window: str
    limit: int
    share: float


DEGREE_RULES: Mapping[str, DegreeRule] = MappingProxyType(
    {
        "ip": DegreeRule("1d", 50, 0.1),
        "ip_network": DegreeRule("1d", 300, 0.1),
        "delivery_point": DegreeRule("30d", 40, 0.25),
        "device": DegreeRule("30d", 20, 0.5),
        "payment": DegreeRule("30d", 12, 0.5),
        "phone": DegreeRule("30d", 8, 0.5),
        "email": DegreeRule("30d", 8, 0.5),
    }
)
"""Kinds of entity that can become hubs by degree. What one person has, a device or a card, needs that most of the
accounts are trusted, so that a farm of false accounts is none; a session never is a hub. What a trusted account is,
`floorwalker.features.live.declarations.Hub` says: live features look for hubs, event by event."""


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

    @property
    def names(self) -> frozenset[str]:
        """Every value that is declared by name, whatever it is the name of."""
        return frozenset[str]().union(*self._values.values())

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
