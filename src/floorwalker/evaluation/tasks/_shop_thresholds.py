"""Thresholds of risk, read off a validation part: for events, and for each abuse type at decision points.

How high they stand follows from honest events and customers, as a shop would set them that knows what it may bother
whom. How those of the abuse types stand to each other follows from abusers, as its policy's ladders have it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.evaluation.tasks._shop_metrics import DECISION_POINTS, Judged, share_of

STEPS = np.append(np.arange(0.30, 1.0, 0.02), np.inf).astype(np.float32)
"""Thresholds that are tried; the last touches nobody."""
PRICES: tuple[float, ...] = tuple(np.geomspace(2.0, 128.0, 13).tolist())
"""What touching all honest customers is taken to cost, in turn: catching all abusers and saving all the money are worth
1 each. From low to high, so that thresholds rise until few enough are touched."""
SWEEPS = 4
"""Most passes over the abuse types at one price; a pass that moves nothing is the last."""


def event_threshold(validation: Judged, share: float) -> float:
    """The risk that this share of the honest validation events reaches; never 0, which is no risk."""
    return _exceeded_by(validation.score[validation.honest], share)


def type_thresholds(
    validation: Judged, share: float, events: int, *, latest: float = 1.0, points: Sequence[str] = DECISION_POINTS
) -> NDArray[np.float32]:
    """A risk for each abuse type from which on a decision is touched: float32 [abuse types].

    A shop's policy has a ladder for each abuse type, for some cost more and some are told apart better. A touched
    honest customer costs alike everywhere, so the thresholds are chosen together: those with the largest share of the
    validation part's abusers caught and of its money saved, among those by which few enough honest customers are
    touched. The search begins with one threshold for all, moves one after the other at each of `PRICES`, and at the end
    lowers them for as long as there is room.

    Parameters
    ----------
    share, events : of the honest customers that may be touched in a part of so many events.
    latest : share of the validation part, at its end, in which they are counted.
    points : types of event at which an account meets a decision.
    """
    last = validation.latest(latest)
    highest, allowed = _highest_of_honest(last, share, events, points)
    whole, end = _Touches(validation, points), _Touches(last, points)
    found = np.full(validation.risk.shape[1], _exceeded_by(highest, allowed), np.float32)
    best, most = found, whole.gain(found)
    for price in PRICES:
        found = _best_at_price(whole, found, price)
        gain = whole.gain(found)
        if gain > most and end.bothered(found) <= allowed:
            best, most = found, gain
    return _lowered(whole, end, best, allowed)


def _highest_of_honest(
    validation: Judged, share: float, events: int, points: Sequence[str]
) -> tuple[NDArray[np.float32], float]:
    """The highest risk of each honest customer at decision points; and the share of them that may be touched here, for
    `share` to be touched in a part of `events` events.

    A longer part has more customers, and touches more of those who come again: the share grows as far as the same
    people come back. How fast is read off the validation part, from its halves to its whole.
    """
    frame = pl.DataFrame(
        {
            "who": validation.subject, "score": validation.score, "decided": validation.decided(points),
            "bad": ~validation.honest, "late": np.arange(len(validation.at)) >= len(validation.at) // 2,
        }
    )  # fmt: skip
    people = frame.group_by("who").agg(
        pl.col("score").filter("decided").max().fill_null(0.0).alias("all"),
        # Null where the customer was not there in that half at all.
        *(
            pl.when(here.any()).then(pl.col("score").filter(pl.col("decided") & here).max().fill_null(0.0)).alias(name)
            for name, here in (("early", ~pl.col("late")), ("late", pl.col("late")))
        ),
        pl.col("bad").any(),
    )
    honest = people.filter(~pl.col("bad"))
    highest = honest["all"].to_numpy()
    edge = _exceeded_by(highest, share)
    whole = float((highest >= edge).mean())
    half = float(np.mean([share_of(honest[name].drop_nulls() >= edge) for name in ("early", "late")]))
    growth = float(np.clip(np.log2(whole / half), 0.0, 1.0)) if half else 1.0
    longer = max(1.0, events / max(len(validation.at), 1))
    return highest, share / longer**growth


def _lowered(whole: _Touches, end: _Touches, start: NDArray[np.float32], allowed: float) -> NDArray[np.float32]:
    """Thresholds a step lower where that gains most for each honest customer's share, until no more may be touched."""
    found = start
    while True:
        gain, cost = whole.gain(found), end.bothered(found)
        best, most = None, 0.0
        for place in range(len(found)):
            tried = found.copy()
            below = STEPS[found[place] > STEPS]
            if len(below):
                tried[place] = below[-1]
                more, touched = whole.gain(tried) - gain, end.bothered(tried)
                rate = more / max(touched - cost, 1e-6)
                if touched <= allowed and more > 0 and rate > most:
                    best, most = tried, rate
        if best is None:
            return found
        found = best


def _best_at_price(touches: _Touches, start: NDArray[np.float32], price: float) -> NDArray[np.float32]:
    """Thresholds that gain most where so much is paid for each honest customer's share."""
    found = start.copy()

    def worth(thresholds: NDArray[np.float32]) -> float:
        return touches.gain(thresholds) - price * touches.bothered(thresholds)

    value = worth(found)
    for _ in range(SWEEPS):
        before = found.copy()
        for place in range(len(found)):
            for candidate in STEPS:
                tried = found.copy()
                tried[place] = candidate
                if (better := worth(tried)) > value + 1e-12:
                    found, value = tried, better
        if (before == found).all():
            break
    return found


class _Touches:
    """Who is touched by thresholds, of the events that any threshold could touch."""

    def __init__(self, part: Judged, points: Sequence[str]) -> None:
        harmful, honest, who = part.harmful, part.honest, part.subject - 1
        count = int(who.max()) + 1 if len(who) else 0
        malicious, abuser = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
        malicious[who[~honest]] = True
        abuser[who[harmful]] = True
        self._customers = max(int((~malicious).sum()), 1)
        self._abusers = max(int(abuser.sum()), 1)
        asked = part.decided(points) & (part.score >= STEPS[0])
        rows = np.flatnonzero(asked & (np.where(honest, ~malicious[who], abuser[who])))
        self._risk, self._who, self._honest, self._row = part.risk[rows], who[rows], honest[rows], rows
        losses = np.flatnonzero(harmful)
        self._loss = part.truth["loss_minor"].to_numpy()[losses].astype(np.float64)
        self._loss_row, self._loss_who = losses, who[losses]
        self._first = np.full(count, len(who), np.int64)

    def bothered(self, thresholds: NDArray[np.float32]) -> float:
        """Share of the honest customers that are touched."""
        touched = (self._risk >= thresholds).any(axis=1) & self._honest
        return len(np.unique(self._who[touched])) / self._customers

    def gain(self, thresholds: NDArray[np.float32]) -> float:
        """Share of the abusers that are touched, and share of the money that is lost from then on."""
        touched = (self._risk >= thresholds).any(axis=1) & ~self._honest
        first = self._first.copy()
        # Backwards, so that the first event of each is written last.
        first[self._who[touched][::-1]] = self._row[touched][::-1]
        saved = self._loss[self._loss_row >= first[self._loss_who]].sum()
        return len(np.unique(self._who[touched])) / self._abusers + float(saved) / max(float(self._loss.sum()), 1.0)


def _exceeded_by(score: NDArray[np.float32], share: float) -> float:
    """A little more than the highest risk that must not be reached, so that at most this share reaches it."""
    allowed = int(share * len(score))
    if allowed >= len(score):
        return 1e-6
    edge = np.partition(score, len(score) - 1 - allowed)[len(score) - 1 - allowed]
    return float(max(np.nextafter(edge, np.float32(np.inf)), 1e-6))
