"""HTTP heads of bounded length, in bounded time: the parser itself would gather them without end.

The same bound holds for what may come between the bytes of a body and its end (trailers, extensions of chunks). An
`Upgrade` is ignored, as RFC 9110 section 7.8 allows: the parser would take the body for another protocol's bytes.
"""

from __future__ import annotations

import asyncio
from typing import Final

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from floorwalker.server.problems import MEDIA_TYPE, ProblemBody, title_of

MOST_HEAD_BYTES = 65_536
"""Bytes of a request's line and headers together. No more are given to the parser at a time, so that a head within one
piece needs no counting."""
MOST_HEADERS = 100
HEAD_SECONDS = 20.0
"""How long a head that was begun may take to be complete."""
_INVALID = "Invalid HTTP request received."


def _refusal(status: int, detail: str) -> bytes:
    """A whole answer that says why, and that nothing more is read."""
    body = msgspec.json.encode(ProblemBody(title=title_of(status), status=status, detail=detail))
    head = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return STATUS_LINE[status] + head.encode() + body


_TOO_LARGE = _refusal(
    431,
    f"a head, or what stands between the bytes of a body, is longer than {MOST_HEAD_BYTES:,} bytes or has more than "
    f"{MOST_HEADERS} headers; send less",
)
_NO_HTTP = _refusal(400, "these bytes are no HTTP/1.1 request; send one, without CONNECT")
BETWEEN: Final = 0
HEAD: Final = 1
BODY: Final = 2
REFUSED: Final = 3
"""What the parser is in: nothing, a head, what follows a head, or a request after which nothing more is read."""


class _RefusedError(Exception):
    """Stops the parser inside one of its callbacks: it then takes no byte more."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which hangs up on a head that is too long, has too many headers or never ends.

    Requests before the refused one are answered first, and are given none of its bytes.
    """

    _part = BETWEEN
    _is_in_pieces = False
    """Whether the head may have begun before this piece."""
    _bytes_since = 0
    """Bytes of whole pieces since a head began, or since the last byte of a body."""
    _head_timer: asyncio.TimerHandle | None = None
    _trailers: list[tuple[bytes, bytes]] | None = None
    _held: bytes | None = None
    """A refusal that waits for the answers of earlier requests."""

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client."""
        if len(data) <= MOST_HEAD_BYTES:
            self._take(data)
            return
        view = memoryview(data)
        for start in range(0, len(data), MOST_HEAD_BYTES):
            self._take(view[start : start + MOST_HEAD_BYTES])

    def on_message_begin(self) -> None:
        """A request begins."""
        self._part = HEAD
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is complete."""
        self._bytes_since = 0
        if self._head_timer is not None:
            self._stop_timer()
        if len(self.headers) > MOST_HEADERS or (self._is_in_pieces and self._head_length() > MOST_HEAD_BYTES):
            self._refuse(_TOO_LARGE)
            raise _RefusedError
        if self.parser.should_upgrade():
            # The parser stops after this callback, and `_feed` reads the request again.
            if self.parser.get_method() == b"CONNECT":
                raise _RefusedError
            return
        self.begin_request()
        self._part = BODY

    def begin_request(self) -> None:
        """The head of a request is complete and within its bounds."""
        super().on_headers_complete()
        # The scope holds the list of the headers: what comes now is none of them.
        self.headers = self._trailers = []

    def on_body(self, body: bytes) -> None:
        """Bytes of a body."""
        self._bytes_since = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is complete, or is read again without its Upgrade."""
        if self._part == BODY:
            self.end_request()
            self._part = BETWEEN
            self._bytes_since = 0

    def end_request(self) -> None:
        """The body of a request is complete."""
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """A request is answered; a refusal that waited for it is next."""
        is_last = not self.pipeline
        super().on_response_complete()
        if is_last and self._held is not None:
            self._hang_up(self._held)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; the log has uvicorn's words for it."""
        self._refuse(_NO_HTTP)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client hung up."""
        self._stop_timer()
        super().connection_lost(exc)

    def _take(self, piece: bytes | memoryview) -> None:
        if self._part == REFUSED:
            return
        self._is_in_pieces = self._part == HEAD
        self._bytes_since += len(piece)
        self._unset_keepalive_if_required()
        try:
            self._feed(piece)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if self._part != REFUSED:
                self.logger.warning(_INVALID)
                self.send_400_response(_INVALID)
            return
        if self._part == BETWEEN:
            self._bytes_since = 0
        elif self._bytes_since > MOST_HEAD_BYTES:
            self._refuse(_TOO_LARGE)
        elif self._part == HEAD:
            if self._head_timer is None:
                self._head_timer = self.loop.call_later(HEAD_SECONDS, self._end_slow_head)
        elif self._trailers:
            self._trailers.clear()

    def _feed(self, data: bytes | memoryview) -> None:
        while True:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as stop:
                rest = memoryview(data)[stop.args[0] :]
            head = self._head_without_upgrade()
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self.parser.feed_data(head)
            data = rest

    def _head_without_upgrade(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s\r\n" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        return b"".join(lines) + b"\r\n"

    def _head_length(self) -> int:
        line = len(self.parser.get_method()) + len(self.url) + len(b"  HTTP/1.1\r\n")
        return line + sum(len(name) + len(value) + len(b": \r\n") for name, value in self.headers) + len(b"\r\n")

    def _refuse(self, answer: bytes) -> None:
        """Read no more, and hang up with this answer once earlier requests are answered."""
        is_begun, self._part = self._part == BODY, REFUSED
        self._stop_timer()
        if is_begun and self.pipeline:
            # It waits behind others, and is refused in its turn instead.
            self.pipeline.popleft()
            self._held = answer
        elif is_begun:
            self._hang_up(b"" if getattr(self.cycle, "response_started", self.cycle.response_complete) else answer)
        elif self.cycle is not None and not self.cycle.response_complete:
            self._held = answer
        else:
            self._hang_up(answer)

    def _hang_up(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            if answer:
                self.transport.write(answer)
            self.transport.close()

    def _end_slow_head(self) -> None:
        self._head_timer = None
        if self._part == HEAD:
            self._refuse(b"")

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
