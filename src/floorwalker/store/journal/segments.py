"""One file of the journal: its name, its header, and the frames in it.

The name is the sequence of its first record in 20 digits with the ending `.journal`. The header:

    offset  bytes  little-endian
         0      8  magic, `FWJOURNL`
         8      2  version of the segment, 1
        10      2  length of the header, 48; frames begin here
        12      4  salt: where the checksums of this segment's frames begin
        16      8  sequence of the first record
        24      8  synced: every record before this one was on the disk when the segment was made; -1 unknown
        32      8  when it was made, µs UTC
        40      4  zero
        44      4  CRC-32 of the 44 bytes before

Behind the last frame of a file that is being written, or whose owner was killed, zeros may stand: room made ahead. No
frame looks like them, for its version is not 0.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from floorwalker.store._files import read_into
from floorwalker.store.errors import DamagedError, NewerVersionError
from floorwalker.store.journal.batches import RecordBatch
from floorwalker.store.journal.frames import BROKEN, COMPLETE, FULL, HEADER_BYTES, NEWER, scan_frames

MAGIC = b"FWJOURNL"
SEGMENT_VERSION = 1
SEGMENT_HEADER = struct.Struct("<8sHHIQqqI")
SEGMENT_HEADER_BYTES = 48
ENDING = ".journal"
BUFFER_BYTES = 8 * 1024 * 1024
ROOM_BYTES = 512 * 1024
"""A file that is being written is lengthened with zeros to a multiple of it; its owner cuts them off at last."""
MOST_ROOM_BYTES = 4 * 1024 * 1024
"""By so much at a time once it is as long itself. The sync of zeros is a transaction of the file system, and syncs of
records beside it wait for that: seldom is better. At a thousand decisions a second half a mebibyte lasts for less than
a second."""
LEAST_ROOM = 512
"""Fewer zeros at a file's end may as well be the end of a record that was torn."""
_POINT_BYTES = 1024 * 1024
WAY_OUT = "stop the server, then run repair_journal on the folder (docs/storage.md, 'Damage'), or restore a backup"


@dataclass
class Segment:
    """One file of the journal.

    Parameters
    ----------
    path : the file.
    first : sequence of its first record.
    salt : where the checksums of its frames begin.
    synced : every record before this sequence was on the disk when the segment was made; -1 unknown.
    header_bytes : where its frames begin.
    points : sequences and offsets of some frames, so that reading from the middle need not begin at the front.
    """

    path: Path
    first: int
    salt: int
    synced: int
    header_bytes: int = SEGMENT_HEADER_BYTES
    points: list[tuple[int, int]] = field(default_factory=list)

    def note_point(self, sequence: int, offset: int) -> None:
        """Remember where a frame begins, at most one in a mebibyte."""
        if not self.points or offset >= self.points[-1][1] + _POINT_BYTES:
            self.points.append((sequence, offset))

    def find_point(self, sequence: int) -> tuple[int, int]:
        """The last known frame at or before this sequence: its sequence and offset."""
        best = (self.first, self.header_bytes)
        for point in self.points:
            if point[0] > sequence:
                break
            best = point
        return best


def name_segment(folder: Path, first: int) -> Path:
    """The file whose first record has this sequence."""
    return folder / f"{first:020d}{ENDING}"


def list_segments(folder: Path) -> list[Path]:
    """The journal's files in the order of their records."""
    return sorted(path for path in folder.glob(f"*{ENDING}") if path.stem.isdigit())


def pack_header(*, first: int, salt: int, synced: int, made_at: int) -> bytes:
    """The header of a new segment."""
    body = SEGMENT_HEADER.pack(MAGIC, SEGMENT_VERSION, SEGMENT_HEADER_BYTES, salt, first, synced, made_at, 0)
    return body + struct.pack("<I", zlib.crc32(body))


def read_header(path: Path) -> Segment:
    """The segment behind a file; a header that is short, damaged or of another file raises `DamagedError`."""
    with path.open("rb") as file:
        data = file.read(SEGMENT_HEADER_BYTES)
    if len(data) < SEGMENT_HEADER_BYTES or zlib.crc32(data[:44]) != struct.unpack_from("<I", data, 44)[0]:
        raise DamagedError(f"the header of {path} is damaged", path=path, fix=WAY_OUT)
    magic, version, header_bytes, salt, first, synced, _, _ = SEGMENT_HEADER.unpack_from(data)
    if magic != MAGIC or first != int(path.stem):
        raise DamagedError(f"{path} is not the journal segment that its name says", path=path, fix=WAY_OUT)
    if version != SEGMENT_VERSION:
        raise NewerVersionError(
            f"{path} is of journal version {version}",
            allowed=f"up to {SEGMENT_VERSION}",
            fix="run the version of floorwalker that wrote it, or a newer one",
        )
    return Segment(path, first, salt, synced, header_bytes)


class FrameError(Exception):
    """A scan met bytes that are no sound frame; who scans decides whether that is damage or a torn tail."""

    def __init__(self, path: Path, offset: int, sequence: int, ended: int) -> None:
        super().__init__(f"{path} at {offset}")
        self.path = path
        self.offset = offset
        self.sequence = sequence
        self.ended = ended

    def as_error(self) -> DamagedError | NewerVersionError:
        """The refusal that a user reads."""
        place = f"{self.path} at byte {self.offset}, record {self.sequence}"
        if self.ended == NEWER:
            return NewerVersionError(
                f"{place} is a frame of a newer version", fix="run the version of floorwalker that wrote it"
            )
        return DamagedError(
            f"{place}: the stored bytes are not those that were written",
            path=self.path,
            offset=self.offset,
            sequence=self.sequence,
            fix=WAY_OUT,
        )


def scan_segment(
    segment: Segment, offset: int, sequence: int, size: int, buffer_bytes: int = 0
) -> Iterator[tuple[RecordBatch, int, int]]:
    """Batches of checked records from `offset` on, each with the next offset and the sequence expected there.

    Parameters
    ----------
    segment : which file.
    offset, sequence : a frame's place and the sequence it must have.
    buffer_bytes : bytes read at a time; 0 means 8 MiB.
    size : bytes of the file that are read; `FrameError` is raised where these do not end with a sound frame.
    """
    carried = np.empty(0, np.uint8)
    wanted = usual = buffer_bytes or BUFFER_BYTES
    begin = offset
    descriptor = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while begin < size:
            take = min(wanted, size - begin - len(carried))
            data = np.empty(len(carried) + take, np.uint8)
            data[: len(carried)] = carried
            filled = len(carried) + read_into(descriptor, data[len(carried) :], begin + len(carried))
            at, ended = 0, FULL
            while ended == FULL:
                rows = max(64, (filled - at) // (HEADER_BYTES + 40))
                places = np.empty((3, rows), np.int64)
                count, at, sequence, ended = scan_frames(
                    data, at, filled, sequence, segment.salt, places[0], places[1], places[2]
                )
                yield (
                    RecordBatch(places[0, :count], data, places[1, :count], places[2, :count]), begin + at, sequence,
                )  # fmt: skip
            begin += at
            is_short = filled < len(data)
            is_last = begin + (filled - at) >= size
            if ended in (BROKEN, NEWER) or is_short or (is_last and ended != COMPLETE):
                raise FrameError(segment.path, begin, sequence, ended)
            if is_last:
                return
            carried = data[at:filled]
            # A frame larger than the buffer: read twice as much, until it fits.
            wanted = usual if at else 2 * max(wanted, len(carried))
    finally:
        os.close(descriptor)
