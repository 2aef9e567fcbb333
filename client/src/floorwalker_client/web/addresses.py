"""Who sent a request: the socket's other end, or what a trusted proxy says about it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from floorwalker_client.errors import UsageError

_FOR = re.compile(r"""for\s*=\s*("[^"]*"|[^;,\s]+)""", re.IGNORECASE)


class TrustedProxies:
    """The proxies whose headers are believed.

    A forwarding header is written by whoever sends the request: believed blindly, it lets an abuser borrow any address
    and get its owner blocked. Only hops named here are taken off, from the nearest outwards.

    Parameters
    ----------
    given : addresses and ranges, as `192.0.2.10` or `2001:db8::/32`; another text raises `UsageError`.

    >>> proxies = TrustedProxies(["192.0.2.0/24"])
    >>> proxies.client("192.0.2.1", "203.0.113.9, 198.51.100.4, 192.0.2.7")
    '198.51.100.4'
    >>> proxies.client("203.0.113.80", "198.51.100.4")
    '203.0.113.80'
    """

    def __init__(self, given: Iterable[str] = ()) -> None:
        self._networks = []
        for text in given:
            try:
                self._networks.append(ipaddress.ip_network(text.strip(), strict=False))
            except ValueError as error:
                raise UsageError(
                    f"trusted proxy {text!r}; allowed: addresses and ranges, as 192.0.2.10 or 2001:db8::/32"
                ) from error

    def __contains__(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def client(self, peer: str, header: str | None) -> str:
        """The client's address.

        Parameters
        ----------
        peer : the other end of the socket, "" where it is none (a Unix socket).
        header : of X-Forwarded-For or Forwarded, all its lines joined by commas.

        From the right, it is the first hop that is not trusted; a hop that is no address ends the walk, for what lies
        beyond it was written by a stranger. Where all are trusted it is the leftmost.
        """
        found = canonical_address(peer) or peer
        if not header or found not in self:
            return found
        for hop in reversed(_hops(header)):
            address = canonical_address(hop)
            if address is None:
                return found
            found = address
            if address not in self:
                return found
        return found


def canonical_address(text: str) -> str | None:
    """An address without port, brackets and zone, IPv4 within IPv6 as IPv4; None where it is none.

    >>> [canonical_address(text) for text in ("192.0.2.7:80", "[2001:DB8::1]:80", "::ffff:192.0.2.7", "unknown")]
    ['192.0.2.7', '2001:db8::1', '192.0.2.7', None]
    """
    text = text.strip().strip('"').strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def _hops(header: str) -> list[str]:
    if "=" in header:
        return _FOR.findall(header)
    return [hop for hop in header.split(",") if hop.strip()]
