"""The guard of an ASGI application (Starlette, FastAPI, Litestar, Django's ASGI, …)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from floorwalker_client.asyncio_client import AsyncClient
from floorwalker_client.background import Background
from floorwalker_client.fallback import fall_back, warn
from floorwalker_client.replies import Decision
from floorwalker_client.web.collector import MOST_BYTES
from floorwalker_client.web.guard import Guard, Refusal, collect, write_script
from floorwalker_client.web.visit import Visit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Hook = Callable[[Scope, Receive, Send, Decision], Awaitable[bool]]
"""Answers in place of the page and returns True, or returns False where the page shall be shown."""
SCRIPT_SECONDS = 3600.0


class ASGIGuard:
    """Tells page views, and enforces what the server answers.

    The decision, where one was asked for, stands in `scope["floorwalker"]` for the application, and who is there in
    `scope["floorwalker_facts"]` for its own events. WebSockets and the lifespan pass through; at the end of the
    lifespan what waits is sent.

    Parameters
    ----------
    app : what is guarded.
    client : asks; its settings say how long, and what happens without an answer.
    background : tells.
    guard : the settings; its hooks are of the kind `Hook`.
    """

    def __init__(self, app: App, client: AsyncClient, background: Background, guard: Guard | None = None) -> None:
        self.app = app
        self.client = client
        self.background = background
        self.guard = guard or Guard()
        self._script: tuple[float, bytes] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, self._end_with(send))
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            visit = self._read(scope)
            is_own = self.guard.collector is not None and visit.path.startswith(self.guard.collector.path + "/")
            is_skipped = is_own or self.guard.skip(visit)
            if not is_skipped:
                scope["floorwalker_facts"] = self.guard.facts(visit)
        except Exception as error:  # noqa: BLE001 - a guard that fails must not take the page with it
            warn("a visit was not looked at: %s", error)
            await self.app(scope, receive, send)
            return
        if is_own and await self._serve_collector(visit, receive, send):
            return
        if is_skipped:
            await self.app(scope, receive, send)
            return
        if self._asks(visit):
            await self._ask(visit, scope, receive, send)
        else:
            await self._tell(visit, scope, receive, send)

    def _asks(self, visit: Visit) -> bool:
        try:
            return bool(self.guard.ask(visit))
        except Exception as error:  # noqa: BLE001 - as above
            warn("the shop's `ask` failed: %s", error)
            return False

    async def _tell(self, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        status: int | None = None

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note)
        except BaseException:
            status = 500 if status is None else status
            raise
        finally:
            try:
                self.background.tell(self.guard.make_event(visit, status=status))
            except Exception as error:  # noqa: BLE001 - as above
                warn("a page view was dropped: %s", error)

    async def _ask(self, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            event = self.guard.make_event(visit)
        except Exception as error:  # noqa: BLE001 - as above
            decision = fall_back(self.client.failing, {"type": "page_view"}, error)
        else:
            decision = await self.client.decide(event)
        scope["floorwalker"] = decision
        hook = self.guard.hooks.get(decision.action)
        if hook is not None:
            try:
                answered = await hook(scope, receive, send, decision)
            except Exception as error:  # noqa: BLE001 - as above; what it has sent by then cannot be taken back
                warn("the hook of %s failed: %s", decision.action, error)
                answered = False
            if answered:
                self.guard.report(self.background, decision, decision.action)
                return
        refusal = self.guard.refuse(decision, visit)
        if refusal is not None:
            self.guard.report(self.background, decision, decision.action)
            await _send(refusal, send)
            return
        if hook is not None or decision.action in ("challenge", "step_up"):
            self.guard.report(self.background, decision, "allow")
        await self.app(scope, receive, send)

    async def _serve_collector(self, visit: Visit, receive: Receive, send: Send) -> bool:
        assert self.guard.collector is not None
        name = visit.path.removeprefix(self.guard.collector.path)
        try:
            if name == "/collector.js" and visit.method in ("GET", "HEAD"):
                await _send(write_script(await self._load_script(), visit), send)
                return True
            if name == "/collect" and visit.method == "POST":
                await _send(collect(self.guard, self.background, visit, await _read_body(receive)), send)
                return True
        except Exception as error:  # noqa: BLE001 - as above
            warn("the collector failed: %s", error)
            await _send(Refusal(503, (("Content-Length", "0"), ("Cache-Control", "no-store")), b""), send)
            return True
        return False

    async def _load_script(self) -> bytes:
        now = time.monotonic()
        if self._script is None or now - self._script[0] > SCRIPT_SECONDS:
            try:
                self._script = (now, await self.client.collector_script(patience=2.0))
            except Exception:
                if self._script is None:
                    raise
                self._script = (now, self._script[1])
        return self._script[1]

    def _read(self, scope: Scope) -> Visit:
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = join_header(name, headers.get(name), value)
        client = scope.get("client")
        root = scope.get("root_path", "")
        path = scope["path"] if scope["path"].startswith(root) else root + scope["path"]
        return self.guard.make_visit(
            scope["method"],
            path,
            scope.get("query_string", b"").decode("latin-1"),
            headers,
            client[0] if client else "",
            scope,
        )

    def _end_with(self, send: Send) -> Send:
        async def end(message: Message) -> None:
            if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
                await asyncio.to_thread(self.background.flush, 2.0)
                await self.client.close()
            await send(message)

        return end


def join_header(name: str, before: str | None, value: str) -> str:
    """Lines of one header as one."""
    if before is None:
        return value
    return before + ("; " if name == "cookie" else ", ") + value


async def _read_body(receive: Receive) -> bytes | None:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        piece = message.get("body", b"")
        size += len(piece)
        if size > MOST_BYTES:
            return None
        pieces.append(piece)
        if not message.get("more_body"):
            return b"".join(pieces)


async def _send(refusal: Refusal, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in refusal.headers]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": refusal.body})
