"""One record on the disk: a frame of 24 bytes and the record's own bytes, written and checked by kernels.

    offset  bytes  little-endian
         0      4  checksum: CRC-32 (zlib's polynomial) of everything behind it, begun from the segment's salt
         4      4  length of the payload
         8      8  sequence of the record, counted from 0 over the whole journal
        16      4  pending: records just before this one that were not known to be on the disk when it was written
        20      2  version of the frame, 1
        22      2  kind: 0 a record, 1 a gap (a repair's note: `payload` is the uint64 number of records lost)
        24         payload

The checksum begins from a secret salt, because visitors write parts of the records: without it a text could hold a
frame of its own, and a torn record with such a text inside would look like damage. `pending` tells a torn tail from
damage: a broken frame whose sequence a later sound frame calls durable was acknowledged, so it must not be cut off.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel

HEADER = struct.Struct("<IIQIHH")
HEADER_BYTES = 24
FRAME_VERSION = 1
RECORD, GAP = 0, 1
UNKNOWN_PENDING = 0xFFFFFFFF
"""A pending count that claims nothing: too many records, or none was ever synced."""
LARGEST_RECORD = 64 * 1024 * 1024
"""Payload bytes that no frame exceeds; a larger length is damage, and saves the scan from believing it."""

COMPLETE, PARTIAL, BROKEN, NEWER, FULL = 0, 1, 2, 3, 4
"""How a scan ended: at the buffer's end, inside a frame, at a broken one, at one of a newer version, or out of rows."""

_LOW = np.uint64(0xFFFFFFFF)
_BYTE = np.uint64(0xFF)
_U8, _U16, _U24 = np.uint64(8), np.uint64(16), np.uint64(24)


def _make_table() -> NDArray[np.uint64]:
    """Eight tables of 256 for CRC-32 eight bytes at a time (Kounavis and Berry, *Slicing by 8*, ISCC 2005)."""
    first = np.arange(256, dtype=np.uint64)
    for _ in range(8):
        first = np.where(first & np.uint64(1), (first >> np.uint64(1)) ^ np.uint64(0xEDB88320), first >> np.uint64(1))
    tables = [first]
    for _ in range(7):
        tables.append((tables[-1] >> _U8) ^ first[(tables[-1] & _BYTE).astype(np.intp)])
    return np.concatenate(tables)


_TABLE = _make_table()
_T1, _T2, _T3, _T4 = np.uint64(256), np.uint64(512), np.uint64(768), np.uint64(1024)
_T5, _T6, _T7 = np.uint64(1280), np.uint64(1536), np.uint64(1792)


@kernel
def checksum_of(data: NDArray[np.uint8], start: int, stop: int, salt: int) -> int:
    """CRC-32 of ``data[start:stop]`` begun from `salt`; equal to ``zlib.crc32(data[start:stop], salt)``."""
    crc = np.uint64(salt) ^ _LOW
    at = start
    while at + 8 <= stop:
        i = np.uint64(at)
        low = crc ^ (
            np.uint64(data[i])
            | np.uint64(data[i + np.uint64(1)]) << _U8
            | np.uint64(data[i + np.uint64(2)]) << _U16
            | np.uint64(data[i + np.uint64(3)]) << _U24
        )
        crc = (
            _TABLE[_T7 + (low & _BYTE)]
            ^ _TABLE[_T6 + ((low >> _U8) & _BYTE)]
            ^ _TABLE[_T5 + ((low >> _U16) & _BYTE)]
            ^ _TABLE[_T4 + (low >> _U24)]
            ^ _TABLE[_T3 + np.uint64(data[i + np.uint64(4)])]
            ^ _TABLE[_T2 + np.uint64(data[i + np.uint64(5)])]
            ^ _TABLE[_T1 + np.uint64(data[i + np.uint64(6)])]
            ^ _TABLE[np.uint64(data[i + np.uint64(7)])]
        )
        at += 8
    while at < stop:
        crc = (crc >> _U8) ^ _TABLE[(crc ^ np.uint64(data[np.uint64(at)])) & _BYTE]
        at += 1
    return np.int64(crc ^ _LOW)  # type: ignore[return-value]


@kernel
def load_integer(data: NDArray[np.uint8], at: int, width: int) -> int:
    """The little-endian integer of `width` bytes at `at`."""
    value = np.uint64(0)
    for step in range(width):
        value |= np.uint64(data[at + step]) << np.uint64(8 * step)
    return np.int64(value)  # type: ignore[return-value]


@kernel
def _store_integer(data: NDArray[np.uint8], at: int, width: int, value: int) -> None:
    rest = np.uint64(value)
    for step in range(width):
        data[at + step] = np.uint8(rest & _BYTE)
        rest >>= _U8


@kernel
def write_frames(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    first: int,
    synced: int,
    salt: int,
    out: NDArray[np.uint8],
) -> None:
    """Frame the records ``data[starts[k]:stops[k]]``.

    Parameters
    ----------
    data : uint8, holds the records' bytes.
    starts, stops : int64 [n], where each stands.
    first : sequence of the first.
    synced : every record before this sequence is on the disk; negative: unknown.
    salt : where the checksums begin.
    out : uint8 [24 n + sum of lengths], filled.
    """
    at = 0
    for row in range(len(starts)):
        source = starts[row]
        length = stops[row] - source
        sequence = first + row
        pending = sequence - synced
        if synced < 0 or pending > 0xFFFFFFFF:
            pending = 0xFFFFFFFF
        _store_integer(out, at + 4, 4, length)
        _store_integer(out, at + 8, 8, sequence)
        _store_integer(out, at + 16, 4, pending)
        _store_integer(out, at + 20, 4, 1)
        out[at + 24 : at + 24 + length] = data[source : source + length]
        _store_integer(out, at, 4, checksum_of(out, at + 4, at + 24 + length, salt))
        at += 24 + length


_REST = struct.Struct("<IQIHH")


def frame_few(records: Sequence[bytes], first: int, synced: int, salt: int) -> bytes:
    """As `write_frames`, for so few records that putting them into arrays would take longer than the work.

    >>> frame_few([b"a login"], 0, 0, 7)[HEADER_BYTES:]
    b'a login'
    """
    parts = []
    for sequence, record in enumerate(records, first):
        pending = sequence - synced
        if synced < 0 or pending > UNKNOWN_PENDING:
            pending = UNKNOWN_PENDING
        rest = _REST.pack(len(record), sequence, pending, FRAME_VERSION, RECORD)
        parts += [crc32(record, crc32(rest, salt)).to_bytes(4, "little"), rest, record]
    return b"".join(parts)


@kernel
def scan_frames(
    data: NDArray[np.uint8],
    start: int,
    stop: int,
    expected: int,
    salt: int,
    sequences: NDArray[np.int64],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
) -> tuple[int, int, int, int]:
    """Check frames one behind the other and note where their records stand.

    Parameters
    ----------
    data, start, stop : the buffer and the part of it that holds frames.
    expected : sequence of the first frame.
    salt : where the checksums begin.
    sequences, starts, stops : int64 [rows], filled: sequence and place of each record.

    Returns the number of records, the offset of the first byte not consumed, the sequence expected there, and how the
    scan ended.
    """
    count = 0
    at = start
    while at < stop:
        if at + 24 > stop:
            return count, at, expected, 1
        length = load_integer(data, at + 4, 4)
        if length > 67108864:
            return count, at, expected, 2
        if at + 24 + length > stop:
            return count, at, expected, 1
        if count == len(sequences):
            return count, at, expected, 4
        if checksum_of(data, at + 4, at + 24 + length, salt) != load_integer(data, at, 4):
            return count, at, expected, 2
        if load_integer(data, at + 20, 2) != 1:
            return count, at, expected, 3
        if load_integer(data, at + 8, 8) != expected:
            return count, at, expected, 2
        kind = load_integer(data, at + 22, 2)
        if kind == 1 and length == 8:
            expected += load_integer(data, at + 24, 8)
        elif kind == 0:
            sequences[count] = expected
            starts[count] = at + 24
            stops[count] = at + 24 + length
            count += 1
            expected += 1
        else:
            return count, at, expected, 3
        at += 24 + length
    return count, at, expected, 0


@kernel
def find_frame(data: NDArray[np.uint8], start: int, stop: int, after: int, salt: int) -> tuple[int, int, int]:
    """The next sound frame at or behind `start`, at any byte, whose sequence is at least `after`.

    Returns its offset (-1: none), its sequence, and the sequence before which it calls every record durable (-1 where
    it claims nothing). This is how damage is told from a torn tail, and where a repair goes on.
    """
    at = start
    while at + 24 <= stop:
        if data[at + 20] == 1 and data[at + 21] == 0 and data[at + 22] <= 1 and data[at + 23] == 0:
            length = load_integer(data, at + 4, 4)
            sequence = load_integer(data, at + 8, 8)
            if (
                length <= 67108864
                and at + 24 + length <= stop
                and sequence >= after
                and checksum_of(data, at + 4, at + 24 + length, salt) == load_integer(data, at, 4)
            ):
                pending = load_integer(data, at + 16, 4)
                return at, sequence, sequence - pending if pending < 0xFFFFFFFF else -1
        at += 1
    return -1, -1, -1
