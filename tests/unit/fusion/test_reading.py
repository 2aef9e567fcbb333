"""What the hot path reads of events is what training read: equal columns and sums, alone and among others."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import KEY_PLACES, NUMBER_FIELDS, NUMBER_PLACES, Columns, EventBatch
from floorwalker.events.rows import key_rows, number_rows
from floorwalker.events.types import EVENT_TYPES
from floorwalker.features.live import FeatureBatch
from floorwalker.fusion._rank_kernel import rank_scores
from floorwalker.fusion.columns import column_names, fusion_columns
from floorwalker.fusion.first_opinion import FirstOpinion
from floorwalker.fusion.reading import ColumnReader, asked_rows, sum_of_rank
from floorwalker.fusion.stacked import ANY, StackedFusion
from floorwalker.models.trees import logistic

pytest.importorskip("lightgbm")

FEATURES = ("account_events_1h", "device_accounts_1d", "account_idle_seconds")
SAID = ("relation.device.degree", "memory.account.lately")
FURTHER = "anomaly.unusual_activity"
NAMES = column_names(FEATURES, (*SAID, "content.absent", FURTHER))
N = 60


def events() -> tuple[EventBatch, FeatureBatch, np.ndarray]:
    random = np.random.default_rng(8)
    numbers = random.normal(size=(len(NUMBER_FIELDS), N)) * 1e3
    numbers[random.random(numbers.shape) < 0.3] = np.nan
    numbers[NUMBER_PLACES["amount_minor"], 3] = 1e300
    batch = EventBatch(
        id=[f"e-{row}" for row in range(N)], type=random.integers(-1, len(EVENT_TYPES), N).astype(np.int16),
        at=np.arange(N), received_at=np.arange(N),
        keys=Columns(KEY_PLACES, random.integers(0, 9, (len(KEY_PLACES), N)).astype(np.uint64)),
        numbers=Columns(NUMBER_PLACES, numbers), texts={},
    )  # fmt: skip
    values = random.normal(size=(N, len(FEATURES) + len(SAID))).astype(np.float32)
    values[random.random(values.shape) < 0.2] = np.nan
    features = FeatureBatch(batch.id, batch.at, values, (*FEATURES, *SAID), np.isnan(values))
    return batch, features, random.random(N).astype(np.float32)


def columns_of(batch: EventBatch, features: FeatureBatch, further: np.ndarray | None) -> np.ndarray:
    """As training puts them together."""
    last = np.full(len(batch), np.nan, np.float32) if further is None else further
    plain = len(FEATURES)
    said = np.column_stack([features.values[:, plain:], np.full(len(batch), np.nan, np.float32), last])
    return fusion_columns(features.values[:, :plain], batch.numbers, batch.type, said)


@pytest.fixture(scope="module")
def trees() -> BoostedTrees:
    batch, features, further = events()
    rows = np.tile(columns_of(batch, features, further), (5, 1)).astype(np.float32)
    model = BoostedTrees(rounds=30, least_rows=2, max_bin=63, threads=1, validation_share=0, blind_rounds=30)
    return model.fit(rows, np.nan_to_num(rows[:, 3]) + np.nan_to_num(rows[:, 0]) > 0.3, names=NAMES)


@pytest.mark.parametrize("has_further", [True, False])
@pytest.mark.parametrize("by_name", [True, False])
def test_it_reads_what_training_read_alone_and_among_others(trees, has_further, by_name):
    batch, features, last = events()
    if by_name:
        batch = replace(batch, numbers=dict(batch.numbers.items()), keys=dict(batch.keys.items()))
    further = last if has_further else None
    expected = columns_of(batch, features, further)
    reader = ColumnReader(NAMES, [trees.trees(), trees.trees()], [math.inf] * 2, further=FURTHER)
    columns, sums, speaks = reader.read(np.arange(N), batch, features, further)
    np.testing.assert_array_equal(columns, expected)
    np.testing.assert_array_equal(sums, np.column_stack([trees.trees().raw(expected)] * 2))
    np.testing.assert_array_equal(reader.scores(sums)[:, 1], trees.trees().score(expected))
    assert not speaks
    some = np.array([2, 3, 40])
    np.testing.assert_array_equal(reader.read(some, batch, features, further).columns, expected[some])
    for row in range(N):
        one = None if further is None else further[[row]]
        alone = reader.read(np.zeros(1, np.int64), batch.take([row]), features.take([row]), one)
        np.testing.assert_array_equal(alone.columns[0], expected[row])
        np.testing.assert_array_equal(alone.sums[0], sums[row])


def test_rows_of_keys_and_numbers_are_the_same_by_name_and_by_place():
    batch, _, _ = events()
    named = replace(batch, numbers=dict(batch.numbers.items()), keys=dict(batch.keys.items()))
    np.testing.assert_array_equal(key_rows(named), key_rows(batch))
    np.testing.assert_array_equal(number_rows(named), number_rows(batch))
    bare = replace(batch, numbers={}, keys={"account": batch.keys["account"]})
    assert np.isnan(number_rows(bare)).all()
    assert np.flatnonzero(key_rows(bare).any(axis=1)).tolist() == [KEY_PLACES["account"]]


def test_events_are_asked_for_by_type_and_unknown_types_by_the_last_place():
    asked = np.array([True, False, True])
    types = np.array([0, 1, -1, 1], np.int16)
    assert asked_rows(asked, types).tolist() == [0, 2]
    assert [asked_rows(asked, types[row : row + 1]).tolist() for row in range(4)] == [[0], [], [0], []]


@pytest.mark.parametrize("least", [0.5, 0.1, 0.01, 1e-6])
def test_what_is_unheard_has_at_least_the_rank(least):
    scores = np.random.default_rng(1).random(5000) ** 3
    ranks = StackedFusion.ranks_of(scores, 6000)
    edge = sum_of_rank(ranks, least, "logistic")
    below = logistic(np.append(edge - np.geomspace(1e-12, 10, 200), edge) if edge < math.inf else np.linspace(-9, 9))
    assert (np.interp(below.astype(np.float32), *ranks, left=1.0) >= least).all()
    if least > 1e-6:
        assert np.interp(logistic(np.array([edge + 0.5]))[0], *ranks) < least
    assert sum_of_rank(ranks, least, "identity") == -math.inf
    assert sum_of_rank(np.array([[0.0, 1.0], [0.0, 0.0]]), least, "logistic") == -math.inf


def test_what_the_first_opinion_leaves_unheard_is_nothing(trees):
    batch, features, further = events()
    scores = trees.score(columns_of(batch, features, further)).astype(np.float64)
    opinion = FirstOpinion([trees], [StackedFusion.ranks_of(scores, N)], np.ones(len(EVENT_TYPES) + 1, np.bool_))
    reader = opinion.reader()
    heard = []
    for row in range(N):
        _, sums, speaks = reader.read(np.zeros(1, np.int64), batch.take([row]), features.take([row]))
        heard.append(speaks)
        if not speaks:
            assert opinion.rarity().weigh(reader.scores(sums))[0] == 0
    assert 0 < sum(heard) < N


def test_what_the_fusion_leaves_unheard_is_calm(trees):
    batch, features, further = events()
    rows = columns_of(batch, features, further)
    model = BoostedTrees(rounds=30, least_rows=2, threads=1, validation_share=0, blind_rounds=30)
    model.fit(rows, (np.nan_to_num(rows[:, 3]) > 0.3)[:, None].astype(float), names=NAMES, outputs=(ANY,))
    everywhere = np.ones((len(EVENT_TYPES) + 1, len(ABUSE_TYPES)), np.bool_)
    ranks = StackedFusion.ranks_of(model.trees(ANY).score(rows), 3 * N)
    fusion = StackedFusion(model, everywhere, ranks, {})
    reader = fusion.reader(further=FURTHER)
    heard = 0
    for row in range(N):
        one = reader.read(np.zeros(1, np.int64), batch.take([row]), features.take([row]), further[[row]])
        heard += one.speaks
        if not one.speaks:
            assert fusion.is_calm(reader.scores(one.sums)[:, 0].astype(np.float32))
    assert 0 < heard < N
    bare = StackedFusion(model, everywhere, None, {}).reader(further=FURTHER)
    assert bare.read(np.arange(N), batch, features, further).speaks


def test_ranks_are_interpolated_as_numpy_does_it_to_the_bit():
    random = np.random.default_rng(2)
    several = [StackedFusion.ranks_of(random.random(900) ** 4, 1000), np.array([[0.3, 0.4], [0.2, 0.2]])]
    several.append(np.array([[0.0, 0.2, 1.0], [1.0, 0.1, 0.0]]))
    edges = np.concatenate([one[0] for one in several])
    scores = np.concatenate([random.random(500), edges, np.nextafter(edges, 2), [-1.0, 0.0, 1.0, 2.0, np.nan]])
    starts = np.cumsum([0, *(one.shape[1] for one in several)])
    for kind in (np.float64, np.float32):
        given = np.column_stack([scores] * len(several)).astype(kind)
        found = np.empty(given.shape)
        rank_scores(given, np.concatenate(several, axis=1), starts, 1e-3, found)
        for place, (known, shares) in enumerate(several):
            expected = np.maximum(np.interp(given[:, place], known, shares, left=1.0), 1e-3)
            np.testing.assert_array_equal(found[:, place], expected)
