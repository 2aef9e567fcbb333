"""The columns of `events.parquet`: every field of an event, facts flat with a dot, in the order of the record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args, get_origin

import msgspec
import polars as pl

from floorwalker.events.event import Event
from floorwalker.simulation.shop.diary import Entry, Truth

_LEFT_OUT = frozenset({"schema_version", "received_at", "identity", "attributes"})
_PLAIN = {int: pl.Int64(), float: pl.Float64(), bool: pl.Boolean(), str: pl.String()}
TRUTH = "truth."
"""Prefix of the columns that say what nobody in the shop can see; they go into a file of their own."""


def _bare(annotation: Any) -> Any:
    """An annotation without `Annotated`, `| None` and `Literal`."""
    if hasattr(annotation, "__metadata__"):
        return _bare(annotation.__origin__)
    parts = [one for one in get_args(annotation) if one is not type(None)]
    if len(parts) == 1 and get_origin(annotation) is not tuple:
        return _bare(parts[0])
    if parts and all(isinstance(one, str) for one in parts):
        return str
    if get_origin(annotation) is not None and len(get_args(annotation)) > 1 and type(None) in get_args(annotation):
        return _bare(parts[0])
    return annotation


def _struct_type(struct: type[msgspec.Struct]) -> pl.Struct:
    return pl.Struct([pl.Field(one.name, _PLAIN[_bare(one.type)]) for one in msgspec.structs.fields(struct)])


def _columns() -> dict[str, pl.DataType]:
    made: dict[str, pl.DataType] = {}
    for one in msgspec.structs.fields(Event):
        if one.name in _LEFT_OUT:
            continue
        kind = _bare(one.type)
        if kind in _PLAIN:
            made[one.name] = _PLAIN[kind]
        elif get_origin(kind) is tuple:
            inner = _bare(get_args(kind)[0])
            made[one.name] = pl.List(_PLAIN[inner] if inner in _PLAIN else _struct_type(inner))
        else:
            made |= {f"{one.name}.{part.name}": _PLAIN[_bare(part.type)] for part in msgspec.structs.fields(kind)}
    return made


EVENT_COLUMNS: dict[str, pl.DataType] = _columns()
"""Column by column, the type of its values."""
TRUTH_COLUMNS: dict[str, pl.DataType] = {
    f"{TRUTH}abuse_type": pl.String(),
    f"{TRUTH}adversary": pl.String(),
    f"{TRUTH}family": pl.String(),
    f"{TRUTH}skill": pl.String(),
    f"{TRUTH}campaign": pl.Int64(),
    f"{TRUTH}phase": pl.String(),
    f"{TRUTH}loss_minor": pl.Int64(),
    f"{TRUTH}segment": pl.String(),
}
_UNSAID = Truth()
COLUMNS: dict[str, pl.DataType] = {**EVENT_COLUMNS, **TRUTH_COLUMNS}


def complete(frame: pl.DataFrame, names: Iterable[str] = COLUMNS) -> pl.DataFrame:
    """A frame with these columns, in their order and types; those that it lacks, and what is null among the truth's,
    say nothing: null for events, "honest" for the truth."""
    columns = []
    for name in names:
        kind = COLUMNS[name]
        if name == "lines" and name in frame.columns:
            columns.append(pl.lit(lines_of(frame[name])).alias(name))
        elif name in frame.columns:
            columns.append(pl.col(name).cast(kind))
        else:
            columns.append(pl.lit(None, dtype=kind).alias(name))
        if name.startswith(TRUTH):
            columns[-1] = columns[-1].fill_null(getattr(_UNSAID, name.removeprefix(TRUTH)))
    return frame.select(pl.col("at").alias("_rows"), *columns).drop("_rows")


def lines_of(column: pl.Series) -> pl.Series:
    """Lines of orders with all their fields."""
    wanted = EVENT_COLUMNS["lines"]
    if column.dtype == wanted:
        return column
    if column.dtype == pl.Null:
        return column.cast(wanted)
    inner = column.dtype.inner  # type: ignore[attr-defined]
    there = [field.name for field in inner.fields]
    fields = [
        pl.element().struct.field(field.name).cast(field.dtype)
        if field.name in there
        else pl.lit(None, dtype=field.dtype).alias(field.name)
        for field in wanted.inner.fields  # type: ignore[attr-defined]
    ]
    return column.to_frame("lines").select(pl.col("lines").list.eval(pl.struct(fields))).to_series()


def frame_of(entries: Iterable[Entry], shop: str) -> pl.DataFrame:
    """Entries of diaries as the same columns; `id` stays empty."""
    values: dict[str, tuple[list[int], list[Any]]] = {}
    count = 0
    for row, entry in enumerate(entries):
        count += 1
        for name, value in msgspec.to_builtins(entry.event).items():
            if isinstance(value, dict):
                for part, inner in value.items():
                    _put(values, f"{name}.{part}", row, inner)
            else:
                _put(values, name, row, value)
        for name in TRUTH_COLUMNS:
            _put(values, name, row, getattr(entry.truth, name.removeprefix(TRUTH)))
    columns = []
    for name, kind in COLUMNS.items():
        places, given = values.get(name, ([], []))
        made = pl.Series(name, given, dtype=kind)
        if len(places) < count:
            index: list[int | None] = [None] * count
            for position, place in enumerate(places):
                index[place] = position
            made = made.gather(pl.Series(index, dtype=pl.UInt32)) if places else made.extend_constant(None, count)
        columns.append(made)
    frame = pl.DataFrame(columns)
    return frame.with_columns(shop=pl.lit(shop), id=pl.lit(None, dtype=pl.String))


def _put(values: dict[str, tuple[list[int], list[Any]]], name: str, row: int, value: Any) -> None:
    places, given = values.setdefault(name, ([], []))
    places.append(row)
    given.append(value)
