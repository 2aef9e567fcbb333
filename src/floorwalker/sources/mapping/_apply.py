"""Records of a table in, JSON texts of events out: whole columns at a time."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import polars as pl

from floorwalker.sources.mapping._columns import UNREADABLE, clean_column, fit_mapping, may_be_unreadable
from floorwalker.sources.mapping._document import SKIP
from floorwalker.sources.mapping._fields import LINE_FIELDS, FieldKind, field_kind
from floorwalker.sources.mapping._model import Cell, Condition, EventRule, Mapping
from floorwalker.sources.mapping._values import Pair, exponents_of, number_of, text_of, value_of

MOST_LINES = 500
"""Lines that an event may have; the sums of a longer order are of all of them, and its event keeps the first."""

_LISTS = ("coupons", "lines")


@dataclass
class Mapped:
    """What a run of records became.

    Parameters
    ----------
    bodies : (row of the first record, JSON text of the event), in the order of the records.
    faults : (row, field, reason) of records that do not fit the mapping.
    skipped : rows that make no event on purpose.
    dropped : field -> unusable values left out.
    """

    bodies: list[tuple[int, bytes]] = field(default_factory=list)
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    skipped: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


class Mapper:
    """A mapping, fitted to the columns of one table.

    Parameters
    ----------
    mapping : from `load_mapping`.
    columns : the table's columns.
    where : how messages call the table.

    Errors
    ------
    `UsageError` listing every column that is missing.
    """

    def __init__(self, mapping: Mapping, columns: Sequence[str], where: str) -> None:
        self.mapping = fit_mapping(mapping, columns, where)
        self._columns = [name for name in self.mapping.columns() if name in set(columns)]
        self._many = len(mapping.events) > 1
        self._spoilt: set[str] = set()

    @property
    def group(self) -> str:
        """The column whose equal neighbours are one record, or an empty text."""
        return self.mapping.group

    @property
    def columns(self) -> list[str]:
        """The columns that the mapping takes from this table."""
        return self._columns

    def clean(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The columns that matter, as text."""
        return frame.select(clean_column(name, frame.schema[name], self.mapping.reading) for name in self._columns)

    def map(self, frame: pl.DataFrame, *, now: int) -> Mapped:
        """The events of some records.

        Parameters
        ----------
        frame : records, a column each; with a `group`, whole groups.
        now : microseconds since 1970-01-01 UTC, for times of type `received`.
        """
        mapped = Mapped()
        if frame.is_empty():
            return mapped
        rows = self.clean(frame)
        odd = [name for name in self._columns if may_be_unreadable(frame.schema[name])]
        self._spoilt = {name for name in odd if (rows[name] == UNREADABLE).any()}
        rows = rows.with_row_index("__row")
        rows = self._gather(rows)
        made = pl.Series("made", [0] * len(rows))
        parts: list[tuple[int, int, bytes]] = []
        for place, rule in enumerate(self.mapping.events):
            chosen = rows.filter(*[_holds(one, self.mapping) for one in rule.when]) if rule.when else rows
            if chosen.is_empty():
                continue
            made += rows["__row"].is_in(chosen["__row"].implode()).cast(pl.Int64)
            self._make(rule, place, chosen, now, mapped, parts)
        parts.sort(key=lambda part: part[:2])
        mapped.bodies = [(row, body) for row, _, body in parts]
        mapped.skipped += int((made == 0).sum())
        return mapped

    def _gather(self, rows: pl.DataFrame) -> pl.DataFrame:
        """One row a record, with its lines as a list."""
        mapping = self.mapping
        if mapping.group:
            key = pl.col(mapping.group)
            alone = key.is_null() | (key == UNREADABLE)
            starts = (key.ne_missing(key.shift(1)) | alone).fill_null(True)
            rows = rows.with_columns(starts.cum_sum().alias("__group"))
        else:
            rows = rows.with_columns(pl.col("__row").alias("__group"))
        if mapping.lines:
            rows = self._with_lines(rows)
        if not mapping.group:
            if mapping.lines:
                rows = rows.with_columns(pl.concat_list("__line").alias("__lines"))
            return rows
        firsts = [pl.col(name).drop_nulls().first() for name in self._columns]
        gathered = [*firsts, pl.col("__row").first(), pl.len().alias("__records")]
        if mapping.lines:
            gathered += [
                pl.col("__line").head(MOST_LINES).alias("__lines"),
                pl.col("__total").sum(),
                pl.col("__line_fault").drop_nulls().first(),
            ]
        return rows.group_by("__group", maintain_order=True).agg(gathered)

    def _with_lines(self, rows: pl.DataFrame) -> pl.DataFrame:
        currency = next((rule.fields["currency"] for rule in self.mapping.events if "currency" in rule.fields), None)
        code = text_of(currency) if currency else pl.lit(None, dtype=pl.String)
        # A group's first record may be the only one that names the currency.
        rows = rows.with_columns(code.alias("__code"))
        rows = rows.with_columns(pl.col("__code").drop_nulls().first().over("__group"))
        places = exponents_of(pl.col("__code"))
        values: list[pl.Expr] = []
        fault = pl.lit(None, dtype=pl.String)
        for path, cell in reversed(self.mapping.lines.items()):
            value, bad = self._value(cell, LINE_FIELDS[path], places)
            values.append(value.alias(path))
            if cell.on_bad == "refuse":
                fault = pl.when(bad).then(pl.lit(path)).otherwise(fault)
        line = pl.struct(values)
        rows = rows.with_columns(line.alias("__line"), fault.alias("__line_fault"))
        inside = rows["__line"].struct.fields
        quantity, price, discount = (
            pl.col("__line").struct.field(name) if name in inside else pl.lit(None, dtype=pl.Int64)
            for name in ("quantity", "price_minor", "discount_minor")
        )
        return rows.with_columns((quantity.fill_null(1) * price - discount.fill_null(0)).alias("__total"))

    def _is_spoilt(self, columns: Sequence[str]) -> pl.Expr | None:
        """Where one of these columns holds what is no text; None where none of them does anywhere."""
        spoilt = [pl.col(name).eq_missing(UNREADABLE) for name in columns if name in self._spoilt]
        return pl.any_horizontal(spoilt) if spoilt else None

    def _value(self, cell: Cell, kind: FieldKind, places: pl.Expr) -> Pair:
        """As `value_of`, but what is no text fits no field."""
        value, bad = value_of(cell, kind, places, self.mapping.reading)
        if (spoilt := self._is_spoilt(cell.columns)) is None:
            return value, bad
        bad = bad | spoilt
        return pl.when(bad).then(None).otherwise(value), bad

    def _make(
        self,
        rule: EventRule,
        place: int,
        rows: pl.DataFrame,
        now: int,
        mapped: Mapped,
        parts: list[tuple[int, int, bytes]],
    ) -> None:
        currency = rule.fields.get("currency")
        places = exponents_of(text_of(currency)) if currency else pl.lit(2)
        values: dict[str, pl.Expr] = {}
        bads: list[tuple[str, Cell, pl.Expr]] = []
        for path, cell in rule.fields.items():
            if path == "id" or cell.received:
                continue
            if cell.total:
                values[path] = pl.col("__total")
                continue
            kind = field_kind(path)
            assert kind is not None
            values[path], bad = self._value(cell, kind, places)
            if not cell.constant:
                bads.append((path, cell, bad))
        if self.mapping.lines:
            values["lines"] = pl.col("__lines")
        fault = pl.col("__line_fault") if self.mapping.lines else pl.lit(None, dtype=pl.String)
        fault = pl.when(fault.is_not_null()).then(pl.lit("lines.") + fault)
        for path, cell, bad in reversed(bads):
            if cell.on_bad == "refuse":
                fault = pl.when(bad).then(pl.lit(path)).otherwise(fault)
        identity = rule.fields.get("id")
        for path, names in (("id", identity.columns if identity else ()), ("group", (self.mapping.group,))):
            if (spoilt := self._is_spoilt(names)) is not None:
                fault = pl.when(spoilt).then(pl.lit(path)).otherwise(fault)
        table = rows.select(
            pl.col("__row"),
            values["type"].alias("__type"),
            (text_of(identity) if identity else pl.lit(None, dtype=pl.String)).alias("__id"),
            fault.alias("__fault"),
            _nest(values).struct.json_encode().alias("__body"),
            *[bad.alias(f"bad {path}") for path, cell, bad in bads if cell.on_bad == "drop"],
        )
        for path, cell, _ in bads:
            if cell.on_bad == "drop" and (count := int(table[f"bad {path}"].sum())):
                mapped.dropped[path] += count
        hashes = identity is not None and identity.hashed
        at = b'"at":%d,' % now if rule.fields["at"].received else b""
        columns = (table[name].to_list() for name in ("__row", "__type", "__id", "__fault", "__body"))
        for row, kind_name, name, faulty, text in zip(*columns, strict=True):
            if kind_name == SKIP:
                mapped.skipped += 1
            elif faulty is not None:
                mapped.faults.append((row, faulty, self._explain(rule, faulty)))
            else:
                parts.append((row, place, self._finish(text.encode(), kind_name, name, hashes, at)))

    def _finish(self, body: bytes, kind: str | None, name: str | None, hashes: bool, at: bytes) -> bytes:
        """The event's text with its id: the record's own, or one made of what it says."""
        if name is None or hashes:
            seed = (name or "").encode() if hashes else body
            text = f"{self.mapping.name}\0{kind}\0".encode() + seed
            name = "d_" + hashlib.blake2b(text, digest_size=16).hexdigest()
        elif self._many:
            name = f"{kind}-{name}"
        return b'{"id":' + msgspec.json.encode(name) + b"," + at + body[1:]

    def _explain(self, rule: EventRule, path: str) -> str:
        if path in ("id", "group"):
            names = rule.fields["id"].columns if path == "id" else (self.mapping.group,)
            return f"{path}: what stands in {' / '.join(names)} is no text; allowed: texts (UTF-8), numbers, times"
        line = path.startswith("lines.")
        cell = (self.mapping.lines if line else rule.fields)[path.removeprefix("lines.") if line else path]
        kind: FieldKind | None = LINE_FIELDS[path.removeprefix("lines.")] if line else field_kind(path)
        assert kind is not None
        allowed = kind.allowed
        if kind.name == "time" and not (cell.time_zone or self.mapping.reading.time_zone):
            allowed += ", with its offset from UTC (or a time_zone in the mapping)"
        return f"{path}: what stands in {' / '.join(cell.columns)} does not fit; allowed: {allowed}"


def _holds(one: Condition, mapping: Mapping) -> pl.Expr:
    column = pl.col(one.column)
    if one.present is not None:
        return column.is_not_null() if one.present else column.is_null()
    if one.any_of is not None:
        return column.is_in(list(one.any_of)).fill_null(False)
    if one.none_of is not None:
        return column.is_in(list(one.none_of)).not_().fill_null(True)
    if one.matches is not None:
        return column.str.contains(one.matches).fill_null(False)
    return (number_of(column, mapping.reading) > (one.above or 0)).fill_null(False)


def _nest(values: dict[str, pl.Expr]) -> pl.Expr:
    """Dotted paths as records inside records; a record of which nothing is known is null."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        head, _, rest = path.partition(".")
        if rest:
            tree.setdefault(head, {})[rest] = value
        else:
            tree[head] = value
    fields = []
    for name, value in tree.items():
        if isinstance(value, dict):
            inner = pl.struct([one.alias(below) for below, one in value.items()])
            if name != "attributes":
                known = pl.any_horizontal([one.is_not_null() for one in value.values()])
                inner = pl.when(known).then(inner)
            fields.append(inner.alias(name))
        elif name in _LISTS:
            fields.append(value.fill_null([]).alias(name))
        else:
            fields.append(value.alias(name))
    return pl.struct(fields)
