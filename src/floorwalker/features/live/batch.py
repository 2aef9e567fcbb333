"""The record that features hand on: named numbers of events as of a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FeatureBatch:
    """The features of `n` events.

    Parameters
    ----------
    event_ids : the events' ids [n].
    as_of : int64 [n], µs UTC, the time that the features stand for: the event's own, or its receipt where that was
        earlier.
    values : float32 [n, F]; NaN where missing.
    names : names of the F columns.
    missing : bool [n, F]; the entity has no key, or its past does not say.
    """

    event_ids: list[str]
    as_of: NDArray[np.int64]
    values: NDArray[np.float32]
    names: tuple[str, ...]
    missing: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.event_ids)

    def take(self, rows: Sequence[int]) -> FeatureBatch:
        """The features of these events, in this order; `rows` are positions from 0."""
        at = list(rows)
        return FeatureBatch(
            [self.event_ids[row] for row in at], self.as_of[at], self.values[at], self.names, self.missing[at]
        )

    def column(self, name: str) -> NDArray[np.float32]:
        """float32 [n], one feature by its name; an unknown name raises `ValueError`."""
        values: NDArray[np.float32] = self.values[:, self.names.index(name)]
        return values
