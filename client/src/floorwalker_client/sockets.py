"""Calls over kept sockets, each with one deadline for everything: looking the name up, connecting, TLS, the answer."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h11

from floorwalker_client.errors import DeadlineError, UnreachableError
from floorwalker_client.wire import Address, Answer, Call, exchange

if TYPE_CHECKING:
    import ssl

PIECE = 65_536
IDLE_SECONDS = 60.0
"""Seconds after which an idle connection is not used any more: the server closes them after 75."""


@dataclass
class _Connection:
    socket: socket.socket
    protocol: h11.Connection
    used_at: float


class SocketTransport:
    """Carries out calls; any number of threads may share one.

    Parameters
    ----------
    address : of the server.
    context : for TLS; None for the defaults of the system.
    most_idle : connections kept while nobody uses them.

    A process that was forked makes connections of its own. Proxies named in the environment are not used: the server
    stands inside the shop's network.
    """

    def __init__(self, address: Address, context: ssl.SSLContext | None = None, most_idle: int = 16) -> None:
        self._address = address
        self._context = context
        self._most_idle = most_idle
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._process = os.getpid()
        self._found: list[tuple[int, tuple[Any, ...]]] = []
        self._found_until = 0.0

    def send(self, call: Call, deadline: float) -> Answer:
        """The answer to a call.

        Parameters
        ----------
        deadline : of `time.monotonic()`; `DeadlineError` once it is over, `UnreachableError` for what else fails.
        """
        connection = self._take()
        if connection is not None:
            try:
                return self._use(connection, call, deadline)
            except DeadlineError:
                raise
            except UnreachableError:
                # The server closed it just when we came: every call of this client may be sent twice.
                pass
        return self._use(self._connect(deadline), call, deadline)

    def close(self) -> None:
        """Close the idle connections; the transport can be used again."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.socket.close()

    def _use(self, connection: _Connection, call: Call, deadline: float) -> Answer:
        kept = False
        steps = exchange(call, self._address, connection.protocol)
        try:
            given: bytes | None = next(steps)
            while True:
                connection.socket.settimeout(_left(deadline))
                if given is None:
                    given = steps.send(connection.socket.recv(PIECE))
                else:
                    connection.socket.sendall(given)
                    given = next(steps)
        except StopIteration as done:
            answer: Answer = done.value
            if answer.reusable:
                kept = self._give_back(connection)
            return answer
        except TimeoutError as error:
            raise DeadlineError("no answer within the time allowed") from error
        except OSError as error:
            raise UnreachableError(f"the connection broke: {error}") from error
        finally:
            if not kept:
                connection.socket.close()

    def _take(self) -> _Connection | None:
        now = time.monotonic()
        while True:
            with self._lock:
                if self._process != os.getpid():
                    # These sockets belong to the parent too: closing our copies does not end them.
                    self._process, forked, self._idle = os.getpid(), self._idle, []
                    for connection in forked:
                        connection.socket.close()
                if not self._idle:
                    return None
                connection = self._idle.pop()
            # An idle connection has nothing to say: if it has, it is the server's goodbye.
            if now - connection.used_at < IDLE_SECONDS and not _is_readable(connection.socket):
                return connection
            connection.socket.close()

    def _give_back(self, connection: _Connection) -> bool:
        connection.used_at = time.monotonic()
        with self._lock:
            if self._process != os.getpid() or len(self._idle) >= self._most_idle:
                return False
            self._idle.append(connection)
        return True

    def _connect(self, deadline: float) -> _Connection:
        last: OSError | None = None
        for family, place in self._resolve(deadline):
            connected = socket.socket(family, socket.SOCK_STREAM)
            try:
                connected.settimeout(_left(deadline))
                connected.connect(place)
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._address.secure:
                    connected.settimeout(_left(deadline))
                    connected = self._secure(connected)
            except DeadlineError:
                connected.close()
                raise
            except OSError as error:
                connected.close()
                last = error
                continue
            return _Connection(connected, h11.Connection(h11.CLIENT), time.monotonic())
        self._found_until = 0.0
        if isinstance(last, TimeoutError):
            raise DeadlineError("no connection within the time allowed") from last
        raise UnreachableError(f"no connection: {last}") from last

    def _secure(self, connected: socket.socket) -> socket.socket:
        import ssl

        if self._context is None:
            self._context = ssl.create_default_context()
        # The whole handshake has the socket's time limit, not each of its reads.
        return self._context.wrap_socket(connected, server_hostname=self._address.host)

    def _resolve(self, deadline: float) -> list[tuple[int, tuple[Any, ...]]]:
        """Families and places of the server. The system's look-up knows no time limit, so a thread does it."""
        if time.monotonic() < self._found_until:
            return self._found
        outcome: list[Any] = []

        def look_up() -> None:
            try:
                found = socket.getaddrinfo(self._address.host, self._address.port, type=socket.SOCK_STREAM)
                outcome.append([(family, place) for family, _, _, _, place in found])
            except OSError as error:
                outcome.append(error)

        if _is_literal(self._address.host):
            look_up()
        else:
            thread = threading.Thread(target=look_up, name="floorwalker-name", daemon=True)
            thread.start()
            thread.join(_left(deadline))
        if not outcome:
            raise DeadlineError("the server's name was not found within the time allowed")
        if isinstance(outcome[0], OSError):
            raise UnreachableError(f"the server's name was not found: {outcome[0]}")
        self._found, self._found_until = outcome[0], time.monotonic() + IDLE_SECONDS
        return self._found


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise DeadlineError("no answer within the time allowed")
    return left


def _is_readable(kept: socket.socket) -> bool:
    with contextlib.suppress(OSError, ValueError):
        if hasattr(select, "poll"):
            poll = select.poll()  # select() knows no file descriptors above 1023
            poll.register(kept, select.POLLIN)
            return bool(poll.poll(0))
        return bool(select.select([kept], [], [], 0)[0])
    return True


def _is_literal(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.inet_pton(family, host)
            return True
    return False
