"""Months of events as Parquet files by day, made from the journal, asked through DuckDB."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from floorwalker.errors import InputError, UsageError
from floorwalker.store._files import make_folder, replace_file, sync_folder
from floorwalker.store._parts import Part, current_parts, list_parts, name_part
from floorwalker.store.errors import DamagedError, name_storage_error
from floorwalker.store.journal import Journal, RecordBatch
from floorwalker.store.lock import OwnerLock

if TYPE_CHECKING:
    import duckdb

DAY = 86_400_000_000
CHECKPOINT = "checkpoint"
_CHECKPOINT = struct.Struct("<8sQ")
_MAGIC = b"FWHIST\x00\x01"
REQUIRED = {"sequence": pa.int64(), "at": pa.int64(), "type": pa.string()}
"""Columns that every table must have: the journal's sequence, the event's time (µs UTC), the event's type."""

ToTable = Callable[[RecordBatch], Any]
"""Makes a `pyarrow.Table` of a batch of records; it alone knows what they mean. It may leave records out."""


class History:
    """Write a journal's records to Parquet, each exactly once, and keep the files few and not too old.

    A batch becomes one part for each day it touches; the parts count only once the checkpoint behind them is written,
    so what a crash leaves half done is removed on opening and done again. Parts are never changed in place.

    Parameters
    ----------
    folder : made where missing; one owner.
    clock : gives µs UTC.

    Raises `LockedError` where another process owns it, `DamagedError` for a broken checkpoint.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], int]) -> None:
        self.folder = folder
        self._clock = clock
        try:
            make_folder(folder)
        except OSError as error:
            raise name_storage_error(error, "make", folder) from error
        self._lock = OwnerLock(folder)
        try:
            self.reached = _read_checkpoint(folder)
            for part in list_parts(folder):
                if part.stop > self.reached:
                    part.path.unlink()
            for unfinished in folder.glob("day=*/*.unfinished"):
                unfinished.unlink()
            self._tidy()
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """Let the next owner in."""
        self._lock.release()

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def catch_up(self, journal: Journal, to_table: ToTable, *, rows: int = 200_000, at_least: int = 1) -> int:
        """Write durable records that are not in the history yet; returns their number.

        Parameters
        ----------
        journal, to_table : the records and what they mean.
        rows : records in one batch.
        at_least : leave fewer records than this for later, so that parts do not become many and small.
        """
        start = self.reached
        while journal.durable - max(self.reached, journal.first) >= max(1, at_least):
            first = max(self.reached, journal.first)
            stop = min(journal.durable, first + rows)
            batches = list(journal.read_batches(first, stop))
            tables = [to_table(batch) for batch in batches]
            self._write_batch(_concatenate(tables) if tables else None, first, stop)
        return self.reached - start

    def _write_batch(self, table: Any, first: int, stop: int) -> None:
        if table is not None and table.num_rows:
            _check_columns(table)
            days = table["at"].to_numpy() // DAY
            for day in np.unique(days).tolist():
                self._write_part(table.filter(pa.array(days == day)), name_day(day), first, stop, 0)
        body = _CHECKPOINT.pack(_MAGIC, stop)
        try:
            replace_file(self.folder / CHECKPOINT, body + struct.pack("<I", zlib.crc32(body)))
        except OSError as error:
            raise name_storage_error(error, "write to", self.folder) from error
        self.reached = stop

    def _write_part(self, table: Any, day: str, first: int, stop: int, count: int) -> Path:
        path = name_part(self.folder, day, first, stop, count)
        unfinished = path.with_name(path.name + ".unfinished")
        try:
            make_folder(path.parent)
            with open(unfinished, "wb", opener=_open_for_group) as file:
                pq.write_table(table, file, compression="zstd", row_group_size=131_072)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
            sync_folder(path.parent)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise name_storage_error(error, "write to", path.parent) from error
        return path

    def compact(self, *, parts: int = 8, rows: int = 2_000_000) -> int:
        """Join neighbouring parts of each day that has many; returns the number of parts written.

        The parts joined stay on the disk until the next call or opening, for readers that began before.

        Parameters
        ----------
        parts : days with fewer are left alone.
        rows : a joined part has at most this many, which bounds the memory needed.
        """
        self._tidy()
        done = 0
        for day, current in self._by_day().items():
            for group in _group_parts(current, rows) if len(current) >= parts else []:
                table = _concatenate([_read_part(part) for part in group])
                self._write_part(table, day, group[0].first, group[-1].stop, max(part.count for part in group))
                done += 1
        return done

    def sweep(self, keep: Mapping[str, int], *, otherwise: int | None = None) -> int:
        """Remove rows that are too old; returns their number.

        Parameters
        ----------
        keep : µs that rows of each event type are kept after their day has ended.
        otherwise : the same for types not named; None keeps them.
        """
        now = self._clock()
        limits = {kind: now - kept for kind, kept in keep.items()}
        oldest = now - otherwise if otherwise is not None else None
        removed = 0
        # What is obsolete must not come back when the part that covers it goes.
        self._tidy()
        for day, current in self._by_day().items():
            end = _end_of_day(day)
            gone = [kind for kind, limit in limits.items() if end <= limit]
            if not gone and (oldest is None or end > oldest):
                continue
            for part in current:
                removed += self._sweep_part(part, gone, list(limits), others=oldest is not None and end <= oldest)
        self._tidy()
        return removed

    def _sweep_part(self, part: Part, gone: list[str], named: list[str], *, others: bool) -> int:
        table = _read_part(part)
        drop = pc.is_in(table["type"], pa.array(gone, pa.string()))
        if others:
            drop = pc.or_(drop, pc.invert(pc.is_in(table["type"], pa.array(named, pa.string()))))
        kept = table.filter(pc.invert(drop))
        if kept.num_rows == table.num_rows:
            return 0
        if kept.num_rows:
            self._write_part(kept, part.day, part.first, part.stop, part.count + 1)
        part.path.unlink()
        return int(table.num_rows - kept.num_rows)

    def _by_day(self) -> dict[str, list[Part]]:
        days: dict[str, list[Part]] = {}
        for part in current_parts(list_parts(self.folder)):
            days.setdefault(part.day, []).append(part)
        return days

    def _tidy(self) -> None:
        """Delete obsolete parts and empty days."""
        parts = list_parts(self.folder)
        current = set(current_parts(parts))
        for part in parts:
            if part not in current:
                part.path.unlink(missing_ok=True)
        for day in self.folder.glob("day=*"):
            if day.is_dir() and not any(day.iterdir()):
                day.rmdir()


def open_history(
    folder: Path, *, first_day: str | None = None, last_day: str | None = None, memory: str = "2GB", threads: int = 1
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with the view `events` over the history; takes no lock.

    Columns are joined by name: one that a part lacks is NULL there, and types are widened. The column `day` is the day
    of `at` in UTC, by which whole files are skipped.

    Parameters
    ----------
    folder : of a `History`, which another process may be writing to.
    first_day, last_day : bounds as "2026-11-22", both included.
    memory, threads : limits for DuckDB.

    Raises `InputError` where the history holds no part in these bounds.
    """
    import duckdb

    reached = _read_checkpoint(folder)
    parts = [
        part
        for part in current_parts(list_parts(folder))
        if (first_day is None or part.day >= first_day) and (last_day is None or part.day <= last_day)
        and part.stop <= reached
    ]  # fmt: skip
    if not parts:
        raise InputError(f"the history {folder} holds no events in these days", fix="check the folder and the days")
    connection = duckdb.connect(config={"memory_limit": memory, "threads": threads})
    connection.execute("set autoinstall_known_extensions = false")
    files = ", ".join("'" + str(part.path).replace("'", "''") + "'" for part in parts)
    connection.execute(
        f"create view events as select * from read_parquet([{files}], union_by_name = true, hive_partitioning = true,"  # noqa: S608
        " hive_types = {'day': date})"
    )
    return connection


def _open_for_group(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o640)


def name_day(day: int) -> str:
    """The text of a day counted from 1970-01-01.

    >>> name_day(20779)
    '2026-11-22'
    """
    return str(np.datetime64(day, "D"))


def _group_parts(parts: list[Part], rows: int) -> list[list[Part]]:
    """Neighbours that have at most this many rows together, two or more in a group."""
    groups: list[list[Part]] = []
    total = 0
    for part in parts:
        count = pq.read_metadata(part.path).num_rows
        if not groups or total + count > rows:
            groups.append([])
            total = 0
        groups[-1].append(part)
        total += count
    return [group for group in groups if len(group) > 1]


def _end_of_day(day: str) -> int:
    return (int(np.datetime64(day, "D").astype(np.int64)) + 1) * DAY


def _read_part(part: Part) -> Any:
    try:
        return pq.ParquetFile(part.path).read()
    except pa.ArrowInvalid as error:
        raise DamagedError(
            f"{part.path} is no sound Parquet file: {error}", path=part.path,
            fix="delete the history and let it be made again from the journal, as far as that reaches back",
        ) from error  # fmt: skip


def _concatenate(tables: list[Any]) -> Any:
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise UsageError(f"a column changed its type: {error}", fix="give the changed column a new name") from error


def _check_columns(table: Any) -> None:
    for name, kind in REQUIRED.items():
        found = table.schema.field(name).type if name in table.schema.names else None
        if found != kind:
            raise UsageError(f"column {name!r} of the history is {found}", allowed=str(kind))


def _read_checkpoint(folder: Path) -> int:
    path = folder / CHECKPOINT
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return 0
    size = _CHECKPOINT.size
    is_whole = len(data) == size + 4 and zlib.crc32(data[:size]) == struct.unpack_from("<I", data, size)[0]
    if not is_whole or data[:8] != _MAGIC:
        raise DamagedError(
            f"{path} is damaged", path=path,
            fix="delete the history's folder: it is made again from the journal, as far as that reaches back",
        )  # fmt: skip
    return int(_CHECKPOINT.unpack_from(data)[1])
