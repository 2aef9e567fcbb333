"""`POST /v1/decisions` answered by the protocol itself: no task, no scope, no messages between bytes and decision.

Where only one or two requests are in a batch, what uvicorn and ASGI do around each costs as much as deciding. Most
requests are plain: a short body, no Idempotency-Key, one at a time on their connection. They are read and answered
here; every other request takes the way of the application, whose replies are the same bytes.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
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

    __slots__ = ("body", "disconnected", "keep_alive", "more_body", "response_complete")

    message_event: ClassVar[_Heard] = _Heard()

    def __init__(self) -> None:
        self.body = bytearray()
        self.more_body = True
        self.disconnected = False
        self.response_complete = False
        self.keep_alive = True


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
            self.cycle: Any = PlainRequest()

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
        started = time.perf_counter()
        service = self.service
        try:
            caller = service.admit(self.headers, "decide")
            asked = service.batcher.submit(ask(service, caller, bytes(request.body), now=service.engine.now()))
        except Exception as error:  # noqa: BLE001 - every error is answered as a problem
            self._refuse(request, error)
            return
        asked.add_done_callback(partial(self._answer, request, started))

    def _answer(self, request: PlainRequest, started: float, done: asyncio.Future[Outcome]) -> None:
        error = done.exception()
        if isinstance(error, Exception):
            self._refuse(request, error)
            return
        body = reply_to(self.service, done.result(), started)
        self._write(request, b"HTTP/1.1 200 OK\r\n", b"application/json", body, b"")

    def _refuse(self, request: PlainRequest, error: Exception) -> None:
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
