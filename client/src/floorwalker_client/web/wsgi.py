"""The guard of a WSGI application (Flask, Django, Bottle, …)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from floorwalker_client.background import Background
from floorwalker_client.client import Client
from floorwalker_client.fallback import fall_back, warn
from floorwalker_client.replies import Decision
from floorwalker_client.web.collector import MOST_BYTES
from floorwalker_client.web.guard import Guard, Refusal, collect, write_script
from floorwalker_client.web.visit import Visit

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]
Hook = Callable[[Environ, StartResponse, Decision], Iterable[bytes] | None]
"""Answers in place of the page, or returns None where the page shall be shown."""
SCRIPT_SECONDS = 3600.0


class WSGIGuard:
    """Tells page views, and enforces what the server answers.

    The decision, where one was asked for, stands in `environ["floorwalker.decision"]` for the application, and who is
    there in `environ["floorwalker.facts"]` for its own events.

    Parameters
    ----------
    app : what is guarded.
    client : asks; its settings say how long, and what happens without an answer.
    background : tells.
    guard : the settings; its hooks are of the kind `Hook`.
    """

    def __init__(self, app: App, client: Client, background: Background, guard: Guard | None = None) -> None:
        self.app = app
        self.client = client
        self.background = background
        self.guard = guard or Guard()
        self._script: tuple[float, bytes] | None = None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        try:
            visit = self._read(environ)
            is_own = self.guard.collector is not None and visit.path.startswith(self.guard.collector.path + "/")
            is_skipped = is_own or self.guard.skip(visit)
            if not is_skipped:
                environ["floorwalker.facts"] = self.guard.facts(visit)
        except Exception as error:  # noqa: BLE001 - a guard that fails must not take the page with it
            warn("a visit was not looked at: %s", error)
            return self.app(environ, start_response)
        if is_own:
            answer = self._serve_collector(visit, environ)
            if answer is not None:
                return _send(answer, start_response)
        if is_skipped:
            return self.app(environ, start_response)
        if self._asks(visit):
            return self._ask(visit, environ, start_response)
        return self._tell(visit, environ, start_response)

    def _asks(self, visit: Visit) -> bool:
        try:
            return bool(self.guard.ask(visit))
        except Exception as error:  # noqa: BLE001 - as above
            warn("the shop's `ask` failed: %s", error)
            return False

    def _tell(self, visit: Visit, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        status: list[int] = []

        def note(line: str, *others: Any) -> Any:
            status[:] = [int(line[:3])] if line[:3].isdigit() else []
            return start_response(line, *others)

        def tell(otherwise: int | None) -> None:
            try:
                self.background.tell(self.guard.make_event(visit, status=status[0] if status else otherwise))
            except Exception as error:  # noqa: BLE001 - as above
                warn("a page view was dropped: %s", error)

        try:
            answer = self.app(environ, note)
        except BaseException:
            tell(500)
            raise
        return _Told(answer, tell)

    def _ask(self, visit: Visit, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            event = self.guard.make_event(visit)
        except Exception as error:  # noqa: BLE001 - as above
            decision = fall_back(self.client.failing, {"type": "page_view"}, error)
        else:
            decision = self.client.decide(event)
        environ["floorwalker.decision"] = decision
        hook = self.guard.hooks.get(decision.action)
        if hook is not None:
            try:
                answer: Iterable[bytes] | None = hook(environ, start_response, decision)
            except Exception as error:  # noqa: BLE001 - as above
                warn("the hook of %s failed: %s", decision.action, error)
                answer = None
            if answer is not None:
                self.guard.report(self.background, decision, decision.action)
                return answer
        refusal = self.guard.refuse(decision, visit)
        if refusal is not None:
            self.guard.report(self.background, decision, decision.action)
            return _send(refusal, start_response)
        if hook is not None or decision.action in ("challenge", "step_up"):
            self.guard.report(self.background, decision, "allow")
        return self.app(environ, start_response)

    def _serve_collector(self, visit: Visit, environ: Environ) -> Refusal | None:
        assert self.guard.collector is not None
        name = visit.path.removeprefix(self.guard.collector.path)
        try:
            if name == "/collector.js" and visit.method in ("GET", "HEAD"):
                return write_script(self._load_script(), visit)
            if name == "/collect" and visit.method == "POST":
                return collect(self.guard, self.background, visit, _read_body(environ))
        except Exception as error:  # noqa: BLE001 - as above
            warn("the collector failed: %s", error)
            return Refusal(503, (("Content-Length", "0"), ("Cache-Control", "no-store")), b"")
        return None

    def _load_script(self) -> bytes:
        now = time.monotonic()
        if self._script is None or now - self._script[0] > SCRIPT_SECONDS:
            try:
                self._script = (now, self.client.collector_script(patience=2.0))
            except Exception:
                if self._script is None:
                    raise
                self._script = (now, self._script[1])
        return self._script[1]

    def _read(self, environ: Environ) -> Visit:
        headers = {
            name[5:].replace("_", "-").lower(): str(value) for name, value in environ.items() if name[:5] == "HTTP_"
        }
        # WSGI hands bytes in the guise of Latin-1.
        path = (
            (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1").decode("utf-8", "replace")
        )
        return self.guard.make_visit(
            environ["REQUEST_METHOD"],
            path or "/",
            environ.get("QUERY_STRING", ""),
            headers,
            environ.get("REMOTE_ADDR", ""),
            environ,
        )


class _Told:
    """The page's body; the page view is told once it is over."""

    def __init__(self, body: Iterable[bytes], tell: Callable[[int | None], None]) -> None:
        self._body = body
        self._tell = tell

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._tell(None)


def _read_body(environ: Environ) -> bytes | None:
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isdigit() or int(length) > MOST_BYTES:
        return None
    body: bytes = environ["wsgi.input"].read(int(length))
    return body


def _send(refusal: Refusal, start_response: StartResponse) -> list[bytes]:
    try:
        phrase = HTTPStatus(refusal.status).phrase
    except ValueError:
        phrase = "Refused"
    start_response(f"{refusal.status} {phrase}", list(refusal.headers))
    return [refusal.body]
