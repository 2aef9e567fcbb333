"""Figures of merit: precision with its interval, recall, F1, ROC AUC, average precision, bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from floorwalker.errors import UsageError


@dataclass(frozen=True)
class Interval:
    """A figure with its interval at a confidence level."""

    value: float
    low: float
    high: float


def wilson_interval(successes: int, trials: int, *, z: float = 1.959963984540054) -> Interval:
    """A share with its Wilson score interval (Wilson 1927), honest at small counts and near 0 and 1.

    Parameters
    ----------
    successes, trials : counts; no trials give the value NaN and the interval from 0 to 1.
    z : quantile of the normal distribution; the default makes a 95 % interval.

    >>> found = wilson_interval(45, 50)
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.9, 0.786, 0.957)
    """
    if not 0 <= successes <= trials:
        raise UsageError(f"{successes} successes in {trials} trials", allowed="0 <= successes <= trials")
    if trials == 0:
        return Interval(float("nan"), 0.0, 1.0)
    share = successes / trials
    denominator = 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / denominator
    half = z * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / denominator
    return Interval(share, max(0.0, float(middle - half)), min(1.0, float(middle + half)))


@dataclass(frozen=True)
class Confusion:
    """Counts of a yes-or-no verdict against the truth."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def precision(self) -> Interval:
        """Share of the flagged that are positive; NaN where nothing is flagged."""
        return wilson_interval(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> Interval:
        """Share of the positives that are flagged; NaN where there are none."""
        return wilson_interval(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def false_positive_rate(self) -> Interval:
        """Share of the negatives that are flagged; NaN where there are none."""
        return wilson_interval(self.false_positives, self.false_positives + self.true_negatives)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where there is neither a flag nor a positive."""
        total = 2 * self.true_positives + self.false_positives + self.false_negatives
        return 2 * self.true_positives / total if total else 0.0


def confusion(truth: ArrayLike, flagged: ArrayLike) -> Confusion:
    """Count verdicts bool [n] against truth bool [n].

    >>> confusion([True, True, False, False], [True, False, True, False]).f1
    0.5
    """
    is_positive, is_flagged = _same_length(np.asarray(truth, np.bool_), np.asarray(flagged, np.bool_))
    both = int((is_positive & is_flagged).sum())
    flags, positives = int(is_flagged.sum()), int(is_positive.sum())
    return Confusion(both, flags - both, positives - both, len(is_positive) - flags - positives + both)


def precision_at(truth: ArrayLike, scores: ArrayLike, first: int) -> Interval:
    """Precision of the `first` highest scores; ties at the cut count by their share of positives, rounded down.

    >>> precision_at([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], 2).value
    0.5
    """
    is_positive, values = _same_length(np.asarray(truth, np.bool_), np.asarray(scores, np.float64))
    first = min(first, len(values))
    if first < 1:
        raise UsageError(f"precision of the first {first}", allowed="1 and up, of at least one score")
    cut = np.partition(values, len(values) - first)[len(values) - first]
    above = values > cut
    tied = values == cut
    open_places = first - int(above.sum())
    hits = int(is_positive[above].sum()) + int(open_places * is_positive[tied].mean())
    return wilson_interval(hits, first)


def roc_auc(truth: ArrayLike, scores: ArrayLike) -> float:
    """Probability that a positive scores above a negative, ties counting half (Mann-Whitney); NaN with one class only.

    >>> roc_auc([0, 0, 1, 1], [0.1, 0.5, 0.5, 0.9])
    0.875
    """
    is_positive, values = _same_length(np.asarray(truth, np.bool_), np.asarray(scores, np.float64))
    positives = int(is_positive.sum())
    negatives = len(values) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle_rank = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = float(middle_rank[place][is_positive].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def average_precision(truth: ArrayLike, scores: ArrayLike) -> float:
    """Sum over the thresholds of precision times gained recall; tied scores share one threshold; NaN without positives.

    >>> round(average_precision([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]), 4)
    0.8333
    """
    is_positive, values = _same_length(np.asarray(truth, np.bool_), np.asarray(scores, np.float64))
    positives = int(is_positive.sum())
    if positives == 0:
        return float("nan")
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    hits = np.cumsum(is_positive[order])[last_of_tie]
    precision = hits / (last_of_tie + 1)
    gained = np.diff(hits, prepend=0) / positives
    return float((precision * gained).sum())


def bootstrap_interval(
    groups: Sequence[ArrayLike],
    statistic: Callable[..., float],
    *,
    random: np.random.Generator,
    rounds: int = 1000,
    level: float = 0.95,
) -> Interval:
    """Percentile interval (Efron 1979) of a statistic of several samples, each resampled for itself.

    Parameters
    ----------
    groups : arrays whose first axis is resampled with replacement; classes as separate groups keep their sizes.
    statistic : takes one resampled array per group, gives a number; rounds where it is NaN are left out.
    random : generator of the resampling.
    rounds : number of resamples.
    level : confidence level.

    >>> heights = np.random.default_rng(0).normal(10.0, 1.0, 400)
    >>> found = bootstrap_interval([heights], lambda h: float(h.mean()), random=np.random.default_rng(1))
    >>> found.low < 10.0 < found.high and found.high - found.low < 0.25
    True
    """
    if not 0 < level < 1 or rounds < 1:
        raise UsageError(f"level={level}, rounds={rounds}", allowed="a level between 0 and 1, rounds of 1 and up")
    samples: list[NDArray[Any]] = [np.asarray(group) for group in groups]
    if not samples or any(len(sample) == 0 for sample in samples):
        raise UsageError("an empty sample to resample", allowed="at least one row in every group")
    found = np.empty(rounds)
    for index in range(rounds):
        found[index] = statistic(*(sample[random.integers(0, len(sample), len(sample))] for sample in samples))
    found = found[np.isfinite(found)]
    value = statistic(*samples)
    if len(found) == 0:
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))


def _same_length(truth: NDArray[np.bool_], values: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    if truth.ndim != 1 or truth.shape != values.shape:
        raise UsageError(f"truth {truth.shape} and verdicts {values.shape}", allowed="two flat arrays of one length")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise UsageError("scores that are not finite", allowed="finite numbers", fix="fill missing scores first")
    return truth, values
