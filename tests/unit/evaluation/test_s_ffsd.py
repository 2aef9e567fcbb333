"""Figures of entities against a slow count, and that no label is seen that must not be."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from floorwalker.errors import InputError, UsageError
from floorwalker.evaluation.tasks import s_ffsd as task
from floorwalker.evaluation.tasks._s_ffsd_data import (
    DIFFERENT,
    read_card_payments,
    split_at_random,
    split_in_time,
    take_table,
)
from floorwalker.evaluation.tasks._s_ffsd_features import label_features, traffic_features
from floorwalker.metrics import roc_auc

DATA = os.environ.get("FLOORWALKER_DATA")


def make_table(count: int = 1_500, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    target = random.integers(0, 60, count)
    label = (target % 6 == 0) ^ (random.random(count) < 0.05)
    return pl.DataFrame(
        {
            "Time": np.arange(count),
            "Source": [f"S{one}" for one in random.integers(0, 300, count)],
            "Target": [f"T{one}" for one in target],
            "Amount": np.round(random.exponential(50, count), 2),
            "Location": [f"L{one}" for one in random.integers(0, 5, count)],
            "Type": [f"TP{one}" for one in random.integers(0, 8, count)],
            "Labels": np.where(random.random(count) < 0.4, 2, label.astype(int)),
        }
    )


@pytest.fixture(scope="module")
def payments():
    return take_table(make_table())


def test_traffic_against_a_slow_count(payments):
    found = traffic_features(payments.keys, payments.amount, pairs=DIFFERENT, ahead=True)
    target, source, logs = payments.keys["target"], payments.keys["source"], np.log1p(payments.amount)
    for row in range(0, len(payments), 101):
        mine = np.flatnonzero(target == target[row])
        past, after = mine[mine < row], mine[mine > row]
        assert found["target_rows"][row] == len(past)
        assert found["target_rows_50"][row] == (past >= row - 50).sum()
        assert found["target_rows_next_50"][row] == (after <= row + 50).sum()
        assert found["target_rows_all"][row] == len(mine)
        assert found["target_different_source"][row] == len(set(source[past]))
        assert found["target_different_source_all"][row] == len(set(source[mine]))
        if len(past):
            assert found["target_gap_1"][row] == row - past[-1]
            assert found["target_amount_mean"][row] == pytest.approx(logs[past].mean())
            assert found["target_amount_last"][row] == logs[past[-1]]
            assert found["target_amount_last_5"][row] == pytest.approx(logs[past[-5:]].mean())
        else:
            assert np.isnan(found["target_gap_1"][row])
        assert np.isnan(found["target_gap_next"][row]) == (len(after) == 0)


def test_label_rates_against_a_slow_count(payments):
    here = np.arange(len(payments))
    until = np.maximum(here - 40, 0)
    found = label_features(payments.keys, payments.label, until=until, after=True)
    known = payments.label[payments.labelled]
    overall = (known.sum() + 0.1) / (len(known) + 1)
    target = payments.keys["target"]

    def rate(labels):
        return (labels.sum() + 5 * overall) / (len(labels) + 5)

    for row in range(0, len(payments), 97):
        mine = np.flatnonzero((target == target[row]) & ~np.isnan(payments.label))
        seen, ahead = payments.label[mine[mine < until[row]]], payments.label[mine[mine > row]]
        assert found["target_labels"][row] == len(seen)
        assert found["target_fraud_rate"][row] == pytest.approx(rate(seen))
        assert found["target_fraud_rate_3"][row] == pytest.approx(rate(seen[-3:]))
        assert found["target_fraud_rate_next_3"][row] == pytest.approx(rate(ahead[:3]))
        between = payments.label[mine[(mine >= until[row]) & (mine <= row)]]
        around = np.concatenate([seen[-1:], between, ahead[:1]])
        assert found["target_fraud_rate_around_1"][row] == pytest.approx(rate(around))


def test_in_time_nothing_later_changes_an_earlier_row(payments):
    half = len(payments) // 2
    table = make_table()
    changed = take_table(
        pl.concat(
            [
                table[:half],
                table[half:]
                .reverse()
                .with_columns(Labels=pl.lit(1, pl.Int64), Time=pl.Series(range(half, len(table)))),
            ]
        )
    )
    here = np.arange(len(payments))
    frozen = np.minimum(here, half // 2)
    for until in (frozen, np.maximum(here - 100, 0)):
        first = task.time_rows(payments, payments.label, until)[:half]
        second = task.time_rows(changed, changed.label, until)[:half]
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)
    # What freezes at a row is all that later rows see of labels.
    cut = label_features(payments.keys, np.where(here < half // 2, payments.label, np.nan), until=frozen, after=False)
    for name, values in label_features(payments.keys, payments.label, until=frozen, after=False).items():
        np.testing.assert_allclose(values, cut[name])


def test_arriving_labels_are_as_old_as_they_must_be(payments):
    here = np.arange(len(payments))
    row = int(payments.labelled[300])
    flipped = payments.label.copy()
    flipped[row] = 1 - flipped[row]
    until = np.maximum(here - 200, 0)
    first = label_features(payments.keys, payments.label, until=until, after=False)
    second = label_features(payments.keys, flipped, until=until, after=False)
    differ = np.zeros(len(payments), np.bool_)
    for name, values in first.items():
        differ |= ~np.isclose(values, second[name], equal_nan=True)
    assert differ.any()
    assert np.flatnonzero(differ).min() == row + 201


def test_out_of_fold_rates_tell_no_label_where_leaving_one_out_does():
    payments = take_table(make_table())
    random = np.random.default_rng(1)
    shuffled = payments.label.copy()
    shuffled[payments.labelled] = random.permutation(shuffled[payments.labelled])
    here = np.arange(len(payments))
    learn = ~np.isnan(shuffled)
    # Leaving only oneself out: among rows of one entity, exactly those that are fraud see one fraud less.
    target = payments.keys["target"]
    frauds = np.bincount(target[learn], shuffled[learn], minlength=60)[target] - np.nan_to_num(shuffled)
    labels = np.bincount(target[learn], minlength=60)[target] - 1
    spoilt = (frauds / np.maximum(labels, 1)) - (frauds + np.nan_to_num(shuffled)) / (labels + 1)
    assert roc_auc(shuffled[learn], spoilt[learn]) < 0.05
    fold = random.integers(0, 5, len(payments))
    rates = np.zeros(len(payments))
    whole = label_features({"target": target}, shuffled, until=here, after=True)["target_fraud_rate_all"]
    for number in range(5):
        hidden = np.where(fold == number, np.nan, shuffled)
        mine = fold == number
        rates[mine] = label_features({"target": target}, hidden, until=here, after=True)["target_fraud_rate_all"][mine]
    inside = learn & (fold == 0)
    assert abs(roc_auc(shuffled[inside], rates[inside]) - 0.5) < 0.1
    assert roc_auc(shuffled[learn], whole[learn]) > 0.55  # what includes oneself does tell


def test_it_learns_and_shuffled_labels_teach_nothing(payments):
    fold = np.random.default_rng(0).integers(0, 4, len(payments))

    def auc(table):
        learn, judge = split_at_random(table, 0)
        part = task.random_part(table, learn, judge, fold=fold)
        trees = task.BoostedTrees(
            rounds=40, blind_rounds=40, validation_share=0, threads=1, max_bin=63, column_share=0.2, rate=0.1
        )
        return roc_auc(part.judge_label, trees.fit(part.learn, part.learn_label).score(part.judge))

    assert auc(payments) > 0.65
    random = np.random.default_rng(0)
    labels = payments.label.copy()
    labels[payments.labelled] = random.permutation(labels[payments.labelled])
    assert abs(auc(task.CardPayments(payments.keys, payments.amount, labels)) - 0.5) < 0.1


def test_names_and_row_numbers_say_nothing(payments):
    table = make_table()
    random = np.random.default_rng(4)
    for column in ("Source", "Target", "Location", "Type"):
        names = table[column].unique().sort().to_list()
        other = [f"x{place}" for place in random.permutation(len(names)).tolist()]
        table = table.with_columns(pl.col(column).replace_strict(names, other))
    np.testing.assert_allclose(task.time_rows(take_table(table)), task.time_rows(payments), rtol=1e-5, atol=1e-9)
    learn, judge = split_at_random(payments, 0)
    part = task.random_part(payments, learn, judge, fold=np.random.default_rng(0).integers(0, 4, len(payments)))

    def auc(*number):
        trees = task.BoostedTrees(
            rounds=15, blind_rounds=15, validation_share=0, threads=1, max_bin=31, column_share=0.3, rate=0.2
        )
        learned = np.column_stack([part.learn, *(one[learn] for one in number)])
        asked = np.column_stack([part.judge, *(one[judge] for one in number)])
        return roc_auc(part.judge_label, trees.fit(learned, part.learn_label).score(asked))

    assert abs(auc(np.arange(len(payments), dtype=np.float32)) - auc()) < 0.05


def test_splits(payments):
    learn, judge = split_at_random(payments, 0)
    assert not (learn & judge).any()
    assert ((learn | judge) == ~np.isnan(payments.label)).all()
    assert payments.label[learn].mean() == pytest.approx(payments.label[judge].mean(), abs=0.01)
    learn, judge = split_in_time(payments)
    assert np.flatnonzero(learn).max() < np.flatnonzero(judge).min()
    assert learn.sum() == int(0.6 * len(payments.labelled))


def test_thresholds_and_f1():
    label, scores = np.array([0.0, 0, 0, 1, 1]), np.array([0.1, 0.2, 0.6, 0.5, 0.9], np.float32)
    assert task.f1_macro(label, scores >= 0.5) == pytest.approx((4 / 5 + 4 / 5) / 2)
    assert 0.2 < task.best_threshold(label, scores) <= 0.5


def test_without_its_data_it_says_what_is_missing(tmp_path):
    for folder in (None, tmp_path):
        with pytest.raises(UsageError, match="s_ffsd"):
            task.run(data=folder)
    import zipfile

    (tmp_path / "s_ffsd").mkdir()
    with zipfile.ZipFile(tmp_path / "s_ffsd" / "S-FFSD.zip", "w") as archive:
        archive.writestr("other.csv", "a")
    with pytest.raises(InputError, match=r"S-FFSD\.csv"):
        read_card_payments(tmp_path)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="FLOORWALKER_DATA is not set")
def test_the_real_table_in_time():
    payments = read_card_payments(Path(str(DATA)))
    assert len(payments) == 77_881
    assert (payments.label == 1).sum() == 5_256
    learn, judge = split_in_time(payments)
    part = task.of_rows(payments, task.time_rows(payments), learn, judge)
    found = task.BoostedTrees(rounds=60, blind_rounds=60, validation_share=0, rate=0.15, max_bin=255, column_share=0.3)
    assert roc_auc(part.judge_label, found.fit(part.learn, part.learn_label).score(part.judge)) > 0.85
