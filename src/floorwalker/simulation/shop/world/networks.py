"""Which address somebody comes from, and when: homes with leases, carriers, offices, campuses, tunnels, servers.

A network is named by its kind and number, and within it by a member: `home/17`, `carrier/2/901` (the telephone 901 at
the carrier 2), `proxy/123`. As a column it is an int64: kind × 2^56 + number × 2^32 + member.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from floorwalker.errors import UsageError
from floorwalker.events.event import NetworkFacts
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.scenario import HOUR, MINUTE
from floorwalker.simulation.shop.world._blocks import (
    FACT_KINDS,
    KIND,
    LEASE,
    PLACES,
    POOL_START,
    SIX,
    SIX_SHARE,
    by_country,
    mix,
    pick_block,
    write_addresses,
)
from floorwalker.simulation.shop.world._operators import CARRIERS, EXITS, GATES, HOMES, HOSTING, OPERATORS, RELAYS
from floorwalker.simulation.shop.world._tables import choose
from floorwalker.simulation.shop.world.countries import CODES
from floorwalker.simulation.shop.world.households import countries_of, household_heads

__all__ = ["FACT_KINDS", "KINDS", "OPERATORS", "Networks"]

KINDS: tuple[str, ...] = (
    "home", "carrier", "office", "campus", "dormitory", "vpn", "relay", "hosting", "proxy", "guest",
)  # fmt: skip
"""`guest` is a hotel's or a train's wireless network; `proxy` a residential exit: an honest home or telephone."""
HOME, CARRIER, OFFICE, CAMPUS, DORMITORY, VPN, RELAY, SERVER, PROXY, GUEST = range(len(KINDS))

_U = np.uint64
_GOLDEN = _U(0x9E3779B97F4A7C15)
_Words = NDArray[np.uint64]
_HOME_PLACES, _HOME_WEIGHTS = by_country(HOMES)
_CARRIER_PLACES, _CARRIER_WEIGHTS = by_country(CARRIERS)
_GERMAN = sum(operator.country == "DE" for operator in HOMES)


class Networks:
    """All networks of a world.

    Parameters
    ----------
    chance : draws them.
    customers : how many customers there are: the more, the more of them behind each shared address.

    Attributes
    ----------
    offices, campuses, dormitories, guests, tunnels, relays, servers : how many there are.
    """

    def __init__(self, chance: Chance, customers: int) -> None:
        self._chance = chance
        self._key = chance.words("network", [0])[0]
        self.customers = customers
        self.offices = max(8, customers // 60)
        self.campuses = int(np.clip(customers // 4_000, 2, 40))
        self.dormitories = int(np.clip(customers // 800, 3, 200))
        self.guests = max(8, customers // 250)
        self.tunnels = len(EXITS)
        self.relays = int(np.clip(customers // 300, 8, 500))
        self.servers = 4_000
        self._pool = int(np.clip(customers // 140, 16, 2_000))

    def code(self, name: str) -> int:
        """The number that stands for a named network in columns; `UsageError` where nothing is named so."""
        return _code_of(name)

    def name(self, code: int) -> str:
        """The name of a network by its code.

        >>> networks = Networks(Chance(1), 1000)
        >>> networks.name(networks.code("carrier/2/901"))
        'carrier/2/901'
        """
        kind, number, member = code >> 56, code >> 32 & 0xFFFFFF, code & 0xFFFFFFFF
        return f"{KINDS[kind]}/{number}" + (f"/{member}" if member else "")

    @staticmethod
    def codes(kind: int, numbers: ArrayLike, members: ArrayLike = 0) -> NDArray[np.int64]:
        """Codes of networks of one kind."""
        number = np.asarray(numbers).astype(np.int64) & 0xFFFFFF
        member = np.asarray(members).astype(np.uint64).astype(np.int64) & 0xFFFFFFFF
        return np.asarray((np.int64(kind) << np.int64(56)) + (number << np.int64(32)) + member, dtype=np.int64)

    def draw(self, kind: str, rng: Generator, *, country: str | None = None) -> str:
        """The name of a network of a kind; a carrier, a home or an exit of a country where one is given.

        `home` and `proxy` are homes and telephones of honest customers: whoever rents such an exit stands beside them.
        """
        counts = {"home": self.customers, "carrier": 1, "office": self.offices, "campus": self.campuses,
                  "dormitory": self.dormitories, "vpn": self.tunnels, "relay": self.relays, "hosting": self.servers,
                  "proxy": 1 << 23, "guest": self.guests}  # fmt: skip
        if kind not in counts:
            raise UsageError(f"no kind of network is called {kind!r}", allowed=", ".join(KINDS))
        member = int(rng.integers(1, 1 << 31))
        if kind == "carrier":
            place = CODES.index(country) if country in CODES else 0
            weights = _CARRIER_WEIGHTS[place] / _CARRIER_WEIGHTS[place].sum()
            return f"carrier/{int(rng.choice(len(weights), p=weights))}/{member}"
        tries = 40 if kind in ("home", "proxy") and country in CODES else 1
        numbers = rng.integers(counts[kind], size=tries).astype(np.uint64)
        if kind == "home":
            numbers = household_heads(self._chance, numbers)
        number = int(numbers[0])
        if tries > 1:
            operator, _ = self.operators(self.codes(KINDS.index(kind), numbers), np.zeros(tries, dtype=np.int64))
            fitting = [row for row in range(tries) if OPERATORS[int(operator[row])].country == country]
            number = int(numbers[fitting[0]]) if fitting else number
        return f"{kind}/{number}" if kind in ("home", "proxy", "hosting") else f"{kind}/{number}/{member}"

    def draw_carriers(self, uniform: NDArray[np.float64], country: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of each customer's carrier."""
        return choose(_CARRIER_WEIGHTS, country, uniform)

    def address(self, name: str, at: int) -> str:
        """The address that a network gives at a time.

        >>> networks = Networks(Chance(1), 1000)
        >>> networks.address("home/17", 1_760_000_000_000_000) == networks.address("home/17", 1_760_000_060_000_000)
        True
        """
        return self.addresses_at(name, [at])[0]

    def addresses_at(self, name: str, at: Sequence[int]) -> list[str]:
        """The addresses that a network gives at some times: many cost little more than one."""
        high, low = self.words(np.full(len(at), _code_of(name)), np.array(at))
        return [
            str(ipaddress.IPv6Address(upper << 64 | lower) if upper else ipaddress.IPv4Address(lower))
            for upper, lower in zip(high.tolist(), low.tolist(), strict=True)
        ]

    def addresses(self, codes: NDArray[np.int64], at: NDArray[np.int64]) -> pl.Series:
        """The addresses of a column of networks at a column of times, as text."""
        return write_addresses(*self.words(codes, at))

    def facts(self, name: str, at: int = 0) -> NetworkFacts:
        """What the proxy in front of the shop knows of a network: its operator, not what it hides."""
        operator, kind = self.operators(np.array([_code_of(name)]), np.array([at]))
        found = OPERATORS[int(operator[0])]
        return NetworkFacts(asn=found.asn, organisation=found.organisation, country=found.country,
                            kind=FACT_KINDS[int(kind[0])])  # type: ignore[arg-type]  # fmt: skip

    def operators(self, codes: NDArray[np.int64], at: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Places in `OPERATORS` of whoever announces the addresses, and places in `FACT_KINDS` of what databases say.

        Databases err: one tunnel in six passes as plain hosting, one proxy in twenty is known, and one home in two
        hundred stands there as a proxy because somebody's relative once installed one.
        """
        codes = np.asarray(codes, dtype=np.int64)
        kind, number, _ = self._resolve(*_split(codes))
        operator = self._operator(kind, number)
        said = KIND[operator].copy()
        said[(kind == OFFICE) | (kind == GUEST)] = FACT_KINDS.index("business")
        said[(kind == CAMPUS) | (kind == DORMITORY)] = FACT_KINDS.index("education")
        luck = mix(number.astype(np.uint64) * _GOLDEN + self._key + _U(77)) % _U(1000)
        said[(kind == VPN) & (luck < 160)] = FACT_KINDS.index("hosting")
        said[(kind == HOME) & (luck < np.where(codes >> 56 == PROXY, 50, 5))] = FACT_KINDS.index("proxy")
        return operator, said

    def _resolve(
        self, kind: NDArray[np.int64], number: NDArray[np.int64], member: _Words
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], _Words]:
        """Residential exits as the homes and telephones that they are."""
        rows = np.flatnonzero(kind == PROXY)
        if not len(rows):
            return kind, number, member
        kind, number, member = kind.copy(), number.copy(), member.copy()
        words = mix(number[rows].astype(np.uint64) * _GOLDEN + self._key + _U(5))
        phone = words % _U(100) < _U(28)
        carrier = (words >> _U(9)) % _U(len(CARRIERS))
        home = household_heads(self._chance, (words >> _U(9)) % _U(self.customers)).astype(np.int64)
        kind[rows] = np.where(phone, CARRIER, HOME)
        number[rows] = np.where(phone, carrier.astype(np.int64), home)
        member[rows] = words >> _U(32)
        return kind, number, member

    def _operator(self, kind: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.int64]:
        made = np.zeros(len(kind), dtype=np.int64)
        for one in np.unique(kind).tolist():
            rows = np.flatnonzero(kind == one)
            numbers = number[rows]
            if one == HOME:
                keys = numbers.astype(np.uint64)
                country = countries_of(self._chance, keys)
                provider = choose(_HOME_WEIGHTS, country, self._chance.uniform("home/provider", keys))
                made[rows] = _HOME_PLACES[provider]
            elif one == CARRIER:
                made[rows] = _CARRIER_PLACES[numbers % len(CARRIERS)]
            elif one == OFFICE:
                made[rows] = PLACES[GATES[0].organisation] + (numbers % 6 == 0)
            elif one == GUEST:  # two in three at home, the others abroad
                made[rows] = _HOME_PLACES[np.where(numbers % 3 < 2, numbers % _GERMAN, numbers % len(HOMES))]
            elif one in (CAMPUS, DORMITORY):
                made[rows] = PLACES[GATES[2].organisation]
            elif one == VPN:
                made[rows] = PLACES[EXITS[0].organisation] + numbers % len(EXITS)
            elif one == RELAY:
                made[rows] = PLACES[RELAYS[0].organisation] + (numbers % 5 < 2)
            else:
                made[rows] = PLACES[HOSTING[0].organisation] + np.minimum(numbers % 100 // 40, 2)
        return made

    def words(self, codes: NDArray[np.int64], at: NDArray[np.int64]) -> tuple[_Words, _Words]:
        """The addresses as two halves, uint64 [k] each; the upper half of an IPv4 address is 0."""
        at = np.asarray(at, dtype=np.int64)
        kind, number, member = self._resolve(*_split(np.asarray(codes, dtype=np.int64)))
        operator = self._operator(kind, number)
        # What keeps an address: the line at home, the telephone at a carrier, the gate of an office.
        by_member = (kind == CARRIER) | (kind == VPN) | (kind == RELAY)
        line = np.where(by_member, member, number.astype(np.uint64))
        line = line + (kind.astype(np.uint64) << _U(40)) + (operator.astype(np.uint64) << _U(48))
        line = mix(line * _GOLDEN + self._key)
        lease = np.where(kind == VPN, 9 * HOUR, LEASE[operator])
        epoch = ((at + (line >> _U(1)).astype(np.int64) % lease) // lease).astype(np.uint64)
        lot = mix(line + epoch * _GOLDEN)
        # A home's addresses come from one /20 of its town.
        low = pick_block(operator, line >> _U(20)) + ((line >> _U(33)) % _U(15) << _U(12)) + lot % _U(4094) + _U(1)
        for one in np.unique(kind).tolist():
            if one != HOME:
                rows = np.flatnonzero(kind == one)
                low[rows] = self._shared(one, number[rows], member[rows], operator[rows], lot[rows], at[rows])
        last = low & _U(255)
        low = np.where(last == _U(0), low + _U(9), np.where(last == _U(255), low - _U(9), low))
        high = np.zeros(len(low), dtype=np.uint64)
        modern = ((line >> _U(11)) % _U(1000)).astype(np.float64) < 1000 * SIX_SHARE[operator]
        modern &= mix(line + (at // (6 * HOUR)).astype(np.uint64)) % _U(100) < _U(72)
        rows = np.flatnonzero(modern & ((kind == HOME) | (kind == CARRIER) | (kind == RELAY)))
        if len(rows):
            high[rows] = (SIX[operator[rows]] << _U(32)) | (lot[rows] & _U(0xFFFFFF00))
            day = (at[rows] // (24 * HOUR)).astype(np.uint64)
            low[rows] = mix(line[rows] + member[rows] * _GOLDEN + day) | _U(1 << 57)
        return high, low

    def _shared(
        self, kind: int, number: NDArray[np.int64], member: _Words, operator: NDArray[np.int64], lot: _Words,
        at: NDArray[np.int64],
    ) -> _Words:  # fmt: skip
        """IPv4 addresses of networks that many use."""
        place = mix(number.astype(np.uint64) * _GOLDEN + self._key + _U(kind))
        first = pick_block(operator, place)
        if kind == CARRIER:
            # Pools lie in pieces of 64 addresses all over the carrier's block; some addresses have far more behind
            # them than others.
            share = (lot >> _U(11)).astype(np.float64) * 2.0**-53
            pool = (self._pool * share**1.3).astype(np.uint64)
            made = (
                first + POOL_START[operator] + ((pool >> _U(6)) * _U(977) % _U(96) << _U(8)) + (pool & _U(63)) * _U(3)
            )
        elif kind == VPN:
            exit_ = lot % _U(28)
            made = first + (place >> _U(30)) % _U(200) * _U(256) + (exit_ % _U(4) << _U(9)) + _U(20) + exit_
        elif kind == RELAY:
            made = first + ((place >> _U(12)) + (lot & _U(3))) % _U(0xF000)
        elif kind in (CAMPUS, DORMITORY):
            gates = _U(5 if kind == CAMPUS else 2)
            gate = (member + (at // (50 * MINUTE)).astype(np.uint64)) % gates
            made = first + (place >> _U(24)) % _U(250) * _U(256) + _U(30) + gate
        else:
            made = first + (place >> _U(24)) % _U(0xFE00) + (member % _U(2) if kind == OFFICE else _U(0))
        return np.asarray(made, dtype=np.uint64)


def _split(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], _Words]:
    return codes >> 56, codes >> 32 & 0xFFFFFF, (codes & 0xFFFFFFFF).astype(np.uint64)


@lru_cache(maxsize=1 << 14)
def _code_of(name: str) -> int:
    kind, *numbers = name.split("/")
    if kind not in KINDS or not 1 <= len(numbers) <= 2 or not all(number.isdigit() for number in numbers):
        raise UsageError(
            f"no network is called {name!r}",
            allowed="kind/number or kind/number/member",
            fix=f"kinds: {', '.join(KINDS)}",
        )
    number, member = int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 0
    return (KINDS.index(kind) << 56) + ((number & 0xFFFFFF) << 32) + (member & 0xFFFFFFFF)
