"""One file as a stream of parsed blocks, made ahead by worker threads."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from floorwalker.sources.access_log._blocks import Block, BlockReader
from floorwalker.sources.access_log._files import LogFile
from floorwalker.sources.access_log._parsing import LineParser, Parsed
from floorwalker.sources.access_log._program import Program


class Workers:
    """Two threads for all files: one unpacks, one parses; kernels and unpackers release the interpreter."""

    def __init__(self) -> None:
        self.unpacking = ThreadPoolExecutor(1, thread_name_prefix="unpack")
        self.parsing = ThreadPoolExecutor(1, thread_name_prefix="parse")

    def close(self) -> None:
        """Stop after what is being done."""
        for pool in (self.unpacking, self.parsing):
            pool.shutdown(wait=True, cancel_futures=True)


class FileStream:
    """The parsed blocks of one file, in its order.

    Parameters
    ----------
    file, program : what to read, and how.
    keys : keys of the shared hash.
    workers : the threads.
    block_bytes : bytes of lines in a block.
    ahead : how many blocks are parsed before they are asked for.
    """

    def __init__(
        self,
        file: LogFile,
        program: Program,
        keys: NDArray[np.uint64],
        workers: Workers,
        *,
        block_bytes: int,
        ahead: int,
    ) -> None:
        self.file = file
        self.newest = np.iinfo(np.int64).min
        self.counted_bytes = 0
        self._workers = workers
        self._source = file.open()
        self.reader = BlockReader(self._source.readinto, block_bytes)
        self._parser = LineParser(program, keys)
        self._ahead = ahead
        self._waiting: deque[Future[Parsed | None]] = deque()
        for _ in range(ahead):
            self._order()

    @property
    def note(self) -> str:
        """What was wrong with the packing."""
        return self._source.note

    def next(self) -> Parsed | None:
        """The next block, or None at the end of the file."""
        parsed = self._waiting.popleft().result()
        if parsed is None:
            self.close()
            return None
        self._order()
        if len(parsed):
            self.newest = parsed.newest
        return parsed

    def give_back(self, block: Block) -> None:
        """Allow a block to be filled again."""
        self.reader.give_back(block)

    def close(self) -> None:
        """Give up what was ordered, and close the file."""
        for future in self._waiting:
            future.cancel()
        for future in self._waiting:
            if not future.cancelled():
                future.exception()
        self._waiting.clear()
        self._source.close()

    def _order(self) -> None:
        block = self._workers.unpacking.submit(self.reader.read)
        self._waiting.append(self._workers.parsing.submit(self._parse, block))

    def _parse(self, block: Future[Block | None]) -> Parsed | None:
        filled = block.result()
        return None if filled is None else self._parser.parse(filled)
