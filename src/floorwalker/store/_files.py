"""Files that survive a power cut: whole writes, syncs that include the folder, atomic replacement."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Bytes = bytes | bytearray | memoryview


def write_all(descriptor: int, data: Bytes) -> None:
    """Write every byte; a system call may take fewer than it was given."""
    rest = memoryview(data).cast("B")
    while len(rest):
        rest = rest[os.write(descriptor, rest) :]


def write_at(descriptor: int, data: Bytes, offset: int) -> None:
    """Write every byte from this offset of a file on."""
    rest = memoryview(data).cast("B")
    while len(rest):
        done = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[done:], offset + done


def read_into(descriptor: int, room: NDArray[np.uint8], offset: int) -> int:
    """Fill the array from this offset of a file; returns the bytes read, fewer only where the file ends."""
    done = 0
    while done < len(room):
        got = os.preadv(descriptor, [room[done:].data], offset + done)
        if not got:
            break
        done += got
    return done


def sync_data(descriptor: int) -> None:
    """Bring a file's bytes and length to the disk (fdatasync, or fsync where that does not exist)."""
    getattr(os, "fdatasync", os.fsync)(descriptor)


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk: without it a new or renamed file may be gone after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parents, with the entries of each on the disk."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync_folder(each.parent)


def replace_file(path: Path, data: Bytes, *, mode: int = 0o640, sync: bool = True) -> None:
    """Put these bytes in the file's place at once: a reader sees the old file or the new one, never a part.

    Raises `OSError`; the unfinished file is then removed.
    """
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        try:
            write_all(descriptor, data)
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        unfinished.replace(path)
        if sync:
            sync_folder(path.parent)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
