"""Pages of an array: which were changed since the last snapshot, and what they held when the present one began.

A snapshot must hold the state of one moment, and nobody may wait for it. So it only notes which pages it wants; whoever
is about to change one of them first saves what it holds. What nobody changes is saved a few pages at a time.
"""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.kernels import compile_kernel, kernel

PAGE_BYTES = 4096
PAGE_WORDS = 512
"""64-bit words of a page."""
CLEAN, DIRTY, WANTED = 0, 1, 2
"""A page's mark: unchanged; changed since the last snapshot began; to be saved, and unchanged since."""

Arguments = tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint8]]


def _guard(
    first: int | np.int64,
    last: int | np.int64,
    words: NDArray[np.uint64],
    saved: NDArray[np.uint64],
    marks: NDArray[np.uint8],
) -> None:
    """Call this in a kernel just before the words `first` to `last` are written.

    Parameters
    ----------
    first, last : 64-bit words, as places in `words`.
    words, saved, marks : `Pages.arguments`.
    """
    for page in range(first >> 9, (last >> 9) + 1):
        mark = marks[page]
        if mark != 1:
            if mark == 2:
                start = page << 9
                for at in range(start, min(start + 512, len(words))):
                    saved[at] = words[at]
            marks[page] = 1


guard = compile_kernel(_guard, _nrt=False, forceinline=True)


@kernel
def _want(marks: NDArray[np.uint8], changed: NDArray[np.bool_]) -> None:
    for page in range(len(changed)):
        if marks[page] == 1:
            changed[page] = True
        marks[page] = 2 if changed[page] else 0


@kernel
def _save(
    words: NDArray[np.uint64], saved: NDArray[np.uint64], marks: NDArray[np.uint8], page: int, end: int, most: int
) -> tuple[int, int]:
    count = 0
    while page < end and count < most:
        if marks[page] == 2:
            start = page << 9
            for at in range(start, min(start + 512, len(words))):
                saved[at] = words[at]
            marks[page] = 0
            count += 1
        page += 1
    return page, count


class Pages:
    """The marks of one array's pages, and room for what they held.

    The room is only address space until it is used, and is given back page by page.

    Parameters
    ----------
    array : contiguous, its size a multiple of 8 bytes; it must stay where it is.

    >>> array = np.zeros(2000)
    >>> pages = Pages(array)
    >>> changed = np.zeros(4, np.bool_)
    >>> guard(600, 600, *pages.arguments)
    >>> pages.want(0, changed)
    >>> changed.tolist()
    [False, True, False, False]
    >>> guard(600, 600, *pages.arguments)
    >>> array[600] = 7
    >>> pages.save(0, 4, most=100)
    (4, 0)
    >>> float(pages.saved[600])
    0.0
    """

    def __init__(self, array: NDArray[Any]) -> None:
        if array.nbytes % 8 or not array.flags.c_contiguous:
            raise UsageError(f"an array of {array.nbytes} bytes", allowed="contiguous, a multiple of 8 bytes")
        self.words: NDArray[np.uint64] = array.reshape(-1).view(np.uint64)
        count = -(-array.nbytes // PAGE_BYTES)
        self.marks = np.zeros(count, np.uint8)
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
        self._room = mmap.mmap(-1, max(count, 1) * PAGE_BYTES, flags=flags)
        self.saved: NDArray[np.uint64] = np.frombuffer(self._room, np.uint64)
        self.arguments: Arguments = (self.words, self.saved, self.marks)

    def want(self, first: int, changed: NDArray[np.bool_]) -> None:
        """Begin a snapshot of some pages: those changed since the last one, and those that `changed` names, are wanted.

        Parameters
        ----------
        first : the first page.
        changed : bool [pages]; set where a page is wanted.
        """
        _want(self.marks[first : first + len(changed)], changed)

    def touch_all(self) -> None:
        """Everything was written anew, without a guard; no snapshot may be under way."""
        self.marks[:] = DIRTY

    def save(self, page: int, end: int, *, most: int) -> tuple[int, int]:
        """Save wanted pages from `page` on; returns the page to go on with, and how many were saved.

        Before that page nothing is wanted any more: what a snapshot wanted of it stands in `saved`.
        """
        return _save(*self.arguments, page, end, most)

    def release(self, first: int, last: int) -> None:
        """Give the room of these pages back to the system."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._room.madvise(mmap.MADV_DONTNEED, first * PAGE_BYTES, (last + 1 - first) * PAGE_BYTES)
