"""`POST /v1/decisions` answered by the protocol itself: no task, no scope, no messages between bytes and decision.

Where only one or two requests are in a batch, what uvicorn and ASGI do around each costs as much as deciding. Most
requests are plain: a short body, no Idempotency-Key, one at a time on their connection. They are read and answered
here; every other request takes the way of the application, whose replies are the same bytes.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any, ClassVar

from floorwalker.server.engine import Outcome
from floorwalker.server.fast_path import PATH, refusal_of
from floorwalker.server.protocol import BoundedProtocol
from floorwalker.server.routes.decisions import LARGE_BYTES, ask, reply_to
from floorwalker.server.service import Service

_PATH = PATH.encode()
_OTHER_WAY = frozenset((b"idempotency-key", b"expect", b"upgrade", b"transfer-encoding"))
"""Headers of requests that are not plain."""


class _Heard:
    """Stands where uvicorn wakes a task."""

    def set(self) -> None:
        """There is none."""


class PlainRequest:
    """What uvicorn's protocol looks at of the request under way, see `uvicorn.protocols.http.httptools_impl`."""

    __slots__ = ("_protocol", "_started", "body", "disconnected", "keep_alive", "more_body", "response_complete")

    message_event: ClassVar[_Heard] = _Heard()

    def __init__(self, protocol: DirectProtocol) -> None:
        self._protocol = protocol
        self._started = 0.0
        self.body = bytearray()
        self.more_body = True
        self.disconnected = False
        self.response_complete = False
        self.keep_alive = True

    def begin(self) -> None:
        """It is complete: the time until its answer is counted from here."""
        self._started = time.perf_counter()

    def cancelled(self) -> bool:
        """Never: an event that was sent is counted, whether or not its sender still listens."""
        return False

    def done(self) -> bool:
        """Whether it was answered."""
        return self.response_complete

    def set_result(self, outcome: Outcome, /) -> None:
        """The batcher has its outcome."""
        self._protocol.answer(self, outcome, self._started)

    def set_exception(self, error: BaseException, /) -> None:
        """The batcher has none."""
        if isinstance(error, Exception):
            self._protocol.refuse(self, error)


class DirectProtocol(BoundedProtocol):
    """HTTP/1.1 over one connection; `serving` makes the class for a service."""

    service: ClassVar[Service]

    @classmethod
    def serving(cls, service: Service) -> type[DirectProtocol]:
        """The protocol of one server."""
        return type("DirectProtocol", (cls,), {"service": service})

    def on_headers_complete(self) -> None:
        """The head of a request is complete: choose its way."""
        if self.url != _PATH or not self._is_plain():
            super().on_headers_complete()
        elif self.end_head():
            self.cycle: Any = PlainRequest(self)

    def on_message_complete(self) -> None:
        """A request is complete."""
        request = self.cycle
        if isinstance(request, PlainRequest):
            if request.more_body:
                request.more_body = False
                self._decide(request)
            return
        super().on_message_complete()

    def _is_plain(self) -> bool:
        parser, before = self.parser, self.cycle
        if parser.get_method() != b"POST" or parser.get_http_version() != "1.1" or not parser.should_keep_alive():
            return False
        if (before is not None and not before.response_complete) or self.pipeline or self.flow.write_paused:
            return False
        length = -1
        for name, value in self.headers:
            if name in _OTHER_WAY:
                return False
            if name == b"content-length":
                length = int(value) if value.isdigit() else -1
        return 0 <= length <= LARGE_BYTES

    def _decide(self, request: PlainRequest) -> None:
        request.begin()
        service = self.service
        try:
            caller = service.admit(self.headers, "decide")
            job = ask(service, caller, bytes(request.body), now=service.engine.now())
        except Exception as error:  # noqa: BLE001 - every error is answered as a problem
            self.refuse(request, error)
            return
        service.batcher.submit_for(request, job)

    def answer(self, request: PlainRequest, outcome: Outcome, started: float) -> None:
        """Send the reply; `started` is by `time.perf_counter`."""
        body = reply_to(self.service, outcome, started)
        self._write(request, b"HTTP/1.1 200 OK\r\n", b"application/json", body, b"")

    def refuse(self, request: PlainRequest, error: Exception) -> None:
        """Say what is wrong."""
        status, media_type, body, more = refusal_of(error, self.service.metrics)
        line = b"HTTP/1.1 %d %s\r\n" % (status, HTTPStatus(status).phrase.encode())
        self._write(request, line, media_type, body, b"".join(b"%s: %s\r\n" % header for header in more))

    def _write(self, request: PlainRequest, line: bytes, media_type: bytes, body: bytes, more: bytes) -> None:
        request.response_complete = True
        if request.disconnected:
            return
        if not request.keep_alive:
            more += b"connection: close\r\n"
        head = b"%scontent-type: %s\r\ncontent-length: %d\r\n%s\r\n" % (line, media_type, len(body), more)
        self.transport.write(head + body)
        if not request.keep_alive:
            self.transport.close()
        self.on_response_complete()
