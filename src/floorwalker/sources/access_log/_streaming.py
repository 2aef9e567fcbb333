"""One file as a stream of parsed blocks, made ahead by worker threads."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from floorwalker.events.requests import RequestBatch
from floorwalker.sources.access_log._blocks import Block, BlockReader
from floorwalker.sources.access_log._columns import Interner
from floorwalker.sources.access_log._files import LogFile
from floorwalker.sources.access_log._ordering import concatenated
from floorwalker.sources.access_log._parsing import LineParser, Parsed
from floorwalker.sources.access_log._program import Program

_BLOCKS_AHEAD = 2
"""Blocks that are read before they are parsed: enough to overlap, few enough to stay in the processor's cache."""


@dataclass(frozen=True)
class Chunk:
    """What one block of lines became.

    Parameters
    ----------
    batch : its requests, in the order of its lines.
    lines, size_bytes : of the block.
    asides : (reason, count, samples) of what was set aside.
    jumps : falls of the file's clock.
    newest : the time that the file's clock has reached.
    held : how many texts each table held after the block.
    """

    batch: RequestBatch
    lines: int
    size_bytes: int
    asides: list[tuple[int, int, list[bytes]]]
    jumps: int
    newest: int
    held: tuple[int, ...]


class Workers:
    """Three threads for all files: one unpacks, one parses, one interns; kernels and unpackers release the
    interpreter, so all run beside whoever reads the batches.

    Each waits only for the one before it, and parsing for the interning of what it handed on: all take their work
    in one order, so none waits for ever.
    """

    def __init__(self) -> None:
        self.unpacking = ThreadPoolExecutor(1, thread_name_prefix="unpack")
        self.parsing = ThreadPoolExecutor(1, thread_name_prefix="parse")
        self.interning = ThreadPoolExecutor(1, thread_name_prefix="intern")

    def close(self) -> None:
        """Stop after what is being done."""
        for pool in (self.unpacking, self.parsing, self.interning):
            pool.shutdown(wait=True, cancel_futures=True)


class FileStream:
    """The chunks of one file, in its order.

    Chunks are made in the order in which they were asked for, over all files, by one thread: codes do not depend on
    which thread was faster.

    Parameters
    ----------
    file, program : what to read, and how.
    interner : where the texts go.
    workers : the threads.
    block_bytes : bytes of lines in a block.
    ahead : how many chunks are made before they are asked for.
    """

    def __init__(
        self, file: LogFile, program: Program, interner: Interner, workers: Workers, *, block_bytes: int, ahead: int
    ) -> None:
        self.file = file
        self.newest = np.iinfo(np.int64).min
        self.counted_bytes = 0
        self._workers = workers
        self._interner = interner
        self._source = file.open()
        self.reader = BlockReader(self._source.readinto, block_bytes)
        self._parser = LineParser(program, interner.tables.target.keys, keeps_odd=True)
        self._waiting: deque[Future[Future[Chunk] | None]] = deque()
        self._blocks: deque[Future[Block | None]] = deque()
        for _ in range(_BLOCKS_AHEAD):
            self._read()
        for _ in range(ahead):
            self._order()

    @property
    def note(self) -> str:
        """What was wrong with the packing."""
        return self._source.note

    def next(self) -> Chunk | None:
        """The next chunk, or None at the end of the file."""
        promise = self._waiting.popleft().result()
        if promise is None:
            self.close()
            return None
        chunk = promise.result()
        self._order()
        if len(chunk.batch):
            self.newest = chunk.newest
        self.counted_bytes += chunk.size_bytes
        return chunk

    def close(self) -> None:
        """Give up what was ordered, and close the file."""
        for future in self._waiting:
            future.cancel()
        for future in self._waiting:
            if not future.cancelled() and future.exception() is None and (promise := future.result()) is not None:
                promise.exception()
        for block in self._blocks:
            if not block.cancel():
                block.exception()
        self._waiting.clear()
        self._blocks.clear()
        self._source.close()

    def _order(self) -> None:
        self._waiting.append(self._workers.parsing.submit(self._parse))

    def _read(self) -> None:
        self._blocks.append(self._workers.unpacking.submit(self.reader.read))

    def _parse(self) -> Future[Chunk] | None:
        """Parse the next block; what comes back is the promise of its chunk, or None at the end of the file."""
        block = self._blocks.popleft().result()
        self._read()
        if block is None:
            return None
        interning = self._workers.interning
        parts: list[Parsed] = []
        batches: list[Future[RequestBatch]] = []
        for parsed in self._parser.parse(block):
            parts.append(parsed)
            batches.append(interning.submit(self._interner.intern, parsed))
            if not parsed.is_last:
                # The next part puts its texts together in the same room.
                batches[-1].result()
        return interning.submit(self._make, block, parts, batches)

    def _make(self, block: Block, parts: list[Parsed], batches: list[Future[RequestBatch]]) -> Chunk:
        size = block.length
        self.reader.give_back(block)
        return Chunk(
            batch=concatenated([batch.result() for batch in batches]),
            lines=sum(part.lines for part in parts),
            size_bytes=size,
            asides=[aside for part in parts for aside in part.asides],
            jumps=sum(part.jumps for part in parts),
            newest=parts[-1].newest,
            held=self._interner.tables.held(),
        )
