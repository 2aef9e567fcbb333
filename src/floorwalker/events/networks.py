"""The network of an address: who shares it lives in one house, one office or one machine's subnet.

>>> network_of("203.0.113.77"), network_of("::ffff:203.0.113.77"), network_of("2001:db8:1:2:3::4")
('203.0.113.0/24', '203.0.113.0/24', '2001:db8:1:2::/64')
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache


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
    found = parse_address(text)
    if found is None:
        return None
    width = 24 if found.version == 4 else 64
    return str(ipaddress.ip_network((found, width), strict=False))
