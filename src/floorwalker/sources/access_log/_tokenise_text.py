"""One tokeniser for every text format, driven by a small program of fields and literals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.sources.access_log._scanning import BACKSLASH, NEWLINE, find_byte, find_stop
from floorwalker.sources.access_log._slots import COMMENT, EMPTY, FINE, LINE_LIMIT, MALFORMED, TOO_LONG
from floorwalker.store._flat import flat_kernel

_RETURN, _BACKSLASH = 13, 92


@flat_kernel
def tokenise_text(
    buffer: NDArray[np.uint8],
    begin: int,
    length: int,
    steps: NDArray[np.int64],
    literals: NDArray[np.uint8],
    opening: int,
    open_end: bool,
    comment: int,
    spans: NDArray[np.int32],
    lines: NDArray[np.int32],
    states: NDArray[np.uint8],
    escaped: NDArray[np.uint32],
) -> tuple[int, int]:
    """Cut the lines of `buffer[begin:length]` (the last byte is a newline) into spans.

    Stops where `states` is full. Answers the number of lines and where the next one begins.

    Parameters
    ----------
    steps : int64 [k, 5], for each field: its slot; whether a backslash hides the next byte; where the literal behind it
        begins in `literals`; the literal's length (0: the field reaches to the end of the line); how many
        times the literal occurs inside the field (a time with a zone holds one space).
    opening : length of the literal that begins every line; it stands first in `literals`.
    open_end : whether anything may follow the last field.
    comment : a byte that begins comment lines, or -1.
    spans : int32 [lines, slots, 2], written only for slots of the program.
    lines : int32 [lines, 2], begin and end of each line without its line end.
    states : uint8 [lines], one of the reasons in `_slots`.
    escaped : uint32 [lines], one bit per slot whose text holds a backslash.
    """
    row = 0
    at = begin
    while at < length and row < len(states):
        end = find_byte(buffer, at, length, NEWLINE)
        following = end + 1
        # Copying and truncating a log that is being written leaves a run of NUL bytes before the next line.
        while at < end and buffer[at] == 0:
            at += 1
        if at < end and buffer[end - 1] == _RETURN:
            end -= 1
        lines[row, 0] = at
        lines[row, 1] = end
        state = FINE
        flags = np.uint32(0)
        if at == end:
            state = EMPTY
        elif end - at > LINE_LIMIT:
            state = TOO_LONG
        elif buffer[at] == comment:
            state = COMMENT
        elif opening > 0:
            if at + opening > end:
                state = MALFORMED
            else:
                for k in range(opening):
                    if buffer[at + k] != literals[k]:
                        state = MALFORMED
            at += opening
        if state == FINE:
            for step in range(len(steps)):
                slot = steps[step, 0]
                width = steps[step, 3]
                first = at
                if width == 0:
                    while at < end:
                        at = find_byte(buffer, at, end, BACKSLASH)
                        if at < end:
                            flags |= np.uint32(1) << np.uint32(slot)
                            at = end
                else:
                    hides = steps[step, 1]
                    literal = steps[step, 2]
                    inside = steps[step, 4]
                    stop = literals[literal]
                    while True:
                        at = find_stop(buffer, at, end, stop)
                        if at >= end:
                            state = MALFORMED
                            break
                        if buffer[at] == _BACKSLASH and stop != _BACKSLASH:
                            flags |= np.uint32(1) << np.uint32(slot)
                            at += 1 + hides
                            continue
                        k = 1
                        while k < width and at + k < end and buffer[at + k] == literals[literal + k]:
                            k += 1
                        if k == width:
                            if inside == 0:
                                break
                            inside -= 1
                        at += 1
                    if state != FINE:
                        break
                spans[row, slot, 0] = first
                spans[row, slot, 1] = at
                at += width
            if state == FINE and at < end and not open_end:
                state = MALFORMED
        states[row] = state
        escaped[row] = flags
        row += 1
        at = following
    return row, at
