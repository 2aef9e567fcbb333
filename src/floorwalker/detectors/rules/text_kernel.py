"""Text patterns against one text, over code points in flat arrays.

Constants are found by hash. A text's neighbouring letters go into a small bit set, by which a pattern that is not
contained is nearly always refused without a search. Time is bounded by length of text × length of pattern whatever
the pattern, because a wildcard only ever falls back to the last ``%``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel

FALSE, UNKNOWN, TRUE = 0, 1, 2
CONSTANTS, PREFIXES, SUFFIXES, CONTAINED, LIKE, MISSING = range(6)
"""Kinds of pattern, in the order in which a column's patterns lie."""

ANY, ONE = 0xFFFFFFFF, 0xFFFFFFFE
"""``%`` and ``_`` in the letters of a LIKE pattern; no code point is as large."""

PAIR_BITS = 65_536
FEW_PAIR_BITS = 4_096
FEW_LETTERS = 600
"""A short text needs fewer bits, which are faster to clear."""
CHECKED_PAIRS = 32


@kernel
def hash_letters(letters: NDArray[np.uint32], start: int, end: int) -> np.uint64:
    """FNV-1a over code points; collisions are resolved by comparing."""
    result = np.uint64(14695981039346656037)
    for position in range(start, end):
        result = (result ^ np.uint64(letters[position])) * np.uint64(1099511628211)
    return result


@kernel
def match_patterns(
    letters: NDArray[np.uint32],
    start: int,
    end: int,
    layout: NDArray[np.int32],  # [C, 8] first term, where a column's patterns of each kind begin, their end
    column: int,
    patterns: NDArray[np.int32],  # [P, 3] start and end in `pattern_letters`, term
    pattern_hashes: NDArray[np.uint64],  # of constants, sorted within a column
    pattern_letters: NDArray[np.uint32],
    pairs: NDArray[np.uint64],  # [PAIR_BITS / 64] scratch
    terms: NDArray[np.uint8],
    first_term: int,
    lane: int,
) -> None:
    """Set the terms whose pattern the text fits to TRUE in this lane; the others are left alone."""
    length = end - start
    constants, prefixes, suffixes = layout[column, 1], layout[column, 2], layout[column, 3]
    contained, like, missing = layout[column, 4], layout[column, 5], layout[column, 6]
    if constants < prefixes:
        wanted = hash_letters(letters, start, end)
        place, high = constants, prefixes
        while place < high:
            middle = (place + high) >> 1
            if pattern_hashes[middle] < wanted:
                place = middle + 1
            else:
                high = middle
        high = prefixes
        while place < high and pattern_hashes[place] == wanted:
            first, last = patterns[place, 0], patterns[place, 1]
            if last - first == length and _equal(letters, start, pattern_letters, first, length):
                terms[first_term + patterns[place, 2], lane] = TRUE
            place += 1
    for place in range(prefixes, suffixes):
        first, size = patterns[place, 0], patterns[place, 1] - patterns[place, 0]
        if size <= length and _equal(letters, start, pattern_letters, first, size):
            terms[first_term + patterns[place, 2], lane] = TRUE
    for place in range(suffixes, contained):
        first, size = patterns[place, 0], patterns[place, 1] - patterns[place, 0]
        if size <= length and _equal(letters, end - size, pattern_letters, first, size):
            terms[first_term + patterns[place, 2], lane] = TRUE
    if contained < like:
        mask = (FEW_PAIR_BITS if length <= FEW_LETTERS else PAIR_BITS) - 1
        for word in range((mask + 1) // 64):
            pairs[word] = 0
        for position in range(start, end - 1):
            bit = _pair_bit(letters[position], letters[position + 1], mask)
            pairs[bit >> 6] |= np.uint64(1) << np.uint64(bit & 63)
        for place in range(contained, like):
            if _contains(letters, start, end, pattern_letters, patterns[place, 0], patterns[place, 1], pairs, mask):
                terms[first_term + patterns[place, 2], lane] = TRUE
    for place in range(like, missing):
        if _is_like(letters, start, end, pattern_letters, patterns[place, 0], patterns[place, 1]):
            terms[first_term + patterns[place, 2], lane] = TRUE


@kernel
def _equal(letters: NDArray[np.uint32], start: int, pattern: NDArray[np.uint32], first: int, size: int) -> bool:
    for offset in range(size):  # noqa: SIM110
        if letters[start + offset] != pattern[first + offset]:
            return False
    return True


@kernel
def _pair_bit(left: int, right: int, mask: int) -> int:
    return int((np.int64(left) * 31 + np.int64(right) * 1_009) & mask)


@kernel
def _contains(
    letters: NDArray[np.uint32],
    start: int,
    end: int,
    pattern: NDArray[np.uint32],
    first: int,
    last: int,
    pairs: NDArray[np.uint64],
    mask: int,
) -> bool:
    size = last - first
    for position in range(first, min(last - 1, first + CHECKED_PAIRS)):
        bit = _pair_bit(pattern[position], pattern[position + 1], mask)
        if not (pairs[bit >> 6] >> np.uint64(bit & 63)) & np.uint64(1):
            return False
    for position in range(start, end - size + 1):  # noqa: SIM110
        if _equal(letters, position, pattern, first, size):
            return True
    return False


@kernel
def _is_like(
    letters: NDArray[np.uint32], start: int, end: int, pattern: NDArray[np.uint32], first: int, last: int
) -> bool:
    position, place = start, first
    last_any, resume = -1, start
    while position < end:
        if place < last and (pattern[place] == letters[position] or pattern[place] == ONE):
            position += 1
            place += 1
        elif place < last and pattern[place] == ANY:
            last_any, resume = place, position
            place += 1
        elif last_any >= 0:
            # The last % takes one letter more; an earlier one could not help where this one cannot.
            resume += 1
            position, place = resume, last_any + 1
        else:
            return False
    while place < last and pattern[place] == ANY:
        place += 1
    return place == last
