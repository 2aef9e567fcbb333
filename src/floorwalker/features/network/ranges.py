"""Which of many address ranges holds an address: longest prefix first, by binary search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.features.network.addresses import Addresses, parse_addresses
from floorwalker.kernels import kernel

_FULL = (1 << 64) - 1


@kernel
def _find(
    high: NDArray[np.uint64],
    low: NDArray[np.uint64],
    family: NDArray[np.uint8],
    start_high: NDArray[np.uint64],
    start_low: NDArray[np.uint64],
    end_high: NDArray[np.uint64],
    end_low: NDArray[np.uint64],
    entry: NDArray[np.int32],
    found: NDArray[np.int32],
) -> None:
    for row in range(len(family)):
        found[row] = -1
        if family[row] == 0:
            continue
        left = 0
        right = len(entry)
        while left < right:
            middle = (left + right) // 2
            if start_high[middle] < high[row] or (start_high[middle] == high[row] and start_low[middle] <= low[row]):
                left = middle + 1
            else:
                right = middle
        if left > 0:
            at = left - 1
            if high[row] < end_high[at] or (high[row] == end_high[at] and low[row] <= end_low[at]):
                found[row] = entry[at]


@dataclass(frozen=True)
class RangeTable:
    """Address ranges, cut into disjoint pieces that each name the narrowest range they lie in.

    Parameters
    ----------
    start_high, start_low, end_high, end_low : uint64 [m], first and last address of each piece, ascending.
    entry : int32 [m], position of the range in the list that the table was built from.
    """

    start_high: NDArray[np.uint64]
    start_low: NDArray[np.uint64]
    end_high: NDArray[np.uint64]
    end_low: NDArray[np.uint64]
    entry: NDArray[np.int32]

    @classmethod
    def build(cls, prefixes: Sequence[str]) -> RangeTable:
        """Build the table from prefixes such as `192.0.2.0/24` or single addresses.

        Host bits are ignored; of two equal prefixes the later one wins. A text that is no prefix raises
        `UsageError` that names all such texts.

        >>> table = RangeTable.build(["192.0.2.0/24", "192.0.2.128/25"])
        >>> table.find(parse_addresses(["192.0.2.1", "192.0.2.200", "198.51.100.1"])).tolist()
        [0, 1, -1]
        """
        starts, ends, faults = read_prefixes(prefixes)
        if faults:
            raise UsageError(
                f"no address ranges: {', '.join(repr(prefixes[row]) for row in faults[:20])}",
                allowed="an address, or address/length such as 192.0.2.0/24 or 2001:db8::/32",
            )
        pieces = _cut(starts, ends)
        columns = np.array(
            [(start >> 64, start & _FULL, end >> 64, end & _FULL) for start, end, _ in pieces], np.uint64
        ).reshape(-1, 4)
        entry = np.array([piece[2] for piece in pieces], np.int32)
        start_high, start_low, end_high, end_low = np.ascontiguousarray(columns.T)
        return cls(start_high, start_low, end_high, end_low, entry)

    def find(self, addresses: Addresses) -> NDArray[np.int32]:
        """For each address the position of the narrowest range that holds it, or -1."""
        found = np.empty(len(addresses), np.int32)
        _find(
            addresses.high,
            addresses.low,
            addresses.family,
            self.start_high,
            self.start_low,
            self.end_high,
            self.end_low,
            self.entry,
            found,
        )
        return found

    def holds(self, addresses: Addresses) -> NDArray[np.bool_]:
        """Which addresses lie in any of the ranges."""
        return self.find(addresses) >= 0

    def touches(self, addresses: Addresses) -> NDArray[np.bool_]:
        """Which addresses share their blocking unit with any of the ranges: the address itself, or for IPv6
        its /64.

        A single IPv6 address that must be spared spares the whole /64 around it, since IPv6 is only ever
        blocked by /64.
        """
        held = self.holds(addresses)
        six = addresses.family == 6
        if not six.any() or not len(self.entry):
            return held
        order_end = np.searchsorted(self.start_high, addresses.high, side="right")
        last = np.maximum(order_end - 1, 0)
        overlaps: NDArray[np.bool_] = (order_end > 0) & (self.end_high[last] >= addresses.high)
        touched: NDArray[np.bool_] = held | (six & overlaps)
        return touched


def read_prefixes(prefixes: Sequence[str]) -> tuple[list[int], list[int], list[int]]:
    """First and last address of each prefix as 128-bit numbers, and the positions of the texts that are no
    prefixes.

    >>> starts, ends, faults = read_prefixes(["192.0.2.0/24", "nonsense", "192.0.2.0/33"])
    >>> ends[0] - starts[0], faults
    (255, [1, 2])
    """
    parts = [prefix.strip().partition("/") for prefix in prefixes]
    # A port or a zone makes sense on a logged address, never on a range.
    addresses = parse_addresses(
        ["" if any(mark in part[0] for mark in "[%") or part[0].count(":") == 1 else part[0] for part in parts]
    )
    starts, ends, faults = [], [], []
    for row, (text, slash, length) in enumerate(parts):
        family = int(addresses.family[row])
        dotted = 32 if ":" not in text else 128
        bits = int(length) if length.isascii() and length.isdigit() and len(length) < 4 else -1
        if not slash:
            bits = dotted
        if family == 0 or not 0 <= bits <= dotted:
            faults.append(row)
            starts.append(0)
            ends.append(-1)
            continue
        free = dotted - bits
        number = int(addresses.high[row]) << 64 | int(addresses.low[row])
        start = number >> free << free
        starts.append(start)
        ends.append(start + (1 << free) - 1)
    return starts, ends, faults


def _cut(starts: list[int], ends: list[int]) -> list[tuple[int, int, int]]:
    # Prefixes either nest or are disjoint, so a stack of the open ones is enough.
    order = sorted(range(len(starts)), key=lambda row: (starts[row], -ends[row], row))
    pieces: list[tuple[int, int, int]] = []
    open_rows: list[int] = []
    reached = 0

    def close(until: int) -> None:
        nonlocal reached
        while open_rows and ends[open_rows[-1]] < until:
            row = open_rows.pop()
            if reached <= ends[row]:
                pieces.append((reached, ends[row], row))
                reached = ends[row] + 1

    for row in order:
        close(starts[row])
        if open_rows and reached < starts[row]:
            pieces.append((reached, starts[row] - 1, open_rows[-1]))
        reached = starts[row]
        open_rows.append(row)
    close(1 << 128)
    return pieces
