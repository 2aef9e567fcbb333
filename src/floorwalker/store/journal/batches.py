"""Records as the journal hands them out: one buffer, and where each stands in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RecordBatch:
    """`n` records in the order of their sequences.

    Parameters
    ----------
    sequences : int64 [n], rising; by one unless a repair left a gap.
    data : uint8, the buffer that holds them; not reused by the reader.
    starts, stops : int64 [n], the place of each record in `data`.
    """

    sequences: NDArray[np.int64]
    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sequences)

    def records(self) -> list[bytes]:
        """Every record as bytes of its own."""
        if not len(self):
            return []
        if int(self.stops[-1]) - int(self.starts[0]) > 2 * int((self.stops - self.starts).sum()) + 65_536:
            # Few out of many: the rest need not be copied.
            places = zip(self.starts.tolist(), self.stops.tolist(), strict=True)
            return [self.data[start:stop].tobytes() for start, stop in places]
        begin = int(self.starts[0])
        whole = self.data[begin : int(self.stops[-1])].tobytes()
        places = zip((self.starts - begin).tolist(), (self.stops - begin).tolist(), strict=True)
        return [whole[start:stop] for start, stop in places]

    def between(self, first: int, stop: int) -> RecordBatch:
        """The records whose sequence is at least `first` and below `stop`."""
        begin, end = np.searchsorted(self.sequences, [first, stop]).tolist()
        rows = slice(begin, max(begin, end))
        return RecordBatch(self.sequences[rows], self.data, self.starts[rows], self.stops[rows])

    def take(self, rows: NDArray[np.intp]) -> RecordBatch:
        """The records at these positions, which must rise."""
        return RecordBatch(self.sequences[rows], self.data, self.starts[rows], self.stops[rows])
