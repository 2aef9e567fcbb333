"""N-grams of words or characters as hashed TF-IDF rows, for any script, without a kept list of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content._characters import as_codes, without_marks
from floorwalker.detectors.content._frames import common_words, frame_of
from floorwalker.detectors.content._gram_kernels import BITS, apply_weights, count_grams, weigh_grams
from floorwalker.errors import NotReadyError, UsageError

COMMON = 300
"""Words that a frame keeps."""

CHUNK = 2_000
"""Texts counted at once."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Sparse rows: text `i` has `values[starts[i]:starts[i + 1]]` in those `columns`; `width` columns in all."""

    starts: NDArray[np.int64]
    columns: NDArray[np.int32]
    values: NDArray[np.float32]
    width: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    def times(self, weights: NDArray[np.float32], intercepts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Linear heads: float32 [texts, heads] for weights [heads, width]."""
        answer = np.empty((len(self), len(intercepts)), np.float32)
        apply_weights(self.starts, self.columns, self.values, np.ascontiguousarray(weights), intercepts, answer)
        return answer


@dataclass
class Grams:
    """TF-IDF of hashed n-grams, of length 1 (Salton and Buckley 1988; hashing after Weinberger et al. 2009).

    It works against abuse because people who write reviews for money, by template or by machine share turns of phrase
    and habits of punctuation rather than subjects; the characters catch words written wrongly on purpose.

    Parameters
    ----------
    unit : `words` (runs of letters; ideographs and symbols each alone), `characters` (with single blanks), or `frames`:
        words of which only the 300 commonest are kept, of the others how they end, which tells the kind of word.
    low, high : lengths of the n-grams, in units.
    case : kept as written where True.
    marks : accents and tone marks kept where True.
    least_texts : n-grams of fewer training texts are left out.

    Texts without a known n-gram give rows of zeros.

    >>> rows = Grams(least_texts=1).fit(["good shop", "bad shop"]).transform(["good", "shop!", ""])
    >>> [round(float(rows.values[a:b].sum()), 2) for a, b in zip(rows.starts, rows.starts[1:])]
    [1.0, 1.0, 0.0]
    """

    unit: Literal["words", "characters", "frames"] = "words"
    low: int = 1
    high: int = 2
    case: bool = False
    marks: bool = True
    least_texts: int = 2

    def __post_init__(self) -> None:
        if (
            self.unit not in ("words", "characters", "frames")
            or not 1 <= self.low <= self.high <= 8
            or self.least_texts < 1
        ):
            raise UsageError(
                f"unit={self.unit!r}, low={self.low}, high={self.high}, least_texts={self.least_texts}",
                allowed="words, characters or frames, lengths of 1 to 8 with low <= high, least_texts of 1 and up",
            )
        self._buckets: NDArray[np.int32] | None = None
        self._rarity: NDArray[np.float32] = np.zeros(0, np.float32)
        self._column_of: NDArray[np.int32] = np.zeros(0, np.int32)
        self._common: tuple[str, ...] = ()

    def fit(self, texts: Sequence[str]) -> Grams:
        """Learn which n-grams there are, and how rare each is: `idf = ln((1 + n) / (1 + texts with it)) + 1`."""
        if self.unit == "frames":
            self._common = common_words(texts, COMMON)
        in_texts = np.zeros(1 << BITS, np.int32)
        for start in range(0, len(texts), CHUNK):
            _, buckets, _ = self._count(texts[start : start + CHUNK])
            in_texts += np.bincount(buckets, minlength=1 << BITS).astype(np.int32)
        buckets = np.flatnonzero(in_texts >= self.least_texts).astype(np.int32)
        rarity = np.log((1 + len(texts)) / (1 + in_texts[buckets])) + 1
        return self.restore(buckets, rarity.astype(np.float32), self._common)

    def restore(self, buckets: NDArray[np.int32], rarity: NDArray[np.float32], common: Sequence[str] = ()) -> Grams:
        """Take over what `state` gave, and the `common` words of frames."""
        self._common = tuple(common)
        self._buckets, self._rarity = buckets, rarity
        self._column_of = np.full(1 << BITS, -1, np.int32)
        self._column_of[buckets] = np.arange(len(buckets), dtype=np.int32)
        return self

    def state(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The kept buckets, rising, and their rarity: all that a fit learned."""
        if self._buckets is None:
            raise NotReadyError("n-grams were asked for before fit", fix="call fit(texts) first")
        return self._buckets, self._rarity

    @property
    def common(self) -> tuple[str, ...]:
        """The words that frames keep."""
        return self._common

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.state()[0])

    def transform(self, texts: Sequence[str]) -> Rows:
        """The sparse rows of these texts."""
        self.state()
        parts = [self._rows(texts[start : start + CHUNK]) for start in range(0, max(len(texts), 1), CHUNK)]
        if len(parts) == 1:
            return parts[0]
        shifts = np.cumsum([0, *(part.starts[-1] for part in parts)])
        starts = np.concatenate([[0], *(part.starts[1:] + shift for part, shift in zip(parts, shifts, strict=False))])
        return Rows(
            starts.astype(np.int64),
            np.concatenate([part.columns for part in parts]),
            np.concatenate([part.values for part in parts]),
            self.width,
        )

    def _rows(self, texts: Sequence[str]) -> Rows:
        starts, buckets, counts = self._count(texts)
        kept_starts = np.zeros(len(starts), np.int64)
        columns, values = np.empty(len(buckets), np.int32), np.empty(len(buckets), np.float32)
        many = weigh_grams(starts, buckets, counts, self._column_of, self._rarity, kept_starts, columns, values)
        return Rows(kept_starts, columns[:many].copy(), values[:many].copy(), self.width)

    def _count(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        if self.unit == "frames":
            kept = frozenset(self._common)
            texts = [frame_of(text, kept) for text in texts]
        prepared = texts if self.case else [text.lower() for text in texts]
        if not self.marks:
            prepared = [without_marks(text) for text in prepared]
        codes = as_codes(prepared)
        room = (self.high - self.low + 1) * (len(codes.values) + 2 * len(codes))
        starts = np.zeros(len(codes) + 1, np.int64)
        buckets, counts = np.empty(room, np.int32), np.empty(room, np.float32)
        many = count_grams(
            codes.values,
            codes.kinds,
            codes.stops,
            self.unit != "characters",
            self.low,
            self.high,
            starts,
            buckets,
            counts,
        )
        return starts, buckets[:many].copy(), counts[:many].copy()
