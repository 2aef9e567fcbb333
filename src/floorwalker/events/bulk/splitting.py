"""Where the events of a body begin and end: lines, or the elements of a JSON array.

>>> split_lines(b'{"id": 1}\\n\\n{"id": 2}\\n', 10).texts()
[b'{"id": 1}', b'{"id": 2}']
>>> split_array(b'[{"id": 1}, {"id": [2, 3]}]', 10).texts()
[b'{"id": 1}', b'{"id": [2, 3]}']
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import InputError
from floorwalker.events.bulk._inline import flat_kernel
from floorwalker.kernels import kernel

_TOO_MANY, _NO_ARRAY = -1, -2


@dataclass(frozen=True)
class Texts:
    """The texts of events inside a body.

    Parameters
    ----------
    body : all of it.
    starts, stops : int64 [n].
    """

    body: bytes
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)

    def text(self, position: int) -> bytes:
        """The text at a position from 0."""
        return self.body[self.starts[position] : self.stops[position]]

    def texts(self) -> list[bytes]:
        """Every text as bytes of its own."""
        return [self.text(position) for position in range(len(self))]

    def piece(self, start: int, most: int, most_bytes: int) -> int:
        """The end of the piece that begins at `start`: up to `most` texts of `most_bytes` in all, one at the least."""
        end = min(start + most, len(self))
        reach = int(np.searchsorted(self.stops[start:end], self.starts[start] + most_bytes, side="right"))
        return start + max(1, reach)


class TooManyError(InputError):
    """A body with more events than may be sent at once."""


def split_lines(body: bytes, most: int) -> Texts:
    """The lines of a body that are not blank.

    Raises `TooManyError` for more than `most`.
    """
    places = np.empty((2, most), np.int64)
    count = _split_lines(np.frombuffer(body, np.uint8), places[0], places[1])
    return _made(body, places, count, most)


def split_array(body: bytes, most: int) -> Texts:
    """The elements of a JSON array, whatever they are; only quotation marks, brackets and commas are looked at.

    Raises `TooManyError` for more than `most`, `InputError` for what is no array: it does not begin with one, ends
    before it is closed, goes on behind it, or lacks an element beside a comma.
    """
    places = np.empty((2, most), np.int64)
    count = _split_array(np.frombuffer(body, np.uint8), places[0], places[1])
    return _made(body, places, count, most)


def _made(body: bytes, places: NDArray[np.int64], count: int, most: int) -> Texts:
    if count == _TOO_MANY:
        raise TooManyError(f"more than {most} events in one body", allowed=f"at most {most}", fix="send several bodies")
    if count == _NO_ARRAY:
        raise InputError("the body is no JSON array", allowed="[{…}, {…}], or application/x-ndjson")
    return Texts(body, places[0, :count].copy(), places[1, :count].copy())


@kernel
def _split_lines(body: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64]) -> int:
    count = 0
    start = 0
    is_blank = True
    for at in range(len(body) + 1):
        if at < len(body) and body[at] != 10:
            if body[at] != 32 and not 9 <= body[at] <= 13:
                is_blank = False
            continue
        if not is_blank:
            if count == len(starts):
                return _TOO_MANY
            starts[count] = start
            stops[count] = at
            count += 1
        start = at + 1
        is_blank = True
    return count


@flat_kernel
def _is_space(byte: int) -> bool:
    return byte in (9, 10, 13, 32)


@kernel
def _split_array(body: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64]) -> int:
    size = len(body)
    at = 0
    while at < size and _is_space(body[at]):
        at += 1
    if at == size or body[at] != 91:
        return _NO_ARRAY
    at += 1
    count = 0
    while True:
        while at < size and _is_space(body[at]):
            at += 1
        if at == size:
            return _NO_ARRAY
        if body[at] == 93 and count == 0:
            break
        start = at
        depth = 0
        in_text = False
        while at < size:
            byte = body[at]
            if in_text:
                if byte == 92:
                    at += 1
                elif byte == 34:
                    in_text = False
            elif byte == 34:
                in_text = True
            elif byte in (91, 123):
                depth += 1
            elif byte in (93, 125):
                if depth == 0:
                    break
                depth -= 1
            elif byte == 44 and depth == 0:
                break
            at += 1
        if at >= size or body[at] == 125:
            return _NO_ARRAY
        stop = at
        while stop > start and _is_space(body[stop - 1]):
            stop -= 1
        if stop == start:
            return _NO_ARRAY
        if count == len(starts):
            return _TOO_MANY
        starts[count] = start
        stops[count] = stop
        count += 1
        if body[at] == 93:
            break
        at += 1
    at += 1
    while at < size and _is_space(body[at]):
        at += 1
    return count if at == size else _NO_ARRAY
