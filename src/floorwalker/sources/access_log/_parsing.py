"""From a block of lines to columns, without the interning: the part of the work that runs in its own thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.sources.access_log._blocks import Block
from floorwalker.sources.access_log._interpret import interpret
from floorwalker.sources.access_log._program import Program, TextShape, empty_spans
from floorwalker.sources.access_log._slots import FINE, REASONS, TEXTS
from floorwalker.sources.access_log._tokenise_json import DEPTH, tokenise_json
from floorwalker.sources.access_log._tokenise_text import tokenise_text

SAMPLES = 5
"""Examples that are kept of what was set aside, for each reason."""

SAMPLE_BYTES = 200


_ROWS = 1 << 15
"""The most lines in one part: a block of nothing but newlines must not need room for millions of spans."""


@dataclass
class Parsed:
    """The requests of a part of one block, in the order of its lines; texts are still spans of the block.

    `starts`, `ends` and `hashes` are [texts, n]. `asides` are (reason, count, samples); `jumps` counts falls of
    the clock, `newest` is the time the file's clock has reached. `is_last` tells the block's last part. `odd` rows
    are set aside as well: their target is `ODD_TARGET`.
    """

    block: Block
    lines: int
    at: NDArray[np.int64]
    offset: NDArray[np.int16]
    method: NDArray[np.uint8]
    status: NDArray[np.int16]
    size: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    asides: list[tuple[int, int, list[bytes]]]
    jumps: int = 0
    newest: int = 0
    is_last: bool = True
    odd: int = 0

    def __len__(self) -> int:
        return len(self.at)


class LineParser:
    """Runs one program over blocks of one file.

    Parameters
    ----------
    program : the compiled format.
    keys : the keys of the hash that all text tables share.
    keeps_odd : whether requests with odd targets, which are set aside, become rows as well: see `ODD_TARGET`.
    """

    def __init__(self, program: Program, keys: NDArray[np.uint64], *, keeps_odd: bool = False) -> None:
        self.program = program
        self._keeps_odd = keeps_odd
        self._keys = keys
        self._clock = np.zeros(3, np.int64)
        self._spans = empty_spans(_ROWS)
        self._stack = np.zeros((3, DEPTH), np.int64)
        self._lines = np.zeros((_ROWS, 2), np.int32)
        self._states = np.zeros(_ROWS, np.uint8)
        self._escaped = np.zeros(_ROWS, np.uint32)

    def parse(self, block: Block) -> Iterator[Parsed]:
        """The columns of one block, in parts; a part's texts must be taken before the next part is asked for."""
        at = 0
        while at < block.length:
            with np.errstate(over="ignore"):
                lines, at = self._tokenise(block, at)
                parsed = self._interpret(block, lines)
            parsed.is_last = at >= block.length
            yield parsed

    def _tokenise(self, block: Block, begin: int) -> tuple[int, int]:
        program = self.program
        shape = program.layout.shape
        if isinstance(shape, TextShape):
            return tokenise_text(
                block.buffer,
                begin,
                block.length,
                program.steps,
                program.literals,
                len(shape.opening.encode()),
                shape.open_end,
                ord(shape.comment) if shape.comment else -1,
                self._spans,
                self._lines,
                self._states,
                self._escaped,
            )
        return tokenise_json(
            block.buffer,
            begin,
            block.length,
            program.nodes,
            program.literals,
            program.bound,
            self._stack,
            self._spans,
            self._lines,
            self._states,
            self._escaped,
        )

    def _interpret(self, block: Block, lines: int) -> Parsed:
        program = self.program
        at = np.empty(lines, np.int64)
        offset = np.empty(lines, np.int16)
        method = np.empty(lines, np.uint8)
        status = np.empty(lines, np.int16)
        size = np.empty(lines, np.int64)
        starts = np.empty((TEXTS, lines), np.int64)
        ends = np.empty((TEXTS, lines), np.int64)
        hashes = np.empty((TEXTS, lines), np.uint64)
        jumps = int(self._clock[1])
        count, odd = interpret(
            block.buffer,
            lines,
            block.length,
            self._spans,
            self._lines,
            self._states,
            self._escaped,
            program.bound,
            program.layout.percent,
            program.layout.has_port,
            self._keeps_odd,
            program.session_mode,
            program.session_name,
            self._keys,
            self._clock,
            at,
            offset,
            method,
            status,
            size,
            starts,
            ends,
            hashes,
        )
        return Parsed(
            block,
            lines,
            at[:count],
            offset[:count],
            method[:count],
            status[:count],
            size[:count],
            starts[:, :count],
            ends[:, :count],
            hashes[:, :count],
            self._asides(block, lines) if count - odd < lines else [],
            int(self._clock[1]) - jumps,
            int(self._clock[0]),
            odd=odd,
        )

    def _asides(self, block: Block, lines: int) -> list[tuple[int, int, list[bytes]]]:
        states = self._states[:lines]
        counts = np.bincount(states, minlength=len(REASONS))
        asides = []
        for reason in np.flatnonzero(counts):
            if reason == FINE:
                continue
            rows = np.flatnonzero(states == reason)[:SAMPLES]
            spans = self._lines[rows].tolist()
            samples = [bytes(block.memory[begin : min(end, begin + SAMPLE_BYTES)]) for begin, end in spans]
            asides.append((int(reason), int(counts[reason]), samples))
        return asides
