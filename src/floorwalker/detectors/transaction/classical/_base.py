"""What every classical detector does alike: take rows, keep arrays, save and load them, say reasons."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from floorwalker.detectors.signal import Reason
from floorwalker.detectors.transaction._reasons import as_reasons, name_contributions
from floorwalker.detectors.transaction._rows import take_labels, take_names, take_rows, take_weights, usual_values
from floorwalker.errors import ArtefactError, MissingExtraError, NotReadyError, UsageError
from floorwalker.models.artefacts import load_artefact, save_artefact

Arrays = dict[str, NDArray[Any]]
Rows = NDArray[np.float64]
VERSION = 1


class Classical:
    """A detector that learns from labelled rows and is kept as arrays.

    A subclass says `name`, learns in `_learn` and scores in `_judge`.

    Parameters
    ----------
    seed : of whatever it draws.
    most_rows : training rows beyond which honest ones are drawn and weighted up for it. Every fraud stays as long as
        the frauds are at most half of `most_rows`; of more, that half is drawn and weighted up likewise.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    """Where the method comes from."""

    def __init__(self, *, seed: int = 0, most_rows: int = 200_000) -> None:
        if most_rows < 2:
            raise UsageError(f"most_rows is {most_rows}", allowed="2 and up")
        self.seed, self.most_rows = seed, most_rows
        self.names: tuple[str, ...] = ()
        self.usual: NDArray[np.float32] = np.zeros(0, np.float32)
        self._arrays: Arrays = {}

    def fit(
        self,
        rows: ArrayLike,
        labels: ArrayLike,
        *,
        names: Sequence[object] | None = None,
        weights: ArrayLike | None = None,
    ) -> Self:
        """Learn.

        Parameters
        ----------
        rows : [n, d] of numbers; NaN where missing.
        labels : [n] of 0 and 1; rows with NaN, which nobody knows, are left out.
        names : of the d columns; numbers are taken as their texts.
        weights : [n].

        Errors
        ------
        `UsageError` where the arrays do not fit together or one class is missing; `MissingExtraError` without the
        extra `train`.
        """
        taken = take_rows(rows)
        label, weight = take_labels(labels, len(taken)), take_weights(weights, len(taken))
        if label.shape[1] != 1:
            raise UsageError(f"labels of shape {label.shape}", allowed="one label a row; one detector an abuse type")
        names = take_names(names, taken.shape[1])
        known = ~np.isnan(label[:, 0]) & (weight > 0)
        fraud = label[:, 0] == 1
        if not (fraud & known).any() or not (~fraud & known).any():
            raise UsageError("labels of one class only", allowed="rows of both classes")
        chosen, weight = self._draw(np.flatnonzero(known), fraud, weight)
        self.names, self.usual = names, usual_values(taken, known & ~fraud)
        finite = np.nan_to_num(taken[chosen].astype(np.float64), nan=np.nan, posinf=_MOST, neginf=-_MOST)
        try:
            self._arrays = self._learn(finite, fraud[chosen], weight)
        except ModuleNotFoundError as missing:
            raise MissingExtraError("scikit-learn", "train") from missing
        return self

    def _draw(
        self, known: NDArray[np.int64], fraud: NDArray[np.bool_], weight: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        if len(known) <= self.most_rows:
            return known, weight[known]
        honest, bad = known[~fraud[known]], known[fraud[known]]
        random = np.random.default_rng(self.seed)
        every, bad = bad, random.permutation(bad)[: self.most_rows // 2]
        drawn = random.permutation(honest)[: self.most_rows - len(bad)]
        chosen = np.sort(np.concatenate([bad, drawn]))
        heavier = weight[honest].sum() / max(weight[drawn].sum(), 1e-12)
        worse = 1.0 if len(bad) == len(every) else weight[every].sum() / max(weight[bad].sum(), 1e-12)
        return chosen, weight[chosen] * np.where(fraud[chosen], worse, heavier)

    def score(self, rows: ArrayLike) -> NDArray[np.float32]:
        """How suspicious each row is, in [0, 1], higher is worse: float32 [n]. A rank rather than a probability."""
        if not self._arrays:
            raise NotReadyError(f"{self.name} is not fitted", fix="call fit, or load")
        taken = take_rows(rows, len(self.names))
        answer = np.empty(len(taken), np.float32)
        for start in range(0, len(taken), _PIECE):
            here = taken[start : start + _PIECE].astype(np.float64)
            finite = np.nan_to_num(here, nan=np.nan, posinf=_MOST, neginf=-_MOST)
            answer[start : start + _PIECE] = np.clip(self._judge(finite), 0.0, 1.0)
        return answer

    def reasons(self, rows: ArrayLike, *, most: int = 3) -> list[list[Reason]]:
        """The features without which each row would score lower: put at their usual value one by one, the one that
        lowers the score most first. d + 1 scores a row."""
        with np.errstate(over="ignore"):
            taken = take_rows(rows, len(self.names)).astype(np.float32)
        given = np.zeros(taken.shape)
        for place, row in enumerate(taken):
            changed = np.repeat(row[None], len(row), axis=0)
            np.fill_diagonal(changed, self.usual)
            given[place] = float(self.score(row[None])[0]) - self.score(changed)
        told = name_contributions(given, taken, self.names, self.usual, most=most, meanings={})
        return as_reasons(f"transaction.{self.name}", told)

    def save(self, folder: Path, *, facts: Mapping[str, Any] | None = None) -> None:
        """Write the arrays (`.npz` without objects), names and usual values, and a manifest with `facts`."""
        if not self._arrays:
            raise NotReadyError(f"{self.name} is not fitted", fix="call fit first")
        content = io.BytesIO()
        kept: dict[str, Any] = {"usual": self.usual, **self._arrays}
        np.savez_compressed(content, **kept)
        files = {"arrays.npz": content.getvalue(), "names.json": json.dumps(self.names).encode()}
        save_artefact(folder, name=f"transaction.{self.name}", version=VERSION, files=files, facts=facts or {})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What `save` wrote, ready to score without scikit-learn; damage raises `ArtefactError`."""
        artefact = load_artefact(folder, name=f"transaction.{cls.name}", version=VERSION)
        loaded = cls()
        try:
            with np.load(io.BytesIO(artefact.files["arrays.npz"]), allow_pickle=False) as kept:
                loaded._arrays = {name: kept[name] for name in kept.files}
            loaded.usual = loaded._arrays.pop("usual")
            loaded.names = tuple(json.loads(artefact.files["names.json"]))
        except (KeyError, ValueError, OSError) as broken:
            raise ArtefactError(f"{folder} holds no {cls.name}: {broken!r}", fix="train it again") from broken
        return loaded

    def _learn(self, rows: Rows, fraud: NDArray[np.bool_], weights: NDArray[np.float64]) -> Arrays:
        """The arrays of a detector that has learned from these rows."""
        raise NotImplementedError

    def _judge(self, rows: Rows) -> NDArray[np.float64]:
        """The scores of these rows in [0, 1]."""
        raise NotImplementedError


_MOST = 1e30
_PIECE = 8_192


def narrow(rows: Rows) -> NDArray[np.float32]:
    """Rows as float32, which trees are grown on: values beyond 1e30 count as 1e30, as infinite ones do."""
    return np.clip(rows, -_MOST, _MOST).astype(np.float32)


def balance(fraud: NDArray[np.bool_], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights under which both classes have the same sum."""
    share = np.where(fraud, weights[fraud].sum(), weights[~fraud].sum())
    balanced: NDArray[np.float64] = weights * len(fraud) / (2 * np.maximum(share, 1e-12))
    return balanced


def sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """``1 / (1 + exp(-x))`` without overflow."""
    answer: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-np.clip(values, -700.0, 700.0)))
    return answer
