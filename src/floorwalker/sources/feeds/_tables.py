"""Records of the three kinds of file, with their places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import polars as pl

from floorwalker.sources.feeds._csv import CsvReader
from floorwalker.sources.feeds._file_kinds import FileHead, flatten
from floorwalker.sources.feeds._lines import LineReader
from floorwalker.sources.mapping._columns import text_of_column
from floorwalker.sources.mapping._model import Reading

_PARQUET_ROWS = 131_072


@dataclass
class Record:
    """One record of a file.

    Parameters
    ----------
    place : for a person: `line 17`.
    end : offset behind it (bytes of plain text, or rows of Parquet).
    number : its number, from 0; of text files the number of its last line.
    fault : why it is no record; empty where it is one.
    body : its bytes; empty for Parquet.
    cells : column -> text, of CSV and JSON.
    table, row : where it stands, of Parquet.
    """

    place: str
    end: int
    number: int
    fault: str = ""
    body: bytes = b""
    cells: dict[str, str | None] = field(default_factory=dict)
    table: pl.DataFrame | None = None
    row: int = 0

    def cell(self, column: str) -> object:
        """What stands in a column; of Parquet, in the one that groups."""
        return self.cells.get(column)

    def texts(self, columns: Sequence[str]) -> list[str | None]:
        """The texts of these columns."""
        return [self.cells.get(name) for name in columns]

    def text(self, columns: Sequence[str] = ()) -> str:
        """The record for a person who mends it."""
        if self.table is not None:
            values = {name: _show(self.table[name], self.row) for name in self.table.columns}
            return msgspec.json.encode(values).decode()
        if columns and self.cells:
            return msgspec.json.encode({name: self.cells.get(name) for name in columns}).decode()
        return self.body.decode("utf-8", "backslashreplace")


def _show(column: pl.Series, row: int) -> str:
    """One cell as text; what Python has no value for (a time beyond the year 9999) by its stored number."""
    if column.dtype.is_temporal():
        cell = column.slice(row, 1).to_frame("cell")
        text = cell.select(text_of_column(pl.col("cell"), column.dtype)).item()
        return str(column.slice(row, 1).to_physical().item() if text is None else text)
    value = column[row]
    return str(value.to_list() if isinstance(value, pl.Series) else value)


def json_records(
    head: FileHead,
    offset: int,
    number: int,
    *,
    encoding: str,
    parse: bool,
    whole_only: bool,
    notes: list[str],
) -> Iterator[Record]:
    """One JSON object a line; empty lines are stepped over. With `parse` the objects are taken apart into cells."""
    for line, end, is_cut in LineReader(head.path, offset, whole_only=whole_only, notes=notes):
        number += 1
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        record = Record(f"line {number}", end, number - 1, "the line is too long" if is_cut else "", line)
        if parse and not is_cut:
            try:
                values = msgspec.json.decode(line.decode(encoding))
                if isinstance(values, dict):
                    record.cells = {name: _plain(value) for name, value in flatten(values).items()}
                else:
                    record.fault = "it is not an object"
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                record.fault = f"not JSON: {error}"
            except RecursionError:
                record.fault = "it is nested too deep"
        yield record


def _plain(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "\x1e".join(_plain(one) or "" for one in value)
    return str(value)


def csv_records(
    head: FileHead, offset: int, number: int, reading: Reading | None, *, whole_only: bool, notes: list[str]
) -> Iterator[Record]:
    """The records behind a CSV file's header."""
    reader = CsvReader(head.delimiter, reading.encoding if reading else "utf-8", len(head.columns))
    lines = iter(LineReader(head.path, offset or head.body_offset, whole_only=whole_only, notes=notes))
    for one in reader.read(lines, max(number, 1) + 1):
        last = one.line + one.lines - 2
        if isinstance(one.cells, str):
            yield Record(f"line {one.line}", one.end, last, one.cells, one.text)
        else:
            cells = dict(zip(head.columns, one.cells, strict=True))
            yield Record(f"line {one.line}", one.end, last, "", one.text, cells)  # type: ignore[arg-type]


def parquet_records(head: FileHead, offset: int, group: str) -> Iterator[Record]:
    """The rows of a Parquet file from one on; read in stretches, so memory stays bounded."""
    scan = pl.scan_parquet(head.path)
    while True:
        table = scan.slice(offset, _PARQUET_ROWS).collect()
        keys = table.select(text_of_column(pl.col(group), table.schema[group])) if group else pl.DataFrame()
        groups = keys.to_series().to_list() if group else ()
        for row in range(len(table)):
            number = offset + row
            cells = {group: groups[row]} if group else {}
            yield Record(f"row {number + 1}", number + 1, number, "", b"", cells, table, row)
        offset += len(table)
        if len(table) < _PARQUET_ROWS:
            return
