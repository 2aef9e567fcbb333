"""Lines of JSON as a table writes them, without what was not said."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel

_QUOTE, _COMMA, _COLON, _BACKSLASH, _LINE, _N = 34, 44, 58, 92, 10, 110
_OPEN_LIST, _CLOSE_LIST, _OPEN, _CLOSE = 91, 93, 123, 125


@kernel
def drop_nulls(
    lines: NDArray[np.uint8],
    places: NDArray[np.int64],
    out: NDArray[np.uint8],
    at: int,
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
) -> int:
    """Copy objects, one a line and without spaces, leaving out members that are null and records that are empty then.

    Parameters
    ----------
    lines : whole lines, each ended by a line feed.
    places : int64 [m], which row each line is.
    out, at : where they go, and from which byte on.
    starts, stops : int64, filled at `places`.

    Returns the byte behind the last one written.
    """
    read = 0
    for place in places:
        starts[place] = at
        # A bit a level, the innermost lowest: whether it is an object.
        objects = 0
        depth = 0
        member = at
        while lines[read] != _LINE:
            byte = lines[read]
            if byte == _QUOTE:
                stop = read + 1
                while lines[stop] != _QUOTE:
                    stop += 2 if lines[stop] == _BACKSLASH else 1
                stop += 1
                # A colon stands behind a name only.
                if lines[stop] == _COLON:
                    if lines[stop + 1] == _N:
                        read = stop + 5
                        continue
                    if depth == 1:
                        member = at
                    if out[at - 1] != _OPEN:
                        out[at] = _COMMA
                        at += 1
                for step in range(read, stop):
                    out[at] = lines[step]
                    at += 1
                read = stop
                continue
            read += 1
            if byte == _COMMA and objects & 1:
                # Written before the next name, where there is one.
                continue
            if byte in (_OPEN, _OPEN_LIST):
                objects = objects << 1 | (byte == _OPEN)
                depth += 1
            elif byte in (_CLOSE, _CLOSE_LIST):
                objects >>= 1
                depth -= 1
                if byte == _CLOSE and depth == 1 and out[at - 1] == _OPEN and not objects & 2:
                    at = member
                    continue
            out[at] = byte
            at += 1
        read += 1
        stops[place] = at
    return at
