"""Kinds of failure of what is stored: each says which file, what happened, and the way out."""

from __future__ import annotations

import errno
from pathlib import Path

from floorwalker.errors import InputError


class StoreError(InputError):
    """The base of every failure of the store."""


class StorageFullError(StoreError):
    """No room is left (disk, quota, file size limit); nothing of the attempt was kept, and a later one may succeed."""


class ReadOnlyStorageError(StoreError):
    """The disk or the folder does not let itself be written to; a later attempt may succeed."""


class StorageFailedError(StoreError):
    """The disk reported an error: what was handed to it since the last sync may be lost, so nothing goes on."""


class LockedError(StoreError):
    """Another process owns the folder, or holds the database."""


class ClosedError(StoreError):
    """A journal, ledger or vault was used after it was closed."""


class NewerVersionError(StoreError):
    """A file was written by a newer version, in a form that this one does not know."""


class UnavailableError(StoreError):
    """The database does not answer at the moment; the same call may succeed later."""


class DamagedError(StoreError):
    """Stored bytes are not what was written.

    Parameters
    ----------
    given, allowed, fix : as in `floorwalker.errors.FloorwalkerError`.
    path : the damaged file.
    offset : its first byte that cannot be right.
    sequence : the record that should stand there, -1 where that is unknown.
    """

    def __init__(
        self, given: str, *, path: Path, offset: int = 0, sequence: int = -1, allowed: str = "", fix: str = ""
    ) -> None:
        super().__init__(given, allowed=allowed, fix=fix)
        self.path = path
        self.offset = offset
        self.sequence = sequence


FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Error numbers that mean: no room."""
READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
"""Error numbers that mean: not to be written to."""


def name_storage_error(error: OSError, doing: str, path: Path) -> StoreError:
    """The kind of failure that an operating system's error is, in words.

    Parameters
    ----------
    error : what the system call raised.
    doing : what was attempted, as in "append to".
    path : the file or folder.

    >>> name_storage_error(OSError(errno.ENOSPC, "No space left on device"), "append to", Path("journal"))
    StorageFullError('cannot append to journal: No space left on device; free space there; \
nothing was lost, and the next attempt is tried afresh')
    """
    reason = error.strerror or type(error).__name__
    given = f"cannot {doing} {path}: {reason}"
    if error.errno in FULL:
        return StorageFullError(given, fix="free space there; nothing was lost, and the next attempt is tried afresh")
    if error.errno in READ_ONLY:
        return ReadOnlyStorageError(given, fix="make the folder writable again; the next attempt is tried afresh")
    return StorageFailedError(given, fix="check the disk (dmesg), then start again: what was acknowledged is read back")
