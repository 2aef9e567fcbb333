"""Interning: each distinct text is kept once, and columns hold its code."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.store._hashing import PADDING, hash_spans, make_keys
from floorwalker.store._interning import REFUSED, fill_slots, intern_spans

Column = TypeVar("Column", bound=np.generic)


class StringTable:
    """A grow-only table of byte strings; code k is the k-th distinct text that came.

    A log repeats a few hundred thousand texts millions of times: with codes, a row costs four bytes and equality is one
    comparison. Codes follow the order of arrival and do not depend on the seed. The hash is keyed, because visitors
    choose addresses, user agents and URLs, and a known hash would let them slow the reader to a crawl; the number of
    texts is capped, because they could also try to fill the memory.

    Parameters
    ----------
    seed : the source of the hash's secret keys.
    capacity : distinct texts to keep; further ones all get the code `overflow` and are counted in `refused`.

    >>> table = StringTable(seed=1)
    >>> table.intern_texts(["/cart", "/", "/cart", "-", ""]).tolist()
    [0, 1, 0, -1, -1]
    >>> table.text(1), len(table)
    ('/', 2)
    """

    overflow_text = b"(overflow)"

    def __init__(self, *, seed: int, capacity: int = 1 << 23) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, not {capacity}")
        self.seed = seed
        self.capacity = capacity
        self.refused = 0
        self.overflow = -1
        self.keys = make_keys(seed)
        self.holds_back = False
        self._count = 0
        self._shown = 0
        self._likely = np.zeros(17, np.int64)
        self._slots = np.zeros(1 << 10, np.uint64)
        self._known = np.empty(1 << 9, np.uint64)
        self._offsets = np.zeros((1 << 9) + 1, np.int64)
        self._arena = np.zeros(1 << 15, np.uint8)
        self._decoded = pl.Series([], dtype=pl.String)

    def __len__(self) -> int:
        return self._shown if self.holds_back else self._count

    @property
    def held(self) -> int:
        """How many texts are kept, those held back included."""
        return self._count

    def hold_back(self) -> None:
        """From now on show new texts only up to what `show` says.

        Another thread may then intern ahead of the one that reads: codes already shown keep their texts, and nothing
        that the reader sees changes between two calls of `show`.
        """
        self._shown = self._count
        self.holds_back = True

    def show(self, count: int) -> None:
        """Show the first `count` texts."""
        self._shown = max(self._shown, count)

    def show_all(self) -> None:
        """Show every text, also those to come."""
        self.holds_back = False

    @property
    def arena(self) -> NDArray[np.uint8]:
        """The bytes of all texts, one behind the other: uint8 [total]."""
        return self._arena[: self._offsets[len(self)]]

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where texts begin in `arena`: int64 [len + 1]; text k is `arena[offsets[k]:offsets[k + 1]]`."""
        return self._offsets[: len(self) + 1]

    @property
    def arena_with_padding(self) -> NDArray[np.uint8]:
        """As `arena`, with `PADDING` readable bytes behind it, for kernels that load words."""
        return self._arena[: self._offsets[len(self)] + PADDING]

    @property
    def hashes(self) -> NDArray[np.uint64]:
        """The hash of each text: uint64 [len]."""
        return self._known[: len(self)]

    def fingerprints(self, seed: int) -> NDArray[np.uint64]:
        """A hash of each text under another seed: uint64 [len], the same for the same text in every table."""
        found = np.empty(len(self), np.uint64)
        with np.errstate(over="ignore"):
            hash_spans(self.arena_with_padding, self.offsets[:-1], self.offsets[1:], make_keys(seed), found)
        return found

    def intern(
        self, buffer: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> NDArray[np.int32]:
        """Codes of the spans `buffer[starts[i]:ends[i]]`: int32 [n].

        An empty span and a lone `-` are missing: -1. Spans that end within 16 bytes of the
        buffer's end, and read-only buffers, make a copy of it.
        """
        starts = np.ascontiguousarray(starts, np.int64)
        ends = np.ascontiguousarray(ends, np.int64)
        if not buffer.flags.writeable or (len(ends) and int(ends.max()) + PADDING > len(buffer)):
            # Kernels are compiled for writable buffers only: one machine code less on the first run.
            buffer = np.concatenate([buffer, np.zeros(PADDING, np.uint8)])
        hashes = np.empty(len(starts), np.uint64)
        with np.errstate(over="ignore"):
            hash_spans(buffer, starts, ends, self.keys, hashes)
        return self.intern_hashed(buffer, starts, ends, hashes)

    def intern_hashed(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        hashes: NDArray[np.uint64],
        *,
        soft_capacity: int | None = None,
    ) -> NDArray[np.int32]:
        """As `intern`, with hashes that another thread made by `hash_span` and this table's `keys`.

        With `soft_capacity`, new texts past it get -2 and are neither kept nor counted: the caller may then offer
        something shorter. The buffer must have `PADDING` readable bytes behind the last span.
        """
        codes = np.empty(len(starts), np.int32)
        limit = self.capacity if soft_capacity is None else min(soft_capacity, self.capacity)
        # The overflow's own text is not one of the texts that count.
        limit += self.overflow >= 0
        row = 0
        with np.errstate(over="ignore"):
            while True:
                row, self._count = intern_spans(
                    buffer,
                    starts,
                    ends,
                    hashes,
                    row,
                    self._slots,
                    self._arena,
                    self._offsets,
                    self._known,
                    self._count,
                    limit,
                    codes,
                    self._likely,
                )
                if row == len(starts):
                    break
                self._grow(int(ends[row] - starts[row]))
        if soft_capacity is None and self._count >= limit:
            self._settle_refused(codes)
        return codes

    def intern_texts(self, texts: Sequence[str | bytes]) -> NDArray[np.int32]:
        """Codes of these texts: int32 [n]; for few texts, such as those of a configuration or a test."""
        parts = [text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text for text in texts]
        ends = np.cumsum(np.array([len(part) for part in parts], np.int64), dtype=np.int64)
        starts = np.concatenate([np.zeros(min(1, len(ends)), np.int64), ends[:-1]])
        buffer = np.frombuffer(bytearray(b"".join(parts) + bytes(PADDING)), np.uint8)
        return self.intern(buffer, starts, ends)

    def text(self, code: int) -> str:
        """The text of a code; invalid UTF-8 is shown with replacement characters, code -1 as nothing."""
        if code < 0:
            return ""
        if code >= self._count:
            raise IndexError(f"code {code} of a table of {self._count} texts")
        return bytes(self._arena[self._offsets[code] : self._offsets[code + 1]]).decode("utf-8", "replace")

    def texts(self, codes: NDArray[np.int32]) -> pl.Series:
        """The texts of many codes: str [n], null for -1."""
        codes = np.asarray(codes)
        if 2 * len(codes) >= len(self):
            # Asked for so many, it is cheaper to decode the whole table, and that only once.
            if len(self._decoded) < len(self):
                self._decoded = pl.concat([self._decoded, self.since(len(self._decoded))], rechunk=True)
            places = pl.Series(codes.astype(np.int64))
            return self._decoded.gather(places.set(places < 0, None))
        distinct, positions = np.unique(codes, return_inverse=True)
        values = [self.text(int(code)) if code >= 0 else None for code in distinct]
        return pl.Series(values, dtype=pl.String).gather(positions.reshape(-1))

    def since(self, first: int = 0) -> pl.Series:
        """The texts of the codes first, first + 1, … in order: str [len - first]."""
        offsets = self.offsets[first:]
        if len(offsets) <= 1:
            return pl.Series([], dtype=pl.String)
        data = bytes(self._arena[offsets[0] : offsets[-1]])
        places = (offsets - offsets[0]).tolist()
        spans = itertools.pairwise(places)
        if data.isascii():
            text = data.decode("ascii")
            return pl.Series([text[a:b] for a, b in spans], dtype=pl.String)
        return pl.Series([data[a:b].decode("utf-8", "replace") for a, b in spans], dtype=pl.String)

    def _settle_refused(self, codes: NDArray[np.int32]) -> None:
        refused = codes == REFUSED
        count = int(np.count_nonzero(refused))
        if not count:
            return
        if self.overflow < 0:
            capacity, self.capacity = self.capacity, self.capacity + 1
            self.overflow = int(self.intern_texts([self.overflow_text])[0])
            self.capacity = capacity
        self.refused += count
        codes[refused] = self.overflow

    def _grow(self, length: int) -> None:
        if self._count + 2 > len(self._offsets):
            self._offsets = _extended(self._offsets, 2 * len(self._offsets))
            self._known = _extended(self._known, 2 * len(self._known) + 2)
        if 2 * (self._count + 1) > len(self._slots):
            self._slots = np.zeros(4 * len(self._slots), np.uint64)
            fill_slots(self._slots, self._known, self._count)
        needed = int(self._offsets[self._count]) + length + PADDING
        if needed > len(self._arena):
            self._arena = _extended(self._arena, max(2 * len(self._arena), needed))


def _extended(values: NDArray[Column], size: int) -> NDArray[Column]:
    longer = np.empty(size, values.dtype)
    longer[: len(values)] = values
    return longer
