"""Chunks of arrays are written behind one another by the kernel as by plain Python, and what stops it is raised."""

import errno
import os
import resource
import zlib
from pathlib import Path

import numpy as np
import pytest

from floorwalker.store import _chunks
from floorwalker.store._chunks import write_rows
from floorwalker.store._files import CALL_BYTES

CHUNK = 4096


@pytest.fixture(params=["kernel", "python"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "python":
        monkeypatch.setattr(_chunks, "_write", None)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("size", [100, CHUNK, CALL_BYTES, 3 * CALL_BYTES + 77])
def test_chunks_are_written_but_for_zeros(tmp_path: Path, size: int) -> None:
    data = np.random.default_rng(size).integers(1, 256, size).astype(np.uint8)
    chunks = -(-size // CHUNK)
    data[CHUNK : 2 * CHUNK] = 0
    rows = np.flatnonzero(np.arange(chunks) % 5 != 3)
    path = tmp_path / "pack"
    with path.open("wb") as file:
        os.write(file.fileno(), b"before")
        checksums, is_zero, done = write_rows(file.fileno(), data, CHUNK, rows, np.empty(chunks * CHUNK, np.uint8))
    parts = [data[row * CHUNK : (row + 1) * CHUNK].tobytes() for row in rows.tolist()]
    kept = [part for part in parts if any(part)]
    assert path.read_bytes() == b"before" + b"".join(kept)
    assert done == sum(map(len, kept))
    assert is_zero.tolist() == [not any(part) for part in parts]
    assert checksums.tolist() == [zlib.crc32(part) if any(part) else 0 for part in parts]


@pytest.mark.usefixtures("way")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device is Linux's")
def test_a_full_disk_is_raised() -> None:
    data = np.ones(2 * CHUNK, np.uint8)
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(OSError, match="space") as met:
            write_rows(descriptor, data, CHUNK, np.arange(2), np.empty(2 * CHUNK, np.uint8))
    finally:
        os.close(descriptor)
    assert met.value.errno == errno.ENOSPC


@pytest.mark.usefixtures("way")
def test_a_disk_that_is_full_in_the_middle_holds_what_came_before(tmp_path: Path) -> None:
    data = np.random.default_rng(0).integers(1, 256, 4 * CALL_BYTES).astype(np.uint8)
    rows = np.arange(len(data) // CHUNK)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with (tmp_path / "pack").open("wb") as file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (CALL_BYTES + 1000, hard))
        try:
            with pytest.raises(OSError, match="large"):
                write_rows(file.fileno(), data, CHUNK, rows, np.empty(len(data), np.uint8))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert (tmp_path / "pack").read_bytes() == data[: CALL_BYTES + 1000].tobytes()
