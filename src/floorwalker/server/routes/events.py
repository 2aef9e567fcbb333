"""`/v1/events`: up to 10,000 events that happened; nobody waits for a decision."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable
from typing import Any

import msgspec
from litestar import Request, Response, post

from floorwalker.events.decode import JSON_TYPES, LINE_TYPES, decode_event
from floorwalker.events.event import Event
from floorwalker.events.faults import FieldError
from floorwalker.events.limits import DEFAULT_LIMITS
from floorwalker.pipeline.records import ReplyRecord
from floorwalker.server.engine import Ingested, IngestJob, Outcome, RecordJob, encode_json
from floorwalker.server.keys import ALL_SHOPS, ApiKey
from floorwalker.server.openapi import operation
from floorwalker.server.problems import ProblemError
from floorwalker.server.replies import EventsReply, FaultReply
from floorwalker.server.service import Service, service_of
from floorwalker.store.vault import PersonalValue

PIECE = 128
"""Events worked on between two looks at live requests."""
MOST_PENDING = 4
"""Pieces of one body that are worked on or synced while the next is read."""
MOST_PERSONAL = 50_000
"""Raw personal values that may wait for the vault before more are read: a sender is slowed down, nothing is dropped."""
MOST_FAULTS = 1_000
"""Faults that are named one by one; `rejected` counts them all."""
_split_array = msgspec.json.Decoder(list[msgspec.Raw])


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
        before = await engine.book.begin(mark, engine.now())
        if before is not None:
            return Response(before.body, status_code=before.status, media_type="application/json")
    try:
        texts = split_body(body, content_type)
        answer = encode_json(await _take(service, caller, texts))
        if mark is not None:
            reply = ReplyRecord(key=mark.key, digest=mark.digest, at=engine.now(), status=200, body=answer)
            engine.book.keep(reply)
            await service.batcher.submit(RecordJob((reply,)))
    finally:
        if mark is not None:
            engine.book.end(mark)
    return Response(answer, media_type="application/json")


async def _take(service: Service, caller: ApiKey, texts: list[bytes]) -> EventsReply:
    accepted = duplicates = rejected = 0
    faults: list[FaultReply] = []
    pending: deque[Awaitable[Outcome]] = deque()

    async def settle(most: int) -> None:
        nonlocal accepted, duplicates
        while len(pending) > most:
            done = await pending.popleft()
            assert isinstance(done, Ingested)
            accepted, duplicates = accepted + done.accepted, duplicates + done.duplicates

    for start in range(0, len(texts), PIECE):
        while service.personal_waiting() > MOST_PERSONAL:
            await asyncio.sleep(0.01)
        job, wrong = _read(service, caller, texts[start : start + PIECE], start)
        rejected += len(wrong)
        faults += wrong[: max(0, MOST_FAULTS - len(faults))]
        if job.events:
            pending.append(service.batcher.submit(job, bulk=True))
        # The next pieces are read while the first ones are being synced.
        await settle(MOST_PENDING)
        # Live requests get their turn between two pieces.
        await asyncio.sleep(0)
    await settle(0)
    return EventsReply(accepted=accepted, duplicates=duplicates, rejected=rejected, faults=tuple(faults))


def _read(service: Service, caller: ApiKey, texts: list[bytes], start: int) -> tuple[IngestJob, list[FaultReply]]:
    now = service.engine.now()
    events: list[Event] = []
    personal: list[PersonalValue] = []
    faults: list[FaultReply] = []
    anywhere = caller.shop == ALL_SHOPS
    intake = service.intake
    for position, text in enumerate(texts, start):
        try:
            event = decode_event(text, now=now)
        except FieldError as error:
            faults.append(FaultReply(position=position, field=error.field, message=str(error)))
            continue
        if not anywhere and event.shop != caller.shop:
            message = f"the API key speaks for the shop {caller.shop!r} only"
            faults.append(FaultReply(position=position, field="shop", message=message))
            continue
        event, values = intake(event)
        events.append(event)
        personal += values
    return IngestJob(events, personal), faults


def split_body(body: bytes, content_type: str) -> list[bytes]:
    """The texts of the events of a body; raises `ProblemError` for a body that cannot be used as a whole.

    >>> split_body(b'{"id": 1}\\n\\n{"id": 2}\\n', "application/x-ndjson; charset=utf-8")
    [b'{"id": 1}', b'{"id": 2}']
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind in LINE_TYPES:
        texts = [line for line in body.split(b"\n") if line.strip()]
    elif kind in JSON_TYPES:
        try:
            texts = [bytes(raw) for raw in _split_array.decode(body)]
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise ProblemError(
                400, "the body is no JSON array", allowed="[{…}, {…}], or application/x-ndjson"
            ) from error
    else:
        raise ProblemError(415, "a body of unknown kind", allowed=", ".join((*JSON_TYPES, *LINE_TYPES)))
    if len(texts) > DEFAULT_LIMITS.events:
        raise ProblemError(
            413,
            f"{len(texts)} events in one body",
            allowed=f"at most {DEFAULT_LIMITS.events}",
            fix="send several bodies",
        )
    return texts
