"""Pairs that were met before: rows of first time, last time and number, in buckets of four."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel
from floorwalker.store.buckets import find_row
from floorwalker.store.pages import guard

KEY, FIRST, AT, TIMES = range(4)
"""64-bit words of a row: the key, when it was first and last met in µs UTC, and how often. The upper half of the last
has the type of the last event, plus 2, and how many different items there were, both of followed entities alone."""
WIDTH = 4
WAYS = 4
NOBODY, TYPE = -1, -2
"""Sources that are no row of keys or codes: nothing, and the type of the event."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
_ODD = np.uint64(0xD6E8FEB86659FD93)
_U0 = np.uint64(0)
_U1 = np.uint64(1)
_U29 = np.uint64(29)
_U31 = np.uint64(31)
_U32 = np.uint64(32)
_NAN = np.float32(math.nan)
_SECOND = 1e6
LONGEST, MOST = np.float32(86_400), np.float32(30)
"""Seconds and times from which on it is told no more exactly for how long and how often something was met: what the
whole shop knows grows older with the shop, and would tell models what time it is. Labels come late, so whoever knows
the time knows what is labelled."""
_OFTEN = 0x7FFFFFFF
_MOST_ITEMS = 0x7FFF


@kernel
def meet(
    moves: bool,
    types: NDArray[np.int16],
    at: NDArray[np.int64],
    keys: NDArray[np.uint64],
    codes: NDArray[np.uint64],
    pairs: NDArray[np.int64],
    followed: NDArray[np.int64],
    shares: NDArray[np.int64],
    differing: NDArray[np.int64],
    listed: NDArray[np.int64],
    words_of: NDArray[np.uint64],
    edges: NDArray[np.int64],
    said: NDArray[np.int64],
    words: NDArray[np.uint64],
    saved: NDArray[np.uint64],
    marks: NDArray[np.uint8],
    out: NDArray[np.float32],
) -> None:
    """Tell of these events, one after the other, what was met before, and remember each where it `moves`.

    Parameters
    ----------
    keys, codes : uint64 [kinds, n] and [facts, n], 0 where there is none.
    types : int16 [n], codes of event types.
    at : int64 [n], µs UTC.
    pairs : int64 [p, 2], sources: rows of `keys`, then of `codes`; the second is `NOBODY` where the first is met alone.
    followed : int64 [f, 2]: which of the pairs is an entity of which it is also told what it did before; and which, a
        later one, is this entity with an item.
    shares : int64 [s], rows of `codes` whose share among the events of the same type is told.
    differing : int64 [d, 2], rows of `codes` that are compared.
    listed : int64 [l], rows of `codes` whose place in a list is told.
    words_of, edges : the codes of the lists' words, of each list from `edges[k]` to `edges[k + 1]`.
    said : int64 [m], rows of `codes` of which it is told whether there is one.
    words, saved, marks : `Pages.arguments`: what is remembered.
    out : float32 [n, 2 p + 3 f + s + d + l + m + 1], is filled: of each pair for how many seconds it is known and how
        often it was met, up to `LONGEST` and `MOST`; for how many seconds a followed entity was silent, the type of its
        last event and how many items it has met; the shares; 1 where two differ; places in lists, behind the last for
        another word; whether there is one; the hour.
    """
    times = words.view(np.int64)
    kinds = len(keys)
    rows_of = np.empty(len(followed), np.int64)
    keys_of = np.empty(len(followed), np.uint64)
    start = 2 * len(pairs)
    buckets = np.uint64(len(words) // (WIDTH * WAYS) - 1)
    for row in range(len(at)):
        now = at[row]
        column = 0
        total = 0.0
        for place in range(len(followed)):
            rows_of[place] = -1
            for fact in range(3):
                out[row, start + 3 * place + fact] = _NAN
        for place in range(len(pairs) + len(shares) + 1):
            # The last are the type of the event alone, and with each of the facts whose share is told.
            if place < len(pairs):
                one, other = pairs[place, 0], pairs[place, 1]
            elif place == len(pairs):
                one, other = TYPE, NOBODY
            else:
                one, other = TYPE, kinds + shares[place - len(pairs) - 1]
            first = _of(one, row, types, keys, codes)
            second = _U1 if other == NOBODY else _of(other, row, types, keys, codes)
            known, often = _NAN, _NAN
            if first != _U0 and second != _U0:
                key = (first ^ (np.uint64(place + 1) * _ODD)) * _MIX
                key ^= key >> _U31
                key = (key ^ second) * _MIX
                key ^= key >> _U29
                if key == _U0:
                    key = _MIX
                bucket = np.int64((key >> _U32) & buckets) * WAYS
                found = np.int64(find_row(words[KEY:], WIDTH, bucket, WAYS, key, times, WIDTH, AT, moves)) * WIDTH
                known, often = np.float32(0), np.float32(0)
                if found >= 0 and words[found + KEY] == key:
                    known = np.float32(max(now - times[found + FIRST], 0) / _SECOND)
                    often = np.float32(times[found + TIMES] & _OFTEN)
                    for each in range(len(followed)):
                        if followed[each, 0] == place:
                            packed = times[found + TIMES]
                            told = start + 3 * each
                            out[row, told] = np.float32(max(now - times[found + AT], 0) / _SECOND)
                            out[row, told + 1] = np.float32((packed >> 32 & 0xFFFF) - 2)
                            out[row, told + 2] = np.float32(packed >> 48)
                    if moves:
                        guard(found, found + WIDTH - 1, words, saved, marks)
                        times[found + AT] = max(times[found + AT], now)
                        if times[found + TIMES] & _OFTEN < _OFTEN:
                            times[found + TIMES] += 1
                elif moves:
                    guard(found, found + WIDTH - 1, words, saved, marks)
                    words[found + KEY] = key
                    times[found + FIRST] = now
                    times[found + AT] = now
                    times[found + TIMES] = 1
                    for each in range(len(followed)):
                        if followed[each, 1] == place and rows_of[each] >= 0:
                            mine = rows_of[each]
                            # The pair may have taken its entity's place.
                            if words[mine + KEY] == keys_of[each] and times[mine + TIMES] >> 48 < _MOST_ITEMS:
                                times[mine + TIMES] += 1 << 48
                if moves:
                    for each in range(len(followed)):
                        if followed[each, 0] == place:
                            rows_of[each], keys_of[each] = found, key
                            # A straggler is not what happened last.
                            if now >= times[found + AT]:
                                times[found + TIMES] = (
                                    times[found + TIMES] & ~(0xFFFF << 32) | np.int64(types[row] + 2) << 32
                                )
            if place < len(pairs):
                out[row, column] = known if not known > LONGEST else LONGEST
                out[row, column + 1] = often if not often > MOST else MOST
                column += 2
            elif place == len(pairs):
                column += 3 * len(followed)
                total = float(often)
            else:
                # The row of the type alone may have been given up meanwhile.
                out[row, column] = np.float32((float(often) + 1.0) / (max(total, float(often)) + 2.0))
                column += 1
        for place in range(len(differing)):
            first, second = codes[differing[place, 0], row], codes[differing[place, 1], row]
            out[row, column] = _NAN
            if first != _U0 and second != _U0:
                out[row, column] = np.float32(1) if first != second else np.float32(0)
            column += 1
        for place in range(len(listed)):
            code = codes[listed[place], row]
            out[row, column] = _NAN
            if code != _U0:
                word = edges[place]
                while word < edges[place + 1] and words_of[word] != code:
                    word += 1
                out[row, column] = np.float32(word - edges[place])
            column += 1
        for place in range(len(said)):
            out[row, column] = np.float32(1) if codes[said[place], row] != _U0 else np.float32(0)
            column += 1
        out[row, column] = np.float32(now // 3_600_000_000 % 24)


@kernel
def _of(
    source: int,
    row: int,
    types: NDArray[np.int16],
    keys: NDArray[np.uint64],
    codes: NDArray[np.uint64],
) -> np.uint64:
    """What a source says of an event; 0 where it says nothing."""
    if source == TYPE:
        return np.uint64(types[row] + 2)
    found: np.uint64 = keys[source, row] if source < len(keys) else codes[source - len(keys), row]
    return found
