"""The one writer of a journal."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.store._files import CALL_BYTES, make_folder, sync_data, sync_folder, write_all, write_at
from floorwalker.store.errors import ClosedError, DamagedError, StorageFailedError, StoreError, name_storage_error
from floorwalker.store.journal.batches import RecordBatch
from floorwalker.store.journal.frames import HEADER_BYTES, LARGEST_RECORD, frame_few, write_frames
from floorwalker.store.journal.lengthening import Lengthener
from floorwalker.store.journal.reader import read_segments
from floorwalker.store.journal.recovery import Recovery, first_unsure, read_watermark, recover_end, write_watermark
from floorwalker.store.journal.segments import (
    MOST_ROOM_BYTES,
    ROOM_BYTES,
    SEGMENT_HEADER_BYTES,
    WAY_OUT,
    FrameError,
    Segment,
    list_segments,
    name_segment,
    pack_header,
    read_header,
)  # fmt: skip
from floorwalker.store.lock import OwnerLock

Durability = Literal["power_loss", "process"]
_FEW = 64
"""Records that are framed without arrays."""
_SMALL_BYTES = 64 * 1024
"""Frames that are appended at once and for which room is made ahead; larger ones lengthen the file themselves."""
_ZEROS = memoryview(bytes(ROOM_BYTES))
_NEVER = 1 << 62


class Journal:
    """Append records, make them durable, read them back; one process owns it.

    `append` hands records to the operating system and returns at once; `sync` returns when they are durable. So many
    callers can share one sync: append all their records, sync once, answer them all. A record is *acknowledged* once
    a `sync` that began after its `append` has returned. Acknowledged records are read back after a crash, in order and
    without gaps; of the others, a prefix may be.

    Parameters
    ----------
    folder : holds the segments and the lock; made where missing.
    durability : ``power_loss``: `sync` waits for the disk. ``process``: `sync` waits for the operating system only, so
        records survive the death of the process but not of the machine.
    clock : gives µs UTC; noted in each segment's header.
    segment_bytes : size at which a new segment is begun. One `append` never straddles two.

    Opening raises `LockedError` where another process owns the folder, `DamagedError` where records that had been
    acknowledged are broken, `NewerVersionError` for files of a newer version, and other kinds of
    `floorwalker.store.errors.StoreError` where the disk refuses. Methods may be called from several threads.

    >>> import tempfile
    >>> with Journal(Path(tempfile.mkdtemp()), clock=lambda: 0) as journal:
    ...     first = journal.append([b"a login", b"an order"])
    ...     journal.sync()
    ...     (first, list(journal.read(first=1)))
    (0, [(1, b'an order')])
    """

    def __init__(
        self,
        folder: Path,
        *,
        durability: Durability = "power_loss",
        clock: Callable[[], int],
        segment_bytes: int = 256 * 1024 * 1024,
    ) -> None:
        if durability not in ("power_loss", "process"):
            raise UsageError(f"durability is {durability!r}", allowed="power_loss or process")
        self.folder = folder
        self.durability = durability
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._append_lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._grown = threading.Condition()
        self._descriptor = -1
        self._segments: list[Segment] = []
        self._size = 0
        # Bytes of the file: beyond `_size` they are zeros, room for the next records.
        self._room = 0
        # Bytes of records at which more room shall be made, before it is needed.
        self._more_at = 0
        self._lengthener = Lengthener(self._lengthen)
        self._must_cut = False
        # The segment (by its first record) that is being written, and its bytes that are known to be on the disk.
        self._safe = (-1, 0)
        self._failure: str | None = None
        try:
            make_folder(folder)
        except OSError as error:
            raise name_storage_error(error, "make", folder) from error
        self._lock = OwnerLock(folder)
        try:
            self._open()
        except OSError as error:
            self._release()
            raise name_storage_error(error, "open", folder) from error
        except BaseException:
            self._release()
            raise

    def _open(self) -> None:
        for unfinished in self.folder.glob("*.unfinished"):
            unfinished.unlink()
        self._segments = [read_header(path) for path in list_segments(self.folder)]
        if self._segments:
            self.recovery, self._size = recover_end(self.folder, self._segments)
            path = self._segments[-1].path
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            self._room = self._size
            # What a killed process left may be in the page cache only; from here on it counts as durable.
            self._sync_unsure()
        else:
            claimed = read_watermark(self.folder)
            if claimed > 0:
                raise DamagedError(
                    f"{self.folder} holds no segment, but was closed with {claimed} records",
                    path=self.folder, sequence=0, fix=WAY_OUT,
                )  # fmt: skip
            self._next = self._synced = 0
            self._begin_segment(0)
            self.recovery = Recovery(0, 0, 0, None)
        self._next = self.recovery.next
        self._durable = self._next
        self._synced = self._next
        self._safe = (self._segments[-1].first, self._size)

    @property
    def first(self) -> int:
        """Sequence of the oldest record kept."""
        return self._segments[0].first

    @property
    def next(self) -> int:
        """Sequence that the next record gets: one more than the last."""
        return self._next

    @property
    def durable(self) -> int:
        """Every record before this sequence is acknowledged."""
        return self._durable

    @property
    def size_bytes(self) -> int:
        """Bytes of all segments."""
        with self._append_lock:
            return sum(segment.path.stat().st_size for segment in self._segments[:-1]) + self._size

    def append(self, records: Sequence[bytes]) -> int:
        """Hand records to the operating system; returns the sequence of the first.

        Parameters
        ----------
        records : at most 64 MiB each, opaque to the journal. None at all is allowed and does nothing.

        Raises `StorageFullError` or `ReadOnlyStorageError` where the disk takes no more: nothing of these records is
        kept, and a later call may succeed. `StorageFailedError` means that the journal must be opened again.
        """
        if 0 < len(records) <= _FEW:
            longest = max(map(len, records))
            size = sum(map(len, records)) + HEADER_BYTES * len(records)
            return self._append(len(records), longest, size, partial(frame_few, records))
        lengths = np.fromiter(map(len, records), np.int64, len(records))
        stops = np.cumsum(lengths)
        return self.append_spans(np.frombuffer(b"".join(records), np.uint8), stops - lengths, stops)

    def append_spans(self, data: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64]) -> int:
        """As `append`, for the records ``data[starts[k]:stops[k]]``: many that were made together need no copies."""
        if not len(starts):
            with self._append_lock:
                self._check_usable()
                return self._next
        lengths = stops - starts
        size = int(lengths.sum()) + HEADER_BYTES * len(starts)

        def frame(first: int, synced: int, salt: int) -> memoryview:
            room = np.empty(size, np.uint8)
            write_frames(data, starts, stops, first, synced, salt, room)
            return room.data

        return self._append(len(starts), int(lengths.max()), size, frame)

    def _append(self, count: int, longest: int, size: int, frame: Callable[[int, int, int], bytes | memoryview]) -> int:
        """Append frames.

        Parameters
        ----------
        count : of the records, at least one.
        longest, size : bytes of the longest record, and of all frames.
        frame : makes them, given the first sequence, the sequence before which all is on the disk, and the salt.
        """
        if longest > LARGEST_RECORD:
            raise UsageError(f"a record of {longest} bytes", allowed=f"at most {LARGEST_RECORD} bytes")
        with self._append_lock:
            self._check_usable()
            first = self._next
            try:
                if self._must_cut:
                    self._cut()
                if self._size > SEGMENT_HEADER_BYTES and self._size + size > self._segment_bytes:
                    self._roll()
            except OSError as error:
                raise name_storage_error(error, "append to", self._segments[-1].path) from error
            segment = self._segments[-1]
            frames = frame(first, self._synced, segment.salt)
            try:
                if self._is_small(size) and self._size + size > self._room:
                    self._make_room((self._size + size) // ROOM_BYTES + 1, ROOM_BYTES)
                    self._more_at = self._room - ROOM_BYTES // 2
                write_at(self._descriptor, frames, self._size)
            except OSError as error:
                self._must_cut = True
                self._try_cut()
                raise name_storage_error(error, "append to", segment.path) from error
            segment.note_point(first, self._size)
            self._size += size
            self._room = max(self._room, self._size)
            self._next = first + count
            if self._size >= self._more_at and self._is_small(size):
                self._more_at = _NEVER
                self._lengthener.wake()
            return first

    def sync(self, through: int | None = None) -> None:
        """Return when every record appended before this call is durable.

        Parameters
        ----------
        through : return as soon as the records before this sequence are durable, which another thread's sync may
            already have seen to.

        Raises `StorageFailedError` where the disk reports an error. What it then holds is uncertain, so the journal
        takes no more records; opening it anew reads back what is there.
        """
        wanted = self._next if through is None else min(through, self._next)
        if self._durable >= wanted:
            return
        with self._sync_lock:
            if self._durable >= wanted:
                return
            with self._append_lock:
                self._check_usable()
                reached, safe = self._next, (self._segments[-1].first, self._size)
                # A segment may be rolled and closed while this one is synced.
                descriptor = os.dup(self._descriptor)
            try:
                if self.durability == "power_loss":
                    sync_data(descriptor)
                    with self._append_lock:
                        # The system tells of an error once: where a new segment was begun meanwhile, it was told there.
                        self._check_whole()
                        self._synced = max(self._synced, reached)
                        self._safe = max(self._safe, safe)
            except OSError as error:
                with self._append_lock:
                    raise self._fail(error) from error
            finally:
                os.close(descriptor)
            with self._grown:
                self._durable = max(self._durable, reached)
                self._grown.notify_all()

    def wait_beyond(self, sequence: int, timeout: float) -> int:
        """Wait until records from `sequence` on are durable, or the seconds have passed; returns `durable`."""
        with self._grown:
            self._grown.wait_for(lambda: self._durable > sequence or self._descriptor < 0, timeout)
            return self._durable

    def read(self, first: int = 0, stop: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Records from this sequence on, each with its sequence; see `read_batches`."""
        for batch in self.read_batches(first, stop):
            yield from zip(batch.sequences.tolist(), batch.records(), strict=True)

    def read_batches(self, first: int = 0, stop: int | None = None) -> Iterator[RecordBatch]:
        """Batches of checked records, about 8 MiB each.

        Parameters
        ----------
        first : sequence of the first record wanted; earlier than the oldest kept means from there.
        stop : sequence before which to end; the default is the end as of the first step.

        Raises `DamagedError` with the segment and the offset where stored bytes are not those that were written.
        """
        with self._append_lock:
            segments = list(self._segments)
            sizes = [segment.path.stat().st_size for segment in segments[:-1]] + [self._size]
            end = self._next if stop is None else min(stop, self._next)
        try:
            for batch, _, _ in read_segments(segments, sizes, first, end):
                yield batch
        except FrameError as error:
            raise error.as_error() from None

    def drop_before(self, sequence: int) -> int:
        """Delete whole segments that hold only records before this sequence; returns the number deleted."""
        with self._append_lock:
            dropped = 0
            while len(self._segments) > 1 and self._segments[1].first <= sequence:
                self._segments.pop(0).path.unlink(missing_ok=True)
                dropped += 1
            if dropped:
                sync_folder(self.folder)
            return dropped

    def close(self) -> None:
        """Sync, note how far the journal reaches, and let the next owner in; a second call does nothing."""
        if self._descriptor < 0:
            return
        self._lengthener.stop()
        try:
            if self._failure is None:
                self.sync()
                with self._append_lock:
                    if self._must_cut:
                        self._try_cut()
                    # The note only makes later checks sharper; a full disk may have no room for it.
                    with contextlib.suppress(OSError):
                        self._cut()
                        self._sync_unsure()
                        write_watermark(self.folder, self._next)
        finally:
            self._release()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._lock.release()
        with self._grown:
            self._grown.notify_all()

    def _check_usable(self) -> None:
        if self._descriptor < 0:
            raise ClosedError(f"the journal {self.folder} is closed")
        self._check_whole()

    def _check_whole(self) -> None:
        if self._failure is not None:
            raise StorageFailedError(self._failure, fix="check the disk, then start again")

    def _sync_unsure(self) -> None:
        for segment in self._segments[first_unsure(self.folder, self._segments) :]:
            _sync_file(segment.path)

    def _fail(self, error: OSError) -> StoreError:
        # After a failed sync the kernel may call the lost pages clean, so another sync would prove nothing: whoever
        # opens the journal next would read them out of memory and believe them. They were never acknowledged.
        first, size = self._safe
        if self.durability == "power_loss" and first == self._segments[-1].first:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, size)
                self._size = self._room = size
        reason = error.strerror or type(error).__name__
        self._failure = f"the journal {self.folder} could not be synced: {reason}"
        return StorageFailedError(self._failure, fix="check the disk, then start again")

    def _is_small(self, size: int) -> bool:
        """Whether room is made for such frames: their blocks are on the disk before they are.

        Records that overwrite blocks which are on the disk already are durable once they are written. Where the file
        grows with every record, each sync is a transaction of the file system as well, and waits for what others write.
        """
        return size <= _SMALL_BYTES and self.durability == "power_loss"

    def _lengthen(self) -> Path | None:
        """Write some zeros behind the room; the file, or None where there is enough, or nothing can be written.

        Called again and again by a thread of its own: a record waits for one call at most.
        """
        with self._append_lock:
            if self._descriptor < 0 or self._failure is not None or self._must_cut:
                return None
            step = max(ROOM_BYTES, min(self._size, MOST_ROOM_BYTES))
            before = self._room
            self._make_room(-(-(self._size + step) // ROOM_BYTES), CALL_BYTES)
            if self._room > before:
                return self._segments[-1].path
            # The disk that takes no zeros is asked again later.
            self._more_at = max(self._room - step // 2, self._size + ROOM_BYTES // 2)
            return None

    def _make_room(self, steps: int, most: int) -> None:
        """Fill the file with zeros from its end on, up to so many times `ROOM_BYTES`, at most so many bytes of them."""
        end = min(steps * ROOM_BYTES, self._segment_bytes)
        try:
            more = max(0, min(end - self._room, most))
            write_at(self._descriptor, _ZEROS[:more], self._room)
            self._room += more
        except OSError:
            # A disk without room for zeros may still have some for the records; what was written of them stays known.
            self._room = max(self._room, os.fstat(self._descriptor).st_size)

    def _cut(self) -> None:
        os.ftruncate(self._descriptor, self._size)
        self._room = self._size
        self._must_cut = False

    def _try_cut(self) -> None:
        # Where it fails it is tried again before the next append; a crash until then leaves a tail that opening cuts.
        with contextlib.suppress(OSError):
            self._cut()

    def _roll(self) -> None:
        try:
            if self._room > self._size:
                self._cut()
            if self.durability == "power_loss":
                sync_data(self._descriptor)
                self._synced = self._next
            elif len(self._segments) > 1:
                # Long since written back, so this does not wait; it bounds what opening after a crash must check.
                _sync_file(self._segments[-2].path)
                self._synced = max(self._synced, self._segments[-1].first)
        except OSError as error:
            raise self._fail(error) from error
        self._begin_segment(self._synced)

    def _begin_segment(self, synced: int) -> None:
        path = name_segment(self.folder, self._next)
        unfinished = path.with_name(path.name + ".unfinished")
        salt = secrets.randbits(32)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            write_all(descriptor, pack_header(first=self._next, salt=salt, synced=synced, made_at=self._clock()))
            sync_data(descriptor)
            unfinished.rename(path)
            sync_folder(self.folder)
        except OSError:
            os.close(descriptor)
            unfinished.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = descriptor
        self._segments = [*self._segments, Segment(path, self._next, salt, synced)]
        self._size = self._room = SEGMENT_HEADER_BYTES
        self._safe = (self._next, self._size)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sync_data(descriptor)
    finally:
        os.close(descriptor)
