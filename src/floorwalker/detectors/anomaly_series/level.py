"""The usual course of a series over a season, and what rises above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly_series._evidence import chance, count_evidence, value_evidence
from floorwalker.detectors.anomaly_series._series import (
    check_series,
    count_spread,
    robust_deviation,
    winsorised_mean,
)
from floorwalker.errors import ArtefactError, InputError, NotReadyError, UsageError

WEEK = 168
"""Hours."""
HELD = 2.0
"""A place of the season is held to the mean of its like with the weight of so many seasons."""
REACH = 3.0
"""Deviations beyond which a value moves the level no further: an attack does not become usual by lasting."""


@dataclass
class SeasonalLevel:
    """How far each value of a series lies above the level that is usual at its place in the season.

    Works against floods that a fixed threshold misses: 400 failed logins an hour are a Monday noon, and an attack on a
    Sunday night. The level of each hour of the week is a mean that outliers cannot move, times a factor that follows
    the growth of the shop. Counts vary as a negative binomial law says, values as a normal one.

    Parameters
    ----------
    season : steps of a season; 168 for hours of a week, 1 for none.
    like : steps after which places of a season resemble one another (24: the same hour of another day); it must divide
        the season. Places that were seen seldom are drawn to their like.
    kind : ``counts`` or ``values``.
    slow, fast : how much of each new value goes into its place of the season, and into the level.

    Source: S. Gelper, R. Fried, C. Croux, *Robust forecasting with exponential and Holt-Winters smoothing*, 2010; for
    counts C. P. Farrington and others, *A statistical algorithm for the early detection of outbreaks*, 1996.

    >>> hours = np.arange(24 * 28)
    >>> usual = np.random.default_rng(1).poisson(50 + 40 * np.sin(hours / 24 * 2 * np.pi))
    >>> level = SeasonalLevel().fit(usual)
    >>> [round(float(score), 2) for score in level.score([20, 40, 140])]
    [0.0, 0.0, 1.0]
    """

    season: int = WEEK
    like: int = 24
    kind: str = "counts"
    slow: float = 0.1
    fast: float = 0.02
    usual: NDArray[np.float64] = field(default_factory=lambda: np.empty(0), init=False, repr=False)
    level: float = field(default=1.0, init=False)
    spread: float = field(default=0.0, init=False)
    place: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in {"counts", "values"}:
            raise UsageError(f"kind is {self.kind!r}", allowed="counts, values")
        if self.season == 1:
            self.like = 1
        if not 1 <= self.season <= 100_000 or self.like < 1 or self.season % self.like:
            raise UsageError(
                f"a season of {self.season} steps that repeats every {self.like}",
                allowed="1 to 100000, and a divisor of it",
            )
        for name in ("slow", "fast"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} is {getattr(self, name)}", allowed="0 to 1")

    def fit(self, values: NDArray[Any] | Sequence[float], *, start: int = 0) -> SeasonalLevel:
        """Learn from a series, one value a step, NaN where unknown.

        Parameters
        ----------
        start : the place in the season of the first value (of hours of a week: 0 is Monday midnight, if you say so).

        Raises `InputError` where nothing is known of the series.
        """
        series = check_series(values, self.kind)
        if np.isnan(series).all():
            raise InputError("nothing is known of the series", allowed="at least one number")
        places = (start + np.arange(len(series))) % self.season
        overall = winsorised_mean(series)
        alike = np.array([winsorised_mean(series[places % self.like == each]) for each in range(self.like)])
        alike = np.where(np.isnan(alike), overall, alike)
        self.usual = alike[np.arange(self.season) % self.like]
        for each in np.unique(places[~np.isnan(series)]).tolist():
            here = series[(places == each) & ~np.isnan(series)]
            self.usual[each] = (len(here) * winsorised_mean(here) + HELD * self.usual[each]) / (len(here) + HELD)
        if self.kind == "counts":
            # Never was is not never will be.
            self.usual = np.maximum(self.usual, 0.5 / max(len(series) / self.season, 1.0))
            self.spread = count_spread(series, self.usual[places])
        else:
            self.spread = robust_deviation(series - self.usual[places])
        self.level = 1.0 if self.kind == "counts" else 0.0
        self.place = int((start + len(series)) % self.season)
        return self

    def expected(self, steps: int) -> NDArray[np.float64]:
        """What is usual in the next steps: float64 [steps]."""
        self._ready()
        usual = self.usual[(self.place + np.arange(steps)) % self.season]
        return usual * self.level if self.kind == "counts" else usual + self.level

    def score(self, values: NDArray[Any] | Sequence[float]) -> NDArray[np.float32]:
        """Scores of the values that come next, in order, float32 [T] in [0, 1): one minus a bound on the chance of so
        high a value. 0 at and below the usual level, NaN where a value is unknown. Nothing is learned."""
        series = check_series(values, self.kind)
        scores = [self._judge(value, mean) for value, mean in zip(series, self.expected(len(series)), strict=True)]
        return np.array(scores, np.float32)

    def advance(self, values: NDArray[Any] | Sequence[float]) -> NDArray[np.float32]:
        """As `score`, each before its value is learned from; then the level moves on."""
        scores = []
        for value in check_series(values, self.kind).tolist():
            mean = float(self.expected(1)[0])
            scores.append(self._judge(value, mean))
            if not np.isnan(value):
                self._learn(value, mean)
            self.place = (self.place + 1) % self.season
        return np.array(scores, np.float32)

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything learned, as arrays of a size that no history changes: what `from_state` takes."""
        self._ready()
        settings = [self.season, self.like, self.kind == "values", self.slow, self.fast]
        return {
            "settings": np.array(settings, np.float64),
            "usual": self.usual,
            "moving": np.array([self.level, self.spread, self.place], np.float64),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> SeasonalLevel:
        """The level that `state` was taken from; `ArtefactError` where it does not fit."""
        try:
            season, like, is_values, slow, fast = (float(each) for each in state["settings"])
            found = cls(int(season), int(like), "values" if is_values else "counts", slow, fast)
            found.usual = np.array(state["usual"], np.float64)
            found.level, found.spread = float(state["moving"][0]), float(state["moving"][1])
            found.place = int(state["moving"][2]) % found.season
        except (KeyError, ValueError, IndexError, UsageError) as broken:
            raise ArtefactError(f"the state of the level is damaged: {broken}", fix="fit it again") from broken
        if found.usual.shape != (found.season,):
            raise ArtefactError("the state of the level is of another season", fix="fit it again")
        return found

    def _judge(self, value: float, mean: float) -> float:
        if np.isnan(value):
            return float("nan")
        if self.kind == "counts":
            return chance(count_evidence(float(value), float(mean), self.spread))
        return chance(value_evidence(float(value), float(mean), self.spread, 1.0))

    def _learn(self, value: float, mean: float) -> None:
        if self.kind == "values":
            drawn = min(max(value, mean - REACH * self.spread), mean + REACH * self.spread)
            self.level += self.fast * (drawn - mean)
            self.usual[self.place] += self.slow * (drawn - mean)
            return
        reach = REACH * float(np.sqrt(mean + self.spread * mean**2)) + 1.0
        drawn = min(max(value, mean - reach), mean + reach)
        self.usual[self.place] += self.slow * (drawn / max(self.level, 1e-9) - self.usual[self.place])
        self.level *= 1.0 + self.fast * (drawn - mean) / max(mean, 1.0)

    def _ready(self) -> None:
        if not len(self.usual):
            raise NotReadyError("the level has learned nothing yet", fix="fit it first")
