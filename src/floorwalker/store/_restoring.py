"""Arrays read back from a snapshot's packs: in pieces, by two threads, each chunk checked."""

from __future__ import annotations

import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from floorwalker.store._chunks import ZEROS, bytes_of, find_runs
from floorwalker.store._files import read_into
from floorwalker.store._manifest import Manifest
from floorwalker.store.errors import DamagedError

_PIECE_BYTES = 4 * 1024 * 1024
"""Read at once: checked while it is still in the processor's cache, or nearly."""
_THREADS = 2
"""Reading and checking both let the interpreter lock go."""


def read_arrays(folder: Path, manifest: Manifest) -> dict[str, NDArray[np.generic]]:
    """The arrays of a snapshot by name, owned by the caller.

    Raises `DamagedError` where a chunk is not what was written, and `OSError` where a pack cannot be read.
    """
    head = manifest.head
    arrays = {entry.name: np.zeros(entry.shape, np.dtype(entry.dtype)) for entry in head.arrays}
    with ExitStack() as stack:
        packs = []
        for path in (folder / name for name in head.packs):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, descriptor)
            packs.append((path, descriptor))
        pieces = [
            _Piece(entry.name, bytes_of(arrays[entry.name]), table, first, last, head.chunk_bytes)
            for entry, table in zip(head.arrays, manifest.tables, strict=True)
            for first, last in _cut_pieces(table, head.chunk_bytes)
        ]
        with ThreadPoolExecutor(_THREADS, "floorwalker-restore") as threads:
            done = [threads.submit(piece.read, packs) for piece in pieces]
        for each in done:
            each.result()
    return arrays


def _cut_pieces(table: NDArray[np.int64], chunk_bytes: int) -> list[tuple[int, int]]:
    """First and last chunk of each stretch that stands in one place of one pack, at most `_PIECE_BYTES` long."""
    packs, offsets, _ = table
    most = max(1, _PIECE_BYTES // chunk_bytes)
    pieces = []
    for index in np.unique(packs[packs != ZEROS]).tolist():
        for first, last in find_runs(np.flatnonzero(packs == index), offsets, chunk_bytes):
            pieces += [(begin, min(last, begin + most - 1)) for begin in range(first, last + 1, most)]
    return pieces


class _Piece:
    """Chunks `first` to `last` of an array, which follow one another in one pack too."""

    def __init__(
        self, name: str, data: NDArray[np.uint8], table: NDArray[np.int64], first: int, last: int, chunk_bytes: int
    ) -> None:
        self._name = name
        self._room = data[first * chunk_bytes : (last + 1) * chunk_bytes]
        self._pack = int(table[0, first])
        self._offset = int(table[1, first])
        self._checksums = table[2, first : last + 1].tolist()
        self._chunk_bytes = chunk_bytes

    def read(self, packs: list[tuple[Path, int]]) -> None:
        """Fill the array's part from the packs' open files; raises `DamagedError`."""
        room = self._room
        path, descriptor = packs[self._pack]
        if read_into(descriptor, room, self._offset) != len(room):
            raise DamagedError(f"{path} is shorter than its snapshot says", path=path)
        view = room.data
        for place, checksum in enumerate(self._checksums):
            begin = place * self._chunk_bytes
            if zlib.crc32(view[begin : begin + self._chunk_bytes]) != checksum:
                at = self._offset + begin
                raise DamagedError(
                    f"{path} at byte {at} is damaged (array {self._name!r})", path=path, offset=at
                )  # fmt: skip
