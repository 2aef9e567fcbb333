"""Files that survive a power cut: whole writes, syncs that include the folder, atomic replacement."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Bytes = bytes | bytearray | memoryview
CALL_BYTES = 65_536
"""Read or written by one system call where others of the same core may be asked for decisions: many a system gives the
core to nobody before a call ends, and one of a mebibyte took three milliseconds."""


def write_all(descriptor: int, data: Bytes) -> None:
    """Write every byte; a system call may take fewer than it was given."""
    rest = memoryview(data).cast("B")
    while len(rest):
        rest = rest[os.write(descriptor, rest[:CALL_BYTES]) :]


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
        got = os.preadv(descriptor, [room[done : done + CALL_BYTES].data], offset + done)
        if not got:
            break
        done += got
    return done


def sync_data(descriptor: int) -> None:
    """Bring a file's bytes and length to the disk (fdatasync, or fsync where that does not exist)."""
    getattr(os, "fdatasync", os.fsync)(descriptor)


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk: without it a new or renamed file may be gone after a power cut."""
    _sync(folder, os.O_DIRECTORY)


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


def replace_folder(ready: Path, place: Path) -> None:
    """Put a finished folder in another's place: at every moment, also after a power cut, `standing_folder` shows the
    old one or the new one, whole.

    Parameters
    ----------
    ready : beside `place`, under another name; it is gone afterwards.
    """
    for path in (*sorted(ready.rglob("*"), reverse=True), ready):
        _sync(path)
    if place.exists():
        # What a replacement left half done before is not needed while `place` stands. Where only that copy stands,
        # it stays until the new folder has its name.
        shutil.rmtree(_old(place), ignore_errors=True)
        place.rename(_old(place))
    ready.rename(place)
    sync_folder(place.parent)
    shutil.rmtree(_old(place), ignore_errors=True)


def remove_folder(place: Path) -> None:
    """Remove a folder and what a broken-off `replace_folder` left of it."""
    shutil.rmtree(_old(place), ignore_errors=True)
    shutil.rmtree(place, ignore_errors=True)


def standing_folder(place: Path) -> Path:
    """The folder, or the one before it where `replace_folder` was broken off between its two renames."""
    return _old(place) if not place.exists() and _old(place).exists() else place


def _old(place: Path) -> Path:
    return place.with_name(place.name + ".old")


def _sync(path: Path, flags: int = 0) -> None:
    descriptor = os.open(path, os.O_RDONLY | flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
