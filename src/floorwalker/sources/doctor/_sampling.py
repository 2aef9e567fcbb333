"""Counting what is distinct, twice or shared, over any number of values, in bounded memory.

A value is kept where the low bits of its hash are zero; when the table is full, one more bit must be zero and half of
what is kept goes. All of one value's occurrences are kept or none, so shares measured on what is kept are those of the
whole, exactly so until the table was full for the first time.

Source: P. B. Gibbons, "Distinct sampling for highly-accurate answers to distinct values queries", VLDB 2001.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel


@kernel
def _add(
    hashes: NDArray[np.uint64], keys: NDArray[np.uint64], counts: NDArray[np.int64], level: int, held: int, most: int
) -> tuple[int, int]:
    """Count hashes in an open table; (values held, hashes taken before the table was full)."""
    mask = np.uint64(len(keys) - 1)
    low = np.uint64((1 << level) - 1)
    for place in range(len(hashes)):
        value = hashes[place]
        if value & low != np.uint64(0):
            continue
        if value == np.uint64(0):
            value = np.uint64(1) << np.uint64(63)
        slot = (value >> np.uint64(20)) & mask
        while keys[slot] != np.uint64(0) and keys[slot] != value:
            slot = (slot + np.uint64(1)) & mask
        if keys[slot] == np.uint64(0):
            if held >= most:
                return held, place
            keys[slot] = value
            held += 1
        counts[slot] += 1
    return held, len(hashes)


class HashSample:
    """How often values came, of a sample of the values that is as large as memory allows.

    Parameters
    ----------
    most : values kept; the table takes 32 bytes for each.

    >>> sample = HashSample(1000)
    >>> sample.add(np.array([5 << 20, 9 << 20, 5 << 20], dtype=np.uint64))
    >>> sample.distinct, sample.repeated_share
    (2, 0.3333333333333333)
    """

    def __init__(self, most: int) -> None:
        size = 1
        while size < 2 * most:
            size *= 2
        self._most = most
        self._keys = np.zeros(size, np.uint64)
        self._counts = np.zeros(size, np.int64)
        self._held = 0
        self.level = 0

    def add(self, hashes: NDArray[np.uint64]) -> None:
        """Count these."""
        while len(hashes):
            self._held, done = _add(hashes, self._keys, self._counts, self.level, self._held, self._most)
            hashes = hashes[done:]
            if len(hashes):
                self._thin()

    def _thin(self) -> None:
        filled = self._keys != 0
        keys, counts = self._keys[filled], self._counts[filled]
        while len(keys) * 2 > self._most:
            self.level += 1
            kept = keys & np.uint64((1 << self.level) - 1) == 0
            keys, counts = keys[kept], counts[kept]
        self._keys[:] = 0
        self._counts[:] = 0
        mask = np.uint64(len(self._keys) - 1)
        self._held, _ = _add(keys, self._keys, self._counts, self.level, 0, self._most)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            slot = (key >> 20) & int(mask)
            while int(self._keys[slot]) != key:
                slot = (slot + 1) & int(mask)
            self._counts[slot] = count

    @property
    def is_exact(self) -> bool:
        """Whether every value is still kept."""
        return self.level == 0

    @property
    def distinct(self) -> int:
        """How many different values came; beyond `most` an estimate."""
        return self._held << self.level

    @property
    def counts(self) -> NDArray[np.int64]:
        """How often each kept value came."""
        filled: NDArray[np.bool_] = self._keys != 0
        return np.asarray(self._counts[filled])

    @property
    def repeated_share(self) -> float:
        """The share of occurrences that were not the first of their value."""
        total = int(self._counts.sum())
        return (total - self._held) / total if total else 0.0


class PairSample:
    """How many different partners each value has, over a sample of the pairs.

    Parameters
    ----------
    most : pairs kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values = np.zeros(0, np.uint64)
        self._pairs = np.zeros(0, np.uint64)
        self.level = 0

    def add(self, values: NDArray[np.uint64], partners: NDArray[np.uint64]) -> None:
        """Count pairs of hashes."""
        pairs = mix(values ^ (partners * np.uint64(0x9E3779B97F4A7C15)))
        kept = pairs & np.uint64((1 << self.level) - 1) == 0
        both = np.concatenate([self._pairs, pairs[kept]])
        self._pairs, first = np.unique(both, return_index=True)
        self._values = np.concatenate([self._values, values[kept]])[first]
        while len(self._pairs) > self._most:
            self.level += 1
            kept = self._pairs & np.uint64((1 << self.level) - 1) == 0
            self._pairs, self._values = self._pairs[kept], self._values[kept]

    def partners(self) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """(hash of the value, different partners) for each value that was kept, the most shared first."""
        values, counts = np.unique(self._values, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return values[order], counts[order].astype(np.int64) << self.level


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread the bits of 64-bit numbers (the finisher of SplitMix64)."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


class HeavyHitters:
    """The values that come most, each count at most `n / most` too low.

    Parameters
    ----------
    most : counters.

    Source: J. Misra, D. Gries, "Finding repeated elements", Science of Computer Programming 2 (1982); merged as in
    P. K. Agarwal et al., "Mergeable summaries", PODS 2012.

    >>> heavy = HeavyHitters(2)
    >>> heavy.add({"a": 5, "b": 2, "c": 1})
    >>> heavy.top(1)
    [('a', 4)]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: dict[str, int] = {}

    def add(self, counts: dict[str, int]) -> None:
        """Merge counts."""
        mine = self._counts
        for value, count in counts.items():
            mine[value] = mine.get(value, 0) + count
        if len(mine) > self._most:
            cut = sorted(mine.values(), reverse=True)[self._most]
            self._counts = {value: count - cut for value, count in mine.items() if count > cut}

    def top(self, count: int) -> list[tuple[str, int]]:
        """The most frequent, as (value, at least how often)."""
        return sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))[:count]

    def values(self) -> list[str]:
        """All that are kept."""
        return list(self._counts)
