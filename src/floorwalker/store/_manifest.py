"""The manifest of one snapshot: which arrays, and where each of their chunks stands.

offset  bytes  little-endian
     0      8  magic, `FWSNAPSH`
     8      2  version, 1
    10      2  zero
    12      4  length of the head
    16         head: JSON with number, generation, sequence, made_at, chunk_bytes, packs (file names), notes, and
               arrays (name, dtype, shape, chunks)
               for each array: chunks × int64 pack (index into packs, -1: zeros), chunks × int64 offset in the
               pack, chunks × int64 checksum (CRC-32 of the chunk's bytes, 0 for zeros)
  last 4      CRC-32 of everything before
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from floorwalker.store.errors import DamagedError, NewerVersionError

MAGIC = b"FWSNAPSH"
VERSION = 1
ENDING = ".snapshot"
PACK_ENDING = ".pack"
_START = struct.Struct("<8sHHI")


class ArrayEntry(msgspec.Struct, frozen=True):
    """One array: its name, NumPy's text for its type, its shape, and its number of chunks."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    chunks: int


class Head(msgspec.Struct, frozen=True):
    """What a manifest says before its tables; see the module's text."""

    number: int
    generation: int
    sequence: int
    made_at: int
    chunk_bytes: int
    packs: tuple[str, ...]
    notes: dict[str, str]
    arrays: tuple[ArrayEntry, ...]


@dataclass(frozen=True)
class Manifest:
    """A head, and for each array its packs, offsets and checksums: int64 [3, chunks]."""

    head: Head
    tables: tuple[NDArray[np.int64], ...]


def pack_manifest(manifest: Manifest) -> bytes:
    """The file's bytes."""
    head = msgspec.json.encode(manifest.head)
    parts = [_START.pack(MAGIC, VERSION, 0, len(head)), head]
    parts += [table.astype("<i8").tobytes() for table in manifest.tables]
    body = b"".join(parts)
    # Joining lets the interpreter lock go, adding does not: with a million pages this is 24 MB.
    return b"".join((body, struct.pack("<I", zlib.crc32(body))))


def read_manifest(path: Path) -> Manifest:
    """A manifest from its file; `DamagedError` where any byte is not what was written."""
    data = path.read_bytes()
    if len(data) < _START.size + 4 or zlib.crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        raise DamagedError(f"the manifest {path} is damaged", path=path)
    magic, version, _, length = _START.unpack_from(data)
    if magic != MAGIC:
        raise DamagedError(f"{path} is no snapshot", path=path)
    if version != VERSION:
        raise NewerVersionError(f"{path} is of snapshot version {version}", allowed=f"up to {VERSION}")
    at = _START.size + length
    head = msgspec.json.decode(data[_START.size : at], type=Head)
    tables = []
    for entry in head.arrays:
        table = np.frombuffer(data, "<i8", 3 * entry.chunks, at).reshape(3, entry.chunks)
        tables.append(table.astype(np.int64))
        at += table.nbytes
    return Manifest(head, tuple(tables))
