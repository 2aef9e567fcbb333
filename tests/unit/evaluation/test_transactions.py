"""The book's folds and figures, and that nothing of the future or of the test reaches what learns."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from floorwalker.errors import UsageError
from floorwalker.evaluation.tasks import transactions as task
from floorwalker.evaluation.tasks._transactions_data import DAY, Payments, live_features, read_payments
from floorwalker.evaluation.tasks._transactions_folds import (
    card_ceiling,
    card_figures,
    card_precision,
    knowable,
    make_fold,
)
from floorwalker.metrics import average_precision, roc_auc

DATA = os.environ.get("FLOORWALKER_DATA")
DAYS = 36


def make_payments(count: int = 6_000, seed: int = 0) -> Payments:
    """Thieves pay five times as much; sellers that copy cards give a row of ordinary payments back."""
    random = np.random.default_rng(seed)
    at = np.sort(random.integers(0, DAYS * DAY, count))
    account, seller = random.integers(0, 200, count), random.integers(0, 60, count)
    amount = np.round(random.normal(50, 10, count).clip(1), 2)
    thief = random.random(count) < 0.02
    copied = (seller < 3) & (at > 8 * DAY)
    amount[thief] *= 5
    fraud = thief | copied
    return Payments(account, seller, amount, at, fraud, fraud.astype(np.int8))


@pytest.fixture(scope="module")
def payments() -> Payments:
    return make_payments()


@pytest.fixture(scope="module")
def features(payments):
    return live_features(payments)


def columns(found, names):
    rows, known = found
    return rows[:, [known.index(name) for name in names]]


def test_payments_that_come_later_change_no_feature(payments, features):
    half = len(payments) // 2
    begun = Payments(**{name: getattr(payments, name)[:half] for name in Payments.__dataclass_fields__})
    found = live_features(begun)
    shared = [name for name in features[1] if name in found[1]]
    assert len(shared) > 80
    assert np.array_equal(columns(found, shared), columns(features, shared)[:half], equal_nan=True)


def test_a_fraud_is_told_a_week_later_and_not_before(payments, features):
    row = 1_000
    changed = payments.fraud.copy()
    changed[row] = ~changed[row]
    found = live_features(payments, fraud=changed)
    shared = [name for name in features[1] if name in found[1]]
    differ = ~np.isclose(columns(found, shared), columns(features, shared), equal_nan=True).all(axis=1)
    assert differ.any()
    assert payments.at[differ].min() >= payments.at[row] + 7 * DAY
    mine = (payments.account == payments.account[row]) | (payments.seller == payments.seller[row])
    assert mine[differ].all()


def test_a_fold_learns_from_what_is_told_and_leaves_known_cards_out(payments):
    fold = make_fold(payments, 14)
    assert fold.begin == 28
    history = fold.train(payments, 10)
    assert payments.day[history].min() == 11
    assert payments.day[history].max() == 20
    for row in fold.test:
        mine = payments.fraud & (payments.account == payments.account[row]) & (payments.day >= 14)
        assert not (mine & (payments.day <= payments.day[row] - 8)).any()
    left_out = np.setdiff1d(np.flatnonzero((payments.day >= 28) & (payments.day < 35)), fold.test)
    assert len(left_out)
    for row in left_out:
        mine = payments.fraud & (payments.account == payments.account[row]) & (payments.day >= 14)
        assert (mine & (payments.day <= payments.day[row] - 8)).any()


def test_card_precision_by_hand():
    fraud = np.array([True, False, True, False, True, True])
    account = np.array([1, 2, 1, 3, 4, 1])
    at = np.array([0, 1, 2, 3, DAY, DAY + 1])
    table = Payments(account, account, np.ones(6), at, fraud, fraud.astype(np.int8))
    scores = np.array([0.1, 0.5, 0.9, 0.2, 0.3, 0.9])
    # Day 0: card 1 (its highest, .9) and card 2; one of them is compromised. Day 1: card 1 has left, card 4 is found.
    assert card_precision(table, np.arange(6), scores, top=2) == pytest.approx((1 / 2 + 1 / 2) / 2)


def test_card_precision_goes_through_the_days_as_the_book_does():
    """`card_precision_top_k` of the book's chapter 4, written anew from its description as a slow oracle."""
    random = np.random.default_rng(3)
    count = 400
    at = np.sort(random.integers(0, 7 * DAY, count))
    account = random.integers(0, 40, count)
    fraud = random.random(count) < 0.08
    table = Payments(account, account, np.ones(count), at, fraud, fraud.astype(np.int8))
    scores = random.random(count)
    rows = np.sort(random.choice(count, 300, replace=False))
    gone: set[int] = set()
    precision = []
    for day in range(7):
        cards: dict[int, tuple[float, bool]] = {}
        for row in rows.tolist():
            card = int(account[row])
            if at[row] // DAY == day and card not in gone:
                highest, compromised = cards.get(card, (-1.0, False))
                cards[card] = (max(highest, float(scores[row])), compromised or bool(fraud[row]))
        first = sorted(cards, key=lambda card: -cards[card][0])[:5]
        detected = [card for card in first if cards[card][1]]
        precision.append(len(detected) / 5)
        gone |= set(detected)
    assert card_precision(table, rows, scores[rows], top=5) == pytest.approx(np.mean(precision))


def test_a_ceiling_holds_all_that_is_known_and_some_luck(payments):
    fold = make_fold(payments, 14)
    told = knowable(payments, fold.test)
    ceiling = card_ceiling(payments, fold.test, draws=3, top=20)
    assert ceiling >= card_figures(payments, fold.test, told.astype(np.float64), top=20)["knowable_found"] / 20
    assert ceiling <= card_precision(payments, fold.test, payments.fraud[fold.test].astype(np.float64), top=20)


def test_what_could_be_known_by_hand():
    day = np.array([0, 3, 6, 8, 27, 40, 40])
    scenario = np.array([2, 2, 2, 2, 2, 2, 1], np.int8)
    account, seller = np.arange(7), np.array([5, 5, 6, 5, 5, 5, 6])
    table = Payments(account, seller, np.ones(7), day * DAY, np.ones(7, np.bool_), scenario)
    # Told a week later: the fraud of day 0 is by day 8 and 27, that of day 27 by day 40; seller 6 shows none.
    assert knowable(table, np.arange(7)).tolist() == [False, False, False, True, True, True, True]
    found = card_figures(table, np.arange(5, 7), np.array([0.2, 0.1]), top=1)
    assert found == {"found": 1.0, "knowable": 2.0, "knowable_found": 1.0}


def test_it_learns_and_shuffled_labels_teach_nothing(payments, features, monkeypatch):
    monkeypatch.setattr(
        task, "SETTINGS", task.SETTINGS | {"rounds": 15, "blind_rounds": 15, "rate": 0.2, "max_bin": 63}
    )
    rows, fold = features[0], make_fold(payments, 14)
    truth = payments.fraud[fold.test]

    def scored(**changed):
        return task.score_fold(payments, rows, fold, [0], days=20, honest_share=1.0, **changed)[0]

    plain = scored()
    assert roc_auc(truth, plain) > 0.9
    shuffled = np.random.default_rng(0).permutation(payments.fraud)
    assert abs(roc_auc(truth, scored(label=shuffled)) - 0.5) < 0.12
    numbered = scored(extra=np.arange(len(payments), dtype=np.float32))
    assert abs(average_precision(truth, numbered) - average_precision(truth, plain)) < 0.05
    # Labels of the test week, and of the week of delay before it, reach nothing.
    later = payments.fraud.copy()
    later[payments.day >= fold.begin - 7] ^= True
    assert (
        task.score_fold(replace(payments, fraud=later), rows, fold, [0], days=20, honest_share=1.0)[0] == plain
    ).all()


def test_without_its_data_it_says_what_is_missing(tmp_path):
    for folder in (None, tmp_path):
        with pytest.raises(UsageError, match="handbook_simulated"):
            task.run(data=folder)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="FLOORWALKER_DATA is not set")
def test_the_first_weeks_of_the_real_table():
    payments = read_payments(Path(str(DATA)))
    assert len(payments) == 1_754_155
    assert payments.fraud.sum() == 14_681
    kept = payments.day < 45
    begun = Payments(**{name: getattr(payments, name)[kept] for name in Payments.__dataclass_fields__})
    rows, _ = live_features(begun)
    fold = make_fold(begun, 24)
    truth = begun.fraud[fold.test]
    plain = task.score_fold(begun, rows, fold, [0], days=14, honest_share=0.3)[0]
    assert average_precision(truth, plain) > 0.6
    shuffled = np.random.default_rng(0).permutation(begun.fraud)
    assert (
        abs(roc_auc(truth, task.score_fold(begun, rows, fold, [0], days=14, honest_share=0.3, label=shuffled)[0]) - 0.5)
        < 0.06
    )
