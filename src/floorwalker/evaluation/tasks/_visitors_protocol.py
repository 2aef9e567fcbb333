"""Halves, draws and figures of the visitors task.

Choosing and reporting see different sessions: within each label, sessions are ordered by SHA-256 of a fixed prefix and
the session id; the first half is for choosing, the second for reporting. Features, detector and settings were chosen
on the first half alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.metrics import Interval, average_precision, bootstrap_interval, roc_auc

SPLIT_PREFIX = b"floorwalker visitors "

Scorer = Callable[[NDArray[np.float64], int], NDArray[np.float32]]
"""Rows of one draw and a seed, to scores: fits and scores without labels."""


def choose_half(identity: tuple[str, ...], label: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Which sessions are for choosing, bool [n]; the others are for reporting.

    >>> choose_half(("a", "b", "c", "d"), np.array(["human", "human", "bot", "bot"])).sum()
    np.int64(2)
    """
    digests = [hashlib.sha256(SPLIT_PREFIX + name.encode()).hexdigest() for name in identity]
    chosen = np.zeros(len(identity), bool)
    for kind in np.unique(label):
        members = sorted(np.flatnonzero(label == kind), key=lambda row: digests[row])
        chosen[members[: len(members) // 2]] = True
    return chosen


@dataclass(frozen=True)
class Crowd:
    """Whom a draw fits on, and whom its figures count.

    Parameters
    ----------
    humans : positions of the people in every draw.
    bots : positions that bots are drawn from.
    drawn : bots in a draw.
    counted : bool [n], sessions whose scores count; the others only make the crowd.
    """

    humans: NDArray[np.intp]
    bots: NDArray[np.intp]
    drawn: int
    counted: NDArray[np.bool_]

    def draws(self, count: int, seed: int) -> Iterator[NDArray[np.intp]]:
        """Positions of each draw's visitors; the same seed gives the same draws to every detector."""
        random = np.random.default_rng(seed)
        for _ in range(count):
            yield np.concatenate([self.humans, random.choice(self.bots, self.drawn, replace=False)])


@dataclass(frozen=True)
class Figures:
    """ROC AUC over the draws: mean, spread over draws, interval over sessions; mean average precision beside it."""

    auc: Interval
    spread: float
    average_precision: float

    def as_dict(self) -> dict[str, float]:
        """For the report."""
        return {
            "mean": round(self.auc.value, 4),
            "sd": round(self.spread, 4),
            "low": round(self.auc.low, 4),
            "high": round(self.auc.high, 4),
            "average_precision": round(self.average_precision, 4),
        }


def measure(matrix: NDArray[np.float64], crowd: Crowd, scorer: Scorer, *, draws: int, seed: int) -> Figures:
    """Fit and score each draw without labels, then count how often a bot scores above a person.

    The interval resamples people and bots (not draws, which share both) a thousand times: a draw's ROC AUC is a mean
    over pairs of a person and a bot, so the mean over draws is a weighted mean over pairs.
    """
    humans = crowd.humans[crowd.counted[crowd.humans]]
    wins = np.zeros((len(humans), len(matrix)))
    times = np.zeros(len(matrix))
    aucs, precisions = [], []
    for index, rows in enumerate(crowd.draws(draws, seed)):
        scores = np.full(len(matrix), np.nan)
        scores[rows] = scorer(matrix[rows], seed + index)
        bots = rows[len(crowd.humans) :]
        wins[:, bots] += (scores[bots] > scores[humans, None]) + 0.5 * (scores[bots] == scores[humans, None])
        times[bots] += 1
        truth = np.concatenate([np.zeros(len(humans), bool), np.ones(len(bots), bool)])
        judged = np.concatenate([scores[humans], scores[bots]])
        aucs.append(roc_auc(truth, judged))
        precisions.append(average_precision(truth, judged))
    drawn = np.flatnonzero(times)

    def mean_auc(people: NDArray[np.intp], machines: NDArray[np.intp]) -> float:
        return float(wins[np.ix_(people, machines)].sum() / (len(people) * times[machines].sum()))

    interval = bootstrap_interval(
        [np.arange(len(humans)), drawn], mean_auc, random=np.random.default_rng(seed), rounds=1000
    )
    return Figures(interval, float(np.std(aucs)), float(np.mean(precisions)))
