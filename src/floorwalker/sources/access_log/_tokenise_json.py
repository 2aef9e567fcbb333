"""One tokeniser for JSON lines: it looks for the keys that a format names and steps over everything else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.sources.access_log._scanning import NEWLINE, QUOTE, find_byte, find_stop
from floorwalker.sources.access_log._slots import EMPTY, FINE, LINE_LIMIT, MALFORMED, TOO_LONG
from floorwalker.store._flat import flat_kernel
from floorwalker.store._hashing import widen

DEPTH = 16
"""The most levels of nesting that are followed."""


@flat_kernel
def tokenise_json(
    buffer: NDArray[np.uint8],
    begin: int,
    length: int,
    nodes: NDArray[np.int64],
    names: NDArray[np.uint8],
    bound: int,
    stack: NDArray[np.int64],
    spans: NDArray[np.int32],
    lines: NDArray[np.int32],
    states: NDArray[np.uint8],
    escaped: NDArray[np.uint32],
) -> tuple[int, int]:
    """Cut JSON lines into spans, as `tokenise_text` does with text.

    Values stay as they are written; strings lose their quotes. The first element of an array stands for it.

    Parameters
    ----------
    nodes : int64 [k, 5], the keys looked for, as a tree: parent (0 is the line's object), begin and end of the name
        in `names`, the slot it fills or -1, and its rank: where several keys fill one slot, the lowest rank wins.
    stack : int64 [3, 16], room to work in: the node whose object or array is open (-1 for one nobody asked for),
        whether it is an array, and the rank of what each slot holds.
    """
    row = 0
    at = begin
    arrays = stack[1]
    ranks = stack[2]
    while at < length and row < len(states):
        end = find_byte(buffer, at, length, NEWLINE)
        following = end + 1
        while at < end and (buffer[at] == 0 or buffer[at] == 32):
            at += 1
        while at < end and (buffer[end - 1] == 13 or buffer[end - 1] == 32):
            end -= 1
        # Some writers wrap the lines into one array: a comma behind each object does not matter.
        if end - at > 1 and buffer[end - 1] == 44:
            end -= 1
        lines[row, 0] = at
        lines[row, 1] = end
        flags = np.uint32(0)
        state = FINE
        if at == end:
            state = EMPTY
        elif end - at > LINE_LIMIT:
            state = TOO_LONG
        elif buffer[at] != 123 or buffer[end - 1] != 125:
            state = MALFORMED
        if state == FINE:
            for slot in range(spans.shape[1]):
                if (bound >> slot) & 1 == 1:
                    spans[row, slot, 0] = -1
                    spans[row, slot, 1] = -1
                ranks[slot] = 1 << 30
            depth = 0
            stack[0, 0] = 0
            arrays[0] = 0
            node = -1
            expects_key = True
            done = False
            at += 1
            while at < end and state == FINE and not done:
                byte = buffer[at]
                if byte == 32 or byte == 9 or byte == 58:
                    at += 1
                elif byte == 44:
                    expects_key = arrays[depth] == 0
                    at += 1
                    if arrays[depth] == 1:
                        node = -1  # only the first element of an array counts
                elif byte == 125 or byte == 93:
                    at += 1
                    if (byte == 93) != (arrays[depth] == 1):
                        state = MALFORMED
                    elif depth == 0:
                        done = True
                    else:
                        depth -= 1
                        expects_key = False
                        node = -1
                elif byte == 123 or byte == 91:
                    if expects_key or depth + 1 >= DEPTH:
                        state = MALFORMED
                    else:
                        depth += 1
                        stack[0, depth] = node
                        arrays[depth] = widen(byte == 91)
                        expects_key = byte == 123
                        at += 1
                else:
                    first = at
                    quoted = byte == 34
                    slashes = False
                    if quoted:
                        first = at + 1
                        at = first
                        while True:
                            at = find_stop(buffer, at, end, QUOTE)
                            if at >= end or buffer[at] == 34:
                                break
                            slashes = True
                            at += 2
                        stop = at
                        at += 1
                        if stop >= end:
                            state = MALFORMED
                    else:
                        while (
                            at < end
                            and buffer[at] != 44
                            and buffer[at] != 125
                            and buffer[at] != 93
                            and buffer[at] != 32
                        ):
                            at += 1
                        stop = at
                    if state == FINE and expects_key:
                        parent = stack[0, depth]
                        node = -1
                        if not quoted:
                            state = MALFORMED
                        elif parent >= 0:
                            for k in range(1, len(nodes)):
                                if nodes[k, 0] == parent and nodes[k, 2] - nodes[k, 1] == stop - first:
                                    same = True
                                    for j in range(stop - first):
                                        if buffer[first + j] != names[nodes[k, 1] + j]:
                                            same = False
                                            break
                                    if same:
                                        node = k
                                        break
                        while at < end and buffer[at] == 32:
                            at += 1
                        if at >= end or buffer[at] != 58:
                            state = MALFORMED
                        expects_key = False
                    elif state == FINE and node >= 0:
                        slot = nodes[node, 3]
                        null = not quoted and stop - first == 4 and buffer[first] == 110
                        blank = quoted and (stop == first or (stop - first == 1 and buffer[first] == 45))
                        # A key that says nothing must not hide another that says something.
                        rank = widen(1 << 29) if blank else nodes[node, 4]
                        if slot >= 0 and not null and rank < ranks[slot]:
                            ranks[slot] = rank
                            spans[row, slot, 0] = first
                            spans[row, slot, 1] = stop
                            flags &= ~(np.uint32(1) << np.uint32(slot))
                            if slashes:
                                flags |= np.uint32(1) << np.uint32(slot)
            if not done or at != end:
                state = MALFORMED
        states[row] = state
        escaped[row] = flags
        row += 1
        at = following
    return row, at
