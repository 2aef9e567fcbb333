"""Reviews and workers: no column reads a label, an id, a row number or the future that it must not."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from floorwalker.errors import InputError, UsageError
from floorwalker.evaluation.tasks import reviews_graph, workers
from floorwalker.evaluation.tasks._graph_trees import choose_rounds, fit_and_score
from floorwalker.evaluation.tasks._reviews_columns import build_nodes, label_columns
from floorwalker.evaluation.tasks._reviews_data import Reviews, hide_ids, read_reviews
from floorwalker.evaluation.tasks._reviews_history import COLUMNS, describe_history
from floorwalker.evaluation.tasks._workers_data import read_workers
from floorwalker.metrics import roc_auc

DATA = os.environ.get("FLOORWALKER_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="FLOORWALKER_DATA is not set")


def make_reviews(count=400, seed=0):
    random = np.random.default_rng(seed)
    user = random.integers(0, count // 3, count)
    return Reviews(
        user=user,
        product=random.integers(0, 12, count),
        day=random.integers(0, 300, count),
        stars=random.integers(1, 6, count).astype(np.float32),
        filtered=(user % 5 == 0) ^ (random.random(count) < 0.1),
        is_node=random.random(count) < 0.9,
    )


def columns(reviews, known, *, past, delay=0):
    nodes = build_nodes(reviews, past=past)
    labels = label_columns(nodes, known[reviews.is_node], delay=delay, prior=0.2)
    return np.hstack([nodes.flat, nodes.around, labels])


@pytest.mark.parametrize("past", [False, True])
def test_history_against_a_slow_count(past):
    reviews = make_reviews(200)
    found, names = describe_history(reviews, past=past)
    for row in range(0, 200, 17):
        others = [
            other
            for other in range(200)
            if other != row
            and reviews.user[other] == reviews.user[row]
            and (not past or reviews.day[other] < reviews.day[row])
        ]
        told = dict(zip(names, found[row], strict=True))
        assert told["user.reviews"] == len(others)
        gaps = np.abs(reviews.day[others] - reviews.day[row])
        assert told["user.reviews_30d"] == (gaps <= 30).sum()
        if others:
            assert told["user.mean_stars"] == pytest.approx(reviews.stars[others].mean())
            assert told["user.share_five"] == pytest.approx((reviews.stars[others] == 5).mean())
    assert len(names) == 2 + 2 * len(COLUMNS)


def test_ids_say_nothing_but_who_is_the_same():
    reviews = make_reviews()
    known = np.random.default_rng(1).random(len(reviews)) < 0.6
    other = hide_ids(replace(reviews, user=reviews.user * 7 + 3), np.random.default_rng(9))
    assert not np.array_equal(other.user, reviews.user)
    np.testing.assert_array_equal(columns(reviews, known, past=True), columns(other, known, past=True))


def test_the_future_changes_nothing_in_time_order():
    reviews = make_reviews()
    known = np.ones(len(reviews), np.bool_)
    late = 200
    whole = columns(reviews, known, past=True, delay=5)
    early = reviews.day[reviews.is_node] <= late
    cut = reviews.take(np.flatnonzero(reviews.day <= late))
    prior_rows = columns(cut, np.ones(len(cut), np.bool_), past=True, delay=5)
    np.testing.assert_array_equal(whole[early], prior_rows)
    turned = columns(reviews.relabelled(reviews.filtered ^ (reviews.day > late)), known, past=True, delay=5)
    np.testing.assert_array_equal(whole[early], turned[early])


def test_unknown_labels_are_never_read():
    reviews = make_reviews()
    known = np.random.default_rng(1).random(len(reviews)) < 0.6
    turned = reviews.relabelled(np.where(known, reviews.filtered, ~reviews.filtered))
    for past in (False, True):
        np.testing.assert_array_equal(columns(reviews, known, past=past), columns(turned, known, past=past))


def test_no_day_is_cut_in_two():
    day = np.random.default_rng(0).integers(0, 40, 1_000)
    training, held, test = reviews_graph.split_by_time(day)
    assert (training.astype(int) + held + test == 1).all()
    assert day[training].max() < day[held].min() <= day[held].max() < day[test].min()


def test_shuffled_labels_give_chance():
    pytest.importorskip("lightgbm")
    reviews = make_reviews(3_000)
    reviews = reviews.relabelled(np.random.default_rng(3).permutation(reviews.filtered))
    nodes = build_nodes(reviews, past=False)
    draw = np.random.default_rng(4).random(len(nodes.reviews))
    known, test = draw < 0.6, draw >= 0.6
    rows = np.hstack([nodes.flat, nodes.around, label_columns(nodes, known)])
    labels = nodes.reviews.filtered
    scores = fit_and_score(rows[known], labels[known], rows[test], rounds=40, seed=0, models=1)
    assert abs(roc_auc(labels[test], scores) - 0.5) < 0.06


def test_missing_data_is_named(tmp_path):
    for task in (reviews_graph, workers):
        with pytest.raises(UsageError, match="--data"):
            task.run(data=None)
        with pytest.raises(InputError, match="no "):
            task.run(data=tmp_path)


def test_ranks_share_ties():
    assert workers.rank(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == pytest.approx([2.5 / 3, 0.0, 2.5 / 3, 1 / 3])


@needs_data
@pytest.mark.data
@pytest.mark.slow
def test_row_number_and_user_number_of_yelpchi_change_nothing():
    reviews = read_reviews(Path(str(DATA)), seed=0)
    assert (int(reviews.is_node.sum()), int(reviews.filtered[reviews.is_node].sum())) == (45_954, 6_677)
    nodes = build_nodes(reviews, past=False)
    labels, numbers = nodes.reviews.filtered, np.arange(len(nodes.reviews))
    for told in (numbers, nodes.reviews.user):
        assert abs(roc_auc(labels, told.astype(float)) - 0.5) < 0.02
    training, held = numbers % 5 < 2, numbers % 5 == 2
    more = np.hstack([nodes.flat, numbers[:, None], nodes.reviews.user[:, None]]).astype(np.float32)
    reached = []
    for rows in (nodes.flat, more):
        _, booster = choose_rounds(
            rows[training], labels[training], rows[held], labels[held], metric="auc", seed=0, learning_rate=0.2
        )
        reached.append(roc_auc(labels[numbers % 5 > 2], booster.predict(rows[numbers % 5 > 2])))
    assert abs(reached[1] - reached[0]) < 0.01


@needs_data
@pytest.mark.data
@pytest.mark.slow
def test_order_and_number_of_workers_change_nothing():
    found = read_workers(Path(str(DATA)))
    moved = found.shuffled(np.random.default_rng(6))
    assert moved.graph.relations["task"].degrees().sum() == found.graph.relations["task"].degrees().sum()
    known = found.training[0]
    numbers = np.arange(len(known))
    assert abs(roc_auc(moved.banned, numbers.astype(float)) - 0.5) < 0.02
    order = np.random.default_rng(6).permutation(len(known))
    np.testing.assert_allclose(
        workers.neighbour_columns(moved), workers.neighbour_columns(found)[order], rtol=1e-4, atol=1e-5
    )
    lies = replace(found, banned=np.random.default_rng(7).permutation(found.banned))
    rows = np.hstack([found.graph.features, workers.label_columns(lies, known, seed=0)])
    held, test = found.validation[0], found.test[0]
    scores = workers.trees([rows], lies.banned, known, held, seed=0)
    assert abs(roc_auc(lies.banned[test], scores[test]) - 0.5) < 0.06
