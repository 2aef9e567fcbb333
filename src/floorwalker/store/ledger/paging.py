"""Pages of a long list, by where the last one ended: stable while rows are added, and as fast on page 1,000."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Select, tuple_

from floorwalker.errors import InputError

LARGEST_PAGE = 1000


@dataclass(frozen=True)
class Page:
    """Some rows, and how to ask for the next.

    Parameters
    ----------
    rows : each a mapping from column to value.
    next_cursor : opaque text for the next page; None where this is the last.
    """

    rows: list[dict[str, Any]]
    next_cursor: str | None


def read_page(
    connection: Connection,
    query: Select[Any],
    by: Sequence[Column[Any]],
    *,
    cursor: str | None = None,
    limit: int = 100,
    newest_first: bool = True,
) -> Page:
    """One page of a query.

    Parameters
    ----------
    connection : of a `Ledger.read`.
    query : without order and limit; selects the columns of `by`.
    by : columns that order the rows and together name one row, as decided_at and id. None may hold NULL.
    cursor : `next_cursor` of the page before; None for the first.
    limit : rows wanted, 1 to 1,000.
    newest_first : falling order.

    Raises `InputError` for a cursor that no page gave or a limit out of bounds.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise InputError(f"limit is {limit}", allowed=f"1 <= limit <= {LARGEST_PAGE}")
    if cursor is not None:
        key = tuple_(*by)
        place = tuple_(*_decode(cursor, by))
        query = query.where(key < place if newest_first else key > place)
    order = [column.desc() if newest_first else column.asc() for column in by]
    found = connection.execute(query.order_by(*order).limit(limit + 1)).mappings().all()
    rows = [dict(row) for row in found[:limit]]
    if len(found) <= limit:
        return Page(rows, None)
    return Page(rows, _encode([rows[-1][column.name] for column in by]))


def _encode(values: list[Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(values)).rstrip(b"=").decode("ascii")


def _decode(cursor: str, by: Sequence[Column[Any]]) -> list[Any]:
    fix = "leave the cursor out to begin again"
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values = msgspec.msgpack.decode(data, type=list[int | str])
    except (ValueError, msgspec.MsgspecError) as error:
        raise InputError("the cursor is not one that a page gave", fix=fix) from error
    kinds = [column.type.python_type for column in by]
    if len(values) != len(by) or any(type(value) is not kind for value, kind in zip(values, kinds, strict=True)):
        raise InputError("the cursor belongs to another list", fix=fix)
    if any(isinstance(value, int) and abs(value) >= 2**63 for value in values):
        raise InputError("the cursor is not one that a page gave", fix=fix)
    return values
