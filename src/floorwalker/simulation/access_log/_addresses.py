"""Addresses that look public: homes, carriers' shared pools, offices, hosting, and a few published machine blocks."""

from __future__ import annotations

import ipaddress

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

_EYEBALL_OCTETS = np.array(
    [24, 27, 36, 37, 42, 46, 49, 58, 59, 60, 61, 78, 79, 80, 81, 82, 83, 84, 85, 86, 88, 89, 90, 92, 94, 109, 110,
    112, 113, 114,
     117, 118, 121, 122, 124, 125, 175, 176, 177, 180, 181, 182, 183, 186, 187, 189, 201, 210, 211, 218, 219, 221, 222],
    np.uint32,
)  # fmt: skip
"""First octets that are mostly homes and carriers; none is reserved, none is a big delivery network's."""

_HOSTING_OCTETS = np.array(
    [45, 51, 62, 64, 65, 91, 95, 107, 135, 146, 149, 158, 167, 178, 185, 193, 194, 195, 212], np.uint32
)

_KEPT_OUT = {
    # Second octets beside which a delivery network or a crawler lives: nobody generated may seem to come from there.
    180: (76, 163), 221: (179,), 61: (49,), 58: (254,), 36: (103,), 37: (9, 139), 85: (), 88: (221,), 45: (64,),
    64: (252, 233, 63), 65: (8, 9, 55, 52, 54), 91: (105, 108), 95: (108,), 107: (20, 178), 146: (75,),
    149: (154,), 158: (85,),
    178: (154,), 185: (31, 60, 76, 89, 93, 45, 180), 193: (0,), 195: (), 167: (82, 89, 114), 212: (), 62: (),
    51: (), 135: (181, 234),
}  # fmt: skip

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
        self._carriers = _blocks(chance, _EYEBALL_OCTETS, 4) + (
            chance.integers(0, 64, 4).astype(np.uint32) << np.uint32(10)
        )
        self._offices = _blocks(chance, _EYEBALL_OCTETS, 12)
        self._hosting = _blocks(chance, _HOSTING_OCTETS, 24)
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
        block = self._homes[(len(self._homes) * chance.random(count) ** 1.7).astype(np.int64)]
        host = chance.integers(0, 65536 - 512, count).astype(np.uint32) + np.uint32(256)
        host = np.where(host & 0xFF == 0, host + np.uint32(7), host).astype(np.uint32)
        codes = self._keep_v4(block | host)
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
        return self._keep_v4(block + (700 * chance.random(count) ** 1.25).astype(np.uint32))

    def office(self, chance: Generator, count: int) -> NDArray[np.int32]:
        """Exit addresses of organisations: offices, campuses, dormitories."""
        block = self._offices[chance.integers(0, len(self._offices), count)]
        return self._keep_v4(block | chance.integers(256, 65000, count).astype(np.uint32))

    def hosting(self, chance: Generator, count: int) -> NDArray[np.int32]:
        """Rented servers: scripts live there, and so do VPN exits."""
        block = self._hosting[(len(self._hosting) * chance.random(count) ** 1.5).astype(np.int64)]
        return self._keep_v4(block | chance.integers(256, 65000, count).astype(np.uint32))

    def exits(self, chance: Generator, count: int, *, pool: int = 120) -> NDArray[np.int32]:
        """VPN exits: a pool of rented servers that many people share."""
        servers = self.hosting(chance, pool)
        return servers[(pool * chance.random(count) ** 1.3).astype(np.int64)]

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


def _blocks(chance: Generator, octets: NDArray[np.uint32], count: int) -> NDArray[np.uint32]:
    """First addresses of /16 blocks, drawn, outside what must be kept out."""
    allowed = [
        (int(first) << 24) | (second << 16)
        for first in octets
        for second in range(2, 254)
        if second not in _KEPT_OUT.get(int(first), ())
    ]
    return np.array(allowed, np.uint32)[chance.choice(len(allowed), count, replace=False)]
