"""How many different values: a small exact set, then HyperLogLog with 256 registers for each bucket of the window.

A set keeps each value's fingerprint (32 bits) and the tick of its newest sighting, so one set answers every window
exactly. Once it is full it spills into one page per window: 256 registers for every bucket of the window and their
merger. The standard error is 1.04 / sqrt(256) = 6.5 %; below 640 linear counting does better.

Source: P. Flajolet, E. Fusy, O. Gandouet, F. Meunier, "HyperLogLog: the analysis of a near-optimal cardinality
estimation algorithm", AofA 2007.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live import _layout as layout
from floorwalker.features.live._inline import inline_kernel
from floorwalker.features.live._rows import mix
from floorwalker.features.live.windows import LEVELS, LIFETIME_LEVEL, TICK_SECONDS
from floorwalker.store._hashing import widen
from floorwalker.store.pages import PAGE_WORDS, guard

TICKS = np.array([level.seconds // TICK_SECONDS for level in LEVELS], np.int64)
"""Ticks of ten seconds in a bucket of each level; 0 for the lifetime."""

POWERS = 0.5 ** np.arange(64)
"""2^-rank."""

_M = layout.REGISTERS
_PAGE_WORDS = PAGE_WORDS
_ALPHA = 0.7213 / (1.0 + 1.079 / _M)
_LIFE = LIFETIME_LEVEL
_SET = 2
_MOST_RANK = 57
_SPREAD = np.uint64(0x6A09E667F3BCC909)
_U0 = np.uint64(0)
_U1 = np.uint64(1)
_U8 = np.uint64(8)
_U32 = np.uint64(32)
_INDEX = np.uint64(_M - 1)


@inline_kernel
def estimate(registers: NDArray[np.uint8], start: int, powers: NDArray[np.float64]) -> float:
    """The cardinality that the 256 registers from `start` on speak for, a whole number."""
    total = 0.0
    empty = 0
    for j in range(start, start + _M):
        total += powers[registers[j]]
        if registers[j] == 0:
            empty += 1
    raw = _ALPHA * _M * _M / total
    if empty > 0 and raw <= 2.5 * _M:
        return float(np.rint(_M * np.log(_M / empty)))
    return float(np.rint(raw))


@inline_kernel
def merge(
    pages: NDArray[np.uint8], page: int, first: int, last: int, ring: int, merged: NDArray[np.uint8], to: int
) -> None:
    """Join the registers of the buckets `first` to `last` of the page that starts at `page` into `merged[to:]`."""
    for j in range(_M):
        merged[to + j] = 0
    for bucket in range(first, last + 1):
        start = page + _M * (1 + bucket % ring)
        for j in range(_M):
            merged[to + j] = max(merged[to + j], pages[start + j])


@inline_kernel
def guard_page(number: int, sketches: NDArray[np.uint64], saved: NDArray[np.uint64], marks: NDArray[np.uint8]) -> None:
    """Call before a page is written: a snapshot that is being taken first saves what it holds."""
    guard(number * _PAGE_WORDS, number * _PAGE_WORDS + _PAGE_WORDS - 1, sketches, saved, marks)


@inline_kernel
def add_to_page(
    number: int,
    level: int,
    ring: int,
    bucket: int,
    fingerprint: np.uint64,
    pages: NDArray[np.uint8],
    heads: NDArray[np.int64],
    estimates: NDArray[np.float64],
    powers: NDArray[np.float64],
    sketches: NDArray[np.uint64],
    saved: NDArray[np.uint64],
    marks: NDArray[np.uint8],
) -> None:
    """Take a value seen in `bucket` into a page. Nearly always the page has nothing to learn from it."""
    page = number * layout.PAGE_BYTES
    mixed = mix(fingerprint, _SPREAD)
    index = widen(mixed & _INDEX)
    rest = mixed >> _U8
    rank = 1
    while rest & _U1 == _U0 and rank < _MOST_RANK:
        rest >>= _U1
        rank += 1
    changed = False
    if level != _LIFE:
        head = heads[number]
        if bucket <= head - ring:
            return
        if bucket > head:
            guard_page(number, sketches, saved, marks)
            for passed in range(max(head + 1, bucket - ring + 1), bucket + 1):
                start = page + _M * (1 + passed % ring)
                for j in range(start, start + _M):
                    pages[j] = 0
            heads[number] = bucket
            merge(pages, page, bucket - ring + 1, bucket, ring, pages, page)
            changed = True
        place = page + _M * (1 + bucket % ring) + index
        if pages[place] < rank:
            guard_page(number, sketches, saved, marks)
            pages[place] = rank
    if pages[page + index] < rank:
        guard_page(number, sketches, saved, marks)
        pages[page + index] = rank
        changed = True
    if changed:
        estimates[number] = estimate(pages, page, powers)


@inline_kernel
def take_page(
    figures: NDArray[np.int64],
    free: NDArray[np.int32],
    pages: NDArray[np.uint8],
    heads: NDArray[np.int64],
    estimates: NDArray[np.float64],
    sketches: NDArray[np.uint64],
    saved: NDArray[np.uint64],
    marks: NDArray[np.uint8],
) -> int:
    """A clean page, or -1 where all are in use."""
    if figures[layout.PAGES_FREE] > 0:
        figures[layout.PAGES_FREE] -= 1
        number = widen(free[figures[layout.PAGES_FREE]])
        guard_page(number, sketches, saved, marks)
        for j in range(number * layout.PAGE_BYTES, (number + 1) * layout.PAGE_BYTES):
            pages[j] = 0
    elif figures[layout.PAGES_USED] < len(heads):
        number = widen(figures[layout.PAGES_USED])
        figures[layout.PAGES_USED] += 1
    else:
        figures[layout.REFUSED] += 1
        return -1
    heads[number] = -1
    estimates[number] = 0.0
    return number


@inline_kernel
def count_distinct(
    row: int,
    place: int,
    exact: int,
    page_place: int,
    level: int,
    ring: int,
    bucket: int,
    words: NDArray[np.uint32],
    ticks: NDArray[np.int64],
    pages: NDArray[np.uint8],
    heads: NDArray[np.int64],
    estimates: NDArray[np.float64],
    powers: NDArray[np.float64],
    scratch: NDArray[np.uint8],
) -> float:
    """How many values were seen in the window that ends in `bucket`; nothing moves."""
    start = row + place
    held = widen(words[start])
    if held > exact:
        number = widen(words[row + page_place]) - 1
        if number >= 0:
            head = heads[number]
            if level == _LIFE or head >= bucket:
                return float(estimates[number])
            if head <= bucket - ring:
                return 0.0
            merge(pages, number * layout.PAGE_BYTES, bucket - ring + 1, head, ring, scratch, 0)
            return estimate(scratch, 0, powers)
        held = exact
    if held == 0:
        return 0.0
    if level == _LIFE:
        return float(held)
    oldest = np.uint32((bucket - ring + 1) * ticks[level])
    count = 0
    first = np.uint64(start + _SET + exact)
    for entry in range(np.uint64(held)):
        if words[first + entry] >= oldest:
            count += 1
    return float(count)


@inline_kernel
def _first_tick(
    first: int, last: int, windows: NDArray[np.int64], buckets: NDArray[np.int64], ticks: NDArray[np.int64]
) -> int:
    """The tick from which on the longest window of a set looks."""
    oldest = 1 << 62
    for w in range(first, last):
        level = windows[w, 1]
        start = 0 if level == _LIFE else (buckets[level] - windows[w, 2] + 1) * ticks[level]
        oldest = min(oldest, start)
    return oldest


@inline_kernel
def add_distinct(
    row: int,
    place: int,
    exact: int,
    first: int,
    last: int,
    value: np.uint64,
    seed: np.uint64,
    at: NDArray[np.int64],
    clock: NDArray[np.int64],
    windows: NDArray[np.int64],
    words: NDArray[np.uint32],
    ticks: NDArray[np.int64],
    figures: NDArray[np.int64],
    free: NDArray[np.int32],
    pages: NDArray[np.uint8],
    heads: NDArray[np.int64],
    estimates: NDArray[np.float64],
    powers: NDArray[np.float64],
    sketches: NDArray[np.uint64],
    saved: NDArray[np.uint64],
    page_marks: NDArray[np.uint8],
) -> None:
    """Take a value into a set. `windows[first:last]` are its windows (place of the page, level, buckets); `at` and
    `clock` hold the bucket numbers of the event and of the row's newest event, by level."""
    start = row + place
    fingerprint = mix(value, seed) >> _U32
    tick = np.uint32(at[0])
    held = widen(words[start])
    marks = np.uint64(start + _SET)
    seen = np.uint64(start + _SET + exact)
    is_known = False
    for entry in range(np.uint64(min(held, exact))):
        if words[marks + entry] == np.uint32(fingerprint):
            words[seen + entry] = max(words[seen + entry], tick)
            if held <= exact:
                return
            is_known = True
            break
    oldest = _first_tick(first, last, windows, clock, ticks)
    if widen(tick) < oldest:
        return
    if not is_known:
        where = np.uint64(held)
        if held < exact:
            words[start] = np.uint32(held + 1)
        else:
            where = np.uint64(0)
            for entry in range(np.uint64(exact)):
                if words[seen + entry] < words[seen + where]:
                    where = np.uint64(entry)
            if held == exact and widen(words[seen + where]) >= oldest:
                words[start] = np.uint32(exact + 1)
                for w in range(first, last):
                    number = take_page(
                        figures, free, pages, heads, estimates, sketches, saved, page_marks
                    )  # fmt: skip
                    words[row + windows[w, 0]] = np.uint32(number + 1)
                    if number >= 0:
                        level = windows[w, 1]
                        for entry in range(np.uint64(exact)):
                            bucket = 0 if level == _LIFE else widen(words[seen + entry]) // ticks[level]
                            mark = np.uint64(words[marks + entry])
                            add_to_page(
                                number, level, windows[w, 2], bucket, mark, pages, heads, estimates, powers, sketches,
                                saved, page_marks,
                            )  # fmt: skip
                held = exact + 1
        # The newest values stay in the set: they are the answer where no page was to be had.
        words[marks + where] = np.uint32(fingerprint)
        words[seen + where] = tick
    if held > exact:
        for w in range(first, last):
            number = widen(words[row + windows[w, 0]]) - 1
            if number >= 0:
                level = windows[w, 1]
                add_to_page(
                    number, level, windows[w, 2], at[level], fingerprint, pages, heads, estimates, powers, sketches,
                    saved, page_marks,
                )  # fmt: skip
