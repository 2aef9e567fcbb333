"""`POST /v1/decisions` answered by the protocol itself: no task, no scope, no messages between bytes and decision.

Where only one or two requests are in a batch, what uvicorn and ASGI do around each costs as much as deciding. Most
requests are plain: a short body, no Idempotency-Key, one at a time on their connection. They are read and answered
here; every other request takes the way of the application, whose replies are the same bytes.
"""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import Any, ClassVar

from floorwalker.server.engine import Outcome
from floorwalker.server.fast_path import PATH, refusal_of
from floorwalker.server.protocol import HEAD, BoundedProtocol
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
        try:
            self._protocol.answer(self, outcome, self._started)
        except Exception as fault:  # noqa: BLE001 - others of the batch still wait
            self._protocol.report(fault)

    def set_exception(self, error: BaseException, /) -> None:
        """The batcher has none."""
        try:
            if isinstance(error, Exception):
                self._protocol.refuse(self, error)
        except Exception as fault:  # noqa: BLE001 - as above
            self._protocol.report(fault)


class DirectProtocol(BoundedProtocol):
    """HTTP/1.1 over one connection; `serving` makes the class for a service."""

    service: ClassVar[Service]
    _idle_since: float | None = None
    _idle_timer: asyncio.TimerHandle | None = None

    @classmethod
    def serving(cls, service: Service) -> type[DirectProtocol]:
        """The protocol of one server."""
        return type("DirectProtocol", (cls,), {"service": service})

    def on_message_begin(self) -> None:
        """A request begins; its scope is made once it is known that it needs one."""
        self._part = HEAD
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def begin_request(self) -> None:
        """The head of a request is complete: choose its way."""
        if self.url == _PATH and self._is_plain():
            self.cycle: Any = PlainRequest(self)
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        # The scope holds this list.
        self.headers += headers
        self.url, self.expect_100_continue = url, expects
        super().begin_request()

    def end_request(self) -> None:
        """The body of a request is complete."""
        request = self.cycle
        if isinstance(request, PlainRequest):
            if request.more_body:
                request.more_body = False
                self._decide(request)
            return
        super().end_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client hung up."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        super().connection_lost(exc)

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None
        if self.timeout_keep_alive_task is not None:
            super()._unset_keepalive_if_required()

    def _end_response(self) -> None:
        """As `on_response_complete`, with one timer a connection: to set and cancel one for each request takes longer
        than to read it."""
        if self.pipeline or self._held is not None or self.transport.is_closing():
            self.on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._end_idle)

    def _end_idle(self) -> None:
        """Hang up on a client that has sent nothing since the last reply; look again later where it has."""
        self._idle_timer = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._end_idle)
        else:
            self.timeout_keep_alive_handler()

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

    def report(self, fault: Exception) -> None:
        """An answer could not be sent: hang up, and tell the event loop, as of a callback that raised."""
        self.transport.close()
        self.loop.call_exception_handler({"message": "an answer was not sent", "exception": fault, "protocol": self})

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
        self._end_response()
