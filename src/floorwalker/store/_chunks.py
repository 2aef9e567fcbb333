"""A second copy of arrays in memory, chunk by chunk: what a snapshot writes while the originals move on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import find_in_c, kernel
from floorwalker.store._files import CALL_BYTES, write_all
from floorwalker.store.journal.frames import checksum_of

ZEROS = -1
"""The pack number of a chunk that holds only zeros, of which no bytes are stored."""

_write: Any = find_in_c("write", "int32", "intp", "intp", answer="intp")
_give_turn: Any = find_in_c("sched_yield", answer="int32")


@kernel
def _copy_changed(live: NDArray[np.uint64], mirror: NDArray[np.uint64], words: int, changed: NDArray[np.bool_]) -> None:
    for chunk in range(len(changed)):
        start = chunk * words
        stop = min(len(live), start + words)
        difference = np.uint64(0)
        for at in range(start, stop):
            difference |= live[at] ^ mirror[at]
        if difference != np.uint64(0):
            changed[chunk] = True
            for at in range(start, stop):
                mirror[at] = live[at]


@kernel
def _check_chunks(
    data: NDArray[np.uint8],
    chunk_bytes: int,
    rows: NDArray[np.int64],
    checksums: NDArray[np.int64],
    is_zero: NDArray[np.bool_],
) -> None:
    for place in range(len(rows)):
        start = rows[place] * chunk_bytes
        stop = min(len(data), start + chunk_bytes)
        at = start
        while at < stop and data[at] == 0:
            at += 1
        is_zero[place] = at == stop
        checksums[place] = 0 if at == stop else checksum_of(data, start, stop, 0)


def bytes_of(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    """The array's own bytes as uint8 [size]; a copy only where the array is not contiguous."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


class Mirror:
    """The copy of one array, and which of its chunks differ from what is on the disk.

    The array may grow or shrink along its first axis; room is taken for half as much again.

    Parameters
    ----------
    array : the original; its type and further axes are fixed for this mirror.
    chunk_bytes : a multiple of 8.
    """

    def __init__(self, array: NDArray[np.generic], chunk_bytes: int) -> None:
        self.dtype = array.dtype
        self.shape = array.shape
        self.chunk_bytes = chunk_bytes
        self._room = np.zeros(array.nbytes, np.uint8)
        chunks = -(-array.nbytes // chunk_bytes)
        self.changed = np.ones(chunks, np.bool_)
        self.table = np.zeros((3, chunks), np.int64)
        self.table[0] = ZEROS

    @property
    def data(self) -> NDArray[np.uint8]:
        """The copy's bytes."""
        return self._room[: int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize]

    def fits(self, array: NDArray[np.generic]) -> bool:
        """Whether the array still has this mirror's type and axes; the length of the first may differ."""
        return (
            self.dtype == array.dtype and len(self.shape) == len(array.shape) and self.shape[1:] == array.shape[1:]
        )  # fmt: skip

    def _resize(self, array: NDArray[np.generic]) -> None:
        """Take the array's new length."""
        old = len(self.data)
        if array.nbytes > len(self._room):
            room = np.zeros(array.nbytes + array.nbytes // 2, np.uint8)
            room[:old] = self._room[:old]
            self._room = room
        self._room[array.nbytes : old] = 0
        chunks, known = -(-array.nbytes // self.chunk_bytes), len(self.changed)
        changed, table = np.ones(chunks, np.bool_), np.zeros((3, chunks), np.int64)
        table[0] = ZEROS
        # A chunk that was, or is now, cut short by the array's end is another chunk.
        same = min(old, array.nbytes) // self.chunk_bytes
        changed[:same] = self.changed[:same]
        table[:, : min(known, chunks)] = self.table[:, : min(known, chunks)]
        self.changed, self.table, self.shape = changed, table, array.shape

    def copy_from(self, array: NDArray[np.generic]) -> None:
        """Copy the chunks that differ; one pass over memory, without the interpreter lock."""
        if self.shape != array.shape:
            self._resize(array)
        live = bytes_of(array)
        whole = len(live) - len(live) % 8
        mirror = self.data
        _copy_changed(live[:whole].view(np.uint64), mirror[:whole].view(np.uint64), self.chunk_bytes // 8, self.changed)
        if whole < len(live) and not np.array_equal(live[whole:], mirror[whole:]):
            self.changed[-1] = True
            mirror[whole:] = live[whole:]

    def next_table(self) -> NDArray[np.int64]:
        """A copy of the table."""
        return self.table.copy()

    def release(self, rows: NDArray[np.int64]) -> None:
        """These chunks were written; the copy is kept, for the next one is compared with it."""


@kernel
def _gather(data: NDArray[np.uint8], chunk_bytes: int, rows: NDArray[np.int64], room: NDArray[np.uint8]) -> int:
    at = 0
    for place in range(len(rows)):
        start = rows[place] * chunk_bytes
        stop = min(len(data), start + chunk_bytes)
        room[at : at + stop - start] = data[start:stop]
        at += stop - start
    return at


@kernel
def _check_gather_write(
    data: NDArray[np.uint8],
    chunk_bytes: int,
    rows: NDArray[np.int64],
    checksums: NDArray[np.int64],
    is_zero: NDArray[np.bool_],
    room: NDArray[np.uint8],
    descriptor: int,
) -> tuple[int, int]:
    size = done = 0
    is_taken = True
    most = max(1, CALL_BYTES // chunk_bytes)
    for first in range(0, len(rows), most):
        last = min(len(rows), first + most)
        _check_chunks(data, chunk_bytes, rows[first:last], checksums[first:last], is_zero[first:last])
        size += _gather(data, chunk_bytes, rows[first:last][~is_zero[first:last]], room[size:])
        while is_taken and done < size:
            part = room[done : min(size, done + CALL_BYTES)]
            got = _write(descriptor, part.ctypes.data, len(part))
            is_taken = got > 0
            if is_taken:
                done += got
        # Who decides and was just ahead of its share would wait for the clock's next tick.
        _give_turn()
    return size, done


def write_rows(
    descriptor: int, data: NDArray[np.uint8], chunk_bytes: int, rows: NDArray[np.int64], room: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.bool_], int]:
    """Write these chunks behind one another, but for those of zeros; their checksums, which are zeros, bytes written.

    All of it without the interpreter lock: whoever decides would wait for each piece of Python between two steps.

    Parameters
    ----------
    room : as large as the chunks.
    """
    checksums = np.empty(len(rows), np.int64)
    is_zero = np.empty(len(rows), np.bool_)
    if _write is None:
        _check_chunks(data, chunk_bytes, rows, checksums, is_zero)
        size, done = _gather(data, chunk_bytes, rows[~is_zero], room), 0
    else:
        size, done = _check_gather_write(data, chunk_bytes, rows, checksums, is_zero, room, descriptor)
    # What the kernel could not write meets its error here.
    write_all(descriptor, room[done:size].data)
    return checksums, is_zero, size


def places_in(packs: NDArray[np.int64], used: list[int]) -> NDArray[np.int64]:
    """Each pack's index in the list of those used."""
    return np.where(packs == ZEROS, ZEROS, np.searchsorted(np.array(used, np.int64), packs))
