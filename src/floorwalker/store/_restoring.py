"""Arrays read back from a snapshot's packs: in pieces, by two threads, each chunk checked."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel
from floorwalker.store._chunks import ZEROS, bytes_of
from floorwalker.store._files import read_into
from floorwalker.store._manifest import Manifest
from floorwalker.store.errors import DamagedError
from floorwalker.store.journal.frames import checksum_of

_PIECE_BYTES = 4 * 1024 * 1024
"""Read at once: more than a system call costs, less than the processor's cache."""
_THREADS = 2
"""Reading and checking both let the interpreter lock go."""

_room = threading.local()


@kernel
def _scatter(
    read: NDArray[np.uint8],
    places: NDArray[np.int64],
    rows: NDArray[np.int64],
    checksums: NDArray[np.int64],
    chunk_bytes: int,
    data: NDArray[np.uint8],
) -> int:
    """Put the chunk at each place of `read` into its row of `data`; returns the first that is damaged, -1: none."""
    for chunk in range(len(rows)):
        start = rows[chunk] * chunk_bytes
        length = min(chunk_bytes, len(data) - start)
        place = places[chunk]
        if checksum_of(read, place, place + length, 0) != checksums[chunk]:
            return chunk
        data[start : start + length] = read[place : place + length]
    return -1


def read_arrays(
    folder: Path, manifest: Manifest, room: Mapping[str, NDArray[np.generic]] | None = None
) -> dict[str, NDArray[np.generic]]:
    """The arrays of a snapshot by name, owned by the caller.

    Raises `DamagedError` where a chunk is not what was written, and `OSError` where a pack cannot be read.

    Parameters
    ----------
    room : memory full of zeros for some of them, of their type and shape.
    """
    head = manifest.head
    given = room or {}
    arrays = {
        entry.name: given[entry.name] if entry.name in given else np.zeros(entry.shape, np.dtype(entry.dtype))
        for entry in head.arrays
    }
    with ExitStack() as stack:
        packs = []
        for path in (folder / name for name in head.packs):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, descriptor)
            packs.append((path, descriptor))
        pieces = [
            piece
            for entry, table in zip(head.arrays, manifest.tables, strict=True)
            for piece in _cut(entry.name, bytes_of(arrays[entry.name]), table, head.chunk_bytes)
        ]
        with ThreadPoolExecutor(_THREADS, "floorwalker-restore") as threads:
            done = [threads.submit(piece.read, *packs[piece.pack]) for piece in pieces]
        for each in done:
            each.result()
    return arrays


def _cut(name: str, data: NDArray[np.uint8], table: NDArray[np.int64], chunk_bytes: int) -> Iterator[_Piece]:
    """The chunks of one array, by the pack and the stretch of it that they are read from."""
    packs, offsets, checksums = table
    for pack in np.unique(packs[packs != ZEROS]).tolist():
        rows = np.flatnonzero(packs == pack)
        rows = rows[np.argsort(offsets[rows], kind="stable")]
        at = offsets[rows]
        first = 0
        while first < len(rows):
            # At least one chunk, however large.
            last = max(first + 1, int(np.searchsorted(at, at[first] + _PIECE_BYTES - chunk_bytes, "right")))
            yield _Piece(name, pack, chunk_bytes, rows[first:last], at[first:last], checksums[rows[first:last]], data)
            first = last


@dataclass(frozen=True)
class _Piece:
    """Chunks of an array that stand near one another in one pack.

    Parameters
    ----------
    name, data : the array.
    pack : index of the pack.
    rows, offsets, checksums : int64 [n], of the chunks, by rising offset.
    """

    name: str
    pack: int
    chunk_bytes: int
    rows: NDArray[np.int64]
    offsets: NDArray[np.int64]
    checksums: NDArray[np.int64]
    data: NDArray[np.uint8]

    def read(self, path: Path, descriptor: int) -> None:
        """Fill the array's chunks from the open pack; raises `DamagedError`."""
        begin = int(self.offsets[0])
        final = min(self.chunk_bytes, len(self.data) - int(self.rows[-1]) * self.chunk_bytes)
        length = int(self.offsets[-1]) + final - begin
        read = _take_room(length)
        if read_into(descriptor, read, begin) != length:
            raise DamagedError(f"{path} is shorter than its snapshot says", path=path)
        broken = _scatter(read, self.offsets - begin, self.rows, self.checksums, self.chunk_bytes, self.data)
        if broken >= 0:
            at = int(self.offsets[broken])
            raise DamagedError(f"{path} at byte {at} is damaged (array {self.name!r})", path=path, offset=at)


def _take_room(length: int) -> NDArray[np.uint8]:
    """Memory of this thread that is used again: taking new pages for each piece costs as much as filling them."""
    room: NDArray[np.uint8] | None = getattr(_room, "taken", None)
    if room is None or len(room) < length:
        room = _room.taken = np.empty(max(length, _PIECE_BYTES), np.uint8)
    return room[:length]
