"""A checkpoint on disk."""

from __future__ import annotations

import os
from pathlib import Path

from floorwalker.errors import InputError
from floorwalker.sources.feeds._base import Checkpoint


class CheckpointFile:
    """One feed's checkpoint, replaced as a whole: after a crash it is the old one or the new one.

    Parameters
    ----------
    path : the file; its folder is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Checkpoint | None:
        """The last checkpoint saved, or None where there is none; a damaged file raises `InputError`."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return Checkpoint.decode(text)
        except InputError as error:
            raise InputError(
                f"the checkpoint {self.path} is damaged", fix="delete it to read from the start: no event counts twice"
            ) from error

    def save(self, checkpoint: Checkpoint) -> None:
        """Put a checkpoint on disk; when this returns it survives a loss of power."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(self.path.name + ".new")
        with open(fresh, "wb") as file:
            file.write(checkpoint.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
