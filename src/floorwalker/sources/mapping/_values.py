"""From texts in columns to values of fields, as expressions over whole columns.

Every function answers two expressions: the value, and whether there was something that is no such value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import polars as pl

from floorwalker.sources.mapping._currencies import EXPONENTS
from floorwalker.sources.mapping._fields import FieldKind
from floorwalker.sources.mapping._model import Cell, Reading

Pair = tuple[pl.Expr, pl.Expr]

_OFFSETS = ("%z", "%:z", "%#z", "%::z")
ISO_FORMATS = (
    "%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f %z", "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d",
)  # fmt: skip
"""What is tried where a mapping names no formats, beside whole microseconds."""

_PER_UNIT = {"s": 1_000_000, "ms": 1_000, "us": 1}
_SIGNS = " \t\u00a0\u202f€$£¥₹₩₽฿₫₺元円"
_TRUE = ("true", "t", "yes", "y", "1", "on")
_FALSE = ("false", "f", "no", "n", "0", "off")
_NO_TEXT = pl.lit(None, dtype=pl.String)


def text_of(cell: Cell) -> pl.Expr:
    """The text that a cell stands for, after its lists of values; null where it says nothing."""
    if cell.constant is not None:
        constant = cell.constant
        return pl.lit(str(constant).lower() if isinstance(constant, bool) else str(constant))
    columns = [pl.col(name) for name in cell.columns]
    if cell.join is not None or cell.hashed:
        text = pl.concat_str(
            columns, separator="\x1f" if cell.hashed else cell.join or "", ignore_nulls=not cell.hashed
        )
        text = pl.when(pl.all_horizontal([one.is_null() for one in columns])).then(_NO_TEXT).otherwise(text)
        if cell.hashed:
            text = pl.concat_str([one.fill_null("") for one in columns], separator="\x1f")
    else:
        text = pl.coalesce(columns)
    if cell.find and cell.split == "":
        text = pl.coalesce(text.str.extract(cell.find, 1), text)
    text = _translate(cell, text)
    return pl.lit(cell.prefix) + text if cell.prefix else text


def _translate(cell: Cell, text: pl.Expr) -> pl.Expr:
    if not cell.values and not cell.patterns and cell.otherwise is None:
        return text
    rest = text if cell.otherwise is None else pl.lit(cell.otherwise)
    for pattern, value in reversed(cell.patterns):
        rest = pl.when(text.str.contains(pattern)).then(pl.lit(value)).otherwise(rest)
    for given, value in cell.values.items():
        rest = pl.when(text == given).then(pl.lit(value)).otherwise(rest)
    # A missing text stays missing unless something is said about what the lists do not hold.
    kept = rest if cell.otherwise is not None else pl.when(text.is_null()).then(_NO_TEXT).otherwise(rest)
    return pl.when(kept == "").then(_NO_TEXT).otherwise(kept)


def number_of(text: pl.Expr, reading: Reading) -> pl.Expr:
    """A decimal number with up to ten places behind the point; null where the text is none.

    With more than 22 digits before the point it is none either: no field holds it, and its minor units would overflow.
    """
    bare = text.str.strip_chars(_SIGNS)
    if reading.thousands:
        bare = bare.str.replace_all(reading.thousands, "", literal=True)
    if reading.decimal != ".":
        bare = bare.str.replace_all(reading.decimal, ".", literal=True)
    plain = pl.when(bare.str.contains(r"^[+-]?(0*\d{1,22}(\.\d*)?|\.\d+)$")).then(bare)
    return plain.cast(pl.Decimal(38, 10), strict=False)


def whole_of(number: pl.Expr) -> pl.Expr:
    """A decimal rounded to the nearest whole number, halves away from zero."""
    return number.round(0, mode="half_away_from_zero").cast(pl.Int64, strict=False)


def exponents_of(currency: pl.Expr) -> pl.Expr:
    """Decimal places by currency code; 2 where it is unknown or missing."""
    return currency.replace_strict(dict(EXPONENTS), default=2, return_dtype=pl.Int64)


def money_of(cell: Cell, text: pl.Expr, places: pl.Expr, reading: Reading) -> pl.Expr:
    """Minor units: a major amount is multiplied by its currency's ten to the places."""
    number = number_of(text, reading)
    if cell.absolute:
        number = number.abs()
    if cell.unit == "major":
        number = (
            pl.when(places == 0).then(number).when(places == 3).then(number * 1_000).when(places == 4)
            .then(number * 10_000).otherwise(number * 100)
        )  # fmt: skip
    return whole_of(number)


def time_of(cell: Cell, text: pl.Expr, reading: Reading) -> pl.Expr:
    """Microseconds since 1970-01-01 UTC; null where no format fits, or where no offset is known."""
    if cell.unit:
        return whole_of(number_of(text, reading) * _PER_UNIT[cell.unit])
    zone = cell.time_zone or reading.time_zone
    formats = cell.formats or reading.time_formats or ISO_FORMATS
    with_offset = text.str.replace(r"\s*[Zz]$", "+0000")
    tried: list[pl.Expr] = []
    if formats is ISO_FORMATS:
        tried.append(text.str.extract(r"^(\d{1,18})$", 1).cast(pl.Int64))
    for one in formats:
        if any(mark in one for mark in _OFFSETS):
            parsed = with_offset.str.to_datetime(one, strict=False, time_unit="us", time_zone="UTC", exact=True)
            tried.append(parsed.dt.epoch("us"))
        elif zone:
            naive = text.str.to_datetime(one, strict=False, time_unit="us", exact=True)
            tried.append(place_in_zone(naive, zone).dt.epoch("us"))
    return pl.coalesce(tried) if tried else pl.lit(None, dtype=pl.Int64)


def place_in_zone(naive: pl.Expr, zone: str) -> pl.Expr:
    """Local times as instants: the earlier of two, and an hour that the clock left out is counted on past the gap."""
    hour = pl.duration(hours=1)
    found = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    before = (naive - hour).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return pl.coalesce(found, before + hour)


def value_of(cell: Cell, kind: FieldKind, places: pl.Expr, reading: Reading) -> Pair:
    """A field's value, and whether what stands there does not fit it."""
    text = text_of(cell)
    value = _READERS[kind.name](cell, text, places, reading)
    bad = text.is_not_null() & value.is_null()
    if kind.name in ("whole", "number", "money") and kind.least is not None and kind.most is not None:
        bad = bad | (value < kind.least) | (value > kind.most)
    if kind.name == "text":
        bad = _bad_text(kind, value)
    bad = bad.fill_null(False)
    return pl.when(bad).then(None).otherwise(value), bad


def _bad_text(kind: FieldKind, value: pl.Expr) -> pl.Expr:
    if kind.choices:
        return value.is_in(list(kind.choices)).not_()
    if kind.pattern:
        return value.str.contains(kind.pattern).not_()
    length = value.str.len_chars()
    return (length > (kind.most or 1 << 30)) | (length < (kind.least or 0))


def _read_share(cell: Cell, text: pl.Expr, reading: Reading) -> pl.Expr:
    number = number_of(text, reading)
    number = (number.abs() if cell.absolute else number).cast(pl.Float64)
    if cell.scale is None:
        return number
    lowest, highest = cell.scale
    return (number - lowest) / (highest - lowest)


def _read_whole(cell: Cell, text: pl.Expr, reading: Reading) -> pl.Expr:
    number = number_of(text, reading)
    number = number.abs() if cell.absolute else number
    whole = whole_of(number)
    return pl.when(number == whole.cast(pl.Decimal(38, 10))).then(whole)


def _read_statement(text: pl.Expr) -> pl.Expr:
    low = text.str.to_lowercase()
    return pl.when(low.is_in(list(_TRUE))).then(True).when(low.is_in(list(_FALSE))).then(False)


def _read_list(cell: Cell, text: pl.Expr) -> pl.Expr:
    parts = text.str.replace_all(f"[{re.escape(cell.split)}\x1e]", "\x1e").str.split("\x1e")
    entry = pl.element().str.strip_chars()
    if cell.find:
        entry = pl.coalesce(entry.str.extract(cell.find, 1), entry)
    return parts.list.eval(entry).list.eval(pl.element().filter(pl.element() != ""))


_READERS: Mapping[str, Callable[[Cell, pl.Expr, pl.Expr, Reading], pl.Expr]] = {
    "text": lambda cell, text, places, reading: text,
    "whole": lambda cell, text, places, reading: _read_whole(cell, text, reading),
    "number": lambda cell, text, places, reading: _read_share(cell, text, reading),
    "money": money_of,
    "statement": lambda cell, text, places, reading: _read_statement(text),
    "time": lambda cell, text, places, reading: time_of(cell, text, reading),
    "list": lambda cell, text, places, reading: _read_list(cell, text),
}
