"""Packed, glued, cut and damaged files."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from floorwalker.errors import InputError
from floorwalker.sources.access_log import AccessLog

LINES = [
    f"192.0.2.{k % 250} - - [22/Jan/2019:03:{k // 60 % 60:02}:{k % 60:02} +0000] "
    f'"GET /p/{k}?q={k * 7919 % 1009} HTTP/1.1" 200 {k} "-" "Mozilla/5.0 ({k * 104729 % 997})"'
    for k in range(3000)
]
TEXT = ("\n".join(LINES) + "\n").encode()

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


def count(log: AccessLog) -> int:
    return sum(len(batch) for batch in log.batches())


@pytest.mark.parametrize("packing", PACKERS)
def test_packing_is_told_by_the_bytes(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "access.log.misnamed"
    path.write_bytes(PACKERS[packing](TEXT))
    log = AccessLog([path])
    assert count(log) == 3000
    assert (log.lines, log.size_bytes, log.warnings) == (3000, len(TEXT), [])


@pytest.mark.parametrize("packing", sorted(set(PACKERS) - {"plain"}))
def test_members_glued_together_are_one_log(packing: str, tmp_path: Path) -> None:
    cut = TEXT.index(b"\n", len(TEXT) // 2) - 20
    path = tmp_path / "a"
    path.write_bytes(PACKERS[packing](TEXT[:cut]) + PACKERS[packing](TEXT[cut:]))
    log = AccessLog([path])
    assert count(log) == 3000
    assert log.warnings == []


@pytest.mark.parametrize("packing", sorted(set(PACKERS) - {"plain"}))
def test_a_truncated_file_keeps_what_could_be_read(packing: str, tmp_path: Path) -> None:
    text = TEXT if packing != "bzip2" else TEXT * 8  # bzip2 gives nothing before its first block of 900 kB is whole
    packed = PACKERS[packing](text)
    path = tmp_path / "a"
    path.write_bytes(packed[: len(packed) * 3 // 4])
    log = AccessLog([path])
    got = count(log)
    assert 1000 < got < text.count(b"\n")
    assert log.requests + sum(entry[1] for entry in log.cleaned) == log.lines
    assert "is cut off" in log.warnings[0]


def test_a_damaged_file_keeps_what_stands_before(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(TEXT))
    packed[len(packed) // 2 : len(packed) // 2 + 64] = b"\xff" * 64
    path = tmp_path / "a"
    path.write_bytes(packed)
    log = AccessLog([path])
    assert 0 < count(log) < 3000
    assert "is damaged" in log.warnings[0]


@pytest.mark.parametrize("packing", sorted(set(PACKERS) - {"plain"}))
def test_bytes_behind_the_packed_data_are_left_out(packing: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(PACKERS[packing](TEXT) + b"\0" * 512)
    (tmp_path / "b").write_bytes(PACKERS[packing](TEXT) + b"garbage behind it" * 3)
    clean, dirty = AccessLog([tmp_path / "a"]), AccessLog([tmp_path / "b"])
    assert count(clean) == count(dirty) == 3000
    assert clean.warnings == []
    assert "bytes behind" in dirty.warnings[0]


def test_a_bomb_is_unpacked_in_bounded_steps(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(TEXT + b"A" * 50_000_000 + b"\n" + TEXT))
    log = AccessLog([path])
    assert count(log) == 6000
    assert [entry[:2] for entry in log.cleaned] == [("line too long", 1)]


@pytest.mark.parametrize("packing", ["plain", "gzip"])
def test_standard_input_and_pipes(packing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = PACKERS[packing](TEXT)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    log = AccessLog(["-"])
    assert len(log.sample(500)) >= 500
    assert count(log) == log.lines == 3000

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    assert count(AccessLog([pipe])) == 3000
    writer.join()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04" + bytes(100), "ZIP archive"),
        (b"\x04\x22\x4d\x18" + bytes(100), "lz4"),
        ("192.0.2.1 - -".encode("utf-16"), "UTF-16"),
        (bytes(range(256)) * 20, "binary file"),
        (gzip.compress(bytes(range(256)) * 20, mtime=0), "binary file"),
        (b"", "is empty"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (b"\n\r\n\n", "is empty"),
        (b"\x1f\x8b", "is empty"),
        (b"once upon a time\nthere was a shop\n", "its first line is 'once upon a time'"),
        (b"\xff" * 300_000, "binary file"),
        (b"x" * 2_000_000, "not known"),
    ],
)
def test_what_is_no_log_is_said_clearly(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message):
        AccessLog([path])
