"""Grouping by keys of 64 bits: the vectorised work-horse of the walk through the levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]

_A, _B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def mix(state: NDArray[np.generic], value: NDArray[np.generic] | np.uint64, salt: int = 0) -> Keys:
    """One key of a state and a value: the same arithmetic as the walking kernel's `_mix`."""
    with np.errstate(over="ignore"):
        key = (np.asarray(state).astype(np.uint64) + np.uint64(salt * 0x632BE59BD9B4E019 & 0xFFFFFFFFFFFFFFFF)) * _A
        key = (key ^ (key >> np.uint64(30)) ^ np.asarray(value).astype(np.uint64)) * _B
        return np.asarray(key ^ (key >> np.uint64(31)), np.uint64)


@dataclass(frozen=True)
class Groups:
    """Rows by key.

    Parameters
    ----------
    of : int64 [rows], the group of each row.
    first : int64 [groups], a row of each group: its first one.
    size : int64 [groups], its number of rows.
    """

    of: NDArray[np.int64]
    first: NDArray[np.int64]
    size: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first)

    def total(self, weights: NDArray[np.generic]) -> NDArray[np.float64]:
        """Sum of the rows' weights by group."""
        sums: NDArray[np.float64] = np.bincount(
            self.of, weights=np.asarray(weights, np.float64), minlength=len(self.first)
        ).astype(np.float64)
        return sums

    def mean(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """Mean of the rows' values by group."""
        return self.total(values) / np.maximum(self.size, 1)

    def largest(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """Largest of the rows' values by group."""
        top = np.zeros(len(self.first))
        np.maximum.at(top, self.of, np.asarray(values, np.float64))
        return top


def group(keys: NDArray[np.generic]) -> Groups:
    """Group rows of equal keys; groups come in the order of their keys."""
    if len(keys) == 0:
        empty = np.zeros(0, np.int64)
        return Groups(empty, empty, empty)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    size = np.diff(np.append(starts, len(keys)))
    of = np.empty(len(keys), np.int64)
    of[order] = np.repeat(np.arange(len(starts)), size)
    return Groups(of, order[starts], size)


def ranges(starts: NDArray[np.generic], ends: NDArray[np.generic]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers start, …, end - 1 of each range, behind one another, and the range that each belongs to."""
    lengths = (np.asarray(ends, np.int64) - np.asarray(starts, np.int64)).astype(np.int64)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    begin = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.arange(len(owner)) - begin + np.repeat(np.asarray(starts, np.int64), lengths), owner
