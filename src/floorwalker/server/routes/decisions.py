"""`/v1/decisions`: one event, answer now; what was done about it; the decision again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from litestar import Request, Response, get, post

from floorwalker.events.abuse import ACTIONS
from floorwalker.events.decode import decode_event
from floorwalker.pipeline.records import AppliedRecord, DecisionRecord, EventRecord, JoinedRecord, feature_values
from floorwalker.server.bodies import read_body
from floorwalker.server.engine import Decided, DecideJob, Outcome, encode_json
from floorwalker.server.idempotency import RequestMark
from floorwalker.server.keys import ApiKey
from floorwalker.server.openapi import operation
from floorwalker.server.problems import FieldFault, ProblemError
from floorwalker.server.replies import AppliedBody, AppliedReply, DecisionReply
from floorwalker.server.service import Headers, Service, check_shop, service_of

MOST_BYTES = 262_144
"""Largest body of one event."""
LARGE_BYTES = 2_048
"""A body longer than this is taken apart in a thread of its own: texts made for it take a microsecond a character."""
MOST_BY = 200
"""Characters of the name of whoever acted, as the ledger keeps it."""
_CLOSE_LOOK = ThreadPoolExecutor(1, "large-bodies")
"""One thread: more would only take the interpreter from the event loop more often."""
JSON = "application/json"


@post(
    "/v1/decisions",
    status_code=200,
    request_max_body_size=MOST_BYTES,
    operation_class=operation("Event", ("application/json",), DecisionReply, idempotent=True),
    summary="Decide about one event",
    tags=["decisions"],
)
async def decide(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Count one event and say what to do about it; the reply leaves when the event and the decision are durable.

    An event id that was decided before gets that decision again (`duplicate`). In shadow mode the action is `allow`
    and `private.intended` says what it would have been.
    """
    return Response(await decide_event(service_of(request), request.scope["headers"], request.body), media_type=JSON)


async def decide_event(service: Service, headers: Headers, read: Callable[[], Awaitable[bytes]]) -> bytes:
    """The reply to `POST /v1/decisions`, whoever reads the request.

    Parameters
    ----------
    headers : of the request, as ASGI gives them.
    read : gives the body; not called where the caller may not ask.
    """
    started = time.perf_counter()
    caller = service.admit(headers, "decide")
    body = await read()
    mark = service.mark(headers, caller, "/v1/decisions", body)
    engine = service.engine
    if mark is not None:
        before = await service.first_reply(mark)
        if before is not None:
            return before.body
    try:
        if len(body) > LARGE_BYTES:
            look = partial(ask, service, caller, body, mark, now=engine.now())
            job = await asyncio.get_running_loop().run_in_executor(_CLOSE_LOOK, look)
        else:
            job = ask(service, caller, body, mark, now=engine.now())
        outcome = await service.batcher.submit(job)
    finally:
        if mark is not None:
            engine.book.end(mark)
    return reply_to(service, outcome, started)


def ask(service: Service, caller: ApiKey, body: bytes, mark: RequestMark | None = None, *, now: int) -> DecideJob:
    """What the engine is asked by a body that came `now`; raises what is wrong with it.

    Moves nothing, so that a thread may do it.
    """
    event = decode_event(body, now=now)
    check_shop(caller, event.shop)
    event, personal = service.intake(event)
    return DecideJob(event, personal, mark)


def reply_to(service: Service, outcome: Outcome, started: float) -> bytes:
    """The body of the reply, counted; `started` is by `time.perf_counter`."""
    assert isinstance(outcome, Decided)
    service.metrics.observe_seconds(time.perf_counter() - started)
    service.metrics.count_decision(outcome.decision.intended, outcome.decision.level)
    return outcome.body


@post(
    "/v1/decisions/{decision_id:str}/applied",
    status_code=200,
    request_max_body_size=16_384,
    operation_class=operation("AppliedBody", ("application/json",), AppliedReply),
    summary="Report what was done about a decision",
    tags=["decisions"],
)
async def apply_decision(request: Request[Any, Any, Any], decision_id: str) -> Response[bytes]:
    """Keep what the shop really did, and who overrode the decision.

    A decision is for one use: the same report again is answered the same, another one is refused with 409. A report
    after `expires_at` is kept and marked `late`.
    """
    service = service_of(request)
    caller = service.admit(request.scope["headers"], "decide")
    given = read_body(await request.body(), AppliedBody)
    if given.action not in ACTIONS:
        raise ProblemError(422, f"action is {given.action[:40]!r}", allowed=", ".join(ACTIONS))
    if len(given.by) > MOST_BY:
        raise ProblemError(
            422, f"by has {len(given.by)} characters", allowed=f"at most {MOST_BY}",
            faults=[FieldFault(field="by", message=f"at most {MOST_BY} characters")],
        )  # fmt: skip
    record, sequence = await _find(service, decision_id)
    decision = record.decision
    assert decision is not None
    check_shop(caller, decision.shop)
    now = service.engine.now()
    applied = AppliedRecord(
        decision_id=decision_id,
        shop=decision.shop,
        at=now,
        action=given.action,
        by=given.by,
        reason=given.reason,
        override=given.action != decision.action,
        late=now > decision.expires_at,
    )
    before = await _find_applied(service, decision_id, sequence)
    if before is None:
        await _keep_applied(service, applied, sequence)
    elif (before.action, before.by, before.reason) != (applied.action, applied.by, applied.reason):
        raise ProblemError(
            409, f"the decision was used already, for {before.action!r}", fix="ask for a decision of its own"
        )
    else:
        applied = before
        # Its record may be on its way to the disk only now.
        await service.record()
    reply = AppliedReply(
        decision_id=decision_id,
        action=applied.action,
        override=applied.override,
        late=applied.late,
    )
    return Response(encode_json(reply), media_type=JSON)


@get(
    "/v1/decisions/{decision_id:str}",
    operation_class=operation(None, (), None),
    summary="Look a decision up",
    tags=["decisions"],
)
async def show_decision(request: Request[Any, Any, Any], decision_id: str) -> Response[bytes]:
    """The decision with everything it was made of: the event, the features, private reasons and all versions.

    `joined` is what its text said later, null where nothing came (yet).
    """
    service = service_of(request)
    caller = service.admit(request.scope["headers"], "read")
    record, sequence = await _find(service, decision_id)
    decision = record.decision
    assert decision is not None
    check_shop(caller, decision.shop)
    applied = await _find_applied(service, decision_id, sequence)
    names = service.engine.pipeline.feature_names
    values = feature_values(record).tolist()
    document = {
        "decision": decision,
        "event": record.event,
        "features": (
            {name: value if value == value else None for name, value in zip(names, values, strict=True)}
            if decision.versions.get("features") == service.engine.pipeline.versions["features"]
            else {"version": decision.versions.get("features"), "values": [v if v == v else None for v in values]}
        ),
        "applied": applied,
        "joined": await _find_joined(service, record, sequence),
        "sequence": sequence,
    }
    return Response(encode_json(document), media_type=JSON)


async def _find(service: Service, decision_id: str) -> tuple[EventRecord | DecisionRecord, int]:
    # The journal is read in a thread: a request that waits for a decision must not wait for somebody's curiosity.
    found = await asyncio.to_thread(service.engine.find_decision, decision_id)
    if found is None:
        raise ProblemError(404, "no decision of this id is kept")
    return found


async def _find_applied(service: Service, decision_id: str, sequence: int) -> AppliedRecord | None:
    known = service.engine.applied.get(sequence)
    if known is not None:
        return known
    stored: AppliedRecord | None = await asyncio.to_thread(service.ledger.find_applied, decision_id)
    # Another report may have come while the ledger was asked.
    return service.engine.applied.get(sequence) or stored


async def _keep_applied(service: Service, record: AppliedRecord, sequence: int) -> None:
    """Journal a report. Another one that comes meanwhile finds it; where the engine refuses it, none does."""
    known, pending = service.engine.applied, service.engine.applying

    def remember(_: int) -> None:
        known[sequence] = record
        pending.discard(sequence)

    known[sequence] = record
    pending.add(sequence)
    try:
        await service.record(record, then=remember)
    except BaseException:
        if sequence in pending:
            pending.discard(sequence)
            known.pop(sequence, None)
        raise


async def _find_joined(service: Service, record: EventRecord | DecisionRecord, sequence: int) -> JoinedRecord | None:
    """What came to a decision later."""
    if record.decision is None or not record.event.text:
        return None
    known = service.engine.joined.get(sequence)
    if known is not None:
        return known
    identity = record.decision.id
    found: dict[str, JoinedRecord] = await asyncio.to_thread(service.ledger.find_joined, [identity])
    return found.get(identity)
