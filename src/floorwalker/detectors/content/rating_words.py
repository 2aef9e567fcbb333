"""Which words stand beside few and beside many stars: learned from a shop's own reviews, in whatever language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content._characters import as_codes
from floorwalker.detectors.content._gram_kernels import mix_all, split_words
from floorwalker.detectors.content._similar_kernels import weigh_words
from floorwalker.errors import ArtefactError

BUCKET_BITS = 16
LEAST_REVIEWS = 100
"""Reviews of few stars, and of many, before which nothing is said."""

LOW, HIGH = 2, 4
"""Up to 2 stars are few, 4 and 5 many; 3 say neither."""

CERTAIN = 2.0
"""Log-odds that are taken off before a text contradicts its stars: reviews of two minds are many."""


class RatingWords:
    """Naive Bayes between reviews of few and of many stars, learned as they come, in 512 kB.

    It works against abuse because bought stars come with texts that were written for something else, or copied from
    where they fitted.

    Until 100 reviews of either kind were seen it answers NaN.

    >>> words = RatingWords()
    >>> for _ in range(120):
    ...     words.add("broken on arrival, refund please", 1)
    ...     words.add("works perfectly, very happy", 5)
    >>> round(words.disagreement("arrival broken, refund", 5), 2), words.disagreement("arrival broken, refund", 1)
    (1.0, 0.0)
    """

    def __init__(self) -> None:
        self._state: dict[str, NDArray[Any]] = {
            "low": np.zeros(1 << BUCKET_BITS, np.float32),
            "high": np.zeros(1 << BUCKET_BITS, np.float32),
            "totals": np.zeros(2, np.float64),
        }

    def disagreement(self, text: str, rating: float) -> float:
        """[0, 1]: how surely the words are those of the other end of the scale; 0 for 3 stars, NaN before warm-up."""
        totals = self._state["totals"]
        if totals.min() < LEAST_REVIEWS or rating != rating:
            return float("nan")
        if LOW < rating < HIGH:
            return 0.0
        odds = weigh_words(_words_of(text), self._state["low"], self._state["high"], totals)
        against = (odds if rating >= HIGH else -odds) - CERTAIN
        return float(1 - np.exp(-max(against, 0.0)))

    def add(self, text: str, rating: float) -> None:
        """Learn from a review."""
        if rating != rating or LOW < rating < HIGH:
            return
        kind = 0 if rating <= LOW else 1
        self._state["totals"][kind] += 1
        self._state["low" if kind == 0 else "high"][_words_of(text)] += 1

    def state(self) -> dict[str, NDArray[Any]]:
        """The arrays themselves, not copies: what `restore` takes."""
        return self._state

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a state of the same shape; another raises `ArtefactError`."""
        if {*state} != {*self._state} or any(state[name].shape != own.shape for name, own in self._state.items()):
            raise ArtefactError("the stored words of ratings are of another shape", fix="replay the journal")
        for name, own in self._state.items():
            own[...] = state[name]


def _words_of(text: str) -> NDArray[np.int64]:
    codes = as_codes([text.lower()])
    hashes = np.empty(len(codes.values) + 2, np.int64)
    many = split_words(codes.values, codes.kinds, 0, len(codes.values), hashes)
    mix_all(hashes[:many])
    return np.unique(hashes[:many] >> (32 - BUCKET_BITS))
