"""The way out of damage: keep every sound record, note what is gone, put the broken bytes aside."""

from __future__ import annotations

import os
import secrets
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from floorwalker.store._files import replace_file, sync_folder
from floorwalker.store.errors import DamagedError
from floorwalker.store.journal.frames import FRAME_VERSION, GAP, HEADER, find_frame
from floorwalker.store.journal.recovery import WATERMARK, unwritten_room
from floorwalker.store.journal.segments import (
    FrameError,
    Segment,
    list_segments,
    name_segment,
    pack_header,
    read_header,
    scan_segment,
)
from floorwalker.store.lock import OwnerLock

ASIDE = ".damaged"
"""Ending of the copy that a repair leaves of each file it changes."""


@dataclass(frozen=True)
class Repair:
    """What a repair did.

    Parameters
    ----------
    lost : ranges of records that are gone: first and last sequence. An open end is -1.
    changed : files that were rewritten; the originals stand beside them with the ending `.damaged`.
    """

    lost: tuple[tuple[int, int], ...]
    changed: tuple[Path, ...]


def repair_journal(folder: Path, *, at_least: int = 0) -> Repair:
    """Make a damaged journal open again, without the records that are damaged.

    Sound records behind the damage keep their sequences: a gap frame stands for the lost ones. A segment whose header
    is damaged is lost as a whole. Raises `LockedError` while a process owns the folder.

    Parameters
    ----------
    folder : the journal.
    at_least : the sequence that the next record must not fall below. Snapshots and ledgers made before the damage may
        know records that the journal then lacks; give the highest sequence they name, so that none is given twice.
    """
    lock = OwnerLock(folder)
    try:
        return _repair(folder, at_least)
    finally:
        lock.release()


def _repair(folder: Path, at_least: int) -> Repair:
    lost: list[tuple[int, int]] = []
    changed: list[Path] = []
    sound: list[Segment] = []
    for path in list_segments(folder):
        try:
            sound.append(read_header(path))
        except DamagedError:
            path.rename(path.with_name(path.name + ASIDE))
            changed.append(path)
    if not sound and changed:
        header = pack_header(first=at_least, salt=secrets.randbits(32), synced=-1, made_at=0)
        replace_file(name_segment(folder, at_least), header)
        lost.append((0, -1))
    for index, segment in enumerate(sound):
        is_last = index + 1 == len(sound)
        following = at_least if is_last else sound[index + 1].first
        data = np.fromfile(segment.path, np.uint8)
        pieces, reached, is_cut = _sound_pieces(segment, data, lost)
        if reached < following:
            pieces.append(_gap(segment, reached, following - reached))
            lost.append((reached, following - 1))
        whole = b"".join(pieces)
        if whole != data.tobytes():
            if is_cut and reached >= following:
                lost.append((reached, -1))
            aside = segment.path.with_name(segment.path.name + ASIDE)
            if not aside.exists():
                os.link(segment.path, aside)
            replace_file(segment.path, whole)
            changed.append(segment.path)
    if changed or (folder / WATERMARK).exists():
        (folder / WATERMARK).unlink(missing_ok=True)
        sync_folder(folder)
    return Repair(tuple(lost), tuple(changed))


def _sound_pieces(
    segment: Segment, data: NDArray[np.uint8], lost: list[tuple[int, int]]
) -> tuple[list[bytes], int, bool]:
    """The segment's bytes without the broken frames, the sequence expected behind them, and whether its end is gone."""
    pieces = [data[: segment.header_bytes].tobytes()]
    start, expected = segment.header_bytes, segment.first
    while True:
        try:
            reached = [expected, *(reached for _, _, reached in scan_segment(segment, start, expected, len(data)))]
            return [*pieces, data[start:].tobytes()], reached[-1], False
        except FrameError as error:
            pieces.append(data[start : error.offset].tobytes())
            if error.offset + unwritten_room(segment.path, error.offset) == len(data):
                return pieces, error.sequence, False
            place, sequence, _ = find_frame(data, error.offset + 1, len(data), error.sequence + 1, segment.salt)
            if place < 0:
                return pieces, error.sequence, True
            pieces.append(_gap(segment, error.sequence, sequence - error.sequence))
            lost.append((error.sequence, sequence - 1))
            start, expected = place, sequence


def _gap(segment: Segment, sequence: int, count: int) -> bytes:
    frame = HEADER.pack(0, 8, sequence, 0, FRAME_VERSION, GAP) + struct.pack("<Q", count)
    return struct.pack("<I", zlib.crc32(frame[4:], segment.salt)) + frame[4:]
