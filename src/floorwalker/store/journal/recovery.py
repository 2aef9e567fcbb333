"""What opening a journal finds at its end: whole records, a torn tail to cut off, or damage to refuse."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from floorwalker.store._files import replace_file, sync_data, sync_folder
from floorwalker.store.errors import DamagedError
from floorwalker.store.journal.evidence import durable_claim_behind
from floorwalker.store.journal.frames import BROKEN, NEWER
from floorwalker.store.journal.segments import LEAST_ROOM, WAY_OUT, FrameError, Segment, scan_segment

WATERMARK = "watermark"
_WATERMARK = struct.Struct("<8sQ")
_WATERMARK_MAGIC = b"FWMARK\x00\x01"


@dataclass(frozen=True)
class Recovery:
    """What was found when the journal was opened.

    Parameters
    ----------
    first : sequence of the oldest record kept.
    next : sequence that the next record gets.
    cut_bytes : bytes of unfinished records cut off the end; none of them was ever acknowledged. Zeros that were room
        for more are not counted.
    cut_path : the file that was cut, or None.
    """

    first: int
    next: int
    cut_bytes: int
    cut_path: Path | None


def read_watermark(folder: Path) -> int:
    """The sequence before which every record is known to be durable, as the last orderly close noted it; -1: none."""
    try:
        data = (folder / WATERMARK).read_bytes()
    except FileNotFoundError:
        return -1
    size = _WATERMARK.size
    if len(data) != size + 4 or zlib.crc32(data[:size]) != struct.unpack_from("<I", data, size)[0]:
        # It is replaced at once, so a broken one is damage; but it is a hint, and the frames speak for themselves.
        return -1
    magic, sequence = _WATERMARK.unpack_from(data)
    return int(sequence) if magic == _WATERMARK_MAGIC else -1


def write_watermark(folder: Path, sequence: int) -> None:
    """Note that every record before this sequence is durable."""
    body = _WATERMARK.pack(_WATERMARK_MAGIC, sequence)
    replace_file(folder / WATERMARK, body + struct.pack("<I", zlib.crc32(body)))


def first_unsure(folder: Path, segments: list[Segment]) -> int:
    """Index of the first segment that may hold records of which nothing says that they were on the disk."""
    claim = max(read_watermark(folder), *(segment.synced for segment in segments))
    return max((index for index, segment in enumerate(segments) if segment.first <= claim), default=0)


def recover_end(folder: Path, segments: list[Segment]) -> tuple[Recovery, int]:
    """Check the end of a journal, cut a torn tail off, and say what was found, with the size of the last segment.

    Segments of which a later header says that they were on the disk when it was written are not read here: reading
    them checks them. `segments` loses those that a power cut under ``process`` durability left behind a torn one.

    Raises `DamagedError` where a broken record had been acknowledged.
    """
    try:
        expected, offset = _scan_end(segments, first_unsure(folder, segments))
    except FrameError as error:
        index = [segment.path for segment in segments].index(error.path)
        claims = [read_watermark(folder), durable_claim_behind(segments[index], error.offset, error.sequence)]
        for later in segments[index + 1 :]:
            claims += [later.synced, durable_claim_behind(later, later.header_bytes - 1, error.sequence)]
        if error.ended == NEWER or max(claims) > error.sequence:
            raise error.as_error() from None
        return _cut_tail(segments, index, error.offset, error.sequence), error.offset
    if expected < read_watermark(folder):
        last = segments[-1].path
        raise DamagedError(
            f"{last} ends before record {expected}, but the journal was closed with {read_watermark(folder)} records",
            path=last, offset=last.stat().st_size, sequence=expected, fix=WAY_OUT,
        )  # fmt: skip
    return Recovery(segments[0].first, expected, 0, None), offset


def _scan_end(segments: list[Segment], start: int) -> tuple[int, int]:
    """Check every frame from a segment on; returns the next sequence and the last segment's size."""
    expected = segments[start].first
    offset = segments[start].header_bytes
    for index in range(start, len(segments)):
        segment = segments[index]
        if segment.first != expected:
            # The segment before ends too soon, though at the end of a frame.
            raise FrameError(segments[index - 1].path, offset, expected, BROKEN)
        offset = segment.header_bytes
        size = segment.path.stat().st_size
        for _, offset, expected in scan_segment(segment, segment.header_bytes, segment.first, size):
            segment.note_point(expected, offset)
    return expected, offset


def unwritten_room(path: Path, offset: int) -> int:
    """Zeros at the end of a file, from `offset` on, that were to be overwritten by records; 0 for fewer than many."""
    written = np.flatnonzero(np.fromfile(path, np.uint8, offset=offset))
    zeros = path.stat().st_size - offset - (int(written[-1]) + 1 if len(written) else 0)
    return zeros if zeros >= LEAST_ROOM else 0


def _cut_tail(segments: list[Segment], index: int, offset: int, sequence: int) -> Recovery:
    cut = segments[index].path.stat().st_size - offset - unwritten_room(segments[index].path, offset)
    while len(segments) > index + 1:
        later = segments.pop().path
        cut += later.stat().st_size
        later.unlink()
    # Before anything is appended: a segment that came back after a power cut would stand beside its own sequences.
    sync_folder(segments[index].path.parent)
    path = segments[index].path
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.ftruncate(descriptor, offset)
        sync_data(descriptor)
    finally:
        os.close(descriptor)
    return Recovery(segments[0].first, sequence, cut, path if cut else None)
