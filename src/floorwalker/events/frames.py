"""Tables of events: one column a field, the smaller records flat with dots (`card.scheme`), absent as null.

This is how a simulated shop is written and how a shop's own export is best laid out: Parquet that any tool reads.

>>> frame = pl.DataFrame({"id": ["e-1"], "type": ["logout"], "at": [5], "account": ["a-1"], "card.scheme": [None]})
>>> read_events(frame)[0].account
'a-1'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from floorwalker.errors import InputError
from floorwalker.events.event import Event

NEEDED = ("id", "type", "at")
"""Columns without which a table holds no events."""
_READ_ROWS = 200_000


def read_events(frame: pl.DataFrame) -> list[Event]:
    """The events of a table's rows, in their order.

    Parameters
    ----------
    frame : columns named like the fields of `Event`; those of its smaller records with a dot. `lines` and `discounts`
        are lists of structs, `coupons` a list of texts. Amounts are minor units, times microseconds since 1970-01-01
        UTC. Null means "not said".

    Errors
    ------
    `InputError` where a needed column is missing or a row is no event; it names the row and the field.
    """
    missing = [name for name in NEEDED if name not in frame.columns]
    if missing:
        raise InputError(f"the table has no column {missing[0]!r}", allowed="columns id, type and at at least")
    rows = nest_rows(frame)
    try:
        return msgspec.convert(rows, list[Event])
    except msgspec.ValidationError:
        for place, row in enumerate(rows):
            try:
                msgspec.convert(row, Event)
            except msgspec.ValidationError as error:
                raise InputError(f"row {place} is no event: {error}", fix="see docs/events.md") from None
        raise


def read_table(path: Path, *, rows: int) -> Iterator[pl.DataFrame]:
    """A table in Parquet, in pieces of this many rows; the last one may have fewer.

    Several pieces are read at once: each reading unpacks the whole groups of rows that it touches.
    """
    table = pl.scan_parquet(path)
    count = int(table.select(pl.len()).collect().item())
    step = rows * max(1, _READ_ROWS // rows)
    for start in range(0, count, step):
        yield from table.slice(start, step).collect().iter_slices(rows)


def nest_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Each row as it would be sent: nested dictionaries without nulls."""
    rows: list[dict[str, Any]] = [{}] * len(frame)
    # Events of one type have few columns in common with those of others: a column of nulls costs nothing.
    for part in frame.with_row_index("/place").partition_by("type", maintain_order=True):
        for place, row in zip(part["/place"].to_list(), _nest(part.drop("/place")), strict=True):
            rows[place] = row
    return rows


def _nest(frame: pl.DataFrame) -> Iterable[dict[str, Any]]:
    """Each row as nested dictionaries without nulls."""
    flat: dict[str, list[Any]] = {}
    groups: dict[str, dict[str, list[Any]]] = {}
    for name in frame.columns:
        column = frame[name]
        if column.null_count() == len(column):
            continue
        group, dot, field = name.partition(".")
        values = [_clean(value) for value in column] if column.dtype.is_nested() else column.to_list()
        if dot:
            groups.setdefault(group, {})[field] = values
        else:
            flat[name] = values
    inner = {name: list(_rows(fields, len(frame))) for name, fields in groups.items()}
    records = zip(*inner.values(), strict=True) if inner else repeat((), len(frame))
    for row, outer in zip(_rows(flat, len(frame)), records, strict=True):
        row.update((name, value) for name, value in zip(inner, outer, strict=False) if value)
        yield row


def _rows(columns: dict[str, list[Any]], n: int) -> Iterable[dict[str, Any]]:
    if not columns:
        yield from ({} for _ in range(n))
        return
    names = tuple(columns)
    for values in zip(*columns.values(), strict=True):
        yield {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _clean(value: Any) -> Any:
    """Lists out of nested columns, without the nulls inside."""
    if isinstance(value, pl.Series):
        return [_clean(one) for one in value.to_list()]
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {name: _clean(one) for name, one in value.items() if one is not None}
    return value
