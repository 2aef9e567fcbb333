"""A shop's history as columns on disk: read once, learned from many times.

Every event goes through the same intake, columns and live features as in the server, in order; what detectors read is
then kept in plain arrays that are mapped, not loaded. Five million events take about six gigabytes on disk, and hardly
any memory.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError, InputError
from floorwalker.events.batch import KEY_PLACES, NUMBER_FIELDS, NUMBER_PLACES, Columns, EventBatch
from floorwalker.events.codes import CODE_NAMES
from floorwalker.events.entities import ENTITIES
from floorwalker.events.faults import Fault
from floorwalker.events.parts import Parts
from floorwalker.features.live import FeatureBatch, Limits, LiveFeatures
from floorwalker.learning.shop.reading import WRITTEN, EventReader, Piece
from floorwalker.pipeline._ahead import ahead

FORMAT = 2
LATENESS = Limits().lateness_seconds * 1_000_000
"""Microseconds that an event may lie behind the newest before it."""
_KEYS_BESIDE = ("country", "route", *CODE_NAMES)
KEYS: tuple[str, ...] = (*ENTITIES, *_KEYS_BESIDE)
"""Columns of `Recording.keys`."""
_HEADS = (("type", np.int16), ("at", np.int64), ("received_at", np.int64))
_PARTS = (("row", np.int64), ("entity", np.int8), ("key", np.uint64))
_FACTS, _NAMED, _TEXTS = "recording.json", "named.parquet", "texts.parquet"


@dataclass(frozen=True)
class Recording:
    """The history of a shop, `n` events in the order of their times.

    Parameters
    ----------
    folder : where it lies.
    names : of the F live features.
    features : float32 [n, F], as of just before each event; NaN where missing. Mapped from disk, as all arrays here.
    numbers : float32 [n, N], the events' own numbers in the order of `NUMBER_FIELDS`.
    keys : uint64 [n, K], in the order of `KEYS`; 0 where missing.
    type : int16 [n], codes of event types.
    at, received_at : int64 [n], µs UTC.
    left_out : events that could not be read; `first_fault` says what was wrong with the first.
    """

    folder: Path
    names: tuple[str, ...]
    features: NDArray[np.float32]
    numbers: NDArray[np.float32]
    keys: NDArray[np.uint64]
    type: NDArray[np.int16]
    at: NDArray[np.int64]
    received_at: NDArray[np.int64]
    left_out: int
    first_fault: str
    _parts: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.at)

    def place_of(self, at: int) -> int:
        """Place of the first event of this instant or later, µs UTC; stragglers stay among those they came with."""
        return int(np.searchsorted(np.maximum.accumulate(self.at), at))

    def named(self) -> pl.DataFrame:
        """A row an event: `id`, `account`, `session`, `order`, `scheme`."""
        return pl.read_parquet(self.folder / _NAMED)

    def texts(self) -> pl.DataFrame:
        """The written texts: `row` (place of the event), `text`, `currency`."""
        return pl.read_parquet(self.folder / _TEXTS)

    @cached_property
    def _written(self) -> tuple[NDArray[np.int64], pl.DataFrame]:
        # One made in memory has no files, and no texts.
        texts = self.texts() if (self.folder / _TEXTS).exists() else pl.DataFrame(schema=WRITTEN)
        return texts["row"].to_numpy(), texts

    def _texts_of(self, start: int, stop: int) -> dict[str, list[str | None]]:
        rows, texts = self._written
        first, last = np.searchsorted(rows, (start, stop)).tolist()
        found: dict[str, list[str | None]] = {}
        for name, column in (("written", "text"), ("currency", "currency")):
            found[name] = [None] * (stop - start)
            for row, text in zip((rows[first:last] - start).tolist(), texts[column][first:last], strict=True):
                found[name][row] = text
        return found

    def batch(self, start: int, stop: int) -> tuple[EventBatch, FeatureBatch]:
        """The events at these places as the detectors get them.

        Ids are empty. Of the texts there is what was `written`, and beside a written text its `currency`.
        """
        here = slice(start, stop)
        size = len(self.at[here])
        blank = [""] * size
        first, last = np.searchsorted(self._parts["row"], (start, stop))
        inside = slice(int(first), int(last))
        parts = Parts(
            (self._parts["row"][inside] - start).astype(np.int32),
            np.asarray(self._parts["entity"][inside]),
            np.asarray(self._parts["key"][inside]),
            np.full((4, int(last - first)), np.nan),
        )
        keys = np.ascontiguousarray(self.keys[here].T)
        numbers = np.asarray(self.numbers[here].T, np.float64)
        values = np.asarray(self.features[here])
        events = EventBatch(
            id=blank,
            type=np.asarray(self.type[here]),
            at=np.asarray(self.at[here]),
            received_at=np.asarray(self.received_at[here]),
            keys=Columns(
                KEY_PLACES, keys[: len(ENTITIES)], dict(zip(_KEYS_BESIDE, keys[len(ENTITIES) :], strict=True))
            ),
            numbers=Columns(NUMBER_PLACES, np.ascontiguousarray(numbers)),
            texts=self._texts_of(start, start + size),
            parts=parts,
        )
        return events, FeatureBatch(blank, events.at, values, self.names, np.isnan(values))

    def batches(
        self, start: int = 0, stop: int | None = None, *, size: int = 20_000
    ) -> Iterator[tuple[slice, EventBatch, FeatureBatch]]:
        """All events in order, in pieces, each with its place."""
        end = len(self) if stop is None else stop
        for first in range(start, end, size):
            last = min(first + size, end)
            yield slice(first, last), *self.batch(first, last)


def record(
    pieces: Iterable[Sequence[Mapping[str, Any]]],
    folder: Path,
    *,
    seed: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Recording:
    """Read events, count them, and keep what detectors read.

    Parameters
    ----------
    pieces : events as they would be sent (dictionaries as in docs/events.md), in the order of their times, in pieces
        of some ten thousand.
    folder : is made; what a broken run left there is replaced.
    seed : of the live features' sketches.
    progress : told how many events were read.
    """
    return _record(map(Piece.of_rows, pieces), folder, seed, progress)


def record_frames(
    frames: Iterable[pl.DataFrame],
    folder: Path,
    *,
    seed: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Recording:
    """As `record`, from tables of events (`floorwalker.events.frames`); several times as fast.

    Parameters
    ----------
    frames : pieces of a table, in the order of their times, of some ten thousand rows.
    """
    return _record(map(Piece.of_frame, frames), folder, seed, progress)


def _record(pieces: Iterator[Piece], folder: Path, seed: int, progress: Callable[[int], None] | None) -> Recording:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    live = LiveFeatures(seed=seed)
    files = {
        name: (folder / name).open("wb")
        for name in ("features", "numbers", "keys", *(f"part_{part}" for part, _ in _PARTS))
    }
    heads: dict[str, list[NDArray[Any]]] = {name: [] for name, _ in _HEADS}
    named: list[pl.DataFrame] = []
    texts: list[pl.DataFrame] = []
    done = left_out = 0
    first_fault = ""
    order = _Order()
    try:
        for piece, batch, faults in ahead(_read(pieces), most=1):
            if faults:
                left_out += len(faults)
                first_fault = first_fault or str(faults[0])
            if not len(batch):
                continue
            order.check(batch, piece.named["id"], done)
            features = live.advance(batch)
            features.values.astype(np.float32, copy=False).tofile(files["features"])
            np.column_stack([batch.numbers[name] for name in NUMBER_FIELDS]).astype(np.float32).tofile(files["numbers"])
            np.column_stack([batch.keys[name] for name in KEYS]).tofile(files["keys"])
            (batch.parts.row.astype(np.int64) + done).tofile(files["part_row"])
            batch.parts.entity.astype(np.int8).tofile(files["part_entity"])
            batch.parts.key.tofile(files["part_key"])
            for name, _ in _HEADS:
                heads[name].append(getattr(batch, name))
            named.append(piece.named)
            texts.append(piece.written.with_columns(pl.col("row") + done))
            done += len(batch)
            if progress is not None:
                progress(done)
    finally:
        for file in files.values():
            file.close()
    if not done:
        raise InputError(
            f"none of {left_out} events can be read; the first: {first_fault}" if left_out else "there are no events",
            allowed="events as in docs/events.md",
            fix="floorwalker doctor FILE names what is wrong",
        )
    for name, kind in _HEADS:
        np.concatenate(heads[name]).astype(kind).tofile(folder / name)
    pl.concat(named).write_parquet(folder / _NAMED)
    pl.concat(texts).write_parquet(folder / _TEXTS)
    facts = {"format": FORMAT, "events": done, "features": live.names, "numbers": NUMBER_FIELDS, "keys": KEYS}
    facts |= {"left_out": left_out, "first_fault": first_fault}
    (folder / _FACTS).write_bytes(msgspec.json.encode(facts))
    return open_recording(folder)


class _Order:
    """Refuses events that come later than live features count: in the server hardly any do, and what would be learned
    from a history in another order is not what is served."""

    def __init__(self) -> None:
        self._newest = np.iinfo(np.int64).min

    def check(self, batch: EventBatch, ids: pl.Series, done: int) -> None:
        """Raise `InputError` with the first event out of order.

        Parameters
        ----------
        ids : of the events.
        done : events before these.
        """
        newest = np.maximum.accumulate(np.maximum(batch.at, self._newest))
        late = batch.at < newest - LATENESS
        if late.any():
            place = int(late.argmax())
            raise InputError(
                f"event {done + place + 1:,} ({ids[place]!r}, at {batch.at[place]}) is out of order: one before it "
                f"has at {newest[place]}",
                allowed=f"events in the order of their times, at most {LATENESS // 1_000_000:,} s behind the newest",
                fix="sort the events by `at`; where a single event lies in the future, leave that one out",
            )
        self._newest = int(newest[-1])


def is_recorded(folder: Path) -> bool:
    """Whether a whole recording of today's features lies there."""
    try:
        open_recording(folder)
    except ArtefactError:
        return False
    return True


def open_recording(folder: Path) -> Recording:
    """Map what `record` kept; `ArtefactError` where there is none or it was made with other features."""
    try:
        facts = json.loads((folder / _FACTS).read_bytes())
    except (OSError, ValueError) as missing:
        raise ArtefactError(f"no recording in {folder}", fix="record the events again") from missing
    names = LiveFeatures(seed=0).names
    wanted = {"format": FORMAT, "features": [*names], "numbers": [*NUMBER_FIELDS], "keys": [*KEYS]}
    if any(facts.get(name) != value for name, value in wanted.items()):
        raise ArtefactError(f"the recording in {folder} has other columns", fix="record the events again")
    n = int(facts["events"])

    def mapped(name: str, kind: Any, width: int = 0) -> NDArray[Any]:
        path = folder / name
        rows = path.stat().st_size // (np.dtype(kind).itemsize * max(width, 1))
        if not rows:
            return np.zeros((0, width) if width else 0, kind)
        found: NDArray[Any] = np.memmap(path, kind, "r", shape=(rows, width) if width else (rows,))
        return found

    heads = {name: np.array(mapped(name, kind)) for name, kind in _HEADS}
    found = Recording(
        folder,
        names,
        mapped("features", np.float32, len(names)),
        mapped("numbers", np.float32, len(NUMBER_FIELDS)),
        mapped("keys", np.uint64, len(KEYS)),
        heads["type"],
        heads["at"],
        heads["received_at"],
        int(facts["left_out"]),
        str(facts["first_fault"]),
        {name: np.array(mapped(f"part_{name}", kind)) for name, kind in _PARTS},
    )
    lengths = {len(array) for array in (found.features, found.numbers, found.keys, found.at)}
    if lengths != {n} or not all((folder / name).exists() for name in (_NAMED, _TEXTS)):
        raise ArtefactError(f"the recording in {folder} is not whole", fix="record the events again")
    return found


def _read(pieces: Iterator[Piece]) -> Iterator[tuple[Piece, EventBatch, list[Fault]]]:
    """The pieces' columns, and what was no event; made in another thread than that which counts."""
    reader = EventReader()
    for piece in pieces:
        batch, faults = reader.read(piece)
        if faults:
            piece = piece.without({fault.position for fault in faults})
        yield piece, batch, faults
