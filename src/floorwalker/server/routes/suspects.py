"""`/v1/suspects`: whom to look at first."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Request, Response, get

from floorwalker.server.engine import encode_json
from floorwalker.server.keys import ALL_SHOPS
from floorwalker.server.openapi import operation
from floorwalker.server.pages import read_limit
from floorwalker.server.replies import SuspectsReply
from floorwalker.server.service import check_shop, service_of
from floorwalker.server.suspects import read_day, write_day

DEFAULT_LIMIT = 200


@get(
    "/v1/suspects",
    operation_class=operation(None, (), SuspectsReply),
    summary="Whom to look at first",
    tags=["decisions"],
)
async def show_suspects(
    request: Request[Any, Any, Any], day: str | None = None, limit: int | None = None, shop: str | None = None
) -> Response[bytes]:
    """Accounts (or whatever else decisions of the day were valid for), the most suspicious first.

    `day` is YYYY-MM-DD in UTC, today without it. Somebody's suspicion is that of the most suspicious decision of the
    day, or what is left of one of the 14 days before, which halves every two days. A decision about an order is as
    suspicious as those of the same subject about it before. Who is not suspected at all is left out. The list is as new
    as the ledger, some seconds at most.
    """
    service = service_of(request)
    caller = service.admit(request.scope["headers"], "read")
    wanted = shop or (None if caller.shop == ALL_SHOPS else caller.shop)
    if wanted is not None:
        check_shop(caller, wanted)
    most, asked = read_limit(limit, DEFAULT_LIMIT), read_day(day, now=service.engine.now())
    async with service.one_list:
        items = await asyncio.to_thread(service.ledger.list_suspects, day=asked, limit=most, shop=wanted)
    return Response(encode_json(SuspectsReply(day=write_day(asked), items=tuple(items))), media_type="application/json")
