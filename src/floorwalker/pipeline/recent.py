"""The last events of each entity, by their journal records: timelines and links without a database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError, UsageError
from floorwalker.events.parts import NO_PARTS, Parts
from floorwalker.features.live._inline import inline_kernel
from floorwalker.store._flat import flat_kernel
from floorwalker.store.pages import Pages, guard

EVENTS_EACH = 8
"""Records kept for each entity."""
WAYS = 4
CAPACITY = 1 << 18
"""Entities remembered by default: 21 MiB."""


class RecentEvents:
    """For each of the entities seen last, the sequences of its last `EVENTS_EACH` records.

    A table of sets with four places each: an entity has its set by its key, and in a full set the one unused longest
    gives way. So memory is bounded whatever is sent, and nobody can push out more than a quarter of a set with one key.

    Parameters
    ----------
    capacity : entities remembered, a power of two of at least `WAYS`.

    >>> recent = RecentEvents(64)
    >>> recent.add(np.array([[5, 0, 5]], np.uint64), np.array([10, 11, 12]))
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

    def add(self, keys: NDArray[np.uint64], sequences: NDArray[np.int64], parts: Parts = NO_PARTS) -> None:
        """Note events, one after the other, so that the table does not depend on how they are batched.

        Parameters
        ----------
        keys : uint64 [entities, n], for each entity its key in each event, 0 for none; in the order of `ENTITIES`
            where events have parts.
        sequences : int64 [n], of the events' records, rising.
        parts : of the events that have several coupons, items or sellers.
        """
        _note(
            np.ascontiguousarray(keys), sequences, parts.row, parts.entity, parts.key, self._keys, self._records,
            self._counts, *self._saving,
        )  # fmt: skip

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


@inline_kernel
def _place_of(key: np.uint64, start: int, keys: NDArray[np.uint64]) -> int:
    for candidate in range(start, start + 4):
        if keys[candidate] == key:
            return candidate
    return -1


@inline_kernel
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
    place = _place_of(key, start, keys)
    if place < 0:
        oldest = np.int64(9223372036854775807)
        for candidate in range(start, start + 4):
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


@inline_kernel
def _load_sets(
    columns: NDArray[np.uint64],
    start: int,
    stop: int,
    keys: NDArray[np.uint64],
    records: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> np.int64:
    """Load what the next events will touch, all at once: the processor then waits for memory once, not for each key.
    What is loaded is added up and thrown away."""
    mask = np.uint64(len(keys) // 4 - 1)
    total = np.uint64(0)
    late = np.int64(0)
    for column in range(columns.shape[0]):
        for row in range(start, stop):
            place = int(np.int64(columns[column, row] & mask)) * 4
            total += keys[place]
            late += np.int64(counts[place])
    for column in range(columns.shape[0]):
        for row in range(start, stop):
            place = int(np.int64(columns[column, row] & mask)) * 4
            found = _place_of(columns[column, row], place, keys)
            late += np.int64(records[max(found, place), 0])
    return late + np.int64(total >> np.uint64(1))


@flat_kernel
def _note(
    columns: NDArray[np.uint64],
    sequences: NDArray[np.int64],
    part_rows: NDArray[np.int32],
    part_entities: NDArray[np.int8],
    part_keys: NDArray[np.uint64],
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
) -> np.int64:
    further = 0
    loaded = np.int64(0)
    for row in range(len(sequences)):
        if row % 16 == 0:
            loaded += _load_sets(columns, row, min(row + 16, len(sequences)), keys, records, counts)
        for column in range(columns.shape[0]):
            if columns[column, row] != 0:
                _note_one(
                    columns[column, row], sequences[row], keys, records, counts, key_words, keys_saved, key_marks,
                    record_words, records_saved, record_marks, count_words, counts_saved, count_marks,
                )  # fmt: skip
        while further < len(part_rows) and part_rows[further] == row:
            # The event's own key of this entity is the first value's, which has been noted.
            key = part_keys[further]
            if key != 0 and key != columns[part_entities[further], row]:
                _note_one(
                    key, sequences[row], keys, records, counts, key_words, keys_saved, key_marks,
                    record_words, records_saved, record_marks, count_words, counts_saved, count_marks,
                )  # fmt: skip
            further += 1
    return loaded
