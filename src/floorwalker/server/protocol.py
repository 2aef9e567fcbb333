"""HTTP heads of bounded length, in bounded time: the parser itself would gather them without end."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 65_536
"""Bytes of a request's line and headers together, where they come in several pieces."""
MOST_HEADERS = 100
HEAD_SECONDS = 20.0
"""How long a head that was begun may take to be complete."""
_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 29\r\nconnection: close\r\n\r\nThe request's head is too big"
)


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which hangs up on a head that is too long, has too many headers or never ends."""

    _is_head_open = False
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client."""
        if self._is_head_open:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._refuse_head()
                return
        else:
            self._head_bytes = len(data)
        super().data_received(data)
        if self._is_head_open and self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._end_slow_head)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_head_open = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is complete."""
        if self.end_head():
            super().on_headers_complete()

    def end_head(self) -> bool:
        """Stop watching the head of a request; False where it is refused for what it holds."""
        self._is_head_open = False
        self._stop_timer()
        if len(self.headers) > MOST_HEADERS:
            self._refuse_head()
            return False
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The client hung up."""
        self._stop_timer()
        super().connection_lost(exc)

    def on_body(self, body: bytes) -> None:
        """Bytes of a body; those of a request that was refused are nobody's."""
        if self.cycle is not None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is complete."""
        if self.cycle is not None:
            super().on_message_complete()

    def _refuse_head(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()

    def _end_slow_head(self) -> None:
        self._head_timer = None
        if self._is_head_open:
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
