"""The weekly folds of the Fraud Detection Handbook, and its precision of the hundred most suspected cards a day.

Le Borgne, Siblini, Lebichot, Bontempi: "Reproducible Machine Learning for Credit Card Fraud Detection", chapters 4 and
5. Each fold learns from payments whose frauds are known, a week of delay apart from the week that it is judged on. The
weeks are those of chapter 5's section on model selection, where the book's figures stand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.evaluation.tasks._transactions_data import DAY, DELAY_DAYS, Payments

WEEK = 7
TRAIN_DAYS = 7
"""Days that the book learns from."""
REFERENCE_DAY = 115
"""2018-07-25, from which the book counts (`start_date_training`)."""
FOLDS = 4
LAST_TRAINING_DAY = REFERENCE_DAY + (FOLDS - 1) * WEEK
"""2018-08-15, where the training week of the latest test fold begins (`start_date_training_for_test`)."""
LAST_VALIDATION_TRAINING_DAY = REFERENCE_DAY - 2 * WEEK
"""2018-07-11, the same of the latest validation fold (`start_date_training_for_valid`)."""
TOP = 100
COPIED_SELLER = 2
"""The generator's scenario in which a seller copies cards: each payment there is a fraud, and looks like any other."""
COPIED_DAYS = 28
CEILING_DRAWS = 20


@dataclass(frozen=True)
class Fold:
    """One week to be judged.

    Parameters
    ----------
    begin : day of the first test payment, counted from 2018-04-01.
    test : rising rows of the test week, without those of cards known to be compromised.
    """

    begin: int
    test: NDArray[np.int64]

    def train(self, payments: Payments, days: int) -> NDArray[np.int64]:
        """Rows of the `days` days whose frauds are all told when the test week begins."""
        stop = self.begin - DELAY_DAYS
        day = payments.day
        return np.flatnonzero((day >= stop - days) & (day < stop))


def test_folds(payments: Payments) -> list[Fold]:
    """The book's four test weeks, 2018-08-08 to 2018-09-04, the latest first."""
    return [make_fold(payments, LAST_TRAINING_DAY - WEEK * back) for back in range(FOLDS)]


def validation_folds(payments: Payments) -> list[Fold]:
    """The book's four validation weeks, 2018-07-04 to 2018-07-31, the latest first: what is chosen, is chosen here."""
    return [make_fold(payments, LAST_VALIDATION_TRAINING_DAY - WEEK * back) for back in range(FOLDS)]


def make_fold(payments: Payments, training_day: int) -> Fold:
    """The fold whose training week of the book begins on this day (`get_train_test_set` of the book's chapter 4).

    Cards with a fraud in the training week, or in the delay until a week before each test day, are known to be
    compromised and leave the test.
    """
    day = payments.day
    begin = training_day + TRAIN_DAYS + DELAY_DAYS
    first = training_day
    kept = []
    for test_day in range(begin, begin + WEEK):
        last = test_day - DELAY_DAYS - 1
        told = (day >= first) & (day <= max(last, first + TRAIN_DAYS - 1)) & payments.fraud
        known = np.unique(payments.account[told])
        rows = np.flatnonzero(day == test_day)
        kept.append(rows[~np.isin(payments.account[rows], known)])
    return Fold(begin, np.concatenate(kept))


def card_precision(payments: Payments, rows: NDArray[np.int64], scores: NDArray[np.floating], top: int = TOP) -> float:
    """Share of compromised cards among the `top` cards of each day by their highest score, the mean over the days.

    A card found compromised leaves the days after it (`card_precision_top_k` of the book's chapter 4).
    """
    return card_figures(payments, rows, scores, top)["found"] / top


def card_figures(
    payments: Payments, rows: NDArray[np.int64], scores: NDArray[np.floating], top: int = TOP
) -> dict[str, float]:
    """Cards a day, means over the days, as `card_precision` goes through them.

    Returns compromised cards `found` among the first `top`; those `knowable`, and `knowable_found` (see `knowable`).
    The last two say how much there is to be found, and need the generator's secrets.
    """
    told = knowable(payments, rows)
    found = np.zeros(0, np.int64)
    days = []
    for day in np.unique(payments.day[rows]):
        here = (payments.day[rows] == day) & ~np.isin(payments.account[rows], found)
        cards, place = np.unique(payments.account[rows[here]], return_inverse=True)
        highest = np.full(len(cards), -np.inf)
        np.maximum.at(highest, place, scores[here])
        compromised, known = np.zeros(len(cards), np.bool_), np.zeros(len(cards), np.bool_)
        np.logical_or.at(compromised, place, payments.fraud[rows[here]])
        np.logical_or.at(known, place, told[here])
        first = np.argsort(-highest, kind="stable")[:top]
        days.append((compromised[first].sum(), known.sum(), known[first].sum()))
        found = np.concatenate([found, cards[first][compromised[first]]])
    return dict(zip(("found", "knowable", "knowable_found"), np.mean(days, axis=0).tolist(), strict=True))


def card_ceiling(
    payments: Payments, rows: NDArray[np.int64], *, draws: int = CEILING_DRAWS, seed: int = 0, top: int = TOP
) -> float:
    """The card precision of somebody who is told of every knowable fraud, puts those cards first and draws the rest of
    the `top` by lot: the mean of so many drawings. It needs the generator's secrets; no model reads it."""
    told = knowable(payments, rows)
    random = np.random.default_rng(seed)
    return float(np.mean([card_precision(payments, rows, told + random.random(len(rows)), top) for _ in range(draws)]))


def knowable(payments: Payments, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Frauds that anything told by then could show: bool [k] for these rows.

    A payment at a seller that copies cards looks like any other, until one of the seller's frauds has been told.
    """
    copied = np.flatnonzero(payments.fraud & (payments.scenario == COPIED_SELLER))
    width = int(payments.at.max()) + 1
    places = np.sort(payments.seller[copied] * width + payments.at[copied])

    def before(days: int) -> NDArray[np.int64]:
        stop = np.maximum(payments.at[rows] - days * DAY, 0)
        return np.searchsorted(places, payments.seller[rows] * width + stop)

    told = before(DELAY_DAYS) > before(COPIED_DAYS)
    answer: NDArray[np.bool_] = payments.fraud[rows] & ((payments.scenario[rows] != COPIED_SELLER) | told)
    return answer
