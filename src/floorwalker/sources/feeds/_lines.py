"""Lines of a file with their places, whatever the file is packed with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from floorwalker.errors import InputError
from floorwalker.sources.access_log._compression import Unpacked

LINE_BYTES = 1 << 20
"""Bytes in a line; what is longer is handed out cut, and its rest is stepped over."""

_BLOCK = 1 << 18


class LineReader:
    """The lines of one file from a place on.

    Parameters
    ----------
    path : a plain file, or one packed with gzip, zstd, bzip2 or xz (told by its first bytes).
    offset : bytes of plain text to step over; a packed file is unpacked from its start for that.
    whole_only : leave out a last line without its newline: somebody may still be writing it.
    notes : is told at the end what was wrong with the packing; what could be read before was handed out.
    """

    def __init__(
        self, path: Path, offset: int = 0, *, whole_only: bool = False, notes: list[str] | None = None
    ) -> None:
        self.path = path
        self._notes = notes
        self._offset = offset
        self._whole_only = whole_only

    def __iter__(self) -> Iterator[tuple[bytes, int, bool]]:
        """(line without its newline, offset behind it, whether it was cut)."""
        try:
            raw = open(self.path, "rb", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror}", fix="check the path") from error
        try:
            stream = Unpacked(raw, self.path.name)
        except InputError:
            raw.close()
            raise
        room = bytearray(_BLOCK)
        try:
            if stream.packing == "plain":
                raw.close()
                raw = open(self.path, "rb", buffering=0)  # noqa: SIM115
                raw.seek(self._offset)
                yield from self._split(raw.readinto, room)
            else:
                _step_over(stream, self._offset, room)
                yield from self._split(stream.readinto, room)
                if stream.note and self._notes is not None:
                    self._notes.append(stream.note)
        finally:
            raw.close()
            stream.close()

    def _split(self, readinto: object, room: bytearray) -> Iterator[tuple[bytes, int, bool]]:
        offset = self._offset
        rest = b""
        cut = b""
        skipping = False
        while count := readinto(memoryview(room)):  # type: ignore[operator]
            lines = (rest + bytes(room[:count])).split(b"\n")
            rest = lines.pop()
            for line in lines:
                offset += len(line) + 1
                if skipping:
                    skipping = False
                    yield cut, offset, True
                else:
                    yield line, offset, False
            if len(rest) > LINE_BYTES:
                # The bytes are let go, their number counts.
                if not skipping:
                    skipping, cut = True, rest[:LINE_BYTES]
                offset += len(rest)
                rest = b""
        if (rest or skipping) and not self._whole_only:
            yield (cut if skipping else rest), offset + len(rest), skipping


def bytes_before(path: Path, offset: int, count: int) -> bytes | None:
    """The last bytes of plain text before an offset, up to `count`; None where the text is shorter than the offset."""
    count = min(count, offset)
    room = bytearray(_BLOCK)
    try:
        with open(path, "rb", buffering=0) as raw:
            stream = Unpacked(raw, path.name)
            try:
                if stream.packing == "plain":
                    raw.seek(offset - count)
                    found = raw.read(count)
                else:
                    _step_over(stream, offset - count, room)
                    size = 0
                    while size < count and (done := stream.readinto(memoryview(room)[size:count])):
                        size += done
                    found = bytes(room[:size])
            finally:
                stream.close()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", fix="check the path") from error
    return found if len(found) == count else None


def _step_over(stream: Unpacked, count: int, room: bytearray) -> None:
    while count > 0:
        done = stream.readinto(memoryview(room)[: min(count, len(room))])
        if done == 0:
            return
        count -= done
