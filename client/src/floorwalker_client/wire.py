"""One HTTP/1.1 exchange, without any socket: what to send, what to make of what came."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import h11

from floorwalker_client.errors import UnreachableError, UsageError

LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer beyond which it is not read on."""
VERSION = "0.1.0"

Exchange = Generator[bytes | None, bytes, "Answer"]
"""Yields bytes to send, or None to be sent what came (`b""` at the end of the stream)."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens.

    >>> Address.parse("https://floorwalker.example.com/guard/")
    Address(host='floorwalker.example.com', port=443, secure=True, prefix='/guard')
    """

    host: str
    port: int
    secure: bool
    prefix: str = ""

    @classmethod
    def parse(cls, url: str) -> Address:
        """The address of a URL; `UsageError` for one that is none, or holds a name and password."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise UsageError(f"{url!r} is no URL; allowed: http://host:port or https://host") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise UsageError(f"{url!r} is no address of a server; allowed: http://host:port or https://host")
        secure = parts.scheme == "https"
        return cls(parts.hostname, port or (443 if secure else 80), secure, parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Parameters
    ----------
    method, path : as in HTTP.
    body : bytes of it.
    headers : beside Host, Content-Length and User-Agent.
    """

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One response; names of headers are in small letters. `reusable` says whether the connection may be kept."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    reusable: bool = False


def exchange(call: Call, address: Address, connection: h11.Connection) -> Exchange:
    """The steps of one exchange on a connection that is idle; `UnreachableError` where the answer is no HTTP."""
    headers = [
        ("Host", address.authority),
        ("User-Agent", f"floorwalker-client/{VERSION}"),
        ("Accept", "application/json"),
        *call.headers,
    ]
    if call.body or call.method in ("POST", "PUT"):
        headers.append(("Content-Length", str(len(call.body))))
    try:
        head = connection.send(h11.Request(method=call.method, target=address.prefix + call.path, headers=headers))
        body = connection.send(h11.Data(data=call.body)) if call.body else b""
        yield (head or b"") + (body or b"") + (connection.send(h11.EndOfMessage()) or b"")
        response: h11.Response | None = None
        pieces: list[bytes] = []
        size = 0
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data((yield None))
            elif isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                size += len(event.data)
                if size > LARGEST_ANSWER:
                    raise UnreachableError(f"an answer of more than {LARGEST_ANSWER} bytes")
                pieces.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                break
            elif not isinstance(event, h11.InformationalResponse):
                raise UnreachableError("the connection was closed before the answer")
    except h11.ProtocolError as error:
        raise UnreachableError(f"not HTTP: {error}") from error
    assert response is not None
    reusable = connection.our_state is h11.DONE and connection.their_state is h11.DONE
    if reusable:
        connection.start_next_cycle()
    names = {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
    return Answer(response.status_code, b"".join(pieces), names, reusable)
