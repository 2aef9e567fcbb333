"""Internet addresses in bulk: from text to numbers, and from numbers to the network they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.kernels import kernel

_MAPPED = np.uint64(0xFFFF << 32)


@dataclass(frozen=True)
class Addresses:
    """`n` addresses as 128-bit numbers.

    IPv4 lies at its place inside IPv6 (`::ffff:0:0/96`), so one order and one table serve both, and an
    address that a dual-stack server logs as `::ffff:192.0.2.1` is the same visitor as `192.0.2.1`.

    Parameters
    ----------
    family : uint8 [n], 4, 6, or 0 where the text is no address.
    high, low : uint64 [n], the upper and the lower 64 bits; 0 where the text is no address.
    """

    family: NDArray[np.uint8]
    high: NDArray[np.uint64]
    low: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.family)

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Which of the texts were addresses."""
        return self.family > 0


@kernel
def _read_octets(text: NDArray[np.uint8], first: int, last: int, groups: NDArray[np.int64], at: int) -> bool:
    # Leading zeros are refused: some systems read 010 as eight, and an allowance must not depend on who
    # reads.
    octet = 0
    digits = 0
    count = 0
    for position in range(first, last + 1):
        if position == last or text[position] == 46:
            if digits == 0 or octet > 255 or count > 3:
                return False
            index = at + count // 2
            if count % 2 == 0:
                groups[index] = octet << 8
            else:
                groups[index] |= octet
            count += 1
            octet = 0
            digits = 0
        else:
            digit = int(text[position]) - 48
            if digit < 0 or digit > 9 or digits == 3 or (digits > 0 and octet == 0):
                return False
            octet = octet * 10 + digit
            digits += 1
    return count == 4


@kernel
def _read_groups(text: NDArray[np.uint8], first: int, last: int, groups: NDArray[np.int64]) -> bool:
    count = 0
    gap = -1
    position = first
    if last - first >= 2 and text[first] == 58:
        if text[first + 1] != 58:
            return False
        gap = 0
        position = first + 2
    while position < last:
        end = position
        dotted = False
        while end < last and text[end] != 58:
            dotted = dotted or text[end] == 46
            end += 1
        if dotted:
            if end != last or count > 6 or not _read_octets(text, position, last, groups, count):
                return False
            count += 2
            break
        if end == position or end - position > 4 or count == 8:
            return False
        value = 0
        for index in range(position, end):
            byte = int(text[index])
            if 48 <= byte <= 57:
                value = value * 16 + byte - 48
            elif 97 <= byte <= 102:
                value = value * 16 + byte - 87
            elif 65 <= byte <= 70:
                value = value * 16 + byte - 55
            else:
                return False
        groups[count] = value
        count += 1
        position = end
        if position < last:
            position += 1
            if position == last:
                return False
            if text[position] == 58:
                if gap >= 0:
                    return False
                gap = count
                position += 1
    if gap < 0:
        return count == 8
    if count > 7:
        return False
    moved = count - gap
    for index in range(moved):
        groups[7 - index] = groups[count - 1 - index]
    for index in range(gap, 8 - moved):
        groups[index] = 0
    return True


@kernel
def _parse(
    arena: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    family: NDArray[np.uint8],
    high: NDArray[np.uint64],
    low: NDArray[np.uint64],
) -> None:
    groups = np.zeros(8, np.int64)
    for row in range(len(offsets) - 1):
        first = offsets[row]
        last = offsets[row + 1]
        colons = 0
        tail = -1
        for position in range(first, last):
            if arena[position] == 58:
                colons += 1
                tail = position
        bracket = last > first and arena[first] == 91
        if bracket:
            end = first
            while end < last and arena[end] != 93:
                end += 1
            if end == last or (end + 1 < last and arena[end + 1] != 58):
                continue
            tail = end + 1
            first += 1
            last = end
        elif colons == 1:
            last = tail
        if tail >= 0 and (bracket or colons == 1):
            digits = True
            for position in range(tail + 1, offsets[row + 1]):
                digits = digits and 48 <= arena[position] <= 57
            if not digits or (not bracket and tail + 1 == offsets[row + 1]):
                continue
        for index in range(8):
            groups[index] = 0
        if colons < 2 and not bracket:
            groups[5] = 0xFFFF
            if not _read_octets(arena, first, last, groups, 6):
                continue
        else:
            zone = first
            while zone < last and arena[zone] != 37:
                zone += 1
            if zone == last - 1 or not _read_groups(arena, first, zone, groups):
                continue
        upper = np.uint64(0)
        lower = np.uint64(0)
        for index in range(4):
            upper = (upper << np.uint64(16)) | np.uint64(groups[index])
            lower = (lower << np.uint64(16)) | np.uint64(groups[4 + index])
        high[row] = upper
        low[row] = lower
        is_mapped = upper == np.uint64(0) and (lower >> np.uint64(32)) == np.uint64(0xFFFF)
        family[row] = 4 if is_mapped else 6


@kernel
def _write_networks(
    family: NDArray[np.uint8], high: NDArray[np.uint64], low: NDArray[np.uint64], out: NDArray[np.uint8]
) -> int:
    # One text a line, at most 25 bytes: 255.255.255.0/24 or 2001:0db8:1234:5678::/64.
    size = 0
    for row in range(len(family)):
        if family[row] == 4:
            for index in range(3):
                octet = int((low[row] >> np.uint64(24 - 8 * index)) & np.uint64(255))
                if octet >= 100:
                    out[size] = 48 + octet // 100
                    size += 1
                if octet >= 10:
                    out[size] = 48 + octet // 10 % 10
                    size += 1
                out[size] = 48 + octet % 10
                out[size + 1] = 46
                size += 2
            for byte in (48, 47, 50, 52):
                out[size] = byte
                size += 1
        elif family[row] == 6:
            kept = 4
            while kept > 0 and (high[row] >> np.uint64(64 - 16 * kept)) & np.uint64(0xFFFF) == np.uint64(0):
                kept -= 1
            for index in range(kept):
                group = int((high[row] >> np.uint64(48 - 16 * index)) & np.uint64(0xFFFF))
                shown = False
                for shift in (12, 8, 4, 0):
                    nibble = (group >> shift) & 15
                    if nibble > 0 or shown or shift == 0:
                        out[size] = 48 + nibble if nibble < 10 else 87 + nibble
                        size += 1
                        shown = True
                out[size] = 58
                size += 1
            if kept == 0:
                out[size] = 58
                size += 1
            for byte in (58, 47, 54, 52):
                out[size] = byte
                size += 1
        out[size] = 10
        size += 1
    return size


def parse_arena(arena: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Addresses:
    """Read the texts `arena[offsets[k]:offsets[k + 1]]` as addresses; see `parse_addresses`."""
    count = max(len(offsets) - 1, 0)
    family = np.zeros(count, np.uint8)
    high = np.zeros(count, np.uint64)
    low = np.zeros(count, np.uint64)
    _parse(np.ascontiguousarray(arena, np.uint8), np.ascontiguousarray(offsets, np.int64), family, high, low)
    return Addresses(family, high, low)


def parse_addresses(texts: pl.Series | Sequence[str]) -> Addresses:
    """Read texts as addresses.

    Accepts IPv4 and IPv6 in every written form, with a port (`192.0.2.1:443`, `[2001:db8::1]:443`) or a zone
    (`%eth0`), as forwarding headers carry them. Anything else, a host name for one, gives family 0 rather
    than an error: an attacker writes what they like into such a header.

    Parameters
    ----------
    texts : the addresses; null counts as no address.

    >>> found = parse_addresses(["192.0.2.1", "2001:db8::1", "shop.example"])
    >>> found.family.tolist(), hex(int(found.low[0]) & 0xFFFFFFFF)
    ([4, 6, 0], '0xc0000201')
    """
    series = texts if isinstance(texts, pl.Series) else pl.Series(list(texts), dtype=pl.String)
    filled = series.cast(pl.String).fill_null("")
    offsets = np.zeros(len(filled) + 1, np.int64)
    np.cumsum(filled.str.len_bytes().to_numpy(), out=offsets[1:])
    joined = str(filled.str.join("").item()) if len(filled) else ""
    return parse_arena(np.frombuffer(joined.encode(), np.uint8), offsets)


def networks_of(addresses: Addresses) -> pl.Series:
    """The network of each address as text: its /24, or its /64 for IPv6; null where there is no address.

    A person who owns one address usually holds the neighbours too: an IPv6 customer is given a whole /64, and
    hosting companies hand out IPv4 side by side. So cohorts and shared use are counted by network.

    >>> networks_of(parse_addresses(["192.0.2.77", "2001:db8:0:1::7", "-"])).to_list()
    ['192.0.2.0/24', '2001:db8:0:1::/64', None]
    """
    if not len(addresses):
        return pl.Series(dtype=pl.String)
    out = np.empty(26 * len(addresses), np.uint8)
    size = _write_networks(addresses.family, addresses.high, addresses.low, out)
    lines = pl.Series([out[: size - 1].tobytes().decode("ascii")]).str.split("\n").explode()
    return lines.set(pl.Series(~addresses.valid), None)


def network_key(text: str) -> str | None:
    """The /24 or /64 of one address; None where the text is no address.

    >>> network_key("203.0.113.9:1234")
    '203.0.113.0/24'
    """
    found: str | None = networks_of(parse_addresses([text])).item()
    return found


def network_keys(texts: pl.Series | Sequence[str]) -> pl.Series:
    """The /24 or /64 of each address given as text; null where the text is no address."""
    return networks_of(parse_addresses(texts))


def blocking_units(addresses: Addresses) -> pl.Series:
    """What would be blocked to block each address: itself for IPv4, its /64 for IPv6; null where there is no address.

    >>> blocking_units(parse_addresses(["::ffff:192.0.2.7", "2001:db8::1"])).to_list()
    ['192.0.2.7', '2001:db8::/64']
    """
    octets = [((addresses.low >> np.uint64(shift)) & np.uint64(255)).astype(np.uint8) for shift in (24, 16, 8, 0)]
    columns = {str(position): octet for position, octet in enumerate(octets)}
    dotted = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.UInt8)).select(
        pl.concat_str(pl.all(), separator=".")
    )
    return dotted.to_series().zip_with(pl.Series(addresses.family == 4), networks_of(addresses))
