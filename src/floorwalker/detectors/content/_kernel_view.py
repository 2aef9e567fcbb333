"""A rule over an encoder's layers that may bend: a support vector machine with a Gaussian kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content._inputs import Inputs

STEPS, LIMIT = 16, 127
"""Known rows are kept as bytes: sixteenths of a standard deviation, up to eight of them."""

MOST_TEXTS = 3_000
"""Training texts that the kernel learns from; of more, so many are drawn. Time and memory grow with their square."""

SEED = 7
"""Of that draw."""

CHUNK = 512
"""Texts compared at once."""


@dataclass
class KernelView:
    """A support vector machine whose kernel falls with the distance of two rows: `exp(-|x - y|^2 / (2 width))`.

    A line through the layers of an encoder says how much of each habit a text has. Here what counts is which known
    texts it is like, so that two habits may mean something else together than apart. Rows are standardised first.

    Cosines and sines of 4,096 random directions (Rahimi and Recht 2007), which would not need the known rows, were
    tried on out-of-fold answers in three learning parts of Ott's reviews: with three draws of directions the loss of
    the whole stack was .226, .228 and .229, and .227 with the kernel itself.

    Source: B. Boser, I. Guyon, V. Vapnik, *A training algorithm for optimal margin classifiers*, COLT 1992.
    """

    name: str
    part: str
    strength: float = 2.0
    _center: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32), repr=False)
    _scale: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32), repr=False)
    _known: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32), repr=False)
    _lengths: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32), repr=False)
    _weights: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32), repr=False)
    _intercepts: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32), repr=False)

    def fit(self, inputs: Inputs, labels: NDArray[np.int64], classes: int, *, balanced: bool) -> None:
        """Learn scaling and heads."""
        from floorwalker.detectors.content._training import fit_kernel_margin

        rows = self._rows(inputs)
        deviation = rows.std(0, dtype=np.float64)
        self._center = rows.mean(0, dtype=np.float64).astype(np.float32)
        self._scale = (1 / np.where(deviation < 1e-6, 1, deviation)).astype(np.float32)
        if len(rows) > MOST_TEXTS:
            some = _draw(labels, classes)
            rows, labels = rows[some], labels[some]
        self._know((np.rint(self._standardise(rows) * STEPS) / STEPS).astype(np.float32))
        near = self._compare(self._known)
        heads = range(classes) if classes > 2 else (1,)
        fitted = [fit_kernel_margin(near, labels == one, strength=self.strength, balanced=balanced) for one in heads]
        weights = np.array([one for one, _ in fitted], np.float32)
        kept = np.flatnonzero(weights.any(0))
        self._know(self._known[kept])
        self._weights = weights[:, kept]
        self._intercepts = np.array([intercept for _, intercept in fitted], np.float32)

    def decide(self, inputs: Inputs) -> NDArray[np.float32]:
        """float32 [n, heads]."""
        rows = self._rows(inputs)
        answer = np.empty((len(rows), len(self._intercepts)), np.float32)
        for start in range(0, len(rows), CHUNK):
            near = self._compare(self._standardise(rows[start : start + CHUNK]))
            answer[start : start + CHUNK] = near @ self._weights.T + self._intercepts
        return answer

    def state(self) -> dict[str, NDArray[Any]]:
        """Scaling, the known rows that count, as bytes, and their weights."""
        return {
            "center": self._center,
            "scale": self._scale,
            "known": np.rint(self._known * STEPS).astype(np.int8),
            "weights": self._weights,
            "intercepts": self._intercepts,
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `state` gave."""
        self._center, self._scale = arrays["center"], arrays["scale"]
        self._know(arrays["known"].astype(np.float32) / np.float32(STEPS))
        self._weights, self._intercepts = arrays["weights"], arrays["intercepts"]

    def _know(self, rows: NDArray[np.float32]) -> None:
        # Their squared lengths are needed for each text; to sum them up anew takes longer than all the rest.
        self._known, self._lengths = rows, np.square(rows).sum(1)

    def _rows(self, inputs: Inputs) -> NDArray[np.float32]:
        return np.nan_to_num(inputs.dense[self.part].astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)

    def _standardise(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        most = np.float32(LIMIT / STEPS)
        answer: NDArray[np.float32] = np.clip((rows - self._center) * self._scale, -most, most)
        return answer

    def _compare(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """How near each is to each known row: float32 [n, known], 1 where they are equal."""
        distances = np.square(rows).sum(1)[:, None] + self._lengths - 2 * (rows @ self._known.T)
        answer: NDArray[np.float32] = np.exp(np.maximum(distances, 0) * np.float32(-0.5 / rows.shape[1]))
        return answer


def _draw(labels: NDArray[np.int64], classes: int) -> NDArray[np.intp]:
    """`MOST_TEXTS` rows: of each class as many as of the others where it has them, so that rare ones stay whole."""
    order = np.random.default_rng(SEED).permutation(len(labels))
    # The how manieth of its class each is in that order; the first of all classes come first.
    turn = np.zeros(len(labels), np.int64)
    for one in range(classes):
        own = order[labels[order] == one]
        turn[own] = np.arange(len(own))
    return np.sort(order[np.argsort(turn[order], kind="stable")][:MOST_TEXTS])
