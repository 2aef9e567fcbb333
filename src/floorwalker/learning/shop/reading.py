"""Events of a history as columns: the server's own intake, for many events at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import polars as pl

from floorwalker.errors import InputError
from floorwalker.events.batch import Columns, EventBatch
from floorwalker.events.bulk.packed import PackedReader
from floorwalker.events.bulk.taking import BulkTaker
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.faults import Fault
from floorwalker.events.frame_texts import RowTexts, join_texts, write_rows
from floorwalker.events.frames import NEEDED
from floorwalker.events.identity.tokens import Tokeniser
from floorwalker.features.live import route_codes_of

NAMED: tuple[str, ...] = ("id", "account", "session", "order")
"""What outcomes and labels speak of; `card.scheme` stands beside, for reason codes of chargebacks."""
_SCHEME = "card.scheme"
WRITTEN = {"row": pl.Int64, "text": pl.String, "currency": pl.String}
"""Columns of the written texts."""

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Piece:
    """Some events of a history as they were sent.

    Parameters
    ----------
    texts : JSON, one object an event.
    now : int64 µs UTC, when they are taken in: the latest of their times.
    named : a row an event: `id`, `account`, `session`, `order`, `scheme`.
    written : `row` (place of the event in the piece), `text` and `currency` of the events that have a text.
    """

    texts: RowTexts
    now: int
    named: pl.DataFrame
    written: pl.DataFrame

    def __len__(self) -> int:
        return len(self.texts)

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]]) -> Piece:
        """Of dictionaries, each as it would be sent."""
        columns: dict[str, list[Any]] = {name: [row.get(name) for row in rows] for name in NAMED}
        columns["scheme"] = [(row.get("card") or {}).get("scheme") for row in rows]
        written = [(place, row["text"], row.get("currency")) for place, row in enumerate(rows) if row.get("text")]
        return cls(
            join_texts([_encode(row) for row in rows]),
            max((row["at"] for row in rows), default=0),
            pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)),
            pl.DataFrame(written, schema=WRITTEN, orient="row"),
        )

    @classmethod
    def of_frame(cls, frame: pl.DataFrame) -> Piece:
        """Of a table as in `floorwalker.events.frames`, without a Python object for each event.

        Errors
        ------
        `InputError` where a needed column is missing or times are no whole numbers.
        """
        if missing := [name for name in NEEDED if name not in frame.columns]:
            raise InputError(f"the table has no column {missing[0]!r}", allowed="columns id, type and at at least")
        if len(frame) and not frame["at"].dtype.is_integer():
            raise InputError(f"the column 'at' holds {frame['at'].dtype}", allowed="whole microseconds since 1970 UTC")
        text, currency = _texts_in(frame, "text"), _texts_in(frame, "currency")
        written = pl.DataFrame({"row": pl.int_range(len(frame), eager=True), "text": text, "currency": currency})
        return cls(
            write_rows(frame),
            int(frame["at"].max() or 0),  # type: ignore[arg-type]
            pl.DataFrame([*(_texts_in(frame, name) for name in NAMED), _texts_in(frame, _SCHEME).alias("scheme")]),
            written.filter(pl.col("text").str.len_bytes() > 0),
        )

    def without(self, places: set[int]) -> Piece:
        """`named` and `written` without the events at these places, the others closed up; the texts stay."""
        keep = np.ones(len(self), np.bool_)
        keep[[*places]] = False
        new = np.cumsum(keep) - 1
        rows = self.written["row"].to_numpy()
        written = self.written.with_columns(row=pl.Series(new[rows], dtype=pl.Int64)).filter(pl.Series(keep[rows]))
        return replace(self, named=self.named.filter(pl.Series(keep)), written=written)


class EventReader:
    """Events as columns without texts, as after intake and journal, at a fifth of `normalise` and `make_batch`.

    The secrets are fixed: nobody attacks a training.
    """

    def __init__(self) -> None:
        self._taker = BulkTaker(Tokeniser(bytes(32)), seed=bytes(32), has_vault=False)
        self._packed = PackedReader(EntityKeyer(bytes(16)), bytes(16), lambda shop: shop.encode())

    def read(self, events: Piece | pl.DataFrame | Sequence[Mapping[str, Any]]) -> tuple[EventBatch, list[Fault]]:
        """The columns of these events, each as it would be sent, with the codes of their routes; and what was none.

        Events with faults are left out of the columns.
        """
        if isinstance(events, pl.DataFrame):
            events = Piece.of_frame(events)
        elif not isinstance(events, Piece):
            events = Piece.of_rows(events)
        texts, now = events.texts, events.now
        taken = self._taker.take(texts.body, texts.starts, texts.stops, now=now)
        for row in taken.left:
            self._taker.look_closely(taken, row, texts.body[texts.starts[row] : texts.stops[row]], now=now)
        taken.settle()
        good = taken.rows
        packed = self._packed.read(taken.data, taken.starts[good], taken.stops[good])
        routes = route_codes_of(packed.urls, len(packed.batch))
        keys = packed.batch.keys
        with_route = keys.beside("route", routes) if isinstance(keys, Columns) else {**keys, "route": routes}
        return replace(packed.batch, keys=with_route), taken.faults


def _texts_in(frame: pl.DataFrame, name: str) -> pl.Series:
    """A column's texts; nulls where the table has no such column, or what it holds are no texts."""
    if name in frame.columns and isinstance(frame[name].dtype, pl.String | pl.Categorical | pl.Enum):
        return frame[name].cast(pl.String)
    return pl.Series(name, [None], pl.String).new_from_index(0, len(frame))
