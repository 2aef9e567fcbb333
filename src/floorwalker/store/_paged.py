"""The part of a snapshot that is saved page by page while the array goes on changing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.store._chunks import ZEROS
from floorwalker.store.pages import PAGE_BYTES, Pages


class PagedMirror:
    """What one array held when the snapshot began, as far as it must be written; the rest is on the disk.

    Used as `floorwalker.store._chunks.Mirror` is, its chunks being the pages.

    Parameters
    ----------
    array : begins with a page of `pages`.
    pages : marks of the memory that it lies in.
    first : the page that it begins with.
    """

    def __init__(self, array: NDArray[np.generic], pages: Pages, first: int) -> None:
        self.dtype = array.dtype
        self.shape = array.shape
        self.pages = pages
        self.first = first
        self.changed = np.zeros(0, np.bool_)
        self.table = np.zeros((3, 0), np.int64)
        self.reached = 0
        """Pages before this one are saved: the writing thread may take them."""

    @property
    def data(self) -> NDArray[np.uint8]:
        """The saved bytes; what they hold counts for changed pages only."""
        start = self.first * PAGE_BYTES
        size = int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize
        return self.pages.saved.view(np.uint8)[start : start + size]

    def fits(self, array: NDArray[np.generic], pages: Pages, first: int) -> bool:
        """Whether this is still the same place; the length of the first axis may differ."""
        is_alike = self.dtype == array.dtype and array.ndim == len(self.shape) and self.shape[1:] == array.shape[1:]
        return is_alike and self.pages is pages and self.first == first

    def begin(self, array: NDArray[np.generic], *, whole: bool) -> None:
        """Begin a snapshot: from now on every page keeps, saved, what it holds now."""
        before, chunks = len(self.data), -(-array.nbytes // PAGE_BYTES)
        changed = np.ones(chunks, np.bool_)
        # A page that was, or is now, cut short by the array's end is another chunk.
        same = len(self.changed) if before == array.nbytes else min(before, array.nbytes) // PAGE_BYTES
        if not whole:
            changed[:same] = self.changed[:same]
        self.changed, self.shape, self.reached = changed, array.shape, 0
        self.pages.want(self.first, self.changed)

    def step(self, most: int) -> int:
        """Save at most so many pages; returns how many there were."""
        page, count = self.pages.save(self.first + self.reached, self.first + len(self.changed), most=most)
        self.reached = page - self.first
        return count

    @property
    def is_saved(self) -> bool:
        """Whether every page that must be written is saved."""
        return self.reached >= len(self.changed)

    def next_table(self) -> NDArray[np.int64]:
        """A copy of the table, as long as the array now is."""
        table = np.zeros((3, len(self.changed)), np.int64)
        table[0] = ZEROS
        known = min(self.table.shape[1], len(self.changed))
        table[:, :known] = self.table[:, :known]
        return table

    def release(self, rows: NDArray[np.int64]) -> None:
        """These pages were written: what was saved of them is needed no more."""
        if len(rows):
            # Those between them are not wanted at all.
            self.pages.release(self.first + int(rows[0]), self.first + int(rows[-1]))
