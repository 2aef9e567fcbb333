"""From a block of lines to columns, without the interning: the part of the work that runs in its own thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.sources.access_log._blocks import Block
from floorwalker.sources.access_log._interpret import interpret
from floorwalker.sources.access_log._program import Program, TextShape, empty_spans
from floorwalker.sources.access_log._scanning import count_byte
from floorwalker.sources.access_log._slots import FINE, REASONS, TEXTS
from floorwalker.sources.access_log._tokenise_json import DEPTH, tokenise_json
from floorwalker.sources.access_log._tokenise_text import tokenise_text

SAMPLES = 5
"""Examples that are kept of what was set aside, for each reason."""

SAMPLE_BYTES = 200


@dataclass
class Parsed:
    """The requests of one block, in the order of its lines; texts are still spans of the block.

    `starts`, `ends` and `hashes` are [texts, n]. `asides` are (reason, count, samples); `jumps` counts falls of
    the clock, `newest` is the time the file's clock has reached.
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

    def __len__(self) -> int:
        return len(self.at)


class LineParser:
    """Runs one program over blocks of one file.

    Parameters
    ----------
    program : the compiled format.
    keys : the keys of the hash that all text tables share.
    """

    def __init__(self, program: Program, keys: NDArray[np.uint64]) -> None:
        self.program = program
        self._keys = keys
        self._clock = np.zeros(3, np.int64)
        self._spans = empty_spans(0)
        self._stack = np.zeros((3, DEPTH), np.int64)
        self._lines = np.zeros((0, 2), np.int32)
        self._states = np.zeros(0, np.uint8)
        self._escaped = np.zeros(0, np.uint32)

    def parse(self, block: Block) -> Parsed:
        """The columns of one block."""
        lines = count_byte(block.buffer, block.length, 10)
        if lines > len(self._states):
            room = lines + lines // 4 + 16
            self._spans = empty_spans(room)
            self._lines = np.zeros((room, 2), np.int32)
            self._states = np.zeros(room, np.uint8)
            self._escaped = np.zeros(room, np.uint32)
        with np.errstate(over="ignore"):
            self._tokenise(block)
            return self._interpret(block, lines)

    def _tokenise(self, block: Block) -> None:
        program = self.program
        shape = program.layout.shape
        if isinstance(shape, TextShape):
            tokenise_text(
                block.buffer,
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
        else:
            tokenise_json(
                block.buffer,
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
        count = interpret(
            block.buffer,
            lines,
            block.length,
            self._spans,
            self._lines,
            self._states,
            self._escaped,
            program.bound,
            program.layout.percent,
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
            self._asides(block, lines) if count < lines else [],
            int(self._clock[1]) - jumps,
            int(self._clock[0]),
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
