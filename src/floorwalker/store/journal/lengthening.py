"""A thread that makes room in the file that is being written, ahead of the records."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from floorwalker.store._files import sync_data

_REST_SECONDS = 0.0005
"""Between two pieces: who appends waits for one of them at most. A hundred mebibytes a second are still many times what
single decisions fill."""
_PIECES_A_SYNC = 16
"""A sync of the records waits for the zeros that are on their way to the disk: for a mebibyte at most."""


class Lengthener:
    """Calls a function until it says that there is room enough, whenever somebody says that there soon is not.

    Four mebibytes of zeros took whoever appended fifteen milliseconds, and their sync three more, every other second at
    a thousand decisions a second.

    Parameters
    ----------
    lengthen : writes a piece and returns the file, or None where nothing more is to be written.

    >>> files = iter([Path("a.journal"), None])
    >>> lengthener = Lengthener(lambda: next(files))
    >>> lengthener.wake()
    >>> lengthener.stop()
    """

    def __init__(self, lengthen: Callable[[], Path | None]) -> None:
        self._lengthen = lengthen
        self._due = threading.Event()
        self._is_ended = False
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """There is little room left; returns at once, also where the system gives no thread."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="journal-room", daemon=True)
            with contextlib.suppress(RuntimeError):
                thread.start()
                self._thread = thread
        self._due.set()

    def stop(self) -> None:
        """End the thread; nothing is written any more when this returns. It may be woken no more."""
        self._is_ended = True
        self._due.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._is_ended:
            self._due.wait()
            self._due.clear()
            self._fill()

    def _fill(self) -> None:
        pieces, path = 0, None
        while not self._is_ended and (written := self._lengthen()) is not None:
            pieces, path = pieces + 1, written
            if pieces % _PIECES_A_SYNC == 0:
                _sync(path)
            time.sleep(_REST_SECONDS)
        if path is not None:
            _sync(path)


def _sync(path: Path) -> None:
    # By a descriptor of its own: the system tells each of an error once, and the one by which records are synced is
    # told of it as well. The file may be gone by now.
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            sync_data(descriptor)
        finally:
            os.close(descriptor)
