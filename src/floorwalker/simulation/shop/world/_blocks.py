"""The operators' address blocks as arrays, and how addresses are written."""

from __future__ import annotations

import ipaddress

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.simulation.shop.scenario import HOUR
from floorwalker.simulation.shop.world._operators import OPERATORS, Operator
from floorwalker.simulation.shop.world.countries import CODES

FACT_KINDS: tuple[str, ...] = ("residential", "mobile", "business", "education", "hosting", "vpn", "relay", "proxy")
"""What databases call a network, as `NetworkFacts.kind` has it."""

PLACES = {operator.organisation: place for place, operator in enumerate(OPERATORS)}
"""An operator's place in `OPERATORS` by its name."""

LEASE = np.array([operator.lease_hours or 24 * 3650 for operator in OPERATORS], dtype=np.int64) * HOUR
SIX_SHARE = np.array([operator.six_share for operator in OPERATORS])
SIX = np.array(
    [int(ipaddress.IPv6Address(f"{operator.six or '2001:db8'}::")) >> 96 for operator in OPERATORS], dtype=np.uint64
)
"""First 32 bits of each operator's IPv6 addresses."""
KIND = np.array([FACT_KINDS.index(operator.kind) for operator in OPERATORS])
POOL_START = np.array([operator.pool_start for operator in OPERATORS], dtype=np.uint64)


def _slashes(operator: Operator) -> list[int]:
    """First addresses of the /16 blocks of an operator; of a large block eight are in use by a shop's customers."""
    made: list[int] = []
    for text in operator.blocks:
        block = ipaddress.IPv4Network(text)
        count = max(1, block.num_addresses >> 16)
        first = int(block.network_address) & ~0xFFFF
        made += [first + (place << 16) for place in range(0, count, max(1, count // 8))]
    return made


_BLOCKS = [_slashes(operator) for operator in OPERATORS]
_STARTS = np.cumsum([0, *map(len, _BLOCKS)])[:-1]
_COUNTS = np.array([len(blocks) for blocks in _BLOCKS], dtype=np.uint64)
_ALL = np.array([block for blocks in _BLOCKS for block in blocks], dtype=np.uint64)


def pick_block(operator: NDArray[np.int64], words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The first address of one of each operator's /16 blocks."""
    return np.asarray(_ALL[_STARTS[operator] + (words % _COUNTS[operator]).astype(np.int64)], dtype=np.uint64)


def by_country(operators: tuple[Operator, ...]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places of operators, and their weights by the customers' country [countries, operators]."""
    places = np.array([PLACES[operator.organisation] for operator in operators])
    weights = np.array([[one.weight if one.country == code else 0.0 for one in operators] for code in CODES])
    return places, weights


def mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scrambled bits, as `Chance.words` scrambles them."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(words ^ (words >> np.uint64(31)), dtype=np.uint64)


def write_addresses(high: NDArray[np.uint64], low: NDArray[np.uint64]) -> pl.Series:
    """Addresses as text out of their halves; the upper half of an IPv4 address is 0.

    >>> write_addresses(np.array([0], dtype=np.uint64), np.array([0xCB007109], dtype=np.uint64)).to_list()
    ['203.0.113.9']
    """
    frame = pl.DataFrame({"low": low})
    octets = [((pl.col("low") // (1 << shift)) % 256).cast(pl.String) for shift in (24, 16, 8, 0)]
    made = frame.select(pl.concat_str(octets, separator=".").alias("ip"))["ip"]
    rows = np.flatnonzero(high)
    if len(rows):
        pairs = zip(high[rows].tolist(), low[rows].tolist(), strict=True)
        made = made.scatter(rows, pl.Series([str(ipaddress.IPv6Address(top << 64 | end)) for top, end in pairs]))
    return made
