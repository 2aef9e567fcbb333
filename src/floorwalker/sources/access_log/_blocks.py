"""Blocks of whole lines out of a stream of bytes, in memory that is used again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.requests import ODD_TARGET
from floorwalker.sources.access_log._slots import LINE_LIMIT
from floorwalker.store._hashing import PADDING

_KEPT = len(ODD_TARGET) + 2 * PADDING
"""Bytes that every part of a block begins its room with: the target that stands for odd ones."""

_LARGEST = 1 << 28  # spans are int32, and a buffer holds four times a block


@dataclass
class Block:
    """Whole lines: `buffer[:length]`, whose last byte is a newline.

    Behind it lies room for three times as many bytes, where texts are put together; untouched room takes no memory.
    """

    memory: bytearray
    buffer: NDArray[np.uint8]
    length: int = 0

    @classmethod
    def of_size(cls, size: int) -> Block:
        """An empty block with room for `size` bytes of lines."""
        memory = bytearray(4 * size + 4 * PADDING + _KEPT)
        return cls(memory, np.frombuffer(memory, np.uint8))


@dataclass
class LongLine:
    """A line that was dropped because it is too long: its first bytes."""

    head: bytes


class BlockReader:
    """Cuts a stream into blocks; a block may be given back to be filled again.

    Parameters
    ----------
    readinto : fills a memoryview and answers how many bytes it wrote, 0 at the end.
    size : bytes of lines in a block; at least twice the longest line that is kept.
    """

    def __init__(self, readinto: Callable[[memoryview], int], size: int) -> None:
        self.size = min(max(size, 4 * LINE_LIMIT), _LARGEST)
        self.size_bytes = 0
        self.long_lines: list[LongLine] = []
        self._readinto = readinto
        self._spare: list[Block] = []
        self._rest = b""
        self._skipping = False
        self._ended = False
        self._begun = False

    def give_back(self, block: Block) -> None:
        """Allow a block to be filled again."""
        self._spare.append(block)

    def read(self) -> Block | None:
        """The next block, or None at the end."""
        while not self._ended:
            block = self._spare.pop() if self._spare else Block.of_size(self.size)
            self._fill(block)
            if block.length:
                return block
            self.give_back(block)
        return None

    def _fill(self, block: Block) -> None:
        memory = block.memory
        view = memoryview(memory)
        filled = len(self._rest)
        view[:filled] = self._rest
        self._rest = b""
        # Room for one newline is kept, for a last line that has none.
        while filled < self.size - 1:
            count = self._readinto(view[filled : self.size - 1])
            if count == 0:
                self._ended = True
                break
            self.size_bytes += count
            filled += count
        if not self._begun and filled:
            self._begun = True
            if memory.startswith(b"\xef\xbb\xbf"):
                # A byte order mark is no part of the first line; blanks at its place are not either.
                view[:3] = b"\0\0\0"
        start = 0
        if self._skipping:
            newline = memory.find(b"\n", 0, filled)
            if newline < 0:
                block.length = 0
                return
            self._skipping = False
            start = newline + 1
        if self._ended:
            if filled > start and memory[filled - 1] != 10:
                memory[filled] = 10
                filled += 1
            stop = filled
        else:
            stop = memory.rfind(b"\n", start, filled) + 1
            if stop == 0:
                stop = start
            rest = filled - stop
            if rest > LINE_LIMIT and not memory[stop:filled].strip(b"\0"):
                # A run of NUL bytes, left by copying and truncating: the line behind it is a line like any other.
                self._rest = b""
            elif rest > LINE_LIMIT:
                self.long_lines.append(LongLine(bytes(view[stop : stop + 200])))
                self._skipping = True
            else:
                self._rest = bytes(view[stop:filled])
        if start and stop > start:
            # Only after a skipped line: move the lines to the front.
            view[: stop - start] = bytes(view[start:stop])
        block.length = max(stop - start, 0)
