"""How old the labels are that a row of S-FFSD may see, in learning, in validation and in the test.

With labels frozen at the cut a test row sees labels of an age from none to the whole length of the test part. A model
that learned from rows beside their newest labels trusts labels too much there, and a validation with younger labels
does not find it out. So inputs with labels are learned at drawn ages, and validation rows see labels of just the ages
that test rows will see. All of it follows from positions of rows; no label is read here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.evaluation.tasks._s_ffsd_data import LEARNED_SHARE, CardPayments, split_in_time

ARRIVAL_ROWS = 5_000
"""Age at which labels arrive, in rows."""
ARRIVING_SHARE = 0.8
"""Of the learning part, what comes before the validation rows where labels arrive."""
MEAN = "mean of traffic and aged labels"
Until = Callable[[np.random.Generator], NDArray[np.int64]]


@dataclass(frozen=True)
class Way:
    """One part to learn from, one to judge, and what each candidate sees of labels.

    Parameters
    ----------
    learn, judge : bool [n].
    until : name of a candidate -> what draws int64 [n], labels at positions below which a row may see; None: no labels.
    averaged : candidates whose mean is a candidate, too.
    """

    learn: NDArray[np.bool_]
    judge: NDArray[np.bool_]
    until: Mapping[str, Until | None]
    averaged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ways:
    """Learning and judging inside the learning part, to choose, and for the test."""

    inner: Way
    outer: Way


def frozen_ways(payments: CardPayments) -> Ways:
    """Labels freeze at the cut. Validation mirrors it: the same shares, and labels of the same ages."""
    learn, judge = split_in_time(payments)
    here, rows = np.arange(len(payments)), np.flatnonzero(learn)
    cut = int(np.flatnonzero(judge)[0])
    first = int(rows[int(LEARNED_SHARE * len(rows))])
    longest = len(payments) - cut
    outer = frozen_until(here, cut=cut, stop=len(payments), longest=longest)
    inner = frozen_until(here, cut=first, stop=cut, longest=longest)

    def candidates(until: NDArray[np.int64], begin: int) -> dict[str, Until | None]:
        def aged(random: np.random.Generator) -> NDArray[np.int64]:
            drawn = here - random.integers(0, longest + 1, len(here))
            return np.where(here < begin, np.maximum(drawn, 0), until)

        return {"traffic": None, "traffic and labels": lambda _: until, "traffic and aged labels": aged}

    averaged = ("traffic", "traffic and aged labels")
    return Ways(
        inner=Way(learn & (here < first), learn & (here >= first), candidates(inner, first), averaged),
        outer=Way(learn, judge, candidates(outer, cut), averaged),
    )


def frozen_until(here: NDArray[np.int64], *, cut: int, stop: int, longest: int) -> NDArray[np.int64]:
    """Positions below which labels may be seen, int64 [n]: all that are earlier before the cut; after it, labels whose
    age grows evenly from nothing at the cut to `longest` at `stop`.

    >>> frozen_until(np.arange(8), cut=4, stop=8, longest=4).tolist()
    [0, 1, 2, 3, 4, 4, 4, 4]
    >>> frozen_until(np.arange(8), cut=4, stop=8, longest=8).tolist()
    [0, 1, 2, 3, 4, 3, 2, 1]
    """
    age = (here - cut) * longest // max(stop - cut, 1)
    return np.where(here < cut, here, np.clip(here - age, 0, cut)).astype(np.int64)


def arriving_ways(payments: CardPayments) -> Ways:
    """Labels are seen from an age of `ARRIVAL_ROWS` on, in learning, validation and test alike."""
    learn, judge = split_in_time(payments)
    here, rows = np.arange(len(payments)), np.flatnonzero(learn)
    first = int(rows[int(np.ceil(ARRIVING_SHARE * len(rows)))])
    until = np.maximum(here - ARRIVAL_ROWS, 0)
    candidates: dict[str, Until | None] = {"traffic": None, "traffic and labels": lambda _: until}
    return Ways(
        inner=Way(learn & (here < first), learn & (here >= first), candidates),
        outer=Way(learn, judge, candidates),
    )
