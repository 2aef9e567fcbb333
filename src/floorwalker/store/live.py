"""Snapshots of live state: named arrays, incremental, atomic, checked, written beside the decisions."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.store._chunks import ZEROS, Mirror, find_runs, places_in
from floorwalker.store._files import make_folder, replace_file, sync_data, write_all
from floorwalker.store._manifest import (
    ENDING,
    PACK_ENDING,
    ArrayEntry,
    Head,
    Manifest,
    pack_manifest,
    read_manifest,
)  # fmt: skip
from floorwalker.store._restoring import read_arrays
from floorwalker.store.errors import StoreError, name_storage_error

State = Mapping[str, NDArray[np.generic]]
_PIECE_BYTES = 4 * 1024 * 1024
"""Written between two syncs: a journal on the same disk waits for no more than this of ours."""


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

    `take` copies what changed into memory of its own (the only pause) and writes it in a thread. The copy costs as much
    memory as the state. A snapshot writes the chunks that differ from the one before it and refers to that one for
    the rest; from time to time one refers to none. The newest `keep` and the last of the earlier generation, which
    shares no byte with them, are kept.

    Parameters
    ----------
    folder : made where missing; the journal's owner lock also stands for it.
    clock : gives µs UTC.
    chunk_bytes : unit of comparison and checksums; a multiple of 8.
    keep : snapshots of the current generation kept, at least 1.
    full_every : snapshots after which one is written whole; earlier where increments outgrow the state.

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
        chunk_bytes: int = 65536,
        keep: int = 2,
        full_every: int = 16,
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
        self._mirrors: dict[str, Mirror] = {}
        self._heads: list[Head] = []
        self._increments = 0
        self._increment_bytes = 0
        self._generation = -1
        self._copying = threading.Lock()
        self._writer = ThreadPoolExecutor(1, "floorwalker-snapshot")
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

    def prepare(self, state: State) -> None:
        """Copy ahead, while decisions go on in another thread, so that the pause of the next `take` is shorter.

        What is copied while it changes is compared again by `take`, so nothing torn is ever written. Call it in a
        thread of its own shortly before each `take`: the first one, and those after arrays grew, then do not have to
        take memory while decisions wait.
        """
        with self._copying:
            if not self.is_busy:
                self._copy(state, {})

    def take(
        self,
        state: State,
        *,
        sequence: int,
        notes: Mapping[str, str] | None = None,
        dirty: Mapping[str, NDArray[np.bool_]] | None = None,
    ) -> bool:
        """Copy the state now and write it in the background; False while the last one is written, or `prepare` runs.

        Parameters
        ----------
        state : arrays by name, of any type but objects; they must not move during this call.
        sequence : the journal's next record: the state holds exactly the records before it.
        notes : kept with it, as versions of the feature set and the models.
        dirty : bool [chunks] by name: chunks that may have changed since the last `take` that returned True. Without
            it all chunks of an array are compared.

        An error of the write is raised by `wait`; the chunks it should have written are written by the next one.
        """
        if not self._copying.acquire(blocking=False):
            return False
        try:
            if self.is_busy:
                return False
            self._copy(state, dirty or {})
            self._write = self._writer.submit(self._write_next, sequence, dict(notes or {}))
            return True
        finally:
            self._copying.release()

    def wait(self) -> SnapshotInfo | None:
        """Wait for the write that is under way; returns the newest snapshot written, or None.

        Raises once what the last write met, as `StorageFullError`.
        """
        if self._write is not None:
            write, self._write = self._write, None
            self._last = write.result()
        return self._last

    def restore(self) -> Restored:
        """The newest sound snapshot; damaged ones are passed over, each with a sentence in `faults`."""
        faults: list[str] = []
        for path in sorted(self._files(ENDING), reverse=True):
            try:
                manifest = read_manifest(path)
                state = read_arrays(self.folder, manifest)
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

    def _copy(self, state: State, dirty: Mapping[str, NDArray[np.bool_]]) -> None:
        for name in self._mirrors.keys() - state.keys():
            del self._mirrors[name]
        for name, array in state.items():
            if array.dtype.hasobject or array.dtype.names is not None:
                raise UsageError(f"the array {name!r} is of type {array.dtype}", allowed="numbers, booleans, bytes")
            mirror = self._mirrors.get(name)
            is_known = mirror is not None and mirror.fits(array)
            if mirror is None or not is_known:
                mirror = self._mirrors[name] = Mirror(array, self._chunk_bytes)
            mirror.copy_from(array, dirty.get(name) if is_known else None)

    def _write_next(self, sequence: int, notes: dict[str, str]) -> SnapshotInfo:
        number = self._number + 1
        try:
            return self._write_files(number, sequence, notes)
        except OSError as error:
            with contextlib.suppress(OSError):
                for ending in (PACK_ENDING, ENDING):
                    self._path(number, ending).unlink(missing_ok=True)
            raise name_storage_error(error, "write a snapshot to", self.folder) from error

    def _path(self, number: int, ending: str) -> Path:
        return self.folder / f"{number:012d}{ending}"

    def _write_files(self, number: int, sequence: int, notes: dict[str, str]) -> SnapshotInfo:
        state_bytes = sum(len(mirror.data) for mirror in self._mirrors.values())
        is_full = (
            self._generation < 0 or self._increments >= self._full_every or self._increment_bytes > state_bytes
        )  # fmt: skip
        if is_full:
            for mirror in self._mirrors.values():
                mirror.changed[:] = True
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
        self._forget(head)
        return SnapshotInfo(number, sequence, written, state_bytes, is_full)

    def _write_pack(self, number: int, path: Path) -> tuple[list[NDArray[np.int64]], int]:
        tables = []
        at = unsynced = 0
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            for mirror in self._mirrors.values():
                table = mirror.table.copy()
                rows = np.flatnonzero(mirror.changed)
                per_piece = max(1, _PIECE_BYTES // self._chunk_bytes)
                for piece in (rows[i : i + per_piece] for i in range(0, len(rows), per_piece)):
                    table[2, piece], is_zero = mirror.check(piece)
                    table[0, piece] = np.where(is_zero, ZEROS, number)
                    for first, last in find_runs(piece[~is_zero]):
                        data = mirror.data[first * self._chunk_bytes : (last + 1) * self._chunk_bytes]
                        table[1, first : last + 1] = at + np.arange(last + 1 - first) * self._chunk_bytes
                        write_all(descriptor, data.data)
                        at += len(data)
                        unsynced += len(data)
                        if unsynced >= _PIECE_BYTES:
                            sync_data(descriptor)
                            unsynced = 0
                tables.append(table)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return tables, at

    def _forget(self, head: Head) -> None:
        self._heads.append(head)
        current = [each for each in self._heads if each.generation == head.generation]
        earlier = [each for each in self._heads if each.generation != head.generation]
        self._heads = earlier[-1:] + current[-self._keep :]
        wanted = {name for each in self._heads for name in each.packs}
        wanted |= {self._path(each.number, ENDING).name for each in self._heads}
        for path in self._files():
            if path.name not in wanted:
                path.unlink(missing_ok=True)
