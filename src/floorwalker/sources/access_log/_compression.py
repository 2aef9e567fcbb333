"""Bytes out of files, whatever they were packed with; told by their first bytes, not by their names."""

from __future__ import annotations

import bz2
import importlib
import lzma
import zlib
from typing import Any, BinaryIO, Protocol

from floorwalker.errors import InputError

_PIECE = 1 << 16
_CRUMB = 1 << 9
_ZSTD_PIECE = 1 << 13  # a hostile frame unpacks to at most 32,768 times this in one call

_FOREIGN = {
    b"PK\x03\x04": ("a ZIP archive", "unzip it first"),
    b"\x04\x22\x4d\x18": ("packed with lz4", "unpack it first: lz4 -dc FILE | floorwalker scan -"),
    b"7z\xbc\xaf": ("a 7-Zip archive", "unpack it first"),
    b"PAR1": ("a Parquet file", "export it as log lines first"),
    b"SQLite format 3": ("an SQLite database", "export it as log lines first"),
    b"\xff\xfe": ("UTF-16 text", "convert it first: iconv -f UTF-16 -t UTF-8 FILE"),
    b"\xfe\xff": ("UTF-16 text", "convert it first: iconv -f UTF-16 -t UTF-8 FILE"),
}


class _Member(Protocol):
    """What the decompressors of the standard library share."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


class Unpacked:
    """A stream of plain bytes; `note` says what was wrong with the packing once the end is reached.

    What could be read before a fault is kept: a log whose end is missing is still a log.

    Parameters
    ----------
    raw : the file, opened for reading bytes.
    name : how messages call it.
    """

    def __init__(self, raw: BinaryIO, name: str) -> None:
        self.name = name
        self.note = ""
        self._raw = raw
        self._head = _read_at_least(raw, 16)
        for magic, (what, fix) in _FOREIGN.items():
            if self._head.startswith(magic):
                raise InputError(f"{name} is {what}", allowed="plain text, gzip, zstd, bzip2 or xz", fix=fix)
        self.packing = _packing(self._head)
        self._member: Any = None
        self._pending = b""
        self._done = False

    def readinto(self, room: memoryview) -> int:
        """Fill the room as far as one step can; 0 at the end."""
        if self.packing == "plain":
            if self._head:
                count = min(len(room), len(self._head))
                room[:count] = self._head[:count]
                self._head = self._head[count:]
                return count
            try:
                return self._raw.readinto(room) or 0  # type: ignore[attr-defined]
            except OSError as fault:
                self._fail(f"cannot be read to its end ({fault.strerror})")
                return 0
        while not self._done:
            try:
                data = self._unpack(len(room))
            except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as fault:
                self._fail(f"is damaged ({fault})")
                return 0
            except Exception as fault:
                if type(fault).__name__ != "ZstdError":
                    raise
                self._fail(f"is damaged ({fault})")
                return 0
            if data:
                room[: len(data)] = data
                return len(data)
        return 0

    def close(self) -> None:
        """Close the file."""
        self._raw.close()

    def _fail(self, what: str) -> None:
        self.note = f"{self.name} {what}; what could be read before was kept"
        self._done = True

    def _compressed(self, size: int) -> bytes:
        if self._head:
            data, self._head = self._head, b""
            return data
        return self._raw.read(size)

    def _unpack(self, room: int) -> bytes:
        """Up to `room` bytes; b"" says to ask again or, with `_done`, that there are no more."""
        if self._pending:
            data, self._pending = self._pending[:room], self._pending[room:]
            return data
        if self._member is None:
            self._member = _new_member(self.packing)
        if self.packing == "zstd":
            return self._unpack_zstd(room)
        member = self._member
        if self.packing == "gzip":
            waiting = member.unconsumed_tail
        else:
            waiting = b""
        if not waiting and (self.packing == "gzip" or member.needs_input):
            waiting = self._compressed(_PIECE)
            if not waiting:
                self._fail("is cut off: the end of the packed data is missing")
                return b""
        before = member.copy() if hasattr(member, "copy") else None
        try:
            data = bytes(member.decompress(waiting, room))
        except zlib.error as fault:
            self._fail(f"is damaged ({fault})")
            return b"" if before is None else _crumbs(before, waiting, room)
        if member.eof:
            self._next_member(member.unused_data)
        return data

    def _unpack_zstd(self, room: int) -> bytes:
        waiting = self._compressed(_ZSTD_PIECE)
        if not waiting:
            self._fail("is cut off: the end of the packed data is missing")
            return b""
        member = self._member
        data: bytes = member.decompress(waiting)
        if member.eof:
            self._next_member(member.unused_data)
        self._pending = data[room:]
        return data[:room]

    def _next_member(self, rest: bytes) -> None:
        """Packed files may be glued together; padding with zeros or foreign bytes behind them ends the stream."""
        while len(rest) < 16:
            more = self._compressed(_PIECE)
            if not more:
                break
            rest += more
        if not rest.strip(b"\0"):
            self._done = True
        elif _packing(rest) != self.packing:
            self.note = f"{self.name} holds bytes behind its packed data; they were left out"
            self._done = True
        self._member = None
        self._head = rest


def _crumbs(member: Any, packed: bytes, room: int) -> bytes:
    """What stands before a fault: fed in small parts, the decompressor gives up only the last of them."""
    data = b""
    try:
        for start in range(0, len(packed), _CRUMB):
            data += member.decompress(packed[start : start + _CRUMB], room - len(data))
            if len(data) >= room:
                break
    except zlib.error:
        pass
    return data


def _read_at_least(raw: BinaryIO, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = raw.read(size - len(data))
        if not more:
            break
        data += more
    return data


def _packing(head: bytes) -> str:
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"\x28\xb5\x2f\xfd") or (
        len(head) > 4 and head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F
    ):
        return "zstd"
    if head.startswith(b"BZh"):
        return "bzip2"
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    return "plain"


def _new_member(packing: str) -> object:
    if packing == "gzip":
        return _zlib().decompressobj(31)
    if packing == "bzip2":
        return bz2.BZ2Decompressor()
    if packing == "xz":
        return lzma.LZMADecompressor(format=lzma.FORMAT_XZ)
    import zstandard

    return zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()


def _zlib() -> Any:
    """The fastest zlib there is: ISA-L's where the package `isal` is installed."""
    try:
        return importlib.import_module("isal.isal_zlib")
    except ImportError:
        return zlib
