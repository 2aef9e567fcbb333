"""Addresses that look public: homes, carriers' shared pools, offices, hosting, and a few published machine blocks."""

from __future__ import annotations

import ipaddress

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

_EYEBALL_OCTETS = np.array(
    [24, 49, 59, 60, 61, 90, 110, 112, 113, 114, 117, 121, 122, 124, 125, 175, 181, 183, 186, 187, 189, 201, 210, 211,
     218, 219, 221, 222], np.uint32,
)  # fmt: skip
"""First octets that are mostly homes; none is reserved, none is a big delivery network's."""

_SMALL_HOSTING_OCTETS = np.array([45, 62, 91, 95, 146, 158, 178, 185, 193, 194, 195, 212], np.uint32)
"""First octets with many small hosting companies that no published list names."""

_KEPT_OUT = {
    # Second octets beside which a cloud, a delivery network or a crawler lives.
    24: (110, 144, 199), 45: (32, 63, 64, 76, 77), 61: (49,), 62: (10, 11), 91: (105, 108, 190), 95: (108,),
    110: (238,), 112: (74, 198), 121: (91,), 122: (149, 200, 248), 124: (252,), 146: (75, 147, 148, 190),
    158: (23, 24, 53, 85, 158, 175), 175: (41, 45), 178: (62, 154, 162),
    185: (31, 39, 45, 60, 70, 76, 89, 93, 136, 152, 180, 199, 246), 193: (149, 186, 221), 194: (69, 110, 238),
    195: (134,), 201: (79,), 212: (132, 173, 207), 221: (179,),
}  # fmt: skip

_CARRIERS = (
    "37.160.0.0/12", "42.104.0.0/13", "49.32.0.0/12", "106.192.0.0/11", "109.40.0.0/13", "114.120.0.0/13",
    "176.0.0.0/13", "178.240.0.0/13", "183.192.0.0/10", "223.64.0.0/11", "49.176.0.0/12", "105.160.0.0/13",
)  # fmt: skip
"""Blocks that mobile carriers hold, as the registries say; half of a log's carriers are such, half are unknown."""

_HOSTING = (
    "5.9.0.0/16", "46.4.0.0/16", "88.198.0.0/16", "95.216.0.0/15", "116.202.0.0/15", "159.69.0.0/16", "51.38.0.0/16",
    "51.75.0.0/16", "137.74.0.0/16", "45.55.0.0/16", "104.131.0.0/16", "138.68.0.0/16", "159.65.0.0/16",
    "167.71.0.0/16",
    "167.99.0.0/16", "45.32.0.0/16", "149.28.0.0/16", "45.79.0.0/16", "139.162.0.0/16", "51.15.0.0/16",
    "163.172.0.0/16",
    "18.184.0.0/13",
)  # fmt: skip
"""Blocks that hosting companies hold, as they announce them; two of three rented servers stand here."""

_V6_OPERATORS = np.array(
    [0x2A0100, 0x2A0208, 0x2A0254, 0x24080A, 0x24098D, 0x240E03, 0x280400, 0x2600C0, 0x2A0F0B], np.uint64
)


class AddressBook:
    """Draws addresses of several classes, and turns them into text once at the end.

    An address is an index into the book. The blocks of each class are drawn once per log: a country has a few
    internet providers, a carrier a few shared pools.

    Parameters
    ----------
    chance : draws the blocks.
    """

    def __init__(self, chance: Generator) -> None:
        self._high: list[NDArray[np.uint64]] = []
        self._low: list[NDArray[np.uint64]] = []
        self._size = 0
        self._homes = _blocks(chance, _EYEBALL_OCTETS, 48)
        known = [_starts(chance, _CARRIERS[k], 1) for k in chance.choice(len(_CARRIERS), 2, replace=False)]
        self._carriers = chance.permutation(np.concatenate([*known, _blocks(chance, _EYEBALL_OCTETS, 2)]))
        self._offices = _blocks(chance, _EYEBALL_OCTETS, 12)
        rented = [_starts(chance, _HOSTING[k], 1) for k in chance.choice(len(_HOSTING), 16, replace=False)]
        self._hosting: NDArray[np.uint32] = chance.permutation(
            np.concatenate([*rented, _blocks(chance, _SMALL_HOSTING_OCTETS, 8)])
        )
        gate = self._offices[chance.integers(0, 12, 400)] | chance.integers(256, 65_000, 400).astype(np.uint32)
        self._gates = self._keep_v4(gate)
        self._exits = self.hosting(chance, 120)
        self._v6 = (_V6_OPERATORS[chance.integers(0, len(_V6_OPERATORS), 12)] << np.uint64(8)) | chance.integers(
            1, 250, 12
        ).astype(np.uint64)

    def __len__(self) -> int:
        return self._size

    def _keep(self, high: NDArray[np.uint64], low: NDArray[np.uint64]) -> NDArray[np.int32]:
        self._high.append(high)
        self._low.append(low)
        self._size += len(low)
        return np.arange(self._size - len(low), self._size, dtype=np.int32)

    def _keep_v4(self, addresses: NDArray[np.uint32]) -> NDArray[np.int32]:
        return self._keep(np.zeros(len(addresses), np.uint64), addresses.astype(np.uint64))

    def home(self, chance: Generator, count: int, *, v6_share: float = 0.2) -> NDArray[np.int32]:
        """Households: one address each, a share of them IPv6 with a prefix of their own."""
        block: NDArray[np.uint32] = self._homes[(len(self._homes) * chance.random(count) ** 1.7).astype(np.int64)]
        host = chance.integers(0, 65536 - 512, count).astype(np.uint32) + np.uint32(256)
        host = np.where(host & 0xFF == 0, host + np.uint32(7), host).astype(np.uint32)
        codes = self._keep_v4(np.bitwise_or(block, host).astype(np.uint32))
        modern = np.flatnonzero(chance.random(count) < v6_share)
        prefix = self._v6[chance.integers(0, len(self._v6), len(modern))]
        site = chance.integers(0, 1 << 32, len(modern)).astype(np.uint64)
        codes[modern] = self._keep(
            (prefix << np.uint64(32)) | site, chance.integers(1 << 56, 1 << 63, len(modern)).astype(np.uint64)
        )
        return codes

    def mobile(self, chance: Generator, count: int) -> NDArray[np.int32]:
        """Phones on carriers: thousands of people behind a few hundred shared addresses."""
        block = self._carriers[(len(self._carriers) * chance.random(count) ** 1.4).astype(np.int64)]
        return self._keep_v4(block + np.uint32(4096) + (700 * chance.random(count) ** 1.25).astype(np.uint32))

    def office(self, chance: Generator, count: int) -> NDArray[np.int32]:
        """Exit addresses of organisations: offices, campuses, dormitories; there are four hundred of them."""
        return self._gates[chance.integers(0, len(self._gates), count)]

    def hosting(self, chance: Generator, count: int) -> NDArray[np.int32]:
        """Rented servers: scripts live there, and so do VPN exits."""
        block = self._hosting[(len(self._hosting) * chance.random(count) ** 1.5).astype(np.int64)]
        return self._keep_v4(block | chance.integers(256, 65000, count).astype(np.uint32))

    def exits(self, chance: Generator, count: int) -> NDArray[np.int32]:
        """VPN exits: a pool of rented servers that many people share, and abusers with them."""
        return self._exits[(len(self._exits) * chance.random(count) ** 1.3).astype(np.int64)]

    def inside(self, chance: Generator, network: str, count: int) -> NDArray[np.int32]:
        """Addresses in one IPv4 block, e.g. a crawler's published one."""
        block = ipaddress.IPv4Network(network)
        host = chance.integers(0, block.num_addresses, count) + int(block.network_address)
        return self._keep_v4(host.astype(np.uint32))

    def mixed(self, chance: Generator, count: int, shares: tuple[float, float, float]) -> NDArray[np.int32]:
        """Homes, phones and rented servers in these shares (which sum to 1)."""
        draw = chance.random(count)
        codes = self.home(chance, count)
        phones = np.flatnonzero((draw >= shares[0]) & (draw < shares[0] + shares[1]))
        codes[phones] = self.mobile(chance, len(phones))
        servers = np.flatnonzero(draw >= shares[0] + shares[1])
        codes[servers] = self.hosting(chance, len(servers))
        return codes

    def texts(self, codes: NDArray[np.int32]) -> tuple[NDArray[np.int32], pl.Series]:
        """Codes `codes` renumbered by distinct address, and the distinct addresses as text."""
        high, low = np.concatenate(self._high)[codes], np.concatenate(self._low)[codes]
        frame = pl.DataFrame({"high": high, "low": low})
        distinct = frame.unique(maintain_order=True).with_row_index("code")
        numbered = frame.join(distinct, on=["high", "low"], how="left", maintain_order="left")["code"]
        octet = [((pl.col("low") // (1 << shift)) % 256).cast(pl.String) for shift in (24, 16, 8, 0)]
        text = distinct.select(pl.concat_str(octet, separator="."))["low"]
        modern = np.flatnonzero(distinct["high"].to_numpy())
        if len(modern):
            pairs = distinct[modern].select("high", "low").iter_rows()
            written = [str(ipaddress.IPv6Address((top << 64) | bottom)) for top, bottom in pairs]
            text = text.scatter(modern, pl.Series(written))
        return numbered.cast(pl.Int32).to_numpy(), text.alias("client")


def _starts(chance: Generator, network: str, count: int) -> NDArray[np.uint32]:
    """First addresses of some /16 blocks of a network."""
    block = ipaddress.IPv4Network(network)
    parts = max(1, block.num_addresses >> 16)
    return (int(block.network_address) + (chance.integers(0, parts, count) << 16)).astype(np.uint32)


def _blocks(chance: Generator, octets: NDArray[np.uint32], count: int) -> NDArray[np.uint32]:
    """First addresses of /16 blocks, drawn, outside what must be kept out."""
    allowed = [
        (int(first) << 24) | (second << 16)
        for first in octets
        for second in range(2, 254)
        if second not in _KEPT_OUT.get(int(first), ())
    ]
    return np.array(allowed, np.uint32)[chance.choice(len(allowed), count, replace=False)]
