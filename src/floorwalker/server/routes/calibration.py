"""`/v1/calibration`: recorded risks beside what became known."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Request, Response, get

from floorwalker.server.engine import encode_json
from floorwalker.server.keys import ALL_SHOPS
from floorwalker.server.openapi import operation
from floorwalker.server.problems import ProblemError
from floorwalker.server.service import check_shop, service_of


@get(
    "/v1/calibration",
    operation_class=operation(None, (), None),
    summary="How far off risks are, by labels",
    tags=["labels"],
)
async def show_calibration(request: Request[Any, Any, Any], shop: str | None = None) -> Response[bytes]:
    """By abuse type: decisions with mature labels, the mean risk told, the share that was abuse, the calibration error.

    `calibrated` is true once enough labels of both kinds show that the risks are probabilities. Without `shop` all
    shops are taken together, for a key of all shops.
    """
    service = service_of(request)
    caller = service.admit(request.scope["headers"], "read")
    wanted = shop or ("" if caller.shop == ALL_SHOPS else caller.shop)
    if wanted:
        check_shop(caller, wanted)
    if service.calibration is None:
        raise ProblemError(503, "labels are not read yet", headers={"Retry-After": "1"})
    # Whoever asks for a decision meanwhile does not wait for it.
    document = await asyncio.to_thread(service.calibration.document, wanted, service.engine.now())
    return Response(encode_json(document), media_type="application/json")
