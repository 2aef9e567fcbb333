"""What was thought of entities before: rows of decayed sums in buckets of four, the longest silent given up first."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel
from floorwalker.store.buckets import find_row
from floorwalker.store.pages import guard

KEY, AT, SUMS = 0, 1, 2
"""64-bit words of a row: the key, when it was last heard of in µs UTC, then `FACTS` float32."""
WIDTH = 5
"""64-bit words of a row."""
WAYS = 4
FACTS = 6
"""Of each row: events and suspicion with the short half-life, both with the long one, the highest suspicion (decaying
with the long one), and how often it was high."""
COLUMNS = 4
"""Of each entity: mean suspicion lately and longer, the highest, how often it was high."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
_ODD = np.uint64(0xD6E8FEB86659FD93)
_U0 = np.uint64(0)
_U29 = np.uint64(29)
_U32 = np.uint64(32)


@kernel
def remember(
    moves: bool,
    rows: NDArray[np.int64],
    keys: NDArray[np.uint64],
    kinds: NDArray[np.int64],
    at: NDArray[np.int64],
    suspicion: NDArray[np.float32],
    short: float,
    long: float,
    words: NDArray[np.uint64],
    saved: NDArray[np.uint64],
    marks: NDArray[np.uint8],
    out: NDArray[np.float32],
) -> None:
    """Tell what is known of the entities of these events, one after the other, and remember each where it `moves`.

    Parameters
    ----------
    rows : places of the events among `at`, rising.
    keys : uint64 [all kinds, n], 0 where there is none.
    kinds : int64 [entities], the rows of `keys` that are remembered.
    suspicion : float32 [len(rows)], how suspicious the event itself looks, 0 to 1.
    short, long : half-lives in µs.
    words, saved, marks : `Pages.arguments`: the memory, and its pages.
    out : float32 [len(rows), lead + entities * COLUMNS], is filled; NaN where the entity is missing or was never heard
        of. Columns that lead the others get the suspicion.
    """
    held, times, facts = words[KEY:], words.view(np.int64), words.view(np.float32)
    lead = out.shape[1] - len(kinds) * COLUMNS
    buckets = np.uint64(len(words) // (WIDTH * WAYS) - 1)
    for place in range(len(rows)):
        row = rows[place]
        now = at[row]
        said = suspicion[place]
        for column in range(lead):
            out[place, column] = said
        for entity in range(len(kinds)):
            first = lead + entity * COLUMNS
            key = keys[kinds[entity], row]
            if key == _U0:
                for column in range(COLUMNS):
                    out[place, first + column] = np.float32(math.nan)
                continue
            # One key space for all kinds of entity; keys are keyed hashes, so nobody can choose where they fall.
            key = (key ^ (np.uint64(entity + 1) * _ODD)) * _MIX
            key ^= key >> _U29
            if key == _U0:
                key = _MIX
            bucket = np.int64((key >> _U32) & buckets) * WAYS
            found = np.int64(find_row(held, WIDTH, bucket, WAYS, key, times, WIDTH, AT, moves)) * WIDTH
            if found < 0 or words[found + KEY] != key:
                for column in range(COLUMNS):
                    out[place, first + column] = np.float32(math.nan)
                if not moves:
                    continue
                guard(found, found + WIDTH - 1, words, saved, marks)
                words[found + KEY] = key
                times[found + AT] = now
                for fact in range(FACTS):
                    facts[2 * (found + SUMS) + fact] = np.float32(0)
                quick, slow = 1.0, 1.0
            else:
                # A straggler finds what is known as it is: nothing is made younger.
                passed = float(max(now - times[found + AT], 0))
                quick, slow = 0.5 ** (passed / short), 0.5 ** (passed / long)
                base = 2 * (found + SUMS)
                out[place, first] = np.float32(facts[base + 1] * quick / (facts[base] * quick + 1.0))
                out[place, first + 1] = np.float32(facts[base + 3] * slow / (facts[base + 2] * slow + 1.0))
                out[place, first + 2] = np.float32(facts[base + 4] * slow)
                out[place, first + 3] = np.float32(facts[base + 5] * slow)
                if not moves:
                    continue
                guard(found, found + WIDTH - 1, words, saved, marks)
            base = 2 * (found + SUMS)
            facts[base] = np.float32(facts[base] * quick + 1.0)
            facts[base + 1] = np.float32(facts[base + 1] * quick + said)
            facts[base + 2] = np.float32(facts[base + 2] * slow + 1.0)
            facts[base + 3] = np.float32(facts[base + 3] * slow + said)
            facts[base + 4] = np.float32(max(facts[base + 4] * slow, said))
            facts[base + 5] = np.float32(facts[base + 5] * slow + (1.0 if said >= 0.5 else 0.0))
            times[found + AT] = max(times[found + AT], now)
