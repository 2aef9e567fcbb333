"""Health, readiness, figures, version: for whoever runs the server."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from floorwalker import __version__
from floorwalker.server.engine import encode_json
from floorwalker.server.metrics import MEDIA_TYPE
from floorwalker.server.service import service_of

JSON = "application/json"


@get("/health", summary="Whether the process is alive", tags=["system"])
async def health(request: Request[Any, Any, Any]) -> Response[bytes]:
    """200 as long as the process answers at all; says nothing about readiness.

    `rules` says which set decides since when (µs UTC), and whether a changed one was refused: then with the number of
    its faults, which `POST /v1/rules/reload` and the log spell out.
    """
    service = service_of(request)
    document: dict[str, Any] = {"status": "alive"}
    if service.rules is not None:
        state = service.rules.state
        document["rules"] = {
            "version": state.version, "rules": state.rules, "since": state.since,
            "refused_at": state.refused_at or None, "faults": state.faults,
        }  # fmt: skip
    return Response(encode_json(document), media_type=JSON)


@get("/ready", summary="Whether decisions are being made", tags=["system"])
async def ready(request: Request[Any, Any, Any]) -> Response[bytes]:
    """200 once the state is recovered and the journal takes records, else 503 with what is still to be done.

    `degraded` names the trained models that are lost or failed, and what works beside the decisions and does not at
    the moment, with the reason: decisions are made without it.
    """
    service = service_of(request)
    reason = service.ready or service.engine.failure
    models = service.engine.pipeline.models
    degraded = {**models.lost, **models.failed}
    degraded |= {name: why for name, read in service.degraded.items() if (why := read())}
    document = {"ready": not reason, "reason": reason, "degraded": degraded}
    return Response(encode_json(document), status_code=503 if reason else 200, media_type=JSON)


@get("/metrics", summary="Figures for Prometheus", tags=["system"])
async def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Counters and histograms; needs no key, since it holds no customer's data. Keep it inside your network."""
    service = service_of(request)
    return Response(service.metrics.render(), media_type=MEDIA_TYPE)


@get("/version", summary="Versions of everything that decides", tags=["system"])
async def version(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The program's version, and those of features, rules, detectors and policy."""
    service = service_of(request)
    pipeline = service.engine.pipeline
    document = {
        "floorwalker": __version__,
        "mode": pipeline.policy.mode,
        "policy": pipeline.policy.version,
        **pipeline.versions,
    }
    return Response(encode_json(document), media_type=JSON)
