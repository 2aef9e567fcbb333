"""Which of a mapping's columns a table has, and its cells as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from floorwalker.errors import UsageError
from floorwalker.events.types import EVENT_TYPES
from floorwalker.sources.mapping._document import guess
from floorwalker.sources.mapping._model import Cell, EventRule, Mapping, Reading

UNREADABLE = "\x00unreadable\x00"
"""Stands in a column of texts for a value that cannot be one."""

_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
"""The years 1 to 9999: polars ends the program at some times beyond."""

_NEEDS = {kind.name: kind.needs for kind in EVENT_TYPES}


def fit_mapping(mapping: Mapping, columns: Sequence[str], where: str) -> Mapping:
    """The mapping without what this table lacks and may lack.

    Errors
    ------
    `UsageError` naming every column that is missing and must not be, with the nearest that is there.
    """
    known = set(columns)
    faults: dict[str, None] = {}
    rules: list[EventRule] = []
    for place, rule in enumerate(mapping.events):
        label = f"events[{place}]." if len(mapping.events) > 1 else ""
        unknown = [one.column for one in rule.when if one.column not in known]
        if unknown and mapping.lenient and len(mapping.events) > 1:
            continue  # the table has no such facts: no events of this kind
        faults.update(dict.fromkeys(f"{label}when: {_missing(name, columns)}" for name in unknown))
        fields = _fit_cells(rule.fields, mapping, columns, f"{label}fields", faults)
        needed = _lacking(fields, bool(mapping.lines))
        if needed and len(mapping.events) > 1 and mapping.lenient:
            continue
        for need in needed:
            names = [name for field in need.split("|") for name in (rule.fields.get(field) or Cell()).columns]
            faults[f"{label}fields.{need}: {_missing(names[0] if names else need, columns)}"] = None
        rules.append(EventRule(fields, rule.when))
    lines = _fit_cells(mapping.lines, mapping, columns, "lines", faults)
    if mapping.group and mapping.group not in known:
        faults[f"group: {_missing(mapping.group, columns)}"] = None
    if not rules:
        faults["no kind of event can be made: the table has none of the columns that they need"] = None
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        shown = list(columns)[:60]
        raise UsageError(
            f"{count} in the mapping {mapping.name!r} for {where}: " + "; ".join(faults),
            allowed=f"the table's columns: {', '.join(shown)}{', …' if len(columns) > 60 else ''}",
        )
    return replace(mapping, events=tuple(rules), lines=lines)


def _missing(name: str, columns: Sequence[str]) -> str:
    return f"no column {name!r}{guess(name, columns)}"


def _fit_cells(
    cells: dict[str, Cell], mapping: Mapping, columns: Sequence[str], where: str, faults: dict[str, None]
) -> dict[str, Cell]:
    fitted: dict[str, Cell] = {}
    for path, cell in cells.items():
        if not cell.columns:
            fitted[path] = cell
            continue
        there = tuple(name for name in cell.columns if name in columns)
        if there and (len(there) == len(cell.columns) or not cell.hashed):
            fitted[path] = replace(cell, columns=there)
        elif not (cell.optional or mapping.lenient):
            faults[f"{where}.{path}: {_missing(cell.columns[0], columns)}"] = None
    return fitted


def _lacking(fields: dict[str, Cell], has_lines: bool) -> list[str]:
    """What a rule of one certain type needs and this table does not have."""
    filled = {path.partition(".")[0] for path in fields} | ({"lines"} if has_lines else set())
    missing = [name for name in ("type", "at") if name not in fields]
    kind = fields["type"].constant if "type" in fields else None
    return missing + [need for need in _NEEDS.get(str(kind), ()) if not filled & set(need.split("|"))]


def clean_column(name: str, kind: pl.DataType, reading: Reading) -> pl.Expr:
    """One column as trimmed text, null where it says nothing; times become ISO text.

    What no text can be made of (bytes that are not UTF-8, a duration, a time beyond the year 9999) is `UNREADABLE`.
    """
    column = pl.col(name)
    text = text_of_column(column, kind)
    clean = text.str.strip_chars()
    clean = pl.when(clean.is_in(["", *reading.missing])).then(None).otherwise(clean)
    if may_be_unreadable(kind):
        clean = pl.when(column.is_not_null() & text.is_null()).then(pl.lit(UNREADABLE)).otherwise(clean)
    return clean.alias(name)


def may_be_unreadable(kind: pl.DataType) -> bool:
    """Whether a column of this type may hold what no text can be made of."""
    return kind.is_nested() or kind.is_temporal() or kind in (pl.Binary, pl.Object)


def text_of_column(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """A column as text, null where none can be made of it; no value may stop the others."""
    if isinstance(kind, pl.Datetime):
        per_second = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[kind.time_unit]
        sound = column.cast(pl.Int64).is_between(_FIRST_SECOND * per_second, _LAST_SECOND * per_second)
        column = pl.when(sound).then(column)
        if kind.time_zone:
            return column.dt.convert_time_zone("UTC").dt.to_string("%Y-%m-%dT%H:%M:%S%.6f+0000")
        return column.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f")
    if kind == pl.Date:
        sound = column.cast(pl.Int64).is_between(_FIRST_SECOND // 86_400, _LAST_SECOND // 86_400)
        return pl.when(sound).then(column).cast(pl.String)
    if kind.is_float():
        whole = column.cast(pl.Int64, strict=False)
        text = pl.when(column == whole).then(whole.cast(pl.String)).otherwise(column.cast(pl.String))
        # Very small and very large ones are written with an exponent, which no amount has; what has more digits than
        # any field allows keeps it, and does not fit.
        plain = pl.when(column.abs() < 1e22).then(column).cast(pl.Decimal(38, 10), strict=False)
        plain = plain.cast(pl.String).str.strip_chars_end("0")
        text = pl.when(text.str.contains("e", literal=True)).then(pl.coalesce(plain, text)).otherwise(text)
        return pl.when(column.is_finite()).then(text)
    if kind == pl.Boolean:
        return pl.when(column).then(pl.lit("true")).when(column.not_()).then(pl.lit("false"))
    if kind == pl.Binary:
        return column.map_batches(_decode, return_dtype=pl.String)
    if isinstance(kind, pl.List) and _can_be_text(kind.inner):
        if kind.inner == pl.Binary:
            return column.map_batches(_decode_lists, return_dtype=pl.String)
        return column.cast(pl.List(pl.String), strict=False).list.join("\x1e")
    if _can_be_text(kind):
        return column.cast(pl.String, strict=False)
    return pl.lit(None, dtype=pl.String)


def _can_be_text(kind: object) -> bool:
    """Whether values of this type are written as one text, alone or in a list."""
    return not (isinstance(kind, pl.List | pl.Array) or kind in (pl.Duration, pl.Object))


def _decode(values: pl.Series) -> pl.Series:
    try:
        return values.cast(pl.String)
    except pl.exceptions.PolarsError:
        return pl.Series(values.name, [None if one is None else _decode_one(one) for one in values], dtype=pl.String)


def _decode_one(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _decode_lists(values: pl.Series) -> pl.Series:
    texts: list[str | None] = []
    for entries in values:
        parts = None if entries is None else [_decode_one(one) for one in entries if one is not None]
        texts.append(None if parts is None or None in parts else "\x1e".join(filter(None, parts)))
    return pl.Series(values.name, texts, dtype=pl.String)
