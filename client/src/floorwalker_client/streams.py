"""Calls over kept asyncio streams, each with one deadline for everything."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import h11

from floorwalker_client.errors import DeadlineError, UnreachableError
from floorwalker_client.sockets import IDLE_SECONDS, PIECE
from floorwalker_client.wire import Address, Answer, Call, exchange

if TYPE_CHECKING:
    import ssl


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    protocol: h11.Connection
    used_at: float


class StreamTransport:
    """Carries out calls inside one event loop; in another loop it makes connections of its own.

    Parameters
    ----------
    address : of the server.
    context : for TLS; None for the defaults of the system.
    most_idle : connections kept while nobody uses them.
    """

    def __init__(self, address: Address, context: ssl.SSLContext | None = None, most_idle: int = 16) -> None:
        self._address = address
        self._context = context
        self._most_idle = most_idle
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: list[_Connection] = []

    async def send(self, call: Call, deadline: float) -> Answer:
        """The answer to a call.

        Parameters
        ----------
        deadline : of `time.monotonic()`; `DeadlineError` once it is over, `UnreachableError` for what else fails.
        """
        left = deadline - time.monotonic()
        if left <= 0:
            raise DeadlineError("no answer within the time allowed")
        try:
            async with asyncio.timeout(left):
                connection = self._take()
                if connection is not None:
                    try:
                        return await self._use(connection, call)
                    except (UnreachableError, OSError):
                        # The server closed it just when we came: every call of this client may be sent twice.
                        pass
                return await self._use(await self._connect(), call)
        except TimeoutError as error:
            raise DeadlineError("no answer within the time allowed") from error
        except OSError as error:
            raise UnreachableError(f"the connection broke: {error}") from error

    async def close(self) -> None:
        """Close the idle connections; the transport can be used again."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.writer.close()
            with contextlib.suppress(OSError):
                await connection.writer.wait_closed()

    async def _use(self, connection: _Connection, call: Call) -> Answer:
        kept = False
        steps = exchange(call, self._address, connection.protocol)
        try:
            given: bytes | None = next(steps)
            while True:
                if given is None:
                    given = steps.send(await connection.reader.read(PIECE))
                else:
                    connection.writer.write(given)
                    await connection.writer.drain()
                    given = next(steps)
        except StopIteration as done:
            answer: Answer = done.value
            if answer.reusable and len(self._idle) < self._most_idle:
                connection.used_at = time.monotonic()
                self._idle.append(connection)
                kept = True
            return answer
        finally:
            if not kept:
                connection.writer.transport.abort()

    def _take(self) -> _Connection | None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            # Streams of a loop that is gone cannot be closed in this one; the collector does it.
            self._loop, self._idle = loop, []
        now = time.monotonic()
        while self._idle:
            connection = self._idle.pop()
            if (
                now - connection.used_at < IDLE_SECONDS
                and not connection.reader.at_eof()
                and not connection.writer.transport.is_closing()
            ):
                return connection
            connection.writer.transport.abort()
        return None

    async def _connect(self) -> _Connection:
        secure = self._address.secure
        if secure and self._context is None:
            import ssl

            self._context = ssl.create_default_context()
        reader, writer = await asyncio.open_connection(
            self._address.host, self._address.port, ssl=self._context if secure else None, limit=PIECE
        )
        return _Connection(reader, writer, h11.Connection(h11.CLIENT), time.monotonic())
