"""`/v1/labels`: what turned out to be true, and taking it back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, delete, post

from floorwalker.events.outcomes import Label
from floorwalker.events.reason_codes import classify
from floorwalker.pipeline.records import LabelRecord, ReplyRecord
from floorwalker.server.bodies import read_body
from floorwalker.server.engine import encode_json
from floorwalker.server.openapi import operation
from floorwalker.server.problems import FieldFault, ProblemError
from floorwalker.server.replies import LabelBody, LabelReply
from floorwalker.server.service import Service, check_shop, service_of

JSON = "application/json"
_AHEAD = 600_000_000
"""µs that a sender's clock may be ahead."""


@post(
    "/v1/labels",
    status_code=201,
    request_max_body_size=16_384,
    operation_class=operation("LabelBody", (JSON,), LabelReply, idempotent=True),
    summary="Say what turned out to be true",
    tags=["labels"],
)
async def put_label(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Keep a label. Labels change no decision that was made; they are what calibration and learning work with."""
    service = service_of(request)
    caller = service.admit(request.scope["headers"], "label")
    body = await request.body()
    engine = service.engine
    mark = service.mark(request.scope["headers"], caller, "/v1/labels", body)
    if mark is not None:
        before = await service.first_reply(mark)
        if before is not None:
            return Response(before.body, status_code=before.status, media_type=JSON)
    try:
        now = engine.now()
        label = _make_label(read_body(body, LabelBody), now, caller.name)
        if label is None:
            return Response(encode_json(LabelReply(label_id=None, abuse_type=None)), status_code=200, media_type=JSON)
        check_shop(caller, label.shop)
        # As the records name it: neither they nor the label hold a raw personal value.
        stored = service.forms(label.subject_kind, label.subject, label.shop)[0]
        label = msgspec.structs.replace(label, subject=stored)
        # Equal labels may come together: each has an id of its own.
        identity = engine.pipeline.label_id(label.shop, engine.journal.next, body + os.urandom(8))
        record = LabelRecord(id=identity, shop=label.shop, at=now, author=caller.name, label=label)
        answer = encode_json(LabelReply(label_id=identity, abuse_type=label.abuse_type))
        wake = _waking(service)
        if mark is None:
            await service.record(record, then=wake)
        else:
            reply = ReplyRecord(key=mark.key, digest=mark.digest, at=now, status=201, body=answer)

            def remember(first: int) -> None:
                engine.book.keep(reply)
                wake(first)

            await service.record(record, reply, then=remember)
    finally:
        if mark is not None:
            engine.book.end(mark)
    return Response(answer, status_code=201, media_type=JSON)


@delete(
    "/v1/labels/{label_id:str}",
    status_code=204,
    operation_class=operation(None, (), None),
    summary="Take a label back",
    tags=["labels"],
)
async def withdraw_label(request: Request[Any, Any, Any], label_id: str) -> None:
    """From now on the label does not count; that it was there stays on record."""
    service = service_of(request)
    caller = service.admit(request.scope["headers"], "label")
    shop: str | None = await asyncio.to_thread(service.ledger.find_label_shop, label_id)
    if shop is None:
        raise ProblemError(404, "no label of this id is kept", fix="a new label can be taken back a second later")
    check_shop(caller, shop)
    record = LabelRecord(id=label_id, shop=shop, at=service.engine.now(), author=caller.name)
    await service.record(record, then=_waking(service))


def _waking(service: Service) -> Callable[[int], None]:
    """Told of the record's sequence, as soon as it has one: whoever sent the label may be gone by then."""
    calibration = service.calibration
    return (lambda first: None) if calibration is None else calibration.wake


def _make_label(given: LabelBody, now: int, author: str) -> Label | None:
    """The label, with times and abuse type filled in; None where a reason code is evidence of no abuse."""
    abuse_type, weight, reason = given.abuse_type, given.weight, ""
    if given.scheme or given.reason_code:
        code = classify(given.scheme[:64], given.reason_code[:64])
        reason = f"{code.scheme}:{code.code}"
        if not abuse_type:
            if code.abuse_type is None:
                return None
            abuse_type, weight = code.abuse_type, min(weight, code.weight)
    if not 1 <= len(given.shop) <= 128:
        raise ProblemError(422, "shop: 1 to 128 characters", faults=[FieldFault(field="shop", message="its length")])
    if not 0 <= given.observed_at <= now + _AHEAD or not 0 <= given.matures_at < 2**62:
        field = "matures_at" if 0 <= given.observed_at <= now + _AHEAD else "observed_at"
        raise ProblemError(
            422,
            f"{field}: outside of what a time can be",
            allowed="µs UTC; observed_at not in the future; 0 for now",
            faults=[FieldFault(field=field, message="µs UTC")],
        )
    observed_at = given.observed_at or now
    return Label(
        shop=given.shop,
        subject_kind=given.subject_kind,
        subject=given.subject,
        abuse_type=abuse_type,
        value=given.value,
        source=given.source,
        disposition=given.disposition,
        observed_at=observed_at,
        matures_at=given.matures_at or observed_at,
        weight=weight,
        reason=reason,
        author=author,
    )
