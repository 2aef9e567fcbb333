"""Tables of events as JSON texts, without a Python object for each event.

>>> frame = pl.DataFrame({"id": ["e-1", "e-2"], "type": ["logout", "order"], "card.scheme": [None, "visa"]})
>>> texts = write_rows(frame)
>>> texts.body[texts.starts[1] : texts.stops[1]]
b'{"id":"e-2","type":"order","card":{"scheme":"visa"}}'
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.events._frame_kernels import drop_nulls
from floorwalker.events.frames import nest_rows

_PLACE = "/place"
_LINE = b"\n"
_PLAIN = (
    pl.String, pl.Boolean, pl.Null, pl.Float64, pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32,
    pl.UInt64,
)  # fmt: skip
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class RowTexts:
    """The row at place `k` is ``body[starts[k]:stops[k]]``.

    Parameters
    ----------
    body : texts of JSON objects.
    starts, stops : int64 [n].
    """

    body: bytes
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)


def write_rows(frame: pl.DataFrame) -> RowTexts:
    """Each row of a table as it would be sent: what `nest_rows` gives, encoded.

    Polars writes the rows of each type of event, with the columns that they have at all; a kernel takes the nulls out.
    Tables with columns of dates, decimals or numbers that are not finite go through `nest_rows` itself.

    Parameters
    ----------
    frame : as for `floorwalker.events.frames.read_events`.
    """
    frame = _levelled(frame)
    if not _is_plain(frame):
        return join_texts([_encode(row) for row in nest_rows(frame)])
    starts, stops = np.zeros(len(frame), np.int64), np.zeros(len(frame), np.int64)
    places, lines = [], []
    for part in frame.with_row_index(_PLACE).partition_by("type", maintain_order=True):
        places.append(part[_PLACE].to_numpy().astype(np.int64))
        lines.append(_lines_of(part.drop(_PLACE)))
    out = np.empty(sum(map(len, lines)), np.uint8)
    at = 0
    for rows, text in zip(places, lines, strict=True):
        at = drop_nulls(np.frombuffer(text, np.uint8), rows, out, at, starts, stops)
    return RowTexts(out[:at].tobytes(), starts, stops)


def join_texts(texts: list[bytes]) -> RowTexts:
    """Texts that stand alone as one."""
    edges = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    return RowTexts(b"".join(texts), edges[:-1], edges[1:])


def _levelled(frame: pl.DataFrame) -> pl.DataFrame:
    """Words of a fixed list as texts, short numbers as long ones: written with the digits that Python gives them."""
    kinds = {
        name: pl.String if isinstance(kind, pl.Categorical | pl.Enum) else pl.Float64
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Categorical | pl.Enum | pl.Float32)
    }
    return frame.cast(kinds) if kinds else frame  # type: ignore[arg-type]


def _is_plain(frame: pl.DataFrame) -> bool:
    """Whether Polars writes every value of the table as `nest_rows` and the encoder of dictionaries do."""
    groups = {name.partition(".")[0] for name in frame.columns if "." in name}
    if not groups.isdisjoint(frame.columns):
        return False
    return all(_is_writable(column.dtype) and _is_finite(column) for column in frame.get_columns())


def _is_writable(kind: pl.DataType) -> bool:
    if isinstance(kind, pl.List):
        return _is_writable(kind.inner)  # type: ignore[arg-type]
    if isinstance(kind, pl.Struct):
        return all(_is_writable(field.dtype) for field in kind.fields)  # type: ignore[arg-type]
    return isinstance(kind, _PLAIN)


def _is_finite(column: pl.Series) -> bool:
    kind = column.dtype
    if isinstance(kind, pl.List):
        return (not kind.inner.is_float() and not kind.inner.is_nested()) or _is_finite(column.explode())
    if isinstance(kind, pl.Struct):
        return all(_is_finite(column.struct.field(field.name)) for field in kind.fields)
    return not kind.is_float() or bool(column.is_finite().all())


def _lines_of(part: pl.DataFrame) -> bytes:
    """Rows of one type, a line each, with nulls; columns that none of them has are left out."""
    given = [column.name for column in part.get_columns() if column.null_count() < len(part)]
    if not given:
        return b"{}\n" * len(part)
    groups: dict[str, list[pl.Expr]] = {}
    for name in given:
        group, dot, field = name.partition(".")
        if dot:
            groups.setdefault(group, []).append(pl.col(name).alias(field))
    flat = [pl.col(name) for name in given if "." not in name]
    nested = [pl.struct(fields).alias(group) for group, fields in groups.items()]
    file = BytesIO()
    part.select(*flat, *nested).write_ndjson(file)
    return file.getvalue()
