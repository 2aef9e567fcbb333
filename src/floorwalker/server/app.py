"""The application: routes, refusals, the OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig

from floorwalker import __version__
from floorwalker.errors import FloorwalkerError
from floorwalker.server.openapi import DocumentPlugin, components
from floorwalker.server.problems import MEDIA_TYPE, ProblemError
from floorwalker.server.refusals import refuse
from floorwalker.server.routes.calibration import show_calibration
from floorwalker.server.routes.collector import COLLECTOR_ROUTES
from floorwalker.server.routes.decisions import apply_decision, decide, show_decision
from floorwalker.server.routes.entities import show_entity
from floorwalker.server.routes.events import take_events
from floorwalker.server.routes.joined import show_joined
from floorwalker.server.routes.labels import put_label, withdraw_label
from floorwalker.server.routes.lists import put_entry, remove_entry, show_list
from floorwalker.server.routes.rules import reload_rules
from floorwalker.server.routes.suspects import show_suspects
from floorwalker.server.routes.system import health, metrics, ready, version
from floorwalker.server.service import Service

ROUTES = (
    decide, apply_decision, show_decision, take_events, show_joined, put_label, withdraw_label, show_calibration,
    show_entity, show_suspects, show_list, put_entry, remove_entry, reload_rules, health, ready, metrics, version,
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
            render_plugins=[DocumentPlugin(path="/openapi.json")],
            components=components(),
        ),
        logging_config=None,
        debug=False,
    )


def _refuse(service: Service) -> Callable[[Request[Any, Any, Any], Exception], Response[bytes]]:
    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        handler = request.scope.get("route_handler")
        problem = refuse(error, getattr(handler, "handler_name", "") or "none", service.metrics)
        return Response(problem.body(), status_code=problem.status, media_type=MEDIA_TYPE, headers=problem.headers)

    return handle
