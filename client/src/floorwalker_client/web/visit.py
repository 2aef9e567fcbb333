"""One request to the shop, whatever the framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Visit:
    """What a guard, and the shop's own functions, may know of a request; never its body.

    Parameters
    ----------
    method : GET, POST, …
    path : decoded, without query.
    query : as sent.
    headers : names in small letters; lines of one name joined by commas.
    peer : the other end of the socket.
    client : the client's address, trusted proxies taken off.
    through_proxy : whether the peer is a trusted proxy, so that headers which it sets can be believed.
    raw : the ASGI scope or the WSGI environ, for what the framework put there.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    peer: str
    client: str
    through_proxy: bool
    raw: Mapping[str, Any]

    def cookie(self, name: str) -> str | None:
        """The value of a cookie, None where it was not sent."""
        for pair in self.headers.get("cookie", "").split(";"):
            found, _, value = pair.strip().partition("=")
            if found == name:
                return unquote(value.strip().strip('"'))
        return None
