"""The moment from which a series is higher than before."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly_series._evidence import COUNTS, VALUES, chance, count_evidence, value_evidence
from floorwalker.detectors.anomaly_series._series import (
    check_series,
    count_spread,
    robust_deviation,
    winsorised_mean,
)
from floorwalker.errors import ArtefactError, InputError, NotReadyError, UsageError
from floorwalker.kernels import kernel


@dataclass(frozen=True)
class Change:
    """What is known of a change after a step.

    Parameters
    ----------
    score : float32 [T] in [0, 1): one minus a bound on the chance that it is none.
    began : int64 [T], how many steps ago it most likely began; 0 is this one. -1 where nothing speaks for a change.
    """

    score: NDArray[np.float32]
    began: NDArray[np.int64]


@dataclass
class ChangePoint:
    """Whether a series has risen since some recent step, and since when.

    Works against attacks that stay below every threshold: thirty more sign-ups an hour are chance, thirty more in each
    of six hours are not. Each possible beginning among the last `window` steps is compared with no change at all by
    its likelihood (window-limited generalised likelihood ratio); the best one is shown, and what trying `window` of
    them gives away by chance is taken off.

    Parameters
    ----------
    window : steps that a change may lie back.
    kind : ``counts`` (negative binomial) or ``values`` (normal).

    Source: T. L. Lai, *Sequential changepoint detection in quality control and dynamical systems*, 1995; for counts M.
    Höhle, M. Paul, *Count data regression charts for the monitoring of surveillance time series*, 2008.

    >>> random = np.random.default_rng(2)
    >>> change = ChangePoint().fit(random.poisson(20, 500))
    >>> found = change.find(np.concatenate([random.poisson(20, 30), random.poisson(32, 6)]))
    >>> bool(found.score[:30].max() < 0.99 < found.score[-1]), int(found.began[-1])
    (True, 5)
    """

    window: int = 24
    kind: str = "counts"
    mean: float = field(default=float("nan"), init=False)
    spread: float = field(default=0.0, init=False)
    held: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)), init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in {"counts", "values"}:
            raise UsageError(f"kind is {self.kind!r}", allowed="counts, values")
        if not 1 <= self.window <= 10_000:
            raise UsageError(f"a window of {self.window} steps", allowed="1 to 10000")

    def fit(
        self, values: NDArray[Any] | Sequence[float], *, expected: NDArray[Any] | Sequence[float] | None = None
    ) -> ChangePoint:
        """Learn what is usual from a series without known attacks, NaN where unknown.

        Parameters
        ----------
        expected : what was expected of each step, as of `SeasonalLevel.expected`; then every later step needs its own.
            Without it the usual level is one for all steps.

        Raises `InputError` where nothing is known of the series, or the lengths differ.
        """
        series = check_series(values, self.kind)
        if np.isnan(series).all():
            raise InputError("nothing is known of the series", allowed="at least one number")
        self.mean = winsorised_mean(series)
        if self.kind == "counts":
            self.mean = max(self.mean, 0.5 / len(series))
        means = self._means(series, expected)
        self.spread = count_spread(series, means) if self.kind == "counts" else robust_deviation(series - means)
        self.held = np.empty((0, 2))
        return self

    def score(
        self, values: NDArray[Any] | Sequence[float], *, expected: NDArray[Any] | Sequence[float] | None = None
    ) -> NDArray[np.float32]:
        """`find(...).score`: float32 [T]."""
        return self.find(values, expected=expected).score

    def find(
        self, values: NDArray[Any] | Sequence[float], *, expected: NDArray[Any] | Sequence[float] | None = None
    ) -> Change:
        """What each of the next values says, with those before it; nothing is remembered."""
        return self._walk(values, expected)[0]

    def advance(
        self, values: NDArray[Any] | Sequence[float], *, expected: NDArray[Any] | Sequence[float] | None = None
    ) -> Change:
        """As `find`; the last `window` values are remembered."""
        found, self.held = self._walk(values, expected)
        return found

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything learned and held, at most `window` steps: what `from_state` takes."""
        self._ready()
        return {
            "settings": np.array([self.window, self.kind == "values", self.mean, self.spread], np.float64),
            "held": self.held,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> ChangePoint:
        """The detector that `state` was taken from; `ArtefactError` where it does not fit."""
        try:
            window, is_values, mean, spread = (float(each) for each in state["settings"])
            found = cls(int(window), "values" if is_values else "counts")
            found.mean, found.spread = mean, spread
            found.held = np.array(state["held"], np.float64).reshape(-1, 2)
        except (KeyError, ValueError, UsageError) as broken:
            raise ArtefactError(f"the state of the change point is damaged: {broken}", fix="fit it again") from broken
        return found

    def _means(
        self, series: NDArray[np.float64], expected: NDArray[Any] | Sequence[float] | None
    ) -> NDArray[np.float64]:
        if expected is None:
            return np.full(len(series), self.mean)
        means = np.asarray(expected, np.float64)
        if means.shape != series.shape or not np.isfinite(means).all():
            raise InputError(f"expectations of shape {means.shape}", allowed=f"{len(series)} finite numbers")
        return means

    def _walk(
        self, values: NDArray[Any] | Sequence[float], expected: NDArray[Any] | Sequence[float] | None
    ) -> tuple[Change, NDArray[np.float64]]:
        self._ready()
        series = check_series(values, self.kind)
        new = np.stack([series, self._means(series, expected)], axis=1)
        steps = np.concatenate([self.held, new])
        score, began = np.empty(len(steps), np.float32), np.empty(len(steps), np.int64)
        kind = COUNTS if self.kind == "counts" else VALUES
        find_changes(steps, self.window, kind, self.spread, math.log(self.window), score, began)
        first = len(self.held)
        return Change(score[first:], began[first:]), steps[len(steps) - min(self.window, len(steps)) :]

    def _ready(self) -> None:
        if np.isnan(self.mean):
            raise NotReadyError("the change point has learned nothing yet", fix="fit it first")


@kernel
def find_changes(
    steps: NDArray[np.float64],
    window: int,
    kind: int,
    spread: float,
    tried: float,
    score: NDArray[np.float32],
    began: NDArray[np.int64],
) -> None:
    """The best beginning of a change as of each step.

    Parameters
    ----------
    steps : float64 [T, 2], value (NaN = unknown) and what was expected.
    tried : nats that trying so many beginnings costs.
    score, began : as of `Change`, filled.
    """
    for row in range(len(steps)):
        total, mean, squares, known, best, ago = 0.0, 0.0, 0.0, 0, 0.0, -1
        for back in range(min(window, row + 1)):
            value, usual = steps[row - back, 0], steps[row - back, 1]
            if math.isnan(value):
                continue
            total += value
            mean += usual
            squares += usual * usual
            known += 1
            if kind == COUNTS:
                # The sum's variance beyond its mean is that of its parts.
                evidence = count_evidence(total, mean, spread * squares / max(mean * mean, 1e-18))
            else:
                evidence = value_evidence(total / known, mean / known, spread, float(known))
            if evidence > best:
                best = evidence
                ago = back
        score[row] = np.nan if math.isnan(steps[row, 0]) else chance(best - tried)
        began[row] = ago if best > tried else -1
