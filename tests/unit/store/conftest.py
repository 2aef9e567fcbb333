"""A disk small enough to be full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


class SmallDisk:
    """A real file system of its own, which only root may mount."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.is_mounted = False

    def mount(self, size: str) -> Path:
        """The folder of a file system of this size."""
        self.folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(self.folder)]
        if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("mounting a small file system needs root")
        self.is_mounted = True
        return self.folder

    def remount(self, mode: str) -> None:
        """Make it `ro` or `rw`."""
        subprocess.run(["mount", "-o", f"remount,{mode}", str(self.folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Unmounted at the end."""
    disk = SmallDisk(tmp_path / "small-disk")
    yield disk
    if disk.is_mounted:
        subprocess.run(["umount", "-l", str(disk.folder)], check=True)
