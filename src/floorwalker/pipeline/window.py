"""The window of event ids that were already taken: at-least-once senders may repeat themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError, UsageError
from floorwalker.kernels import kernel
from floorwalker.store.pages import Pages, guard

CAPACITY = 1 << 21
"""Ids remembered by default: 96 MiB; at 3,000 events a second the last eleven minutes, at 100 the last six hours."""


class EventWindow:
    """The last ids, each with the sequence of its journal record; the oldest gives way to the newest.

    Ids come as keyed 64-bit hashes of shop and id, so that nobody can choose ids that fall on those of others, and
    memory does not depend on how long ids are. An id older than the window is taken again: the window bounds memory,
    and what it holds is stated.

    Parameters
    ----------
    capacity : ids remembered, a power of two.

    >>> window = EventWindow(4)
    >>> window.find(np.array([7], np.uint64)).tolist()
    [-1]
    >>> window.add(np.array([7, 8, 9, 10, 11], np.uint64), np.arange(5))
    >>> window.find(np.array([7, 8, 11], np.uint64)).tolist()
    [-1, 1, 4]
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        if capacity < 2 or capacity & (capacity - 1):
            raise UsageError(f"a window of {capacity} event ids", allowed="a power of two, 2 and up")
        self.capacity = capacity
        self._keys = np.zeros(2 * capacity, np.uint64)
        self._sequences = np.zeros(2 * capacity, np.int64)
        self._ring = np.zeros(capacity, np.uint64)
        self._added = np.zeros(1, np.int64)
        self._pages = {name: Pages(getattr(self, f"_{name}")) for name in ("keys", "sequences", "ring")}
        self._saving: tuple[Any, ...] = tuple(each for pages in self._pages.values() for each in pages.arguments)

    def find(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Sequence of the record of each id, -1 where it is not in the window: int64 [n]."""
        found = np.empty(len(keys), np.int64)
        _find(keys, self._keys, self._sequences, found)
        return found

    def add(self, keys: NDArray[np.uint64], sequences: NDArray[np.int64]) -> None:
        """Remember ids that are not in the window and differ from one another, with their records' sequences."""
        _add(keys, sequences, self._keys, self._sequences, self._ring, self._added, *self._saving)

    def state(self) -> dict[str, NDArray[Any]]:
        """The arrays themselves, not copies: what `restore` takes."""
        return {"keys": self._keys, "sequences": self._sequences, "ring": self._ring, "added": self._added}

    def pages(self) -> dict[str, tuple[Pages, int]]:
        """For the large arrays of `state` their pages, and with which one each begins."""
        return {name: (pages, 0) for name, pages in self._pages.items()}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Continue from a state of a window of the same capacity; another raises `ArtefactError`."""
        ring = state.get("ring")
        if ring is None or len(ring) != self.capacity or {*state} != {*self.state()}:
            raise ArtefactError(
                f"a stored window of {0 if ring is None else len(ring)} event ids",
                allowed=f"{self.capacity}",
                fix="start with the capacity that the state was written with",
            )
        for name, array in self.state().items():
            array[:] = state[name]
        for pages in self._pages.values():
            pages.touch_all()


@kernel
def _slot(key: np.uint64, mask: int) -> np.int64:
    # The keys are keyed hashes: their low bits are as good as any.
    return np.int64(key & np.uint64(mask))


@kernel
def _find(
    wanted: NDArray[np.uint64], keys: NDArray[np.uint64], sequences: NDArray[np.int64], found: NDArray[np.int64]
) -> None:
    mask = len(keys) - 1
    for row in range(len(wanted)):
        key = wanted[row]
        slot = _slot(key, mask)
        found[row] = -1
        while keys[slot] != 0:
            if keys[slot] == key:
                found[row] = sequences[slot]
                break
            slot = (slot + 1) & mask


@kernel
def _add(
    added: NDArray[np.uint64],
    records: NDArray[np.int64],
    keys: NDArray[np.uint64],
    sequences: NDArray[np.int64],
    ring: NDArray[np.uint64],
    count: NDArray[np.int64],
    key_words: NDArray[np.uint64],
    keys_saved: NDArray[np.uint64],
    key_marks: NDArray[np.uint8],
    sequence_words: NDArray[np.uint64],
    sequences_saved: NDArray[np.uint64],
    sequence_marks: NDArray[np.uint8],
    ring_words: NDArray[np.uint64],
    ring_saved: NDArray[np.uint64],
    ring_marks: NDArray[np.uint8],
) -> None:
    mask = len(keys) - 1
    for row in range(len(added)):
        place = count[0] & (len(ring) - 1)
        oldest = ring[place]
        if oldest != 0:
            _remove(
                oldest, keys, sequences, mask, key_words, keys_saved, key_marks, sequence_words, sequences_saved,
                sequence_marks,
            )  # fmt: skip
        key = added[row]
        slot = _slot(key, mask)
        while keys[slot] != 0:
            slot = (slot + 1) & mask
        guard(slot, slot, key_words, keys_saved, key_marks)
        guard(slot, slot, sequence_words, sequences_saved, sequence_marks)
        guard(place, place, ring_words, ring_saved, ring_marks)
        keys[slot] = key
        sequences[slot] = records[row]
        ring[place] = key
        count[0] += 1


@kernel
def _remove(
    key: np.uint64,
    keys: NDArray[np.uint64],
    sequences: NDArray[np.int64],
    mask: int,
    key_words: NDArray[np.uint64],
    keys_saved: NDArray[np.uint64],
    key_marks: NDArray[np.uint8],
    sequence_words: NDArray[np.uint64],
    sequences_saved: NDArray[np.uint64],
    sequence_marks: NDArray[np.uint8],
) -> None:
    """Take a key out and close the gap, so that look-ups need no tombstones (Knuth, TAOCP 3, algorithm 6.4 R)."""
    slot = _slot(key, mask)
    while keys[slot] != key:
        if keys[slot] == 0:
            return
        slot = (slot + 1) & mask
    gap = slot
    slot = (slot + 1) & mask
    while keys[slot] != 0:
        home = _slot(keys[slot], mask)
        if ((slot - home) & mask) >= ((slot - gap) & mask):
            guard(gap, gap, key_words, keys_saved, key_marks)
            guard(gap, gap, sequence_words, sequences_saved, sequence_marks)
            keys[gap] = keys[slot]
            sequences[gap] = sequences[slot]
            gap = slot
        slot = (slot + 1) & mask
    guard(gap, gap, key_words, keys_saved, key_marks)
    keys[gap] = 0
