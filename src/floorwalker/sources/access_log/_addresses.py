"""Who sent a request: the address of the line, or what a trusted proxy says about it."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence

from floorwalker.errors import UsageError

_MAPPED = bytes(10) + b"\xff\xff"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def canonical_address(text: str) -> str | None:
    """An address as it is written once and for all, or None where the text holds none.

    Ports, brackets, quotes and zone ids are taken off; IPv6 is compressed, IPv4 within IPv6 becomes IPv4: a
    visitor must not be counted twice because two servers write the address differently.

    >>> [canonical_address(text) for text in ("192.0.2.7:5612", "[2001:DB8::0:1]:80", "2001:db8::1:51234")]
    ['192.0.2.7', '2001:db8::1', '2001:db8::1']
    """
    text = text.strip().strip('"').strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    text = text.partition("%")[0]
    if ":" not in text:
        try:
            # inet_pton refuses the short and octal forms that inet_aton would take.
            return socket.inet_ntop(socket.AF_INET, socket.inet_pton(socket.AF_INET, text))
        except (OSError, ValueError):
            return None
    packed = _pack(text)
    if packed is None and text.rpartition(":")[2].isdigit():
        # HAProxy and AWS balancers write IPv6 without brackets before the port.
        packed = _pack(text.rpartition(":")[0])
    if packed is None:
        return None
    if packed.startswith(_MAPPED):
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return socket.inet_ntop(socket.AF_INET6, packed)


def _pack(text: str) -> bytes | None:
    try:
        return socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return None


def client_text(text: str) -> str:
    """The canonical address, or the name in small letters where the server logs host names."""
    return canonical_address(text) or text.strip().lower()


class TrustedProxies:
    """The proxies whose word about the client is taken.

    A forwarding header is written by whoever sent the request: believed blindly it lets an abuser borrow any address,
    and frame its owner. So only hops named here are taken off, from the nearest outwards.

    Parameters
    ----------
    given : addresses and CIDR ranges; anything else raises `UsageError`.

    >>> TrustedProxies(["192.0.2.0/24"]).walk("203.0.113.9, 198.51.100.4, 192.0.2.1")
    '198.51.100.4'
    """

    def __init__(self, given: Sequence[str]) -> None:
        self.networks: list[Network] = []
        wrong = []
        for text in given:
            try:
                self.networks.append(ipaddress.ip_network(text.strip(), strict=False))
            except ValueError:
                wrong.append(text)
        if wrong:
            raise UsageError(
                f"trusted proxies {', '.join(map(repr, wrong))}",
                allowed="addresses and CIDR ranges, e.g. 192.0.2.10 or 2001:db8::/32",
            )
        self._by_version = {
            version: [
                (int(network.network_address), int(network.netmask))
                for network in self.networks
                if network.version == version
            ]
            for version in (4, 6)
        }

    def __bool__(self) -> bool:
        return bool(self.networks)

    def __contains__(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        number = int(parsed)
        return any(number & mask == base for base, mask in self._by_version[parsed.version])

    def walk(self, header: str) -> str | None:
        """The client that a forwarding header names: from the right, the first hop that is not trusted.

        Where all hops are trusted it is the leftmost. A hop that is no address ends the walk: what lies beyond it was
        written by a stranger. None where nothing can be known.
        """
        found = None
        for hop in reversed(hops(header)):
            address = canonical_address(hop)
            if address is None:
                return found
            found = address
            if address not in self:
                return address
        return found


_FOR = re.compile(r"""for\s*=\s*("[^"]*"|[^;,\s]+)""", re.IGNORECASE)


def hops(header: str) -> list[str]:
    """The hops of X-Forwarded-For, or of RFC 7239's Forwarded, in the order written."""
    if "=" in header:
        return _FOR.findall(header)
    return [hop for hop in header.split(",") if hop.strip() not in {"", "-"}]
