"""The application: routes, refusals, the OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import structlog
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from floorwalker import __version__
from floorwalker.errors import FloorwalkerError, InputError
from floorwalker.server.bodies import as_problem
from floorwalker.server.openapi import components
from floorwalker.server.problems import MEDIA_TYPE, ProblemError
from floorwalker.server.routes.collector import COLLECTOR_ROUTES
from floorwalker.server.routes.decisions import apply_decision, decide, show_decision
from floorwalker.server.routes.entities import show_entity
from floorwalker.server.routes.events import take_events
from floorwalker.server.routes.labels import put_label, withdraw_label
from floorwalker.server.routes.lists import put_entry, remove_entry, show_list
from floorwalker.server.routes.system import health, metrics, ready, version
from floorwalker.server.service import Service
from floorwalker.store.errors import StoreError

log = structlog.get_logger("floorwalker.server")

ROUTES = (
    decide, apply_decision, show_decision, take_events, put_label, withdraw_label, show_entity, show_list, put_entry,
    remove_entry, health, ready, metrics, version,
)  # fmt: skip

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def make_app(service: Service, lifespan: Lifespan | None = None) -> Litestar:
    """The ASGI application of a service.

    Parameters
    ----------
    service : must not be shared by two applications.
    lifespan : what happens at start and end.
    """

    @asynccontextmanager
    async def nothing(_: Litestar) -> AsyncIterator[None]:
        yield

    return Litestar(
        route_handlers=(*ROUTES, *COLLECTOR_ROUTES),
        state=State({"service": service}),
        exception_handlers={
            ProblemError: _refuse(service),
            HTTPException: _refuse(service),
            FloorwalkerError: _refuse(service),
            Exception: _refuse(service),
        },
        lifespan=[lifespan or nothing],
        openapi_config=OpenAPIConfig(
            title="Floorwalker",
            version=__version__,
            description="Events of an online shop in, decisions out.",
            path="/schema",
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
            components=components(),
        ),
        logging_config=None,
        debug=False,
    )


def _refuse(service: Service) -> Callable[[Request[Any, Any, Any], Exception], Response[bytes]]:
    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        problem = _as_problem(error)
        if problem.status >= 500 and problem.status != 503:
            # The path may hold ids of customers, and the message parts of a body: neither goes into the log.
            log.error("request failed", kind=type(error).__name__, place=_place(error))
        handler = request.scope.get("route_handler")
        service.metrics.count_request(getattr(handler, "handler_name", "") or "none", problem.status)
        return Response(problem.body(), status_code=problem.status, media_type=MEDIA_TYPE, headers=problem.headers)

    return handle


def _as_problem(error: Exception) -> ProblemError:
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, HTTPException):
        status = error.status_code
        # Litestar answers malformed parameters with 400; the field at fault stands in its `extra`.
        detail = error.detail if status in (400, 404, 405, 413) else ""
        if status == 404:
            detail = "nothing stands at this address"
        headers = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
        return ProblemError(status if status != 500 else 500, detail, headers=headers)
    if isinstance(error, StoreError):
        return ProblemError(503, str(error), headers={"Retry-After": "5"})
    if isinstance(error, InputError):
        return as_problem(error)
    return ProblemError(500, "the server failed; the log of the server says where")


def _place(error: Exception) -> str:
    """Where an error was raised: file and line of the innermost frame, without any value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
