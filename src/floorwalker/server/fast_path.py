"""`POST /v1/decisions` without the framework: the one request that a customer waits for.

Routing, dependency injection and response objects cost as much as features and rules together. This answers the one
address itself and leaves everything else to the application, which holds the same route for the OpenAPI document. Plain
requests do not even come here: see `floorwalker.server.direct`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from floorwalker.server.metrics import Metrics
from floorwalker.server.problems import MEDIA_TYPE, ProblemError
from floorwalker.server.refusals import refuse
from floorwalker.server.routes.decisions import MOST_BYTES, decide_event
from floorwalker.server.service import Service

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

PATH = "/v1/decisions"


class FastPath:
    """An ASGI application around another.

    Parameters
    ----------
    app : answers everything but `POST /v1/decisions`.
    service : of both.
    """

    def __init__(self, app: App, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        status, media_type, more = 200, b"application/json", list[tuple[bytes, bytes]]()
        try:
            body = await decide_event(self._service, scope["headers"], lambda: _read(receive))
        except Exception as error:  # noqa: BLE001 - every error is answered as a problem
            status, media_type, body, more = refusal_of(error, self._service.metrics)
        headers = [(b"content-type", media_type), (b"content-length", b"%d" % len(body)), *more]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def refusal_of(error: Exception, metrics: Metrics) -> tuple[int, bytes, bytes, list[tuple[bytes, bytes]]]:
    """Status, media type, body and further headers of the answer to a request that failed."""
    problem = refuse(error, "decide", metrics)
    more = [(name.lower().encode(), value.encode("latin-1")) for name, value in problem.headers.items()]
    return problem.status, MEDIA_TYPE.encode(), problem.body(), more


async def _read(receive: Receive) -> bytes:
    """The whole body; raises `ProblemError` 413 as soon as it is too large, 400 where the client hung up."""
    parts = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ProblemError(400, "the client hung up before its body was complete")
        parts += message.get("body", b"")
        if len(parts) > MOST_BYTES:
            raise ProblemError(413, f"a body of more than {MOST_BYTES} bytes", allowed=f"at most {MOST_BYTES}")
        if not message.get("more_body", False):
            return bytes(parts)
