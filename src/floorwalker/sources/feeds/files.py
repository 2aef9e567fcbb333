"""Files: JSON lines, CSV and Parquet, named by patterns; packed with gzip, zstd, bzip2 or xz or plain."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from floorwalker.errors import FloorwalkerError, InputError, UsageError
from floorwalker.events.event import Event
from floorwalker.sources.feeds._base import Checkpoint, Clock, Delivery, Feed, FeedExample, Refused
from floorwalker.sources.feeds._dead_letters import WithheldRecord, may_be_secret
from floorwalker.sources.feeds._file_kinds import FileHead, look_at
from floorwalker.sources.feeds._making import EventMaker, derived_id
from floorwalker.sources.feeds._tables import Record, csv_records, json_records, parquet_records
from floorwalker.sources.mapping import Mapper, Mapping, own_mapping

_MOST_GROUPED = 20_000
"""Records that one order may have."""

STILL_SECONDS = 10.0
"""While following, the last group of a file is complete once the file has not been written to for so long."""


@dataclass
class _Run:
    """What is gathered for the next delivery."""

    events: list[Event] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    records: int = 0
    skipped: int = 0
    dropped: dict[str, int] = field(default_factory=dict)


class FilesFeed(Feed):
    """Events out of files.

    Files are read in the order of their names. A file that grows is read on from where it ended; one that was replaced
    (its first bytes differ, or those before the place where reading ended) is read anew. JSON lines without a mapping
    are events as `docs/events.md` describes them; an event without an `id` gets one made of its bytes, so equal lines
    are one event.

    Parameters
    ----------
    paths : files and patterns (`exports/*.csv.gz`).
    clock : gives `received_at`.
    mapping : from `floorwalker.sources.mapping.load_mapping`; None where columns are named like an event's fields.
    batch : records in a delivery.
    follow : leave out a last line without its newline, for somebody is still writing it; and with a `group` the last
        group, until another begins or the file has been still for `STILL_SECONDS`.
    keep_received : believe the file's own `received_at`, for whoever judges the data instead of taking it in.

    Errors
    ------
    `UsageError` where nothing matches, or where the first file does not fit the mapping; a later file that does not
    is refused as one record.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        *,
        clock: Clock,
        mapping: Mapping | None = None,
        batch: int = 1000,
        follow: bool = False,
        keep_received: bool = False,
    ) -> None:
        if batch < 1:
            raise UsageError(f"batch is {batch}", allowed="at least 1")
        self._patterns = [str(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
        self._mapping = mapping
        self._batch = batch
        self._follow = follow
        self._clock = clock
        self._maker = EventMaker(clock, keep_received=keep_received)
        self._notes: list[str] = []
        self._seen: dict[str, tuple[object, ...]] = {}
        first = self._expand()
        if not first and not follow:
            raise InputError(f"no file matches {', '.join(map(repr, self._patterns))}", fix="check the path")
        heads = (look_at(path, self._encoding, self._delimiter) for path in first)
        if (head := next((one for one in heads if one.kind != "empty"), None)) is not None:
            self._mapper(head)

    @property
    def identity(self) -> str:
        """The patterns."""
        return "files " + " ".join(self._patterns)

    @property
    def _encoding(self) -> str:
        return self._mapping.reading.encoding if self._mapping else "utf-8"

    @property
    def _delimiter(self) -> str:
        return self._mapping.reading.delimiter if self._mapping else ""

    def _expand(self) -> list[Path]:
        found: dict[str, None] = {}
        for pattern in self._patterns:
            names = [pattern] if Path(pattern).exists() else glob.glob(pattern, recursive=True)
            found.update(dict.fromkeys(name for name in sorted(names) if Path(name).is_file()))
        return [Path(name) for name in found]

    def _mapper(self, head: FileHead) -> Mapper | None:
        """What turns a file's records into events; None where they are events already."""
        if head.kind == "json":
            return Mapper(self._mapping, head.columns, head.path.name) if self._mapping else None
        mapping = self._mapping or own_mapping(head.columns, head.path.name)
        return Mapper(mapping, head.columns, head.path.name)

    def read(self, after: Checkpoint | None = None) -> Iterator[Delivery]:
        """Deliveries of what the files hold beyond the checkpoint."""
        notes = self.position(after)
        done: dict[str, dict[str, Any]] = notes.get("files", {})
        for path in self._expand():
            try:
                head = look_at(path, self._encoding, self._delimiter)
            except FloorwalkerError as error:
                yield from self._refuse_file(path, str(error), done)
                continue
            if head.kind == "empty":
                continue
            place = done.get(str(path))
            if place is None or not self._continues(head, place):
                place = {"head": head.fingerprint, "head_bytes": head.fingerprint_bytes, "offset": 0, "record": 0}
            elif place.get("refused"):
                continue
            try:
                mapper = self._mapper(head)
            except FloorwalkerError as error:
                yield from self._refuse_file(path, str(error), done, head)
                continue
            self._notes.clear()
            for run, last in self._runs(head, mapper, place["offset"], place["record"]):
                place = {**place, "offset": last.end, "record": last.number + 1, **_note(head, last)}
                done = {**done, str(path): place}
                yield self._deliver(run, done)
            if self._notes and self._notes[-1] != place.get("note"):
                # Said once: what is missing at the end of a packed file does not come back.
                place = {**place, "note": self._notes[-1]}
                done = {**done, str(path): place}
                yield self._deliver(_Run(refused=[Refused(str(path), "record", self._notes[-1], "")], records=1), done)

    def _continues(self, head: FileHead, place: dict[str, Any]) -> bool:
        """Whether a file is the one that was read; one that was not touched since is not unpacked again."""
        try:
            known = head.path.stat()
        except OSError:
            return True  # Reading it says what is wrong.
        seen = (known.st_ino, known.st_size, known.st_mtime_ns, place["offset"], place.get("tail"))
        if self._seen.get(str(head.path)) != seen:
            if not head.continues(place):
                return False
            self._seen[str(head.path)] = seen
        return True

    def _deliver(self, run: _Run, done: dict[str, Any]) -> Delivery:
        checkpoint = Checkpoint(self.identity, {"files": done})
        return Delivery(run.events, run.refused, checkpoint, run.records, run.skipped, run.dropped)

    def _refuse_file(
        self, path: Path, reason: str, done: dict[str, Any], head: FileHead | None = None
    ) -> Iterator[Delivery]:
        mark = head.fingerprint if head else derived_id(reason.encode())
        known = done.get(str(path))
        if known and known.get("refused") == mark:
            return
        size = head.fingerprint_bytes if head else 0
        done[str(path)] = {"head": mark, "head_bytes": size, "offset": 0, "record": 0, "refused": mark}
        yield self._deliver(_Run(refused=[Refused(str(path), "record", reason, "")], records=1), dict(done))

    def _records(self, head: FileHead, offset: int, record: int) -> Iterator[Record]:
        if head.kind == "parquet":
            return parquet_records(head, offset, self._mapping.group if self._mapping else "")
        if head.kind == "json":
            parse = self._mapping is not None
            return json_records(
                head,
                offset,
                record,
                encoding=self._encoding,
                parse=parse,
                whole_only=self._follow,
                notes=self._notes,
            )
        reading = self._mapping.reading if self._mapping else None
        return csv_records(head, offset, record, reading, whole_only=self._follow, notes=self._notes)

    def _runs(self, head: FileHead, mapper: Mapper | None, offset: int, record: int) -> Iterator[tuple[_Run, Record]]:
        """What each stretch of the file becomes, with its last record."""
        held: list[Record] = []
        # A file whose group never changes must not fill the memory: it is cut there.
        most = self._batch + _MOST_GROUPED
        for one in self._records(head, offset, record):
            held.append(one)
            open_group = mapper is not None and mapper.group and not _closes_group(held, mapper.group)
            if len(held) < self._batch or (open_group and len(held) < most):
                continue
            taken, held = self._cut(held, mapper)
            yield self._turn(head, mapper, taken), taken[-1]
        if mapper is not None and mapper.group and self._follow and not _is_still(head, self._clock()):
            # Somebody may be writing the next line of the last order.
            held = held[: _start_of_last_group(held, mapper.group)]
        if held:
            yield self._turn(head, mapper, held), held[-1]

    def _cut(self, held: list[Record], mapper: Mapper | None) -> tuple[list[Record], list[Record]]:
        """Whole groups; the last one may go on in the next records."""
        if mapper is None or not mapper.group:
            return held, []
        return held[:-1], held[-1:]

    def _turn(self, head: FileHead, mapper: Mapper | None, records: list[Record]) -> _Run:
        run = _Run(records=len(records))
        name = head.path.name
        good = []
        for one in records:
            if one.fault:
                run.refused.append(_refuse_whole(head, one))
            else:
                good.append(one)
        if mapper is None:
            for one in good:
                self._keep(run, self._maker.make(one.body, f"{name}, {one.place}"))
        elif good:
            columns = head.columns if head.kind != "json" else mapper.columns
            frame = _frame(good, columns)
            mapped = mapper.map(frame, now=self._clock())
            for row, path, reason in mapped.faults:
                run.refused.append(Refused(f"{name}, {good[row].place}", path, reason, good[row].text(columns)))
            for row, body in mapped.bodies:
                made = self._maker.make(body, f"{name}, {good[row].place}")
                if isinstance(made, Refused):
                    made = Refused(made.place, made.field, made.reason, good[row].text(columns))
                self._keep(run, made)
            run.skipped, run.dropped = mapped.skipped, dict(mapped.dropped)
        return run

    @staticmethod
    def _keep(run: _Run, made: Event | Refused) -> None:
        if isinstance(made, Refused):
            run.refused.append(made)
        else:
            run.events.append(made)

    @classmethod
    def examples(cls, folder: Path) -> list[FeedExample]:
        """JSON lines plain and packed, a CSV file with a broken record, grouped orders, Parquet."""
        from floorwalker.sources.feeds._file_examples import make_examples

        return make_examples(folder)


def _note(head: FileHead, last: Record) -> dict[str, Any]:
    """What is known again of a text file that was read up to this record; of a line that was cut, no end."""
    if head.kind not in ("csv", "json"):
        return {}
    return head.note(b"" if last.fault == "the line is too long" else last.body)


def _refuse_whole(head: FileHead, one: Record) -> Refused:
    """A record that could not be taken apart: which of its cells is a password cannot be seen in it."""
    place = f"{head.path.name}, {one.place}"
    if head.kind == "csv" and any(map(may_be_secret, head.columns)):
        return WithheldRecord(place, "record", one.fault, "")
    return Refused(place, "record", one.fault, one.text())


def _closes_group(held: list[Record], group: str) -> bool:
    """Whether the last record surely begins another group than the one before it."""
    last = held[-1]
    before = next((one for one in reversed(held[:-1]) if not one.fault), None)
    return not last.fault and before is not None and last.cell(group) != before.cell(group)


def _start_of_last_group(held: list[Record], group: str) -> int:
    """Where the records begin that the next ones may belong to; faulty records between them end no group."""
    last = next((one for one in reversed(held) if not one.fault), None)
    if last is None:
        return len(held)
    start = len(held)
    for place in range(len(held) - 1, -1, -1):
        if not held[place].fault:
            if held[place].cell(group) != last.cell(group):
                break
            start = place
    return start


def _is_still(head: FileHead, now: int) -> bool:
    """Whether nobody writes to a file: a Parquet file is never added to."""
    if head.kind == "parquet":
        return True
    try:
        return abs(now / 1_000_000 - head.path.stat().st_mtime) >= STILL_SECONDS
    except OSError:
        return True


def _frame(records: list[Record], columns: Sequence[str]) -> pl.DataFrame:
    """Records as columns of text; those of Parquet come with their own types."""
    if records[0].table is not None:
        tables: list[pl.DataFrame] = []
        start = 0
        for place in range(1, len(records) + 1):
            if place == len(records) or records[place].table is not records[start].table:
                table = records[start].table
                assert table is not None
                first, last = records[start].row, records[place - 1].row
                rows = table.slice(first, last - first + 1)
                if len(rows) != place - start:
                    rows = table[[record.row for record in records[start:place]]]
                tables.append(rows)
                start = place
        return pl.concat(tables) if len(tables) > 1 else tables[0]
    cells = [record.texts(columns) for record in records]
    return pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String), orient="row", strict=False)


FEED = FilesFeed
