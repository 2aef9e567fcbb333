"""Snapshots of live state: named arrays, incremental, atomic, checked, written beside the decisions without a pause."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.store._chunks import ZEROS, Mirror, places_in, write_rows
from floorwalker.store._files import make_folder, replace_file, sync_data, sync_folder
from floorwalker.store._manifest import (
    ENDING,
    PACK_ENDING,
    ArrayEntry,
    Head,
    Manifest,
    pack_manifest,
    read_manifest,
)  # fmt: skip
from floorwalker.store._paged import PagedMirror
from floorwalker.store._restoring import read_arrays
from floorwalker.store.errors import ClosedError, StoreError, name_storage_error
from floorwalker.store.pages import PAGE_BYTES, Pages

State = Mapping[str, NDArray[np.generic]]
Shapes = Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]]
_PIECE_BYTES = 1024 * 1024
"""Written between two syncs: a journal on the same disk waits for no more than this of ours. With 4 MiB the 99th
percentile of its syncs was four times as long."""
_AHEAD_PAGES = 16_384
"""Pages (64 MiB) that `step` may be ahead of the writing thread: they take memory until they are written."""
_FREED_BYTES = 16 * 1024 * 1024
_STOPPED = "the snapshot was given up"


@dataclass(frozen=True)
class SnapshotInfo:
    """One snapshot that is on the disk.

    Parameters
    ----------
    number : counts snapshots of this folder.
    sequence : the journal's next record when the state was copied: replay goes on from there.
    written_bytes, state_bytes : what was written now, and what the state holds.
    is_full : whether it refers to no earlier snapshot.
    """

    number: int
    sequence: int
    written_bytes: int
    state_bytes: int
    is_full: bool


@dataclass(frozen=True)
class Restored:
    """What the newest sound snapshot held.

    Parameters
    ----------
    state : arrays by name, owned by the caller; empty where there is no sound snapshot.
    sequence : the journal's next record at that time; 0 where there is none.
    made_at : µs UTC; 0 where there is none.
    notes : what the caller noted with it, as versions.
    faults : one sentence for each newer snapshot that could not be used; to be logged.
    """

    state: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    sequence: int = 0
    made_at: int = 0
    notes: dict[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


class Snapshots:
    """Keep copies of named arrays in a folder, so that a restart replays only the journal's end.

    A snapshot holds all arrays as they are when `take` is called. Small ones are copied then and there. Of large ones
    that have `Pages`, `take` only notes which pages have changed since the last snapshot; they are saved by whoever
    changes one next, and by `step`, a few at a time. A thread writes what is saved. A snapshot writes the chunks that
    differ from the one before it and refers to that one for the rest; from time to time one refers to none. The newest
    `keep` and the last of the earlier generation, which shares no byte with them, are kept.

    Parameters
    ----------
    folder : made where missing; the journal's owner lock also stands for it.
    clock : gives µs UTC.
    chunk_bytes : unit of comparison and checksums; a multiple of 8. Arrays with pages need the default, a page.
    keep : snapshots of the current generation kept, at least 1.
    full_every : snapshots after which one is written whole; earlier where increments outgrow the state.
    rest_seconds : pause of the writing thread after each mebibyte, for the others that use the disk and the core; it
        may be changed at any time.
    settle : called first by each writing thread, to take its place among the threads of its core.

    >>> import tempfile
    >>> snapshots = Snapshots(Path(tempfile.mkdtemp()), clock=lambda: 0)
    >>> snapshots.take({"counts": np.arange(4)}, sequence=17, notes={"features": "3"})
    True
    >>> snapshots.wait().sequence
    17
    >>> restored = snapshots.restore()
    >>> (restored.sequence, restored.notes, restored.state["counts"].tolist())
    (17, {'features': '3'}, [0, 1, 2, 3])
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], int],
        chunk_bytes: int = PAGE_BYTES,
        keep: int = 2,
        full_every: int = 16,
        rest_seconds: float = 0.0,
        settle: Callable[[], object] | None = None,
    ) -> None:
        if chunk_bytes < 8 or chunk_bytes % 8 or keep < 1 or full_every < 1:
            raise UsageError(
                f"chunk_bytes={chunk_bytes}, keep={keep}, full_every={full_every}",
                allowed="chunk_bytes a multiple of 8, keep and full_every at least 1",
            )
        self.folder = folder
        self._clock = clock
        self._chunk_bytes = chunk_bytes
        self._keep = keep
        self._full_every = full_every
        self.rest_seconds = rest_seconds
        self._settle = settle
        self._mirrors: dict[str, Mirror | PagedMirror] = {}
        self._paged: list[PagedMirror] = []
        self._late: dict[str, Callable[[], NDArray[np.generic]]] = {}
        self._heads: list[Head] = []
        self._increments = 0
        self._increment_bytes = 0
        self._generation = -1
        self._saved = threading.Condition()
        self._written_pages = 0
        self._saved_pages = 0
        self._is_hurried = False
        self._is_stopped = False
        self._write: Future[SnapshotInfo] | None = None
        self._last: SnapshotInfo | None = None
        try:
            make_folder(folder)
        except OSError as error:
            raise name_storage_error(error, "make", folder) from error
        for path in sorted(self._files(ENDING)):
            with contextlib.suppress(StoreError, OSError):
                self._heads.append(read_manifest(path).head)
        self._number = max((int(path.stem) for path in self._files() if path.stem.isdigit()), default=-1)

    @property
    def is_busy(self) -> bool:
        """Whether a snapshot is still being written."""
        return self._write is not None and not self._write.done()

    def take(
        self,
        state: State,
        *,
        sequence: int,
        notes: Mapping[str, str] | None = None,
        pages: Mapping[str, tuple[Pages, int]] | None = None,
        late: Mapping[str, Callable[[], NDArray[np.generic]]] | None = None,
    ) -> bool:
        """Begin a snapshot of the state as it is now; False while the last one is still being written.

        Call it, and then `step` until that says False, in the thread that changes the state.

        Parameters
        ----------
        state : arrays by name, of any type but objects.
        sequence : the journal's next record: the state holds exactly the records before it.
        notes : kept with it, as versions of the feature set and the models.
        pages : by name the pages of an array and which of them it begins with. Every change of such an array is
            announced by `floorwalker.store.pages.guard`. Arrays without pages are copied at once.
        late : further arrays, each made by a function that the writing thread calls: what it gives must not depend on
            when.

        An error of the write is raised by `wait`; the chunks it should have written are written by the next one.
        """
        if self.is_busy:
            return False
        self._check(state)
        paged = pages or {}
        if paged and self._chunk_bytes != PAGE_BYTES:
            raise UsageError(f"arrays with pages and chunks of {self._chunk_bytes}", allowed=f"chunks of {PAGE_BYTES}")
        for name in self._mirrors.keys() - state.keys() - (late or {}).keys():
            del self._mirrors[name]
        is_full = self._generation < 0 or self._increments >= self._full_every
        is_full = is_full or self._increment_bytes > sum(array.nbytes for array in state.values())
        self._late = dict(late or {})
        self._paged = []
        for name, array in state.items():
            if name in paged:
                self._begin(name, array, *paged[name], whole=is_full)
            else:
                self._copy(name, array, whole=is_full)
        self._saved_pages = self._written_pages = 0
        self._is_hurried = False
        write = self._write = Future()
        threading.Thread(
            target=self._write_next, args=(write, sequence, dict(notes or {}), is_full), name="snapshot", daemon=True
        ).start()
        return True

    def step(self, most: int = 128) -> bool:
        """Save some pages of the snapshot that was begun; whether there are more.

        Parameters
        ----------
        most : pages saved at most: a hundred take a fraction of a millisecond. None are while the thread that writes
            is far behind.
        """
        if not self._paged:
            return False
        if self._saved_pages - self._written_pages > _AHEAD_PAGES and not self._is_hurried:
            return True
        count = 0
        while self._paged and count < most:
            count += self._paged[0].step(most - count)
            if not self._paged[0].is_saved:
                break
            self._paged.pop(0)
        with self._saved:
            self._saved_pages += count
            self._saved.notify_all()
        return bool(self._paged)

    def wait(self) -> SnapshotInfo | None:
        """Save and write what is left of the snapshot under way; returns the newest snapshot written, or None.

        Call it in the thread that changes the state. Raises once what the last write met, as `StorageFullError`.
        """
        self._is_hurried = True
        while self.step(4096):
            pass
        if self._write is not None:
            write, self._write = self._write, None
            self._last = write.result()
        return self._last

    def stop(self) -> None:
        """Give up the snapshot under way; the one before it stands."""
        with self._saved:
            self._is_stopped = True
            self._saved.notify_all()
        with contextlib.suppress(StoreError):
            if self._write is not None:
                self._write.result()
        self._write, self._is_stopped = None, False

    def drop_beyond(self, sequence: int) -> int:
        """Delete snapshots that hold records which the journal lacks; returns how many.

        A journal that came back from a backup, or lost its end with the power, gives these sequences to other records.
        Once it has grown that far again, such a snapshot would look as if it fitted.

        Parameters
        ----------
        sequence : the journal's next record.
        """
        ahead = [head for head in self._heads if head.sequence > sequence]
        try:
            for head in ahead:
                self._path(head.number, ENDING).unlink(missing_ok=True)
            if ahead:
                # Before anything is appended; their packs go with the next snapshot.
                sync_folder(self.folder)
        except OSError as error:
            raise name_storage_error(error, "delete snapshots of", self.folder) from error
        self._heads = [head for head in self._heads if head.sequence <= sequence]
        return len(ahead)

    def restore(self, make_room: Callable[[Shapes], State] | None = None) -> Restored:
        """The newest sound snapshot; damaged ones are passed over, each with a sentence in `faults`.

        Parameters
        ----------
        make_room : gives memory full of zeros for some of the arrays, of their types and shapes, so that they need not
            be copied to where they shall be. It is called for each snapshot that is tried.
        """
        faults: list[str] = []
        for path in sorted(self._files(ENDING), reverse=True):
            try:
                manifest = read_manifest(path)
                shapes = {entry.name: (np.dtype(entry.dtype), entry.shape) for entry in manifest.head.arrays}
                room = make_room(shapes) if make_room else {}
                state = read_arrays(self.folder, manifest, room)
            except StoreError as error:
                faults.append(f"snapshot {path.name} cannot be used, the one before it is tried: {error}")
                self._heads = [head for head in self._heads if head.number != int(path.stem)]
            except OSError as error:
                faults.append(f"snapshot {path.name} cannot be read, the one before it is tried: {error.strerror}")
            else:
                head = manifest.head
                return Restored(state, head.sequence, head.made_at, dict(head.notes), tuple(faults))
        return Restored(faults=tuple(faults))

    def _files(self, *endings: str) -> list[Path]:
        wanted = endings or (ENDING, PACK_ENDING)
        return [path for path in self.folder.iterdir() if path.suffix in wanted]

    @staticmethod
    def _check(state: State) -> None:
        for name, array in state.items():
            if array.dtype.hasobject or array.dtype.names is not None:
                raise UsageError(f"the array {name!r} is of type {array.dtype}", allowed="numbers, booleans, bytes")

    def _copy(self, name: str, array: NDArray[np.generic], *, whole: bool) -> None:
        mirror = self._mirrors.get(name)
        if not isinstance(mirror, Mirror) or not mirror.fits(array):
            mirror = self._mirrors[name] = Mirror(array, self._chunk_bytes)
        mirror.copy_from(array)
        if whole:
            mirror.changed[:] = True

    def _begin(self, name: str, array: NDArray[np.generic], pages: Pages, first: int, *, whole: bool) -> None:
        mirror = self._mirrors.get(name)
        if not isinstance(mirror, PagedMirror) or not mirror.fits(array, pages, first):
            mirror = self._mirrors[name] = PagedMirror(array, pages, first)
        mirror.begin(array, whole=whole)
        self._paged.append(mirror)

    def _write_next(self, write: Future[SnapshotInfo], sequence: int, notes: dict[str, str], is_full: bool) -> None:
        number = self._number + 1
        try:
            if self._settle is not None:
                self._settle()
            write.set_result(self._write_files(number, sequence, notes, is_full))
        except BaseException as error:  # noqa: BLE001 - whatever it was, `wait` must hear of it
            with contextlib.suppress(OSError):
                for ending in (PACK_ENDING, ENDING):
                    self._path(number, ending).unlink(missing_ok=True)
            if isinstance(error, OSError):
                error = name_storage_error(error, "write a snapshot to", self.folder)
            write.set_exception(error)

    def _path(self, number: int, ending: str) -> Path:
        return self.folder / f"{number:012d}{ending}"

    def _write_files(self, number: int, sequence: int, notes: dict[str, str], is_full: bool) -> SnapshotInfo:
        for name, make in self._late.items():
            self._copy(name, make(), whole=is_full)
        state_bytes = sum(len(mirror.data) for mirror in self._mirrors.values())
        tables, written = self._write_pack(number, self._path(number, PACK_ENDING))
        used = sorted({int(pack) for table in tables for pack in np.unique(table[0])} - {ZEROS})
        generation = number if is_full else self._generation
        entries = tuple(
            ArrayEntry(name, mirror.dtype.str, mirror.shape, len(mirror.changed))
            for name, mirror in self._mirrors.items()
        )
        packs = tuple(self._path(pack, PACK_ENDING).name for pack in used)
        head = Head(number, generation, sequence, self._clock(), self._chunk_bytes, packs, notes, entries)
        stored = tuple(np.vstack([places_in(table[0], used), table[1:]]) for table in tables)
        replace_file(self._path(number, ENDING), pack_manifest(Manifest(head, stored)))
        self._number, self._generation = number, generation
        self._increments = 0 if is_full else self._increments + 1
        self._increment_bytes = 0 if is_full else self._increment_bytes + written
        for mirror, table in zip(self._mirrors.values(), tables, strict=True):
            mirror.table = table
            mirror.changed[:] = False
        # This snapshot stands. What cannot be deleted now is deleted after the next one.
        with contextlib.suppress(OSError):
            self._forget(head)
        return SnapshotInfo(number, sequence, written, state_bytes, is_full)

    def _write_pack(self, number: int, path: Path) -> tuple[list[NDArray[np.int64]], int]:
        tables = []
        at = synced = 0
        room = np.empty(max(_PIECE_BYTES, self._chunk_bytes), np.uint8)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            for mirror in self._mirrors.values():
                table = mirror.next_table()
                for piece in self._pieces(mirror):
                    checksums, is_zero, size = write_rows(descriptor, mirror.data, self._chunk_bytes, piece, room)
                    table[0, piece], table[2, piece] = np.where(is_zero, ZEROS, number), checksums
                    kept = piece[~is_zero]
                    # Only the last chunk of an array may be shorter than the others.
                    table[1, kept] = at + np.arange(len(kept)) * self._chunk_bytes
                    mirror.release(piece)
                    at += size
                    if at - synced >= _PIECE_BYTES:
                        sync_data(descriptor)
                        synced = at
                        if self.rest_seconds and not self._is_hurried:
                            time.sleep(self.rest_seconds)
                tables.append(table)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return tables, at

    def _pieces(self, mirror: Mirror | PagedMirror) -> Iterator[NDArray[np.int64]]:
        """The changed chunks of an array, a piece at a time, as soon as they are saved."""
        rows = np.flatnonzero(mirror.changed)
        most = max(1, _PIECE_BYTES // self._chunk_bytes)
        for start in range(0, len(rows), most):
            piece = rows[start : start + most]
            if isinstance(mirror, PagedMirror):
                last = int(piece[-1])
                with self._saved:
                    self._saved.wait_for(lambda: self._is_stopped or mirror.reached > last)  # noqa: B023
                    if self._is_stopped:
                        raise ClosedError(_STOPPED)
            yield piece
            if isinstance(mirror, PagedMirror):
                self._written_pages += len(piece)

    def _forget(self, head: Head) -> None:
        self._heads.append(head)
        current = [each for each in self._heads if each.generation == head.generation]
        earlier = [each for each in self._heads if each.generation != head.generation]
        self._heads = earlier[-1:] + current[-self._keep :]
        wanted = {name for each in self._heads for name in each.packs}
        wanted |= {self._path(each.number, ENDING).name for each in self._heads}
        # Manifests first: none may name a pack that is no longer whole.
        for ending in (ENDING, PACK_ENDING):
            for path in self._files(ending):
                if path.name not in wanted:
                    self._delete(path)

    def _delete(self, path: Path) -> None:
        """Delete a file, a large one in pieces: freeing hundreds of megabytes at once holds up everybody's syncs."""
        with contextlib.suppress(OSError):
            size = path.stat().st_size
            while self.rest_seconds and not self._is_hurried and size > _FREED_BYTES:
                size -= _FREED_BYTES
                os.truncate(path, size)
                time.sleep(self.rest_seconds)
        path.unlink(missing_ok=True)
