"""A copy of a journal that another process may be writing to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from floorwalker.errors import UsageError
from floorwalker.store._files import make_folder, replace_file, sync_data, sync_folder
from floorwalker.store.errors import StorageFailedError, name_storage_error
from floorwalker.store.journal.reader import was_acknowledged
from floorwalker.store.journal.recovery import WATERMARK
from floorwalker.store.journal.segments import FrameError, list_segments, read_header, scan_segment

_PIECE_BYTES = 1024 * 1024


def copy_journal(folder: Path, target: Path) -> int:
    """Copy a journal for a backup, beside the process that owns it; returns the sequence behind the last record copied.

    A plain copy of the file that is being written may miss records in its middle: it is read piece by piece, and the
    owner fills the room ahead meanwhile. Of that file only what was read and checked is copied, and nothing behind it;
    those before it do not change any more, and are copied as they are. Every record that was acknowledged before the
    call is in the copy, and on the disk when this returns. No lock is taken and nothing is changed.

    Parameters
    ----------
    folder : the journal.
    target : made where missing; must be empty.

    Raises `DamagedError` where bytes of the last file are not those that were written, `UsageError` for a target in
    use, and other kinds of `StoreError` where a disk refuses.

    >>> import tempfile
    >>> from floorwalker.store.journal import Journal
    >>> home = Path(tempfile.mkdtemp())
    >>> with Journal(home / "journal", clock=lambda: 0) as journal:
    ...     first = journal.append([b"a login"])
    ...     journal.sync()
    ...     copy_journal(home / "journal", home / "backup")
    1
    """
    try:
        make_folder(target)
        if any(target.iterdir()):
            raise UsageError(f"{target} is not empty", fix="give a new folder for each backup")
        watermark = folder / WATERMARK
        # First, so that it claims no record that the copy lacks.
        claimed = watermark.read_bytes() if watermark.exists() else b""
        paths = list_segments(folder)
        if not paths:
            raise UsageError(f"{folder} holds no journal")
        for path in paths[:-1]:
            _copy_whole(path, target)
        reached = _copy_last(paths[-1], target)
        if claimed:
            replace_file(target / WATERMARK, claimed)
        sync_folder(target)
    except OSError as error:
        raise name_storage_error(error, "copy", folder) from error
    return reached


def _copy_whole(path: Path, target: Path) -> None:
    # The mode of the journal's own files: others on the machine read no tokens.
    descriptor = os.open(target / path.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    with path.open("rb") as source, open(descriptor, "wb") as copy:
        shutil.copyfileobj(source, copy, _PIECE_BYTES)
        copy.flush()
        sync_data(descriptor)


def _copy_last(path: Path, target: Path) -> int:
    segment = read_header(path)
    offset, sequence = segment.header_bytes, segment.first
    try:
        for _, place, following in scan_segment(segment, segment.header_bytes, segment.first, path.stat().st_size):
            offset, sequence = place, following
    except FrameError as error:
        if was_acknowledged(segment, error):
            raise error.as_error() from None
    with path.open("rb") as file:
        data = file.read(offset)
    if len(data) < offset:
        raise StorageFailedError(f"{path} became shorter while it was copied", fix="copy it again")
    replace_file(target / path.name, data)
    return sequence
