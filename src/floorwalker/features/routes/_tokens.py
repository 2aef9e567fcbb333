"""What the network reads: each part of a URL as a row of small whole numbers, one embedding each.

A sequence has up to `LENGTH` tokens: the decided segments before, the segment in question (one token), its parts
(one each), the next two segments as they stand; or, for a query, the decided segments and one token for each key.
Every figure is quantised, so that thousands of siblings share one sequence and are inferred once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.routes._split import DELIMITER_CODES, MAX_KEYS, MAX_PARTS, SHAPE_NAMES
from floorwalker.features.routes._words import CLASSES

Bins = NDArray[np.int64]
Real = NDArray[np.float64]

WIDTH = 21
"""Slots of a token; slot 0 is its kind."""

PRIOR, FUTURE = 3, 2
LENGTH = PRIOR + 1 + MAX_PARTS + FUTURE
QUERY_LENGTH = PRIOR + MAX_KEYS

_SHAPES, _WORDS = len(SHAPE_NAMES), len(CLASSES)
SLOTS: dict[str, tuple[int, ...]] = {
    "prior": (1, 3, 14, _SHAPES, _WORDS, 4, 6),
    "segment": (1, 14, 8, 9, 7, 9, 14, 10, 9, 14, 9, MAX_PARTS + 1, 10, 6, 6, 4, 9, 7, 9, _WORDS, 9),
    "part": (1, DELIMITER_CODES, DELIMITER_CODES, _SHAPES, 10, 9, 14, 14, 5, 5, _WORDS, 9, 9, 9, 4, 9),
    "future": (1, _SHAPES, MAX_PARTS + 1, DELIMITER_CODES, 10, _WORDS, 3),
    "key": (1, 9, 9, 14, 9, 9, _SHAPES, 9, 9, 9, _WORDS, 9, 9, 2, 6, 10),
}
"""Sizes of each token's slots, by kind."""

_STARTS: dict[str, list[int]] = {}
_next = 1
for _kind, _sizes in SLOTS.items():
    _STARTS[_kind] = []
    for _size in _sizes:
        _STARTS[_kind].append(_next)
        _next += _size
VOCABULARY = _next
"""Rows of the embedding table; row 0 is the empty slot and stays zero."""

_SHARES = np.array([0.002, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 0.97])
_RELATIVE = np.array([0.05, 0.2, 0.5, 0.9, 1.1, 2.0, 5.0, 20.0, 100.0])
_LENGTHS = np.array([2, 3, 4, 6, 9, 13, 20, 32, 64])


def log_bin(values: NDArray[np.generic], top: int) -> Bins:
    """Powers of two: 0 for 0, 1 for 1, 2 for 2–3, 3 for 4–7 …, at most `top`."""
    numbers = np.asarray(values, np.float64)
    return np.minimum(np.where(numbers < 1, 0, np.floor(np.log2(np.maximum(numbers, 1))) + 1), top).astype(np.int64)


def share_bin(values: Real) -> Bins:
    """Nine steps from below 0.2 % to above 97 %."""
    return np.searchsorted(_SHARES, values, side="right").astype(np.int64)


def relative_bin(values: Real) -> Bins:
    """Ten steps from a twentieth of the mean to a hundred times the mean."""
    return np.searchsorted(_RELATIVE, values, side="right").astype(np.int64)


def length_bin(values: NDArray[np.generic]) -> Bins:
    """Ten steps of a length in bytes."""
    return np.searchsorted(_LENGTHS, np.asarray(values, np.float64), side="left").astype(np.int64)


def make_tokens(kind: str, *slots: NDArray[np.generic] | int) -> NDArray[np.int16]:
    """Rows of embedding indices: int16 [n, WIDTH].

    Parameters
    ----------
    kind : a key of `SLOTS`.
    slots : the figures after the kind itself, each below the size that `SLOTS` states; larger ones are cut.
    """
    sizes, starts = SLOTS[kind], _STARTS[kind]
    count = max((len(slot) for slot in slots if isinstance(slot, np.ndarray)), default=1)
    rows = np.zeros((count, WIDTH), np.int16)
    rows[:, 0] = starts[0]
    for at, slot in enumerate(slots, start=1):
        rows[:, at] = starts[at] + np.clip(np.asarray(slot, np.int64), 0, sizes[at] - 1)
    return rows
