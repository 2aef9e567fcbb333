"""What all outlier detectors share: checks of what comes in, scoring in chunks, and state as arrays."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly._base import Capabilities, Matrix
from floorwalker.detectors.anomaly._layout import COUNT, TRAIN_AGAIN, Layout, check_layout, damaged
from floorwalker.errors import ArtefactError, NotReadyError, UsageError

CHUNK_ROWS = 16_384
"""Rows scored at once by one thread: bounds the working memory of five million rows to a few megabytes."""

MOST_THREADS = 8

State = dict[str, NDArray[Any]]


@dataclass
class FittedDetector(ABC):
    """A detector whose settings are its dataclass fields and whose knowledge is a few named arrays.

    Parameters
    ----------
    seed : seed of the generator that draws samples, splits and landmarks; the same seed and rows give the same
        scores.
    columns : names of the feature columns, used in error messages only; empty = columns are called by number.
    """

    capabilities: ClassVar[Capabilities]
    layout: ClassVar[Layout] = {}
    """What the arrays of `_fit` must be when they come back; `width` is the number of columns."""

    seed: int = 0
    columns: tuple[str, ...] = ()
    _learned: State = field(default_factory=dict, init=False, repr=False, compare=False)

    @abstractmethod
    def _fit(self, rows: Matrix) -> State:
        """Learn from checked rows; the answer is everything that scoring needs."""

    @abstractmethod
    def _score(self, rows: Matrix, learned: State) -> NDArray[Any]:
        """Scores in [0, 1] of checked rows, each row for itself."""

    def fit(self, rows: Matrix) -> Self:
        """Learn what is usual from float32 [n, d] rows; raises `UsageError` on rows that cannot be used."""
        rows = self._checked(rows, None)
        minimum = self.capabilities.minimum_rows
        if len(rows) < minimum:
            raise UsageError(
                f"{len(rows)} training rows for {self.capabilities.name}",
                allowed=f"at least {minimum}",
                fix="train on more days or on more visitors",
            )
        learned = self._fit(rows)
        learned["width"] = np.array(rows.shape[1], np.int64)
        self._learned = learned
        return self

    def score(self, rows: Matrix) -> NDArray[np.float32]:
        """How unusual each row is: float32 [n] in [0, 1]; pure, and the same in any batches."""
        if not self._learned:
            raise NotReadyError(f"{self.capabilities.name} was asked for scores before it was fitted")
        rows = self._checked(rows, int(self._learned["width"]))
        scores = np.empty(len(rows), np.float32)

        def score_chunk(start: int) -> None:
            chunk = rows[start : start + CHUNK_ROWS]
            scores[start : start + len(chunk)] = self._score(chunk, self._learned)

        starts = range(0, len(rows), CHUNK_ROWS)
        threads = min(len(starts), os.cpu_count() or 1, MOST_THREADS)
        if threads > 1:
            # Kernels and NumPy release the interpreter lock, and each row is scored for itself.
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(score_chunk, starts))
        else:
            for start in starts:
                score_chunk(start)
        np.clip(scores, 0.0, 1.0, out=scores)
        return scores

    def state(self) -> State:
        """Settings and knowledge as arrays: what `from_state` takes."""
        if not self._learned:
            raise NotReadyError(f"{self.capabilities.name} has nothing to save before it was fitted")
        settings = {f"setting.{name}": np.array(getattr(self, name)) for name in self._settings()}
        return {**settings, **{name: array.copy() for name, array in self._learned.items()}}

    @classmethod
    def from_state(cls, state: State) -> Self:
        """The detector that `state` was taken from.

        Raises `ArtefactError` where arrays are missing, do not fit together or point outside one another.
        """
        detector = cls._restored(state)
        learned, name = detector._learned, cls.capabilities.name
        width = int(learned["width"])
        if len(detector.columns) not in (0, width):
            raise damaged(f"{name} names {len(detector.columns)} columns", f"{width}, one a column, or none")
        detector._check_learned(learned, check_layout(name, learned, cls.layout, detector._lengths(width)))
        return detector

    @classmethod
    def _restored(cls, state: State) -> Self:
        """The detector that `state` was taken from, its settings checked but not yet what it learned."""
        given = {name.partition(".")[2]: array for name, array in state.items() if name.startswith("setting.")}
        learned = {name: copy(array) for name, array in state.items() if not name.startswith("setting.")}
        missing = sorted({*cls._settings()} - {*given}) + (["width"] if "width" not in learned else [])
        if missing:
            raise ArtefactError(f"the state of {cls.capabilities.name} lacks {', '.join(missing)}", fix=TRAIN_AGAIN)
        check_layout(cls.capabilities.name, learned, {"width": COUNT})
        for part in fields(cls):
            if part.init:
                _check_setting(cls.capabilities.name, part.name, given[part.name], part.default)
        try:
            detector = cls(**{name: _plain(given[name]) for name in cls._settings()})
        except UsageError as error:
            raise ArtefactError(f"the state of {cls.capabilities.name} holds {error}", fix=TRAIN_AGAIN) from error
        detector._learned = learned
        return detector

    def _lengths(self, width: int) -> dict[str, int]:
        """Axes of `layout` whose length the settings tell."""
        return {"width": width}

    def _check_learned(self, learned: State, lengths: dict[str, int]) -> None:  # noqa: B027 - most have nothing more
        """Raise `ArtefactError` where arrays of the right lengths do not fit together."""

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Settings that the contract checks try: the default, and what else runs other code (landmarks, say)."""
        return [{}]

    @classmethod
    def _settings(cls) -> list[str]:
        return [part.name for part in fields(cls) if part.init]

    def _checked(self, rows: Matrix, width: int | None) -> Matrix:
        name = self.capabilities.name
        try:
            # Numbers too large for float32 become infinite here and are refused by name below.
            with np.errstate(over="ignore"):
                rows = np.ascontiguousarray(rows, np.float32)
        except (TypeError, ValueError, OverflowError) as broken:
            raise UsageError(
                f"rows of {name} that are no numbers: {broken}",
                allowed="finite numbers, visitors by features",
                fix="turn texts into numbers, or leave their columns out",
            ) from None
        if rows.ndim != 2:
            raise UsageError(f"rows of {name} have {rows.ndim} dimensions", allowed="2: visitors by features")
        if rows.shape[1] == 0:
            raise UsageError(f"rows of {name} have no column", allowed="at least one feature")
        expected = width if width is not None else (len(self.columns) or rows.shape[1])
        if rows.shape[1] != expected:
            last = min(rows.shape[1], expected)
            raise UsageError(
                f"rows of {name} have {rows.shape[1]} columns; they differ from {self._column(last)} on",
                allowed=f"{expected} columns, as it was fitted",
                fix="give the same features in the same order",
            )
        # One pass without a mask: a sum is finite where all its terms are, and overflow is looked at below.
        with np.errstate(over="ignore", invalid="ignore"):
            suspicious = not np.isfinite(rows.sum(dtype=np.float64))
        if suspicious:
            bad = ~np.isfinite(rows)
            column = int(np.flatnonzero(bad.any(axis=0))[0])
            row = int(np.flatnonzero(bad[:, column])[0])
            raise UsageError(
                f"{self._column(column)} of row {row} is {rows[row, column]} for {name}",
                allowed="finite numbers that float32 can hold",
                fix="fill missing values, and scale the columns, before scoring",
            )
        return rows

    def _column(self, index: int) -> str:
        return f"column {self.columns[index]!r}" if index < len(self.columns) else f"column {index}"


def _check_setting(owner: str, name: str, array: Any, default: Any) -> None:
    """Raise `ArtefactError` where the array of a setting cannot be what `state` made of it."""
    several = isinstance(default, tuple)
    kinds = "U" if several else "iu" if isinstance(default, int) else "iuf"
    if not isinstance(array, np.ndarray):
        raise damaged(f"setting {name} of {owner} is of type {type(array).__name__}", "an array")
    if array.ndim != several or (array.size > 0 and array.dtype.kind not in kinds):
        wanted = "a list of names" if several else "one number"
        raise damaged(f"setting {name} of {owner} is of type {array.dtype} with {array.ndim} dimensions", wanted)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise damaged(f"setting {name} of {owner} is not finite", "a finite number")


def _plain(array: NDArray[np.generic]) -> Any:
    if array.ndim == 0:
        return array.item()
    return tuple(cast("list[Any]", array.tolist()))


def against_typical(raw: NDArray[np.float64], typical: float) -> NDArray[np.float64]:
    """Map a raw outlier measure (0 and up) to [0, 1): `raw / (raw + typical)`.

    Strictly rising, so it changes no ranking: 0.5 is the typical training row, 0.9 nine times as far. Infinity is 1.

    >>> against_typical(np.array([0.0, 2.0, 18.0]), 2.0).round(2).tolist()
    [0.0, 0.5, 0.9]
    """
    with np.errstate(invalid="ignore"):
        share = raw / (raw + typical)
    # Infinitely far over infinitely far is no number, and the worst row of all is not to be without a score.
    return np.where(np.isinf(raw), 1.0, share)


def typical_of(raw: NDArray[np.float64]) -> float:
    """The median raw measure; where more than half are zero, the mean of the others; where all are, 1."""
    middle = float(np.median(raw))
    if middle > 0:
        return middle
    positive = raw[raw > 0]
    return float(positive.mean()) if len(positive) else 1.0
