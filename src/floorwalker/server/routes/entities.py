"""`/v1/entities`: what is known of one account, device, address … right now."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote

from litestar import Request, Response, get
from msgspec import structs

from floorwalker.events.entities import ENTITIES
from floorwalker.events.event import Event
from floorwalker.features.live.declarations import Hub
from floorwalker.pipeline.records import EventRecord, JoinedRecord
from floorwalker.server.engine import Engine, encode_json
from floorwalker.server.openapi import operation
from floorwalker.server.problems import ProblemError
from floorwalker.server.service import Service, check_shop, service_of
from floorwalker.server.suspects import suspicion_left


@get(
    "/v1/entities/{entity:str}/{identity:path}",
    operation_class=operation(None, (), None),
    summary="What is known of an entity",
    tags=["entities"],
)
async def show_entity(
    request: Request[Any, Any, Any], entity: str, identity: str, shop: str = "default"
) -> Response[bytes]:
    """Its last events with their decisions, its risk and features as of the last of them, whom it was seen with, and
    whether so many customers of good standing share it that sharing it means nothing (`hub`).

    `suspicion` is that of the most suspicious of these decisions, of those of the last 14 days, each halved every two
    days since; one about an order is as suspicious as what came before about that order.

    `identity` is the shop's own id, a personal value, or its token, to the end of the address: a slash in it may stand
    as it is or as `%2F`. A personal value in an address ends in the logs of
    proxies, so prefer the token.
    """
    service = service_of(request)
    caller = service.admit(request.scope["headers"], "read")
    check_shop(caller, shop)
    if entity not in ENTITIES:
        raise ProblemError(404, "no such kind of entity", allowed=", ".join(ENTITIES))
    identity = _read_identity(request.scope.get("raw_path"), entity) or identity
    engine = service.engine
    records: list[tuple[int, EventRecord]] = []
    for form in service.forms(entity, identity, shop):
        key = engine.pipeline.keyer.key(shop, entity, form)
        records = [] if key == 0 else await asyncio.to_thread(_records, engine, engine.pipeline.recent.find(key))
        if records:
            identity = form
            break
    if not records:
        raise ProblemError(404, "this entity has no event among those remembered")
    batch = engine.pipeline.batch([record.event for _, record in records])
    # Keys are hashes: a look at the texts makes sure that the events are this entity's.
    several = [_named(record.event) for _, record in records]
    own = [
        row
        for row, value in enumerate(batch.texts[entity])
        if value == identity or identity in several[row].get(entity, ())
    ]
    links = {
        other: {values[row] or "" for row in own}.union(*(several[row].get(other, ()) for row in own)) - {""}
        for other, values in batch.texts.items()
        if other in ENTITIES and other != entity
    }
    newest = max(own, key=lambda row: records[row][0], default=None)
    if newest is None:
        raise ProblemError(404, "this entity has no event among those remembered")
    features = engine.pipeline.features.score(
        engine.pipeline.batch([_only(records[newest][1].event, entity, identity)])
    )
    hubs = [
        feature.name
        for feature in engine.pipeline.features.declarations
        if isinstance(feature.aggregate, Hub) and feature.of == (entity,)
    ]
    told = [
        (decision, records[row][1].event.order) for row in own if (decision := records[row][1].decision) is not None
    ]
    decided = [decision for decision, _ in told]
    later = await asyncio.to_thread(_find_joined, service, [records[row] for row in own])
    document = {
        "entity": entity,
        "id": identity,
        "shop": shop,
        "hub": any(features.column(name)[0] == 1 for name in hubs),
        "risk": max(
            (max(decision.risk, later[decision.id].risk if decision.id in later else 0) for decision in decided),
            default=None,
        ),
        "suspicion": suspicion_left(told, now=engine.now()),
        "features": {
            name: float(value)
            for name, value, missing in zip(features.names, features.values[0], features.missing[0], strict=True)
            if not missing
        },
        "timeline": [_line(records[row][0], records[row][1], later) for row in own],
        "links": {other: sorted(values) for other, values in links.items() if values},
    }
    return Response(encode_json(document), media_type="application/json")


def _read_identity(raw_path: bytes | None, entity: str) -> str:
    """The id as it was sent; "" where the address does not tell.

    The framework takes slashes together and away; an id may begin with them, end with them and hold two in a row.

    >>> _read_identity(b"/v1/entities/account/team%2Fa1//x/", "account")
    'team/a1//x/'
    """
    return unquote((raw_path or b"").decode("ascii", "replace")).partition(f"/entities/{entity}/")[2]


def _named(event: Event) -> dict[str, set[str]]:
    """All coupons, items and sellers of an event."""
    return {
        "coupon": {*event.coupons},
        "item": {line.item for line in event.lines if line.item},
        "seller": {line.seller for line in event.lines if line.seller},
    }


def _only(event: Event, entity: str, identity: str) -> Event:
    """The event with this one of its coupons, items or sellers, so that the features are of no other."""
    if entity == "coupon":
        return structs.replace(event, coupons=(identity,))
    if entity in ("item", "seller") and identity != getattr(event, entity):
        lines = tuple(line for line in event.lines if getattr(line, entity) == identity)
        return structs.replace(event, lines=lines, **{entity: identity})
    return event


def _records(engine: Engine, sequences: list[int]) -> list[tuple[int, EventRecord]]:
    found = [(sequence, engine.find_event(sequence)) for sequence in sequences]
    return [(sequence, record) for sequence, record in found if record is not None]


def _find_joined(service: Service, records: list[tuple[int, EventRecord]]) -> dict[str, JoinedRecord]:
    """What came later to the decisions about these events, by the decisions' ids. For a thread of its own."""
    asked = {place: each.decision.id for place, each in records if each.decision is not None and each.event.text}
    # One look each: further signals, which join meanwhile, push out older ones.
    lately = {name: service.engine.joined.get(place) for place, name in asked.items()}
    known = {name: each for name, each in lately.items() if each is not None}
    rest = [name for name in asked.values() if name not in known]
    return {**(service.ledger.find_joined(rest) if rest else {}), **known}


def _line(sequence: int, record: EventRecord, later: dict[str, JoinedRecord]) -> dict[str, Any]:
    event: Event = record.event
    decision = record.decision
    return {
        "sequence": sequence,
        "event_id": event.id,
        "type": event.type,
        "at": event.at,
        "amount_minor": event.amount_minor,
        "currency": event.currency,
        "decision_id": decision.id if decision else None,
        "risk": decision.risk if decision else None,
        "intended": decision.intended if decision else None,
        "joined": later.get(decision.id) if decision else None,
    }
