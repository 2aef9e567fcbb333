"""One process owns a folder; a second one is told who the first is."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from floorwalker.store._files import write_all
from floorwalker.store.errors import LockedError, name_storage_error


class OwnerLock:
    """Held from construction to `release`, or to the end of the process, however it ends.

    The kernel drops the lock with the process, so no stale lock file ever needs to be deleted by hand. The file holds
    the owner's process id for the message. A second owner in the same process is refused too. Folders on NFS before
    version 4 have no such locks: keep the state on a local disk.

    Parameters
    ----------
    folder : must exist.
    name : the lock file's name in it.

    Raises `LockedError` where another process (or another object of this one) holds it.
    """

    def __init__(self, folder: Path, name: str = "owner.lock") -> None:
        self.path = folder / name
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise name_storage_error(error, "lock", self.path) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            self._descriptor = -1
            raise LockedError(
                f"{folder} is in use by process {holder}",
                allowed="one process at a time",
                fix="stop that process, or give this one another folder",
            ) from error
        # The lock holds without its note, which a full disk may have no room for.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            write_all(self._descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let the next owner in; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
