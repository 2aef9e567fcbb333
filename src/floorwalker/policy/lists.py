"""The shop's own lists: who is always let in, always refused, or always watched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from floorwalker.events.entities import ENTITIES
from floorwalker.events.parts import NO_PARTS, PART_ENTITIES, Parts

LISTS = ("allow", "watch", "deny")
"""By rising precedence: who is on several is treated by the last."""


class ListEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry.

    Parameters
    ----------
    list : one of `LISTS`.
    shop, entity, value : who is meant, in the form in which events hold it (tokens for personal values).
    key : the entity's keyed hash, as in a batch's keys.
    author, reason : who put it there, and why.
    created_at, expires_at : µs UTC; `expires_at` 0 = never.
    """

    list: str
    shop: str
    entity: str
    value: str
    key: int
    author: str
    reason: str
    created_at: int
    expires_at: int = 0


class ListBook:
    """All entries, looked up by keys; an entry that has expired at the event's arrival does not count.

    >>> entry = ListEntry(list="deny", shop="s", entity="ip", value="192.0.2.1", key=7, author="ann", reason="bot",
    ...                   created_at=0, expires_at=100)
    >>> book = ListBook([entry])
    >>> book.match({"ip": np.array([7, 7, 8], np.uint64)}, np.array([99, 100, 99]))
    ['deny', '', '']
    """

    def __init__(self, entries: Iterable[ListEntry] = ()) -> None:
        self._entries: dict[tuple[str, str, int], ListEntry] = {}
        for entry in entries:
            self._entries[entry.list, entry.entity, entry.key] = entry
        self._index()

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: ListEntry) -> None:
        """Add an entry, or change the one of the same list and entity."""
        self._entries[entry.list, entry.entity, entry.key] = entry
        self._index()

    def remove(self, kind: str, entity: str, key: int) -> bool:
        """Take an entry off its list; False where it was not on it."""
        found = self._entries.pop((kind, entity, key), None) is not None
        if found:
            self._index()
        return found

    def entries(self) -> list[ListEntry]:
        """All entries, expired ones too, in the order in which they came."""
        return list(self._entries.values())

    def match(
        self, keys: Mapping[str, NDArray[np.uint64]], at: NDArray[np.int64], parts: Parts = NO_PARTS
    ) -> list[str]:
        """For each of `n` events the list that it is on, "" for none.

        Parameters
        ----------
        keys : by entity, uint64 [n].
        at : int64 [n], µs UTC of arrival.
        parts : all coupons, items and sellers of events with several; one on `watch` or `deny` is enough.
        """
        if not self._sorted:
            return [""] * len(at)
        best = np.zeros(len(at), np.int64)
        for (entity, rank), (listed, expiry) in self._sorted.items():
            column = keys.get(entity)
            if column is not None:
                np.maximum(best, np.where(_is_on(column, at, listed, expiry), rank, 0), out=best)
            # Whoever puts an allowed item beside what they are after shall not be let in for it.
            if len(parts) and entity in PART_ENTITIES and LISTS[rank - 1] != "allow":
                mine = parts.entity == ENTITIES.index(entity)
                rows = parts.row[mine]
                np.maximum.at(best, rows[_is_on(parts.key[mine], at[rows], listed, expiry)], rank)
        return [("", *LISTS)[rank] for rank in best.tolist()]

    def _index(self) -> None:
        grouped: dict[tuple[str, int], list[tuple[int, int]]] = {}
        for entry in self._entries.values():
            until = entry.expires_at or np.iinfo(np.int64).max
            grouped.setdefault((entry.entity, 1 + LISTS.index(entry.list)), []).append((entry.key, int(until)))
        self._sorted: dict[tuple[str, int], tuple[NDArray[np.uint64], NDArray[np.int64]]] = {}
        for name, pairs in grouped.items():
            pairs.sort()
            self._sorted[name] = (
                np.array([key for key, _ in pairs], np.uint64),
                np.array([until for _, until in pairs], np.int64),
            )


def _is_on(
    keys: NDArray[np.uint64], at: NDArray[np.int64], listed: NDArray[np.uint64], expiry: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which keys are among those listed, which rise, and have not expired."""
    place = np.minimum(np.searchsorted(listed, keys), len(listed) - 1)
    on: NDArray[np.bool_] = (listed[place] == keys) & (at < expiry[place])
    return on
