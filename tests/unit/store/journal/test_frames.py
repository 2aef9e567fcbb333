"""Frames: checksums as zlib's, and no changed byte goes unnoticed."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from floorwalker.store.journal.frames import (
    BROKEN,
    COMPLETE,
    FULL,
    HEADER_BYTES,
    NEWER,
    PARTIAL,
    checksum_of,
    find_frame,
    frame_few,
    scan_frames,
    write_frames,
)  # fmt: skip

SALT = 0xDEADBEEF


def frames_of(records: list[bytes], first: int = 0, synced: int = 0) -> np.ndarray:
    lengths = np.array([len(record) for record in records], np.int64)
    out = np.empty(int(lengths.sum()) + HEADER_BYTES * len(records), np.uint8)
    stops = np.cumsum(lengths)
    write_frames(np.frombuffer(b"".join(records), np.uint8), stops - lengths, stops, first, synced, SALT, out)
    return out


def scan(data: np.ndarray, expected: int = 0, rows: int = 100) -> tuple[list[bytes], int, int, int]:
    places = np.empty((3, rows), np.int64)
    count, at, expected, ended = scan_frames(data, 0, len(data), expected, SALT, places[0], places[1], places[2])
    found = [data[start:stop].tobytes() for start, stop in zip(places[1, :count], places[2, :count], strict=True)]
    return found, at, expected, ended


@given(st.binary(max_size=70), st.integers(0, 2**32 - 1), st.integers(0, 9))
def test_checksums_are_zlibs(data: bytes, salt: int, start: int) -> None:
    start = min(start, len(data))
    assert checksum_of(np.frombuffer(data, np.uint8), start, len(data), salt) == zlib.crc32(data[start:], salt)


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(0, 2**40))
def test_what_is_written_is_read(records: list[bytes], first: int) -> None:
    data = frames_of(records, first)
    assert scan(data, first) == (records, len(data), first + len(records), COMPLETE)


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(0, 2**40), st.integers(-1, 2**33))
def test_few_records_are_framed_as_many(records: list[bytes], first: int, synced: int) -> None:
    synced = -1 if synced < 0 else max(0, first - synced)
    assert frame_few(records, first, synced, SALT) == frames_of(records, first, synced).tobytes()


def test_every_changed_bit_is_noticed() -> None:
    data = frames_of([b"a first record", b"", b"a third"])
    for place in range(len(data)):
        for bit in range(8):
            broken = data.copy()
            broken[place] ^= np.uint8(1 << bit)
            found, _, _, ended = scan(broken)
            assert ended in (BROKEN, PARTIAL)
            assert len(found) == (0 if place < 38 else 1 if place < 62 else 2)


def test_a_frame_of_a_newer_version_is_told_from_damage() -> None:
    data = frames_of([b"abc"])
    data[20] = 2
    data[:4] = np.frombuffer(zlib.crc32(data[4:].tobytes(), SALT).to_bytes(4, "little"), np.uint8)
    assert scan(data)[3] == NEWER


def test_a_frame_in_the_wrong_place_is_broken() -> None:
    assert scan(frames_of([b"abc"], first=7), expected=6)[3] == BROKEN


def test_a_scan_that_runs_out_of_rows_goes_on_where_it_stopped() -> None:
    data = frames_of([b"abc"] * 5)
    found, at, expected, ended = scan(data, rows=3)
    assert (len(found), expected, ended) == (3, 3, FULL)
    assert scan(data[at:], expected)[0] == [b"abc"] * 2


def test_the_next_sound_frame_is_found_at_any_byte() -> None:
    data = np.concatenate([np.full(13, 1, np.uint8), frames_of([b"abc"], first=9, synced=7), frames_of([b"d"], 10, -1)])
    assert find_frame(data, 0, len(data), 3, SALT) == (13, 9, 7)
    assert find_frame(data, 14, len(data), 3, SALT) == (40, 10, -1)
    assert find_frame(data, 0, len(data), 11, SALT) == (-1, -1, -1)
    assert find_frame(data, 0, len(data), 3, SALT + 1) == (-1, -1, -1)


@pytest.mark.parametrize("name", ["checksum_of", "write_frames", "scan_frames", "find_frame"])
def test_kernels_run_as_plain_python_too(name: str) -> None:
    import floorwalker.store.journal.frames as module

    compiled = getattr(module, name)
    plain = getattr(compiled, "py_func", compiled)
    data = frames_of([b"abcdefghij", b"kl"], first=2**33)
    places = np.empty((3, 9), np.int64)
    arguments: dict[str, tuple[object, ...]] = {
        "checksum_of": (data, 0, len(data), SALT),
        "scan_frames": (data, 0, len(data), 2**33, SALT, *places),
        "find_frame": (data, 1, len(data), 0, SALT),
    }
    if name == "write_frames":
        out = np.empty_like(data)
        plain(np.frombuffer(b"abcdefghijkl", np.uint8), np.array([0, 10]), np.array([10, 12]), 2**33, 0, SALT, out)
        np.testing.assert_array_equal(out, data)
    else:
        assert plain(*arguments[name]) == compiled(*arguments[name])
