"""Putting requests in the order of their times while they stream by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from floorwalker.events.requests import RequestBatch

BATCH_ROWS = 1 << 18
"""The most requests in one batch."""

TOLERANCE = 300_000_000
"""Microseconds by which a line may stand too late in its file: some servers log a request's begin when it ends."""

PENDING_ROWS = 1 << 21
"""The most requests that wait for earlier ones; beyond it the older half goes on."""


def concatenated(batches: list[RequestBatch]) -> RequestBatch:
    """One batch of several."""
    if len(batches) == 1:
        return batches[0]
    return RequestBatch(
        **{
            field.name: np.concatenate([getattr(batch, field.name) for batch in batches])
            for field in fields(RequestBatch)
        }
    )


class Sorter:
    """Holds requests back until nothing earlier can come, then lets them go sorted by time.

    Requests of one time keep the order in which they came. `late` counts those that came after later ones had
    gone: they go with the next batch.
    """

    def __init__(self) -> None:
        self.pending_rows = 0
        self.late = 0
        self._pending: list[RequestBatch] = []
        self._gone = np.iinfo(np.int64).min

    def add(self, batch: RequestBatch) -> None:
        """Take requests in any order."""
        if len(batch):
            self._pending.append(batch)
            self.pending_rows += len(batch)

    def release(self, until: int) -> Iterator[RequestBatch]:
        """The requests up to and including a time, in batches of at most `BATCH_ROWS`."""
        if not self._pending:
            return
        batch = concatenated(self._pending)
        if np.any(batch.at[1:] < batch.at[:-1]):
            batch = batch.take(np.argsort(batch.at, kind="stable"))
        if len(batch) > PENDING_ROWS:
            until = max(until, int(batch.at[len(batch) // 2]))
        count = int(np.searchsorted(batch.at, until, side="right"))
        rest = batch.take(slice(count, None))
        self._pending = [rest] if len(rest) else []
        self.pending_rows = len(rest)
        if count:
            self.late += int(np.searchsorted(batch.at[:count], self._gone, side="left"))
            self._gone = max(self._gone, int(batch.at[count - 1]))
        for start in range(0, count, BATCH_ROWS):
            yield batch.take(slice(start, min(start + BATCH_ROWS, count)))
