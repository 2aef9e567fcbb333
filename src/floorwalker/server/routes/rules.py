"""`/v1/rules/reload`: the rules of the folder, now."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Request, Response, post

from floorwalker.detectors.rules import RuleError
from floorwalker.server.engine import encode_json
from floorwalker.server.keys import ALL_SHOPS
from floorwalker.server.openapi import operation
from floorwalker.server.problems import FieldFault, ProblemError
from floorwalker.server.replies import RulesReply
from floorwalker.server.service import service_of

_SHOWN = 100


@post(
    "/v1/rules/reload",
    status_code=200,
    request_max_body_size=1024,
    operation_class=operation(None, (), RulesReply),
    summary="Put the rules of the folder to work now",
    tags=["rules"],
)
async def reload_rules(request: Request[Any, Any, Any]) -> Response[bytes]:
    """As the server does by itself a second after a file has changed; 422 names every fault, and the old rules stay."""
    service = service_of(request)
    caller = service.admit(request.scope["headers"], "admin")
    if caller.shop != ALL_SHOPS:
        raise ProblemError(403, "rules decide for all shops", fix="use a key that speaks for all shops")
    if service.rules is None:
        raise ProblemError(503, "the rules are not watched here", headers={"Retry-After": "1"})
    try:
        state = await asyncio.to_thread(service.rules.reload, f"key {caller.id}")
    except RuleError as error:
        faults = [
            FieldFault(field=f"{one.file}:{one.line}:{one.column}", message=one.message)
            for one in error.faults[:_SHOWN]
        ]
        raise ProblemError(
            422,
            f"{len(error.faults)} faults in the rules; version {service.rules.state.version} goes on deciding",
            faults=faults,
        ) from error
    reply = RulesReply(version=state.version, rules=state.rules, since=state.since, seconds=state.seconds)
    return Response(encode_json(reply), media_type="application/json")
