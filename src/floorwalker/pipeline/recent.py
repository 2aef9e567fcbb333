"""The last events of each entity, by their journal records: timelines and links without a database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError, UsageError
from floorwalker.kernels import kernel
from floorwalker.store.pages import Pages, guard

EVENTS_EACH = 8
"""Records kept for each entity."""
WAYS = 4
CAPACITY = 1 << 18
"""Entities remembered by default: 21 MiB."""
_NO_ROWS, _NO_KEYS = np.zeros(0, np.int32), np.zeros(0, np.uint64)


class RecentEvents:
    """For each of the entities seen last, the sequences of its last `EVENTS_EACH` records.

    A table of sets with four places each: an entity has its set by its key, and in a full set the one unused longest
    gives way. So memory is bounded whatever is sent, and nobody can push out more than a quarter of a set with one key.

    Parameters
    ----------
    capacity : entities remembered, a power of two of at least `WAYS`.

    >>> recent = RecentEvents(64)
    >>> recent.add({"account": np.array([5, 0, 5], np.uint64)}, np.array([10, 11, 12]))
    >>> recent.find(5)
    [12, 10]
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        if capacity < WAYS or capacity & (capacity - 1):
            raise UsageError(f"room for {capacity} entities", allowed=f"a power of two, {WAYS} and up")
        self._keys = np.zeros(capacity, np.uint64)
        self._records = np.full((capacity, EVENTS_EACH), -1, np.int64)
        self._counts = np.zeros(capacity, np.int64)
        self._pages = {name: Pages(getattr(self, f"_{name}")) for name in ("keys", "records", "counts")}
        self._saving: tuple[Any, ...] = tuple(each for pages in self._pages.values() for each in pages.arguments)

    def add(
        self,
        keys: Mapping[str, NDArray[np.uint64]],
        sequences: NDArray[np.int64],
        more_rows: NDArray[np.int32] | None = None,
        more_keys: NDArray[np.uint64] | None = None,
    ) -> None:
        """Note events, one after the other, so that the table does not depend on how they are batched.

        Parameters
        ----------
        keys : for each entity its key in each event, 0 for none: uint64 [n].
        sequences : int64 [n], of the events' records, rising.
        more_rows, more_keys : [m], further keys of events by their positions, which must not fall.
        """
        matrix = np.array(list(keys.values()), np.uint64).reshape(len(keys), len(sequences))
        rows = _NO_ROWS if more_rows is None else more_rows
        more = _NO_KEYS if more_keys is None else more_keys
        _note(matrix, sequences, rows, more, self._keys, self._records, self._counts, *self._saving)

    def find(self, key: int) -> list[int]:
        """Sequences of an entity's last records, the newest first; of one that is not remembered, none."""
        start = (key & (len(self._keys) // WAYS - 1)) * WAYS
        for place in range(start, start + WAYS):
            if int(self._keys[place]) == key:
                return sorted({int(record) for record in self._records[place] if record >= 0}, reverse=True)
        return []

    def state(self) -> dict[str, NDArray[Any]]:
        """The arrays themselves, not copies."""
        return {"keys": self._keys, "records": self._records, "counts": self._counts}

    def pages(self) -> dict[str, tuple[Pages, int]]:
        """For each array of `state` its pages, and with which one it begins."""
        return {name: (pages, 0) for name, pages in self._pages.items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a state of the same capacity; another raises `ArtefactError`."""
        if {*state} != {*self.state()} or state["keys"].shape != self._keys.shape:
            raise ArtefactError("the stored entities are of another number", fix="start with the same capacity")
        for name, array in self.state().items():
            array[:] = state[name]
        for pages in self._pages.values():
            pages.touch_all()


@kernel
def _note_one(
    key: np.uint64,
    sequence: np.int64,
    keys: NDArray[np.uint64],
    records: NDArray[np.int64],
    counts: NDArray[np.int64],
    key_words: NDArray[np.uint64],
    keys_saved: NDArray[np.uint64],
    key_marks: NDArray[np.uint8],
    record_words: NDArray[np.uint64],
    records_saved: NDArray[np.uint64],
    record_marks: NDArray[np.uint8],
    count_words: NDArray[np.uint64],
    counts_saved: NDArray[np.uint64],
    count_marks: NDArray[np.uint8],
) -> None:
    sets = np.uint64(len(keys) // 4 - 1)
    each = records.shape[1]
    start = int(np.int64(key & sets)) * 4
    place = start
    oldest = np.int64(9223372036854775807)
    for candidate in range(start, start + 4):
        if keys[candidate] == key:
            place = candidate
            break
        last = np.int64(-1)
        if keys[candidate] != 0:
            last = records[candidate, (counts[candidate] - 1) % each]
        if last < oldest:
            oldest = last
            place = candidate
    guard(place * each, place * each + each - 1, record_words, records_saved, record_marks)
    guard(place, place, count_words, counts_saved, count_marks)
    if keys[place] != key:
        guard(place, place, key_words, keys_saved, key_marks)
        keys[place] = key
        counts[place] = 0
        for slot in range(each):
            records[place, slot] = -1
    records[place, counts[place] % each] = sequence
    counts[place] += 1


@kernel
def _note(
    columns: NDArray[np.uint64],
    sequences: NDArray[np.int64],
    more_rows: NDArray[np.int32],
    more_keys: NDArray[np.uint64],
    keys: NDArray[np.uint64],
    records: NDArray[np.int64],
    counts: NDArray[np.int64],
    key_words: NDArray[np.uint64],
    keys_saved: NDArray[np.uint64],
    key_marks: NDArray[np.uint8],
    record_words: NDArray[np.uint64],
    records_saved: NDArray[np.uint64],
    record_marks: NDArray[np.uint8],
    count_words: NDArray[np.uint64],
    counts_saved: NDArray[np.uint64],
    count_marks: NDArray[np.uint8],
) -> None:
    further = 0
    for row in range(len(sequences)):
        for column in range(columns.shape[0]):
            if columns[column, row] != 0:
                _note_one(
                    columns[column, row], sequences[row], keys, records, counts, key_words, keys_saved, key_marks,
                    record_words, records_saved, record_marks, count_words, counts_saved, count_marks,
                )  # fmt: skip
        while further < len(more_rows) and more_rows[further] == row:
            if more_keys[further] != 0:
                _note_one(
                    more_keys[further], sequences[row], keys, records, counts, key_words, keys_saved, key_marks,
                    record_words, records_saved, record_marks, count_words, counts_saved, count_marks,
                )  # fmt: skip
            further += 1
