"""The network of an address: who shares it lives in one house, one office or one machine's subnet.

>>> network_of("203.0.113.77"), network_of("::ffff:203.0.113.77"), network_of("2001:db8:1:2:3::4")
('203.0.113.0/24', '203.0.113.0/24', '2001:db8:1:2::/64')
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache


def read_octets(text: str) -> tuple[int, int, int, int] | None:
    """The four numbers of an IPv4 address in its plain form; None for everything else, which may be an address too.

    >>> read_octets("203.0.113.77"), read_octets("203.0.113.077"), read_octets("::1")
    ((203, 0, 113, 77), None, None)
    """
    parts = text.split(".", 4)
    if len(parts) != 4:
        return None
    first, second, third, fourth = (_OCTETS.get(part, -1) for part in parts)
    if first < 0 or second < 0 or third < 0 or fourth < 0:
        return None
    return first, second, third, fourth


_OCTETS = {str(number): number for number in range(256)}


def parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a text names, IPv4-mapped ones as IPv4, without a zone; None where it names none."""
    try:
        found = ipaddress.ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


@lru_cache(maxsize=1 << 15)
def network_of(text: str) -> str | None:
    """The /24 of an IPv4 address or the /64 of an IPv6 address; None where the text is no address."""
    octets = read_octets(text)
    if octets is not None:
        return f"{octets[0]}.{octets[1]}.{octets[2]}.0/24"
    found = parse_address(text)
    if found is None:
        return None
    width = 24 if found.version == 4 else 64
    return str(ipaddress.ip_network((found, width), strict=False))
