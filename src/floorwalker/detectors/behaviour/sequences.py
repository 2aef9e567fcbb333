"""Sequences of events as tokens: several small categorical numbers an event, and how texts and times become them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import InputError, UsageError

OCTAVES = 32
"""Codes of a number by its binary logarithm: 0 = missing, 1 = below one, then one more each time it doubles."""
GAP_UNIT = 62_500
"""Microseconds: gaps are told apart from a sixteenth of a second on."""


@dataclass(frozen=True)
class Field:
    """One categorical fact of each event.

    Parameters
    ----------
    name : what it is.
    size : how many codes there are; 0 always stands for missing or unknown.
    predicted : whether a model also learns to foresee it in the next event: what comes unforeseen is a surprise.
    """

    name: str
    size: int
    predicted: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.size <= 1 << 24:
            raise UsageError(f"the field {self.name!r} has {self.size} codes", allowed="1 to 2^24")


@dataclass(frozen=True, eq=False)
class Sequences:
    """`n` sequences of events, one behind another.

    Parameters
    ----------
    tokens : integers [events, F], a code of each field; within 0 and the field's size.
    starts : int64 [n + 1], where each sequence begins, and at the end the number of events.
    fields : the F fields.

    Errors
    ------
    `InputError` where shapes or codes do not fit.

    >>> two = Sequences(np.array([[1], [2], [1]]), np.array([0, 2, 3]), (Field("act", 3),))
    >>> len(two), two.lengths.tolist()
    (2, [2, 1])
    """

    tokens: NDArray[np.integer]
    starts: NDArray[np.int64]
    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        tokens = np.ascontiguousarray(self.tokens)
        if tokens.ndim != 2 or tokens.shape[1] != len(self.fields) or not np.issubdtype(tokens.dtype, np.integer):
            raise InputError(
                f"tokens of shape {tokens.shape} and type {tokens.dtype}",
                allowed=f"integers of shape (events, {len(self.fields)})",
            )
        starts = np.ascontiguousarray(self.starts, np.int64)
        if not len(starts) or starts[0] != 0 or starts[-1] != len(tokens) or (np.diff(starts) < 0).any():
            raise InputError("the starts of the sequences do not fit", allowed="rising from 0 to the number of events")
        if len(tokens):
            highest, lowest = tokens.max(axis=0), tokens.min(axis=0)
            for place, field in enumerate(self.fields):
                if highest[place] >= field.size or lowest[place] < 0:
                    raise InputError(
                        f"{field.name!r} has the code {max(highest[place], -lowest[place])}",
                        allowed=f"0 to {field.size - 1}",
                    )
        # Long histories keep their bytes; every other type is one, so that kernels are compiled for two only.
        if tokens.dtype != np.uint8:
            object.__setattr__(self, "tokens", tokens.astype(np.int32, copy=False))
        else:
            object.__setattr__(self, "tokens", tokens)
        object.__setattr__(self, "starts", starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """int64 [n], events of each."""
        return np.diff(self.starts)

    @property
    def owners(self) -> NDArray[np.int64]:
        """int64 [events], the sequence that each event belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def take(self, places: Sequence[int] | NDArray[np.integer]) -> Sequences:
        """These sequences, in this order."""
        chosen = np.asarray(places, np.int64)
        lengths = self.lengths[chosen]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        rows = np.repeat(self.starts[chosen] - starts[:-1], lengths) + np.arange(starts[-1])
        return Sequences(self.tokens[rows], starts, self.fields)

    def head(self, lengths: NDArray[np.integer]) -> Sequences:
        """The first so many events of each; a sequence that is shorter stays as it is."""
        kept = np.minimum(self.lengths, np.asarray(lengths, np.int64))
        starts = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
        rows = np.repeat(self.starts[:-1] - starts[:-1], kept) + np.arange(starts[-1])
        return Sequences(self.tokens[rows], starts, self.fields)


def octave(values: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.int32]:
    """Codes of numbers by their binary logarithm; negative ones count as 0.

    >>> octave(np.array([np.nan, 0.0, 1.0, 2.0, 3.0, 1e30])).tolist()
    [0, 1, 2, 3, 3, 31]
    """
    numbers = np.asarray(values, np.float64)
    known = ~np.isnan(numbers)
    whole = np.floor(np.clip(np.where(known, numbers, 0.0), 0.0, 2.0**40))
    # frexp gives the number of binary digits, exactly.
    digits = np.where(whole >= 1, np.frexp(whole)[1], 0)
    return np.where(known, 1 + np.minimum(digits, OCTAVES - 2), 0).astype(np.int32)


@dataclass(frozen=True)
class Vocabulary:
    """The words that events of a user's own sequences are made of, and whether gaps and amounts stand beside them.

    Parameters
    ----------
    words : known words; the code of a word is its place plus one, and 0 is any other.
    has_gaps, has_amounts : whether events also carry the seconds since the event before, and an amount.

    >>> lists = [["home", "item", "cart"], ["home", "login"]]
    >>> words = Vocabulary.fit(lists)
    >>> words.encode([["home", "never seen"]]).tokens.tolist()
    [[2], [0]]
    """

    words: tuple[str, ...]
    has_gaps: bool = False
    has_amounts: bool = False

    @classmethod
    def fit(
        cls, events: Iterable[Sequence[Hashable]], *, gaps: bool = False, amounts: bool = False, most: int = 10_000
    ) -> Vocabulary:
        """The `most` frequent words of these sequences; words are compared as texts."""
        counts: dict[str, int] = {}
        for sequence in events:
            for word in sequence:
                counts[str(word)] = counts.get(str(word), 0) + 1
        if not counts:
            raise InputError("there are no events", allowed="at least one word in one sequence")
        frequent = sorted(counts, key=lambda word: (-counts[word], word))[:most]
        return cls(tuple(sorted(frequent)), gaps, amounts)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of encoded events: word, then gap, then amount."""
        return (
            Field("word", len(self.words) + 1, predicted=True),
            *((Field("gap", OCTAVES, predicted=True),) if self.has_gaps else ()),
            *((Field("amount", OCTAVES, predicted=True),) if self.has_amounts else ()),
        )

    def encode(
        self,
        events: Sequence[Sequence[Hashable]],
        gaps: Sequence[Sequence[float]] | None = None,
        amounts: Sequence[Sequence[float]] | None = None,
    ) -> Sequences:
        """Sequences of words as tokens.

        Parameters
        ----------
        events : n sequences of words; an empty one stays empty.
        gaps : seconds since the event before, for each event; NaN where unknown, as for the first.
        amounts : a number for each event, in the currency's minor unit; NaN where there is none.

        Raises `InputError` where gaps or amounts are missing, not asked for, or of other lengths.
        """
        codes = {word: place + 1 for place, word in enumerate(self.words)}
        lengths = [len(sequence) for sequence in events]
        columns = [np.array([codes.get(str(word), 0) for sequence in events for word in sequence], np.int32)]
        for name, given, wanted, unit in (
            ("gaps", gaps, self.has_gaps, 1e6 / GAP_UNIT),
            ("amounts", amounts, self.has_amounts, 1.0),
        ):
            if (given is not None) != wanted:
                raise InputError(
                    f"{name} are {'given' if given is not None else 'missing'}",
                    allowed=f"{name} {'with' if wanted else 'without'} which the vocabulary was made",
                )
            if given is not None:
                if [len(sequence) for sequence in given] != lengths:
                    raise InputError(f"{name} of other lengths than the events", allowed="a number for each event")
                flat = np.array([value for sequence in given for value in sequence], np.float64)
                columns.append(octave(flat * unit))
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return Sequences(np.stack(columns, axis=1), starts, self.fields)
