"""`/v1/lists`: who is always let in, always refused, always watched."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, delete, get, post

from floorwalker.events.entities import ENTITIES
from floorwalker.events.identity import missing_form
from floorwalker.pipeline.records import ListRecord
from floorwalker.policy.lists import LISTS, ListEntry
from floorwalker.server.bodies import check_texts, read_body
from floorwalker.server.engine import RecordJob, encode_json
from floorwalker.server.keys import ALL_SHOPS
from floorwalker.server.openapi import operation
from floorwalker.server.pages import read_cursor, read_limit, write_cursor
from floorwalker.server.problems import FieldFault, ProblemError
from floorwalker.server.replies import ListBody, ListEntryReply, Page
from floorwalker.server.service import Service, check_shop, service_of

JSON = "application/json"
_LONGEST = 200


@get(
    "/v1/lists/{name:str}",
    operation_class=operation(None, (), None),
    summary="Entries of a list",
    tags=["lists"],
)
async def show_list(
    request: Request[Any, Any, Any],
    name: str,
    limit: int | None = None,
    cursor: str | None = None,
    shop: str | None = None,
) -> Response[bytes]:
    """Entries in the order in which they came, expired ones too; `limit` and `cursor` page through them."""
    service = service_of(request)
    caller = service.admit(request.scope["headers"], "read")
    _check_name(name)
    wanted = shop or (None if caller.shop == ALL_SHOPS else caller.shop)
    if wanted is not None:
        check_shop(caller, wanted)
    most = read_limit(limit)
    after = read_cursor(cursor, tuple[int, int]) if cursor else (-1, -1)
    entries = sorted(
        (entry for entry in service.engine.pipeline.lists.entries() if entry.list == name),
        key=lambda entry: (entry.created_at, entry.key),
    )
    rows = [
        entry for entry in entries if (entry.created_at, entry.key) > after and (wanted is None or entry.shop == wanted)
    ]
    page = rows[:most]
    following = write_cursor((page[-1].created_at, page[-1].key)) if len(rows) > most else None
    return Response(encode_json(Page(items=[_reply(entry) for entry in page], next_cursor=following)), media_type=JSON)


@post(
    "/v1/lists/{name:str}",
    status_code=201,
    request_max_body_size=16_384,
    operation_class=operation("ListBody", (JSON,), ListEntryReply),
    summary="Put an entity on a list",
    tags=["lists"],
)
async def put_entry(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
    """From the next decision on the entity counts as listed; an entry of the same entity is replaced."""
    service = service_of(request)
    caller = service.admit(request.scope["headers"], "admin")
    _check_name(name)
    given = read_body(await request.body(), ListBody)
    check_shop(caller, given.shop)
    faults = [
        FieldFault(field=field, message=f"1 to {_LONGEST} characters")
        for field in ("value", "reason", "author", "shop")
        if not 0 < len(getattr(given, field)) <= _LONGEST
    ]
    if given.entity not in ENTITIES:
        faults.append(FieldFault(field="entity", message=f"allowed: {', '.join(ENTITIES)}"))
    if not 0 <= given.expires_at < 2**62:
        faults.append(FieldFault(field="expires_at", message="µs UTC, 0 for never"))
    if faults:
        raise ProblemError(422, "; ".join(f"{fault.field}: {fault.message}" for fault in faults), faults=faults)
    allowed = missing_form(given.entity, given.value)
    if allowed:
        message = "no event can hold this value"
        raise ProblemError(
            422, f"value: {message}", allowed=allowed, faults=[FieldFault(field="value", message=message)]
        )
    engine = service.engine
    value = service.forms(given.entity, given.value, given.shop)[0]
    key = engine.pipeline.keyer.key(given.shop, given.entity, value)
    if key == 0:
        raise ProblemError(
            422,
            "value: a placeholder that stands for nobody",
            faults=[FieldFault(field="value", message="a placeholder")],
        )
    entry = ListEntry(
        list=name,
        shop=given.shop,
        entity=given.entity,
        value=value,
        key=key,
        author=given.author,
        reason=given.reason,
        created_at=engine.now(),
        expires_at=given.expires_at,
    )
    await _change(service, ListRecord(at=entry.created_at, author=given.author, entry=entry))
    return Response(encode_json(_reply(entry)), status_code=201, media_type=JSON)


@delete(
    "/v1/lists/{name:str}",
    status_code=204,
    operation_class=operation(None, (), None),
    summary="Take an entity off a list",
    tags=["lists"],
)
async def remove_entry(
    request: Request[Any, Any, Any],
    name: str,
    entity: str = "",
    value: str = "",
    shop: str = "default",
    author: str = "",
) -> None:
    """From the next decision on the entity is not listed; the journal keeps that it was."""
    service = service_of(request)
    caller = service.admit(request.scope["headers"], "admin")
    _check_name(name)
    check_shop(caller, shop)
    check_texts({"value": value, "shop": shop, "author": author})
    engine = service.engine
    if entity not in ENTITIES:
        raise ProblemError(
            422,
            "unknown kind of entity",
            allowed=", ".join(ENTITIES),
            faults=[FieldFault(field="entity", message="unknown kind of entity")],
        )
    # The value as given as well: an entry of before may stand in a spelling that is refused today.
    forms = {value, *service.forms(entity, value, shop)}
    keys = {engine.pipeline.keyer.key(shop, entity, form) for form in forms} - {0}
    entries = engine.pipeline.lists.entries()
    found = next((each for each in entries if each.list == name and each.entity == entity and each.key in keys), None)
    if found is None:
        raise ProblemError(404, "no such entry on this list")
    await _change(service, ListRecord(at=engine.now(), author=author or caller.name, entry=found, removed=True))


async def _change(service: Service, record: ListRecord) -> None:
    """Journal a change; it takes effect in the moment of its record, so that replay decides the same."""
    await service.batcher.submit(
        RecordJob((record,), then=lambda _: service.engine.pipeline.change_lists(record.entry, removed=record.removed))
    )


def _check_name(name: str) -> None:
    if name not in LISTS:
        raise ProblemError(404, "no list of this name", allowed=", ".join(LISTS))


def _reply(entry: ListEntry) -> ListEntryReply:
    return ListEntryReply(
        list=entry.list,
        shop=entry.shop,
        entity=entry.entity,
        value=entry.value,
        reason=entry.reason,
        author=entry.author,
        created_at=entry.created_at,
        expires_at=entry.expires_at,
    )
