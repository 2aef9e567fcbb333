"""Which address somebody comes from, and when: homes with leases, carriers, offices, campuses, tunnels, servers.

A network is named by its kind and number, and within it by a member: `home/17`, `carrier/2/901` (the telephone 901 at
the carrier 2), `proxy/123`. As a column it is an int64: kind × 2^56 + number × 2^32 + member.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from floorwalker.errors import UsageError
from floorwalker.events.event import NetworkFacts
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.scenario import HOUR, MINUTE
from floorwalker.simulation.shop.world._operators import (
    CARRIERS,
    EXITS,
    GATES,
    HOMES,
    HOSTING,
    OPERATORS,
    RELAYS,
    Operator,
)
from floorwalker.simulation.shop.world._tables import choose
from floorwalker.simulation.shop.world.countries import CODES

KINDS: tuple[str, ...] = (
    "home",
    "carrier",
    "office",
    "campus",
    "dormitory",
    "vpn",
    "relay",
    "hosting",
    "proxy",
    "guest",
)
"""`guest` is a hotel's, a café's or a train's wireless network; `proxy` a residential exit: an honest home or telephone."""
HOME, CARRIER, OFFICE, CAMPUS, DORMITORY, VPN, RELAY, SERVER, PROXY, GUEST = range(len(KINDS))

FACT_KINDS: tuple[str, ...] = ("residential", "mobile", "business", "education", "hosting", "vpn", "relay", "proxy")

_U = np.uint64
_GOLDEN = _U(0x9E3779B97F4A7C15)
_PLACE = {id(operator): place for place, operator in enumerate(OPERATORS)}
_LEASE = np.array([operator.lease_hours or 24 * 3650 for operator in OPERATORS], dtype=np.int64) * HOUR
_SIX_SHARE = np.array([operator.six_share for operator in OPERATORS])
_SIX = np.array(
    [int(ipaddress.IPv6Address(f"{operator.six or '2001:db8'}::")) >> 96 for operator in OPERATORS], dtype=np.uint64
)
_KIND = np.array([FACT_KINDS.index(operator.kind) for operator in OPERATORS])


def _slashes(operator: Operator) -> list[int]:
    """The /16 blocks of an operator."""
    made: list[int] = []
    for text in operator.blocks:
        block = ipaddress.IPv4Network(text)
        step = max(1, block.num_addresses >> 16)
        # Of a large block every other /16 is in use by this shop's customers.
        made += [int(block.network_address) + (place << 16) for place in range(0, step, max(1, step // 8))]
    return made


_BLOCKS = [_slashes(operator) for operator in OPERATORS]
_BLOCK_STARTS = np.cumsum([0, *map(len, _BLOCKS)])[:-1]
_BLOCK_COUNTS = np.array([len(blocks) for blocks in _BLOCKS])
_ALL_BLOCKS = np.array([block for blocks in _BLOCKS for block in blocks], dtype=np.uint64)
_SHORT = np.array([operator.organisation == "Lion Mobile" for operator in OPERATORS])


def _by_country(operators: tuple[Operator, ...]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places of operators, and their weights by the customers' country [countries, operators]."""
    places = np.array([_PLACE[id(operator)] for operator in operators])
    weights = np.array([[one.weight if one.country == code else 0.0 for one in operators] for code in CODES])
    return places, weights


_HOME_PLACES, _HOME_WEIGHTS = _by_country(HOMES)
_CARRIER_PLACES, _CARRIER_WEIGHTS = _by_country(CARRIERS)


def _mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    words = (words ^ (words >> _U(30))) * _U(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> _U(27))) * _U(0x94D049BB133111EB)
    return np.asarray(words ^ (words >> _U(31)))


class Networks:
    """All networks of a world.

    Parameters
    ----------
    chance : draws them.
    customers : how many customers there are: a shop with more has more of them behind each carrier's address, up to
        the size of the carriers' pools.

    Attributes
    ----------
    offices, campuses, dormitories, guests : how many there are.
    """

    def __init__(self, chance: Chance, customers: int) -> None:
        self._chance = chance
        self._key = chance.words("network", [0])[0]
        self.customers = customers
        self.offices = max(6, customers // 90)
        self.campuses = int(np.clip(customers // 4_000, 2, 40))
        self.dormitories = int(np.clip(customers // 1_500, 2, 120))
        self.guests = max(8, customers // 300)
        self.servers = 4_000
        self.relays = int(np.clip(customers // 60, 40, 1_200))
        self._pool = int(np.clip(customers // 140, 16, 2_000))

    # --- names and codes -------------------------------------------------------------------------------------------

    def code(self, name: str) -> int:
        """The number that stands for a named network in columns.

        Errors
        ------
        `UsageError` where nothing is named so.
        """
        return _code_of(name)

    def name(self, code: int) -> str:
        """The name of a network by its code."""
        kind, number, member = code >> 56, code >> 32 & 0xFFFFFF, code & 0xFFFFFFFF
        return f"{KINDS[kind]}/{number}" + (f"/{member}" if member else "")

    @staticmethod
    def codes(kind: int, numbers: ArrayLike, members: ArrayLike = 0) -> NDArray[np.int64]:
        """Codes of networks of one kind."""
        number = np.asarray(numbers).astype(np.int64) & 0xFFFFFF
        member = np.asarray(members).astype(np.uint64).astype(np.int64) & 0xFFFFFFFF
        return np.asarray((np.int64(kind) << np.int64(56)) + (number << np.int64(32)) + member, dtype=np.int64)

    def draw(self, kind: str, rng: Generator, *, country: str | None = None) -> str:
        """The name of a network of a kind; of a country where the kind knows countries.

        `home` and `proxy` are homes and telephones of honest customers.
        """
        member = int(rng.integers(1, 1 << 31))
        if kind == "carrier":
            place = CODES.index(country) if country in CODES else 0
            weights = _CARRIER_WEIGHTS[place] / _CARRIER_WEIGHTS[place].sum()
            return f"carrier/{int(rng.choice(len(weights), p=weights))}/{member}"
        counts = {"home": self.customers, "office": self.offices, "campus": self.campuses,
                  "dormitory": self.dormitories, "vpn": len(EXITS), "relay": self.relays, "hosting": self.servers,
                  "proxy": 1 << 23, "guest": self.guests}  # fmt: skip
        if kind not in counts:
            raise UsageError(f"no kind of network is called {kind!r}", allowed=", ".join(KINDS))
        number = int(rng.integers(counts[kind]))
        if kind == "home":
            number = int(household_heads(self._chance, np.array([number], dtype=np.uint64))[0])
        return f"{kind}/{number}" if kind in ("home", "proxy", "hosting") else f"{kind}/{number}/{member}"

    def draw_carriers(self, uniform: NDArray[np.float64], country: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of each customer's carrier."""
        return choose(_CARRIER_WEIGHTS, country, uniform)

    # --- addresses ---------------------------------------------------------------------------------------------------

    def address(self, name: str, at: int) -> str:
        """The address that a network gives at a time.

        >>> networks = Networks(Chance(1), 1000)
        >>> networks.address("home/17", 1_760_000_000_000_000) == networks.address("home/17", 1_760_000_060_000_000)
        True
        """
        high, low = self.words(np.array([_code_of(name)]), np.array([at]))
        if high[0]:
            return str(ipaddress.IPv6Address(int(high[0]) << 64 | int(low[0])))
        return str(ipaddress.IPv4Address(int(low[0])))

    def addresses(self, codes: NDArray[np.int64], at: NDArray[np.int64]) -> pl.Series:
        """The addresses of a column of networks at a column of times, as text."""
        high, low = self.words(codes, at)
        return write_addresses(high, low)

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
        kind, number, member = _split(np.asarray(codes, dtype=np.int64))
        kind, number, member = self._resolve(kind, number, member, np.asarray(at, dtype=np.int64))
        operator = self._operator(kind, number)
        said = _KIND[operator].copy()
        said[(kind == OFFICE) | (kind == GUEST)] = FACT_KINDS.index("business")
        said[(kind == CAMPUS) | (kind == DORMITORY)] = FACT_KINDS.index("education")
        luck = _mix(number.astype(np.uint64) * _GOLDEN + self._key + _U(77)) % _U(1000)
        said[(kind == VPN) & (luck < 160)] = FACT_KINDS.index("hosting")
        asked = (np.asarray(codes, dtype=np.int64) >> 56) == PROXY
        said[(kind == HOME) & (luck < np.where(asked, 50, 5))] = FACT_KINDS.index("proxy")
        return operator, said

    def _resolve(
        self, kind: NDArray[np.int64], number: NDArray[np.int64], member: NDArray[np.uint64], at: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]]:
        """Residential exits as the homes and telephones that they are."""
        rows = np.flatnonzero(kind == PROXY)
        if not len(rows):
            return kind, number, member
        kind, number, member = kind.copy(), number.copy(), member.copy()
        words = _mix(number[rows].astype(np.uint64) * _GOLDEN + self._key + _U(5))
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
                made[rows] = _HOME_PLACES[choose(_HOME_WEIGHTS, country, self._chance.uniform("home/provider", keys))]
            elif one == CARRIER:
                made[rows] = _CARRIER_PLACES[numbers % len(CARRIERS)]
            elif one in (OFFICE, GUEST):
                made[rows] = _PLACE[id(GATES[0])] + (numbers % 6 == 0)
            elif one in (CAMPUS, DORMITORY):
                made[rows] = _PLACE[id(GATES[2])]
            elif one == VPN:
                made[rows] = _PLACE[id(EXITS[0])] + numbers % len(EXITS)
            elif one == RELAY:
                made[rows] = _PLACE[id(RELAYS[0])] + (numbers % 5 < 2)
            else:
                made[rows] = _PLACE[id(HOSTING[0])] + np.minimum(numbers % 100 // 40, 2)
        return made

    def words(self, codes: NDArray[np.int64], at: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """The addresses as two halves, uint64 [k] each; the upper half of an IPv4 address is 0."""
        at = np.asarray(at, dtype=np.int64)
        kind, number, member = self._resolve(*_split(np.asarray(codes, dtype=np.int64)), at)
        operator = self._operator(kind, number)
        # What keeps an address: the line at home, the telephone at a carrier, the gate of an office.
        lines = number.astype(np.uint64)
        phone = (kind == CARRIER) | (kind == VPN) | (kind == RELAY)
        lines = (
            np.where(phone, member, lines) + (kind.astype(np.uint64) << _U(40)) + (operator.astype(np.uint64) << _U(48))
        )
        line = _mix(lines * _GOLDEN + self._key)
        lease = np.where(kind == VPN, 9 * HOUR, _LEASE[operator])
        epoch = ((at + (line % _U(1 << 40)).astype(np.int64) % lease) // lease).astype(np.uint64)
        lot = _mix(line + epoch * _GOLDEN)
        block = _ALL_BLOCKS[_BLOCK_STARTS[operator] + (line >> _U(20)).astype(np.int64) % _BLOCK_COUNTS[operator]]
        # A home's addresses come from one /20 of its town.
        low = block + ((line >> _U(33)) % _U(15) << _U(12)) + lot % _U(4094) + _U(1)
        for one in np.unique(kind).tolist():
            if one == HOME:
                continue
            rows = np.flatnonzero(kind == one)
            low[rows] = self._shared(one, rows, number, member, operator, lot, epoch, at)
        low = np.where((low & _U(255)) == _U(0), low + _U(9), low)
        low = np.where((low & _U(255)) == _U(255), low - _U(9), low)
        high = np.zeros(len(low), dtype=np.uint64)
        six = ((line >> _U(11)) % _U(1000)).astype(np.float64) < 1000 * _SIX_SHARE[operator]
        hour = (at // (6 * HOUR)).astype(np.uint64)
        six &= _mix(line + hour) % _U(100) < _U(72)
        rows = np.flatnonzero(six & ((kind == HOME) | (kind == CARRIER) | (kind == RELAY)))
        if len(rows):
            site = lot[rows] & _U(0xFFFFFF00)
            high[rows] = (_SIX[operator[rows]] << _U(32)) | site
            day = (at[rows] // (24 * HOUR)).astype(np.uint64)
            low[rows] = _mix(line[rows] + member[rows] * _GOLDEN + day) | _U(1 << 57)
        return high, low

    def _shared(
        self, kind: int, rows: NDArray[np.int64], number: NDArray[np.int64], member: NDArray[np.uint64],
        operator: NDArray[np.int64], lot: NDArray[np.uint64], epoch: NDArray[np.uint64], at: NDArray[np.int64],
    ) -> NDArray[np.uint64]:  # fmt: skip
        """IPv4 addresses of networks that many use."""
        numbers = number[rows].astype(np.uint64)
        place = _mix(numbers * _GOLDEN + self._key + _U(kind))
        first = _ALL_BLOCKS[
            _BLOCK_STARTS[operator[rows]] + (place % _BLOCK_COUNTS[operator[rows]].astype(np.uint64)).astype(np.int64)
        ]
        if kind == CARRIER:
            pool = lot[rows] % _U(self._pool)
            base = np.where(_SHORT[operator[rows]], _U(0x8800), _U(0x1000))
            # Pools lie in pieces of 64 addresses all over the carrier's block.
            return first + base + ((pool >> _U(6)) * _U(977) % _U(96) << _U(8)) + (pool & _U(63)) * _U(3)
        if kind == VPN:
            exits = lot[rows] % _U(28)
            return first + (place >> _U(30)) % _U(200) * _U(256) + (exits % _U(4) << _U(9)) + _U(20) + exits
        if kind == RELAY:
            return first + ((place >> _U(12)) + (lot[rows] & _U(3))) % _U(0xF000)
        if kind in (CAMPUS, DORMITORY):
            gate = (member[rows] + (at[rows] // (50 * MINUTE)).astype(np.uint64)) % _U(5 if kind == CAMPUS else 2)
            return first + (place >> _U(24)) % _U(250) * _U(256) + _U(30) + gate
        gate = member[rows] % _U(2) if kind == OFFICE else _U(0)
        return first + (place >> _U(24)) % _U(0xFE00) + gate


def _split(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]]:
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


def write_addresses(high: NDArray[np.uint64], low: NDArray[np.uint64]) -> pl.Series:
    """Addresses as text out of their halves."""
    frame = pl.DataFrame({"low": low})
    octets = [((pl.col("low") // (1 << shift)) % 256).cast(pl.String) for shift in (24, 16, 8, 0)]
    made = frame.select(pl.concat_str(octets, separator=".").alias("ip"))["ip"]
    rows = np.flatnonzero(high)
    if len(rows):
        pairs = zip(high[rows].tolist(), low[rows].tolist(), strict=True)
        six = [str(ipaddress.IPv6Address(top << 64 | bottom)) for top, bottom in pairs]
        made = made.scatter(rows, pl.Series(six))
    return made


# --- who lives together, and where: both the networks and the people ask ---------------------------------------------

_PATTERNS = np.array(
    [[0, 1, 2, 3], [0, 0, 2, 3], [0, 0, 2, 2], [0, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 3]], dtype=np.uint64
)
_PATTERN_WEIGHTS = (0.62, 0.19, 0.06, 0.05, 0.04, 0.04)


def household_heads(chance: Chance, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The number of the first person of each person's household: of four neighbouring numbers, some live together."""
    four = numbers // _U(4)
    pattern = chance.choice("household", four, _PATTERN_WEIGHTS)
    return np.asarray(four * _U(4) + _PATTERNS[pattern, (numbers % _U(4)).astype(np.int64)], dtype=np.uint64)


def countries_of(chance: Chance, heads: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Where each household lives, places in `COUNTRIES`."""
    from floorwalker.simulation.shop.world.countries import SHARES

    return chance.choice("country", heads, SHARES)
