"""Kernels of text similarity: MinHash signatures, their bands, and the recent texts of a shop."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content._gram_kernels import mix, split_words
from floorwalker.kernels import kernel
from floorwalker.store.pages import guard

HASHES = 32
BANDS = 8
ROWS = 4
SLOT_BITS = 15
CHAIN = 16
"""Recent texts looked at in each band."""

MASKED = 7
"""The token that stands for numbers and names in a template."""

SIMILAR = 0.6
TEMPLATE = 0.75
DAY = 86_400_000_000

# Columns of what is found about one text.
(
    LENGTH, CLOSEST, OTHERS, OWN, BURST, TEMPLATE_CLOSEST, TEMPLATE_OTHERS, FOUND,
) = range(8)  # fmt: skip


@kernel
def sign_text(
    codes: NDArray[np.uint32],
    kinds: NDArray[np.uint8],
    capital: NDArray[np.bool_],
    seeds: NDArray[np.int64],
    signature: NDArray[np.uint32],
) -> int:
    """MinHash signatures of one text's shingles of three tokens, `signature` [2, HASHES]: as written, and with words
    of capitals or digits masked. How many tokens it has."""
    size = len(codes)
    words = np.empty(size + 2, np.int64)
    many = split_words(codes, kinds, 0, size, words)
    masked = words.copy()
    # The same walk again: a word that begins with a capital inside a sentence, or holds a digit, is a name or number.
    place = 0
    inside = False
    named = False
    for at in range(size + 1):
        kind = kinds[at] if at < size else 0
        if kind == 1:
            if not inside:
                named = False
                inside = True
            if capital[at] or (codes[at] >= 48 and codes[at] <= 57):
                named = True
            continue
        if inside:
            if named:
                masked[place] = MASKED
            place += 1
            inside = False
        if kind != 0:
            place += 1
    for level in range(2):
        tokens = words if level == 0 else masked
        for number in range(HASHES):
            signature[level, number] = 0xFFFFFFFF
        for first in range(max(many - 2, 1)):
            value: Any = 5381
            for step in range(first, min(first + 3, many)):
                value = ((value ^ tokens[step]) * 16777619 + 77) & 0xFFFFFFFF
            for number in range(HASHES):
                hashed = mix(value ^ seeds[number])
                if hashed < signature[level, number]:
                    signature[level, number] = hashed
    return many


@kernel
def band_slot(signature: NDArray[np.uint32], band: int) -> int:
    """The slot of a band of a signature."""
    value: Any = 97 + band
    for row in range(ROWS):
        value = mix((value * 31 + np.int64(signature[band * ROWS + row])) & 0xFFFFFFFF)
    slot: int = value >> (32 - SLOT_BITS)
    return slot


@kernel
def agreement(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> float:
    """The share of equal hashes: an estimate of the Jaccard similarity of the shingles (Broder 1997)."""
    equal = 0
    for number in range(HASHES):
        if one[number] == other[number]:
            equal += 1
    return equal / HASHES


@kernel
def look_up(
    signature: NDArray[np.uint32],
    at: int,
    account: int,
    item: int,
    seller: int,
    horizon: int,
    count: NDArray[np.int64],
    signatures: NDArray[np.uint32],
    facts: NDArray[np.int64],
    newest: NDArray[np.int64],
    before: NDArray[np.int64],
    found: NDArray[np.float64],
) -> None:
    """What the recent texts say of this one; columns of `found` as named above.

    `signatures` [capacity, 2, HASHES], `facts` [capacity, 4] (at, account, item, seller), `newest` [2, BANDS, slots],
    `before` [2, BANDS, capacity]; texts are numbered from 1, and stand at their number modulo the capacity.
    """
    capacity = len(facts)
    seen = np.empty(2 * BANDS * CHAIN, np.int64)
    accounts = np.empty(BANDS * CHAIN, np.int64)
    for level in range(2):
        looked = 0
        others = 0
        for band in range(BANDS):
            number = newest[level, band, band_slot(signature[level], band)]
            for _ in range(CHAIN):
                if number <= 0 or number <= count[0] - capacity:
                    break
                place = number % capacity
                if at - facts[place, 0] > horizon:
                    break
                known = False
                for earlier in range(looked):
                    if seen[earlier] == number:
                        known = True
                        break
                if not known:
                    seen[looked] = number
                    looked += 1
                    alike = agreement(signature[level], signatures[place, level])
                    mine = account != 0 and facts[place, 1] == account
                    if level == 0 and alike >= SIMILAR and mine:
                        found[OWN] += 1
                    if not mine:
                        if level == 0 and alike > found[CLOSEST]:
                            found[CLOSEST] = alike
                        if level == 1 and alike > found[TEMPLATE_CLOSEST]:
                            found[TEMPLATE_CLOSEST] = alike
                        enough = alike >= SIMILAR if level == 0 else alike >= TEMPLATE
                        if enough:
                            fresh = True
                            for earlier in range(others):
                                if facts[place, 1] != 0 and accounts[earlier] == facts[place, 1]:
                                    fresh = False
                                    break
                            if fresh:
                                accounts[others] = facts[place, 1]
                                others += 1
                                same = (item != 0 and facts[place, 2] == item) or (
                                    seller != 0 and facts[place, 3] == seller
                                )
                                if level == 0 and same and at - facts[place, 0] <= DAY:
                                    found[BURST] += 1
                number = before[level, band, place]
        if level == 0:
            found[OTHERS] = others
        else:
            found[TEMPLATE_OTHERS] = others


@kernel
def remember(
    signature: NDArray[np.uint32],
    at: int,
    account: int,
    item: int,
    seller: int,
    count: NDArray[np.int64],
    capacity: int,
    signatures: Any,
    facts: Any,
    newest: Any,
    before: Any,
) -> None:
    """Keep one text; the oldest gives way.

    `signatures`, `facts`, `newest`, `before` : of each array its words, what was saved of them, and the marks of its
    pages (`store.pages`).
    """
    count[0] += 1
    number = count[0]
    place = number % capacity
    width = 2 * HASHES // 2
    guard(place * width, place * width + width - 1, *signatures)
    guard(place * 4, place * 4 + 3, *facts)
    known = facts[0].view(np.int64)
    known[place * 4] = at
    known[place * 4 + 1] = account
    known[place * 4 + 2] = item
    known[place * 4 + 3] = seller
    hashes = signatures[0].view(np.uint32)
    latest, earlier = newest[0].view(np.int64), before[0].view(np.int64)
    for level in range(2):
        for hashed in range(HASHES):
            hashes[2 * place * width + level * HASHES + hashed] = signature[level, hashed]
        for band in range(BANDS):
            slot = ((level * BANDS + band) << SLOT_BITS) + band_slot(signature[level], band)
            chained = (level * BANDS + band) * capacity + place
            guard(chained, chained, *before)
            guard(slot, slot, *newest)
            earlier[chained] = latest[slot]
            latest[slot] = number


@kernel
def weigh_words(
    words: NDArray[np.int64], low: NDArray[np.float32], high: NDArray[np.float32], totals: NDArray[np.float64]
) -> float:
    """Log-odds that these words (hashed, each once) stand in a review of few stars rather than many."""
    answer = 0.0
    for word in words:
        few, many = float(low[word]), float(high[word])
        if few + many < 5:
            continue
        odds = np.log((few + 0.5) / (totals[0] + 1)) - np.log((many + 0.5) / (totals[1] + 1))
        answer += min(max(odds, -3.0), 3.0)
    return answer
