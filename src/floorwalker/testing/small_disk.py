"""A disk small enough to be full, and one that turns read-only: a real file system in memory."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType


class SmallDisk:
    """A file system of its own, which only root may mount; gone at the end of the ``with`` block.

    Parameters
    ----------
    folder : where it is mounted; made, and must not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._is_mounted = False

    def mount(self, size: str) -> Path | None:
        """The folder of an empty file system of this size, as in `8m`; None where this user may not mount."""
        self.folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(self.folder)]
        if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:  # noqa: S603
            return None
        self._is_mounted = True
        return self.folder

    def remount(self, options: str) -> None:
        """Make it `ro` or `rw`, or of another `size=8m`."""
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.folder)], check=True)  # noqa: S603, S607

    def __enter__(self) -> SmallDisk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)  # noqa: S603, S607
