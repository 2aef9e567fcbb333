"""Kernels that write MessagePack as `msgspec` does: the shortest form of everything but reals, which have eight bytes.

Source: the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.bulk._inline import flat_kernel, inline_kernel


@inline_kernel
def _put_big_end(out: NDArray[np.uint8], at: int, value: int, width: int) -> int:
    for step in range(width):
        out[at + step] = np.uint8(value >> (8 * (width - 1 - step)) & 255)
    return at + width


@flat_kernel
def copy_span(out: NDArray[np.uint8], at: int, data: NDArray[np.uint8], start: int, stop: int) -> int:
    """Put ``data[start:stop]`` at `at`; returns the place behind it."""
    for step in range(stop - start):
        out[at + step] = data[start + step]
    return at + stop - start


@flat_kernel
def put_text_head(out: NDArray[np.uint8], at: int, length: int) -> int:
    """The head of a text of so many bytes."""
    if length < 32:
        out[at] = 0xA0 | length
        return at + 1
    if length < 256:
        out[at] = 0xD9
        return _put_big_end(out, at + 1, length, 1)
    if length < 65536:
        out[at] = 0xDA
        return _put_big_end(out, at + 1, length, 2)
    out[at] = 0xDB
    return _put_big_end(out, at + 1, length, 4)


@flat_kernel
def put_map_head(out: NDArray[np.uint8], at: int, count: int, most: int) -> int:
    """The head of a map of so many pairs; where a record has up to `most` fields, as wide as these need."""
    if most < 16:
        out[at] = 0x80 | count
        return at + 1
    out[at] = 0xDE
    return _put_big_end(out, at + 1, count, 2)


@flat_kernel
def put_list_head(out: NDArray[np.uint8], at: int, count: int) -> int:
    """The head of a list of so many parts."""
    if count < 16:
        out[at] = 0x90 | count
        return at + 1
    out[at] = 0xDC
    return _put_big_end(out, at + 1, count, 2)


@flat_kernel
def put_whole(out: NDArray[np.uint8], at: int, value: int) -> int:
    """A whole number from 0 on."""
    if value < 128:
        out[at] = value
        return at + 1
    if value < 1 << 8:
        out[at] = 0xCC
        return _put_big_end(out, at + 1, value, 1)
    if value < 1 << 16:
        out[at] = 0xCD
        return _put_big_end(out, at + 1, value, 2)
    if value < 1 << 32:
        out[at] = 0xCE
        return _put_big_end(out, at + 1, value, 4)
    out[at] = 0xCF
    return _put_big_end(out, at + 1, value, 8)


@flat_kernel
def put_real(out: NDArray[np.uint8], at: int, bits: np.uint64) -> int:
    """A real number by its bits."""
    out[at] = 0xCB
    for step in range(8):
        out[at + 1 + step] = np.uint8(bits >> np.uint64(56 - 8 * step) & np.uint64(255))
    return at + 9
