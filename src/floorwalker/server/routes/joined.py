"""`/v1/joined`: signals that came after their decisions, for whoever acts on them."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Request, Response, get

from floorwalker.server.engine import encode_json
from floorwalker.server.keys import ALL_SHOPS
from floorwalker.server.openapi import operation
from floorwalker.server.pages import read_cursor, read_limit, refuse_cursor, write_cursor
from floorwalker.server.replies import Page
from floorwalker.server.service import check_shop, service_of
from floorwalker.store.journal.reader import NO_END


@get(
    "/v1/joined",
    operation_class=operation(None, (), None),
    summary="Signals that came after their decisions",
    tags=["decisions"],
)
async def show_joined(
    request: Request[Any, Any, Any],
    limit: int | None = None,
    cursor: str | None = None,
    shop: str | None = None,
    raised: bool = False,
) -> Response[bytes]:
    """What texts said after the decisions about them were answered, in the order in which it came.

    `raised` gives only those that now lie where a person should look. `next_cursor` is never null: ask again with it
    later, and get what has come since.
    """
    service = service_of(request)
    caller = service.admit(request.scope["headers"], "read")
    wanted = shop or (None if caller.shop == ALL_SHOPS else caller.shop)
    if wanted is not None:
        check_shop(caller, wanted)
    after = read_cursor(cursor, int) if cursor else -1
    if not -1 <= after < NO_END:
        # A database has no such numbers, and neither has a cursor of ours.
        raise refuse_cursor()
    most = read_limit(limit)
    rows, through = await asyncio.to_thread(
        service.ledger.list_joined, after=after, limit=most, shop=wanted, raised=raised
    )
    return Response(encode_json(Page(items=rows, next_cursor=write_cursor(through))), media_type="application/json")
