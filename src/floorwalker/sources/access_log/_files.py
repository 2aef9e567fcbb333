"""Which files a user meant, and their first lines."""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from floorwalker.errors import InputError, UsageError
from floorwalker.sources.access_log._compression import Unpacked

PEEK_BYTES = 1 << 18
"""How much of a file is read to recognise its format and first time."""

STDIN = "-"


def expand_paths(paths: Sequence[str | Path]) -> list[str]:
    """Files for the paths and patterns given: each once, in the order given; `-` is standard input."""
    if isinstance(paths, str | Path):
        paths = [paths]
    found: dict[str, str] = {}
    for given in paths:
        text = str(given)
        if text == STDIN:
            found[STDIN] = STDIN
            continue
        if os.path.isdir(text):
            raise InputError(f"{text} is a directory", allowed="files", fix=f"name its files: '{text.rstrip('/')}/*'")
        matches = [text]
        if not os.path.exists(text):
            if not glob.has_magic(text):
                raise InputError(f"{text} does not exist", fix="check the path")
            matches = sorted(name for name in glob.glob(text, recursive=True) if not os.path.isdir(name))
            if not matches:
                raise InputError(f"no file matches {text!r}", fix="check the pattern")
        for name in matches:
            found.setdefault(os.path.realpath(name), name)
    if not found:
        raise UsageError("no log was given", allowed="at least one path, pattern or -")
    return list(found.values())


class LogFile:
    """One input; its head can be read without losing it for `open`.

    Regular files are simply opened again. Of pipes and standard input everything that was read stays in memory until
    the one real reading begins.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.label = "standard input" if name == STDIN else name
        self._head_note = ""
        self._kept: list[bytes] = []
        self._stream: Unpacked | None = None
        try:
            self.is_regular = name != STDIN and stat.S_ISREG(os.stat(name).st_mode)
        except OSError as fault:
            raise InputError(f"{name} cannot be read: {fault.strerror}", fix="check the path and its rights") from fault

    def head(self, size: int) -> bytes:
        """The first `size` plain bytes, or fewer where there are no more."""
        if self.is_regular:
            stream = self._opened()
            try:
                return b"".join(_pieces(stream, size, skip_nul=True))
            finally:
                self._head_note = stream.note
                stream.close()
        if self._stream is None:
            self._stream = self._opened()
        missing = size - sum(map(len, self._kept))
        if missing > 0:
            self._kept.extend(_pieces(self._stream, missing))
        return b"".join(self._kept)[:size]

    def cut_note(self) -> str:
        """What was wrong with the packing of the head, in brackets; nothing where all was well."""
        return f" ({self._head_note})" if self._head_note else ""

    def open(self) -> LogStream:
        """Begin the real reading; possible once where the input is no regular file."""
        if self.is_regular:
            return LogStream(self._opened(), [])
        if self._stream is None:
            self._stream = self._opened()
        kept, self._kept = self._kept, []
        stream, self._stream = self._stream, None
        return LogStream(stream, kept)

    def close(self) -> None:
        """Give up an input that was looked at and will not be read."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _opened(self) -> Unpacked:
        raw: BinaryIO | None = None
        if self.name == STDIN and sys.stdin is None:
            raise InputError("standard input is closed", fix="give a file, or a pipe to read from")
        try:
            raw = sys.stdin.buffer if self.name == STDIN else open(self.name, "rb", buffering=0)  # noqa: SIM115
            return Unpacked(raw, self.label)
        except InputError:
            if raw is not None:
                raw.close()
            raise
        except OSError as fault:
            raise InputError(
                f"{self.label} cannot be read: {fault.strerror}", fix="check the path and its rights"
            ) from fault


class LogStream:
    """Plain bytes: first those that were kept, then those still to come."""

    def __init__(self, stream: Unpacked, kept: list[bytes]) -> None:
        self._stream = stream
        self._kept = kept

    @property
    def note(self) -> str:
        """What was wrong with the packing, once the end was reached."""
        return self._stream.note

    def readinto(self, room: memoryview) -> int:
        """Fill the room; 0 at the end."""
        if self._kept:
            data = self._kept[0][: len(room)]
            room[: len(data)] = data
            self._kept[0] = self._kept[0][len(data) :]
            if not self._kept[0]:
                self._kept.pop(0)
            return len(data)
        return self._stream.readinto(room)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def _pieces(stream: Unpacked, size: int, *, skip_nul: bool = False) -> list[bytes]:
    """Up to `size` bytes; with `skip_nul`, from behind the run of NUL bytes that `copytruncate` leaves."""
    pieces: list[bytes] = []
    room = bytearray(min(size, PEEK_BYTES))
    while size > 0:
        count = stream.readinto(memoryview(room)[: min(size, len(room))])
        if count == 0:
            break
        piece = bytes(room[:count])
        if skip_nul and not pieces and not piece.strip(b"\0"):
            continue
        pieces.append(piece)
        size -= count
    return pieces
