"""`/v1/events`: up to 10,000 events that happened; nobody waits for a decision."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from litestar import Request, Response, post

from floorwalker.errors import InputError
from floorwalker.events.bulk.splitting import Texts, TooManyError, split_array, split_lines
from floorwalker.events.bulk.taking import TakenEvents
from floorwalker.events.decode import JSON_TYPES, LINE_TYPES
from floorwalker.events.limits import DEFAULT_LIMITS
from floorwalker.pipeline.records import ReplyRecord
from floorwalker.server.engine import encode_json
from floorwalker.server.keys import ALL_SHOPS
from floorwalker.server.openapi import operation
from floorwalker.server.problems import ProblemError
from floorwalker.server.replies import EventsReply, FaultReply
from floorwalker.server.service import Service, service_of

PIECE = 192
PIECE_BYTES = 98_304
"""Events worked on between two looks at live requests, and bytes of their texts: about two milliseconds."""
PIECES_ALONE = 4
"""So many pieces at a time while nobody asks for decisions: each has a cost of its own, whatever its size."""
MOST_HELD_SECONDS = 0.001
"""How long the events that need a close look hold up live requests."""
LARGE_BYTES = 2_048
"""An event longer than this that needs a close look gets it in a thread of its own."""
LARGE_BODY = 1 << 20
"""As above, for a body that is taken apart."""
MOST_TURNS = 200
"""Turns of the loop that live requests are given before the next piece."""
MOST_PERSONAL = 50_000
"""Raw personal values that may wait for the vault before more are read: a sender is slowed down, nothing is dropped."""
MOST_FAULTS = 1_000
"""Faults that are named one by one; `rejected` counts them all."""


@post(
    "/v1/events",
    status_code=200,
    request_max_body_size=DEFAULT_LIMITS.batch_bytes,
    operation_class=operation("[]Event", (*JSON_TYPES, LINE_TYPES[0]), EventsReply, idempotent=True),
    summary="Tell of up to 10,000 events",
    tags=["events"],
)
async def take_events(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Count events in the order given: a JSON array, or one object a line (NDJSON).

    Each event is accepted, known already (`duplicates`), or named in `faults` by its position from 0; the others of
    its body are taken all the same. The reply leaves when all accepted events are durable.
    """
    service = service_of(request)
    caller = service.admit(request.scope["headers"], "ingest")
    content_type = request.headers.get("content-type", "")
    body = await request.body()
    mark = service.mark(request.scope["headers"], caller, "/v1/events", body)
    engine = service.engine
    if mark is not None:
        before = await service.first_reply(mark)
        if before is not None:
            return Response(before.body, status_code=before.status, media_type="application/json")
    try:
        if len(body) > LARGE_BODY:
            texts = await asyncio.to_thread(split_body, body, content_type)
        else:
            texts = split_body(body, content_type)
        answer = encode_json(await _take(service, None if caller.shop == ALL_SHOPS else caller.shop, texts))
        # One sync for all of the body; with or without a record of its own it covers the events before.
        if mark is None:
            await service.record()
        else:
            reply = ReplyRecord(key=mark.key, digest=mark.digest, at=engine.now(), status=200, body=answer)
            await service.record(reply, then=lambda _: engine.book.keep(reply))
    finally:
        if mark is not None:
            engine.book.end(mark)
    return Response(answer, media_type="application/json")


async def _take(service: Service, shop: str | None, texts: Texts) -> EventsReply:
    accepted = duplicates = rejected = 0
    faults: list[FaultReply] = []
    start = 0
    while start < len(texts):
        while service.personal_waiting() > MOST_PERSONAL or service.engine.holds_back():
            await asyncio.sleep(0.01)
        pieces = 1 if service.engine.is_asked() else PIECES_ALONE
        stop = texts.piece(start, pieces * PIECE, pieces * PIECE_BYTES)
        now = service.engine.now()
        try:
            starts, stops = texts.starts[start:stop], texts.stops[start:stop]
            taken = service.taker.take(texts.body, starts, stops, now=now, shop=shop)
            if taken.left:
                await _look_closely(service, taken, texts, start, now, shop)
            taken.settle()
            done = service.engine.ingest_packed(taken)
        except BaseException:
            # Their raw values never reached the vault.
            service.taker.forget_given()
            raise
        accepted, duplicates = accepted + done.accepted, duplicates + done.duplicates
        rejected += len(taken.faults)
        faults += [
            FaultReply(position=start + fault.position, field=fault.field, message=fault.message)
            for fault in taken.faults[: max(0, MOST_FAULTS - len(faults))]
        ]
        start = stop
        await _give_way(service)
    return EventsReply(accepted=accepted, duplicates=duplicates, rejected=rejected, faults=tuple(faults))


async def _look_closely(
    service: Service, taken: TakenEvents, texts: Texts, start: int, now: int, shop: str | None
) -> None:
    """Take the events that the kernel left, one by one; nothing is counted yet, so live requests may come between."""
    since = time.perf_counter()
    for row in taken.left:
        text = texts.text(start + row)
        if len(text) > LARGE_BYTES:
            await asyncio.to_thread(service.taker.look_closely, taken, row, text, now=now, shop=shop)
        else:
            service.taker.look_closely(taken, row, text, now=now, shop=shop)
        if time.perf_counter() - since > MOST_HELD_SECONDS:
            await _give_way(service)
            since = time.perf_counter()


async def _give_way(service: Service) -> None:
    """Live requests get their turn: those in the sockets are read, those that wait are worked on."""
    await asyncio.sleep(0)
    for _ in range(MOST_TURNS):
        if not service.batcher.waiting:
            return
        await asyncio.sleep(0)


def split_body(body: bytes, content_type: str) -> Texts:
    """Where the events of a body are; raises `ProblemError` for a body that cannot be used as a whole.

    >>> split_body(b'{"id": 1}\\n\\n{"id": 2}\\n', "application/x-ndjson; charset=utf-8").texts()
    [b'{"id": 1}', b'{"id": 2}']
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (*JSON_TYPES, *LINE_TYPES):
        raise ProblemError(415, "a body of unknown kind", allowed=", ".join((*JSON_TYPES, *LINE_TYPES)))
    try:
        return (split_lines if kind in LINE_TYPES else split_array)(body, DEFAULT_LIMITS.events)
    except TooManyError as error:
        raise ProblemError(413, error.given, allowed=error.allowed, fix=error.fix) from error
    except InputError as error:
        raise ProblemError(400, error.given, allowed=error.allowed) from error
