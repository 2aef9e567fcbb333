"""Kernels that count n-grams of words and characters by hash."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel

BITS = 22
"""Hashes have this many bits: 4 million buckets, of which a fit keeps the few hundred thousand that it saw."""

MASK = 0xFFFFFFFF


@kernel
def mix(value: int) -> int:
    """A 32-bit hash of a 32-bit value in which every bit counts; int64 arithmetic that cannot overflow."""
    value = ((value ^ (value >> 16)) * 0x2C1B3C6D) & MASK
    value = ((value ^ (value >> 12)) * 0x297A2D39) & MASK
    return value ^ (value >> 15)


@kernel
def mix_all(values: NDArray[np.int64]) -> None:
    """`mix` each value in place."""
    for place in range(len(values)):
        values[place] = mix(values[place])


@kernel
def split_words(
    codes: NDArray[np.uint32], kinds: NDArray[np.uint8], start: int, stop: int, hashes: NDArray[np.int64]
) -> int:
    """Write a hash for each token of one text into `hashes`; how many there are.

    A token is a run of letters and digits, one ideograph, or one symbol.
    """
    count = 0
    inside = False
    value: Any = 0
    for place in range(start, stop):
        kind = kinds[place]
        if kind == 1:
            if not inside:
                value = 2166136261
                inside = True
            value = ((value ^ np.int64(codes[place])) * 16777619) & MASK
            continue
        if inside:
            hashes[count] = value
            count += 1
            inside = False
        if kind != 0:
            hashes[count] = ((2166136261 ^ np.int64(codes[place])) * 16777619) & MASK
            count += 1
    if inside:
        hashes[count] = value
        count += 1
    return count


@kernel
def squeeze(
    codes: NDArray[np.uint32], kinds: NDArray[np.uint8], start: int, stop: int, squeezed: NDArray[np.int64]
) -> int:
    """Write the characters of one text with single blanks between, before and after words; how many there are."""
    squeezed[0] = 32
    count = 1
    for place in range(start, stop):
        if kinds[place] == 0:
            if squeezed[count - 1] != 32:
                squeezed[count] = 32
                count += 1
        else:
            squeezed[count] = np.int64(codes[place])
            count += 1
    if squeezed[count - 1] != 32:
        squeezed[count] = 32
        count += 1
    return count


@kernel
def count_grams(
    codes: NDArray[np.uint32],
    kinds: NDArray[np.uint8],
    stops: NDArray[np.int64],
    of_words: bool,
    low: int,
    high: int,
    starts: NDArray[np.int64],
    buckets: NDArray[np.int32],
    counts: NDArray[np.float32],
) -> int:
    """Count the n-grams, n from `low` to `high`, of each text; how many different ones in all.

    Fills `starts` [texts + 1], and per text its rising `buckets` with their `counts`; both must hold
    `(high - low + 1) * (characters + 2 * texts)`.
    """
    written = 0
    starts[0] = 0
    shift = 32 - 22
    for text in range(len(stops) - 1):
        start, stop = stops[text], stops[text + 1]
        units = np.empty(stop - start + 2, np.int64)
        if of_words:
            many = split_words(codes, kinds, start, stop, units)
        else:
            many = squeeze(codes, kinds, start, stop, units)
        found = np.empty(many * (high - low + 1), np.int32)
        grams = 0
        for first in range(many):
            value = 40503
            for length in range(1, high + 1):
                if first + length > many:
                    break
                value = ((value ^ units[first + length - 1]) * 16777619 + length) & 0xFFFFFFFF
                if length >= low:
                    found[grams] = mix(value) >> shift
                    grams += 1
        ordered = np.sort(found[:grams])
        for place in range(grams):
            if place > 0 and ordered[place] == ordered[place - 1]:
                counts[written - 1] += 1
            else:
                buckets[written] = ordered[place]
                counts[written] = 1
                written += 1
        starts[text + 1] = written
    return written


@kernel
def hash_phrases(
    codes: NDArray[np.uint32],
    kinds: NDArray[np.uint8],
    stops: NDArray[np.int64],
    owners: NDArray[np.int32],
    contexts: NDArray[np.uint32],
    grams: NDArray[np.uint32],
) -> int:
    """Hash each token of each text, and the end of each text, with the tokens before it; how many there are in all.

    Fills `owners` [tokens] with the number of the text, and for each length `contexts` [lengths, tokens] with the hash
    of that many tokens before (beyond the beginning stand marks) and `grams` with that of the same and the token
    itself; each must hold `characters + texts`.
    """
    written = 0
    for text in range(len(stops) - 1):
        start, stop = stops[text], stops[text + 1]
        tokens = np.empty(stop - start + 1, np.int64)
        many = split_words(codes, kinds, start, stop, tokens)
        tokens[many] = 2
        for place in range(many + 1):
            value = 40503
            for length in range(len(contexts)):
                if length > 0:
                    before = tokens[place - length] if place >= length else 1
                    value = mix(((value ^ before) * 16777619 + length) & MASK)
                contexts[length, written] = value
                grams[length, written] = mix(((value ^ tokens[place]) * 16777619 + 40503) & MASK)
            owners[written] = text
            written += 1
    return written


@kernel
def weigh_grams(
    starts: NDArray[np.int64],
    buckets: NDArray[np.int32],
    counts: NDArray[np.float32],
    column_of: NDArray[np.int32],
    rarity: NDArray[np.float32],
    kept_starts: NDArray[np.int64],
    columns: NDArray[np.int32],
    values: NDArray[np.float32],
) -> int:
    """Sublinear TF-IDF of length 1 of the known n-grams: `(1 + ln tf) idf / norm`; how many entries in all."""
    written = 0
    kept_starts[0] = 0
    for text in range(len(starts) - 1):
        first = written
        total = 0.0
        for place in range(starts[text], starts[text + 1]):
            column = column_of[buckets[place]]
            if column < 0:
                continue
            value = (1.0 + np.log(counts[place])) * rarity[column]
            total += value * value
            columns[written] = column
            values[written] = value
            written += 1
        if total > 0.0:
            norm = np.sqrt(total)
            for place in range(first, written):
                values[place] = values[place] / norm
        kept_starts[text + 1] = written
    return written


@kernel
def apply_weights(
    starts: NDArray[np.int64],
    columns: NDArray[np.int32],
    values: NDArray[np.float32],
    weights: NDArray[np.float32],
    intercepts: NDArray[np.float32],
    answer: NDArray[np.float32],
) -> None:
    """`answer[text, head] = sum of values * weights[head, column] + intercept`."""
    for text in range(len(starts) - 1):
        for head in range(len(intercepts)):
            total = float(intercepts[head])
            for place in range(starts[text], starts[text + 1]):
                total += float(values[place]) * float(weights[head, columns[place]])
            answer[text, head] = total
