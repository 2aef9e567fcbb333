"""Neighbour lists, columns about neighbours and rates of labels against slow counts."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.detectors.relation.aggregates import Columns, aggregate_neighbours
from floorwalker.detectors.relation.graph import Graph, Relation
from floorwalker.detectors.relation.label_rates import make_folds, propagate_labels, rate_neighbours
from floorwalker.detectors.relation.sampling import sample_block, whole_block
from floorwalker.errors import UsageError


@pytest.fixture
def graph():
    random = np.random.default_rng(4)
    features = random.normal(size=(60, 2)).astype(np.float32)
    features[5, 0] = np.nan
    groups = random.integers(-1, 12, 60)
    relations = {
        "group": Relation.from_groups(groups),
        "edge": Relation.from_edges(random.integers(0, 60, 90), random.integers(0, 60, 90), nodes=60),
        "empty": Relation.from_groups(np.full(60, -1)),
    }
    return Graph(features, relations, random.integers(0, 20, 60))


def test_groups_and_edges_against_a_slow_list():
    groups = np.array([3, 3, -1, 0, 3])
    relation = Relation.from_groups(groups)
    for node in range(5):
        others = [other for other in range(5) if other != node and groups[other] == groups[node] >= 0]
        assert relation.of(node).tolist() == others
    one_way = Relation.from_edges([0, 0, 2, 1], [1, 1, 2, 0], nodes=3, both_ways=False)
    assert [one_way.of(node).tolist() for node in range(3)] == [[1], [0], []]
    assert Relation.from_edges([], [], nodes=0).nodes == 0


def test_past_neighbours_are_older(graph):
    past = graph.past()
    for name, relation in past.relations.items():
        for node in range(len(graph)):
            whole = graph.relations[name].of(node)
            assert relation.of(node).tolist() == [one for one in whole if graph.times[one] < graph.times[node]]


def test_aggregates_against_a_slow_count(graph):
    found = aggregate_neighbours(graph, halving=3.0)
    for name, relation in graph.relations.items():
        for node in range(len(graph)):
            others = relation.of(node)
            values = graph.features[others, 0].astype(np.float64)
            weights = 2.0 ** (-np.abs(graph.times[others] - graph.times[node]) / 3.0)
            there = ~np.isnan(values)
            told = dict(zip(found.names, found.values[node], strict=True))
            assert told[f"{name}.degree"] == len(others)
            if there.any():
                mean = np.average(values[there], weights=weights[there])
                assert told[f"{name}.mean.0"] == pytest.approx(mean, rel=1e-4, abs=1e-5)
                assert told[f"{name}.max.0"] == pytest.approx(values[there].max())
                total = (weights * values)[there].sum()
                assert told[f"{name}.sum.0"] == pytest.approx(total, rel=1e-4, abs=1e-5)
            else:
                assert np.isnan(told[f"{name}.mean.0"])
                assert np.isnan(told[f"{name}.max.0"])
                assert np.isnan(told[f"{name}.sum.0"])


def test_the_sum_leaves_out_neighbours_without_a_value():
    star = Relation.from_edges([0, 0], [1, 2], nodes=3)
    found = aggregate_neighbours(Graph(np.array([[1], [4], [np.nan]], np.float32), {"next": star}), hows=("sum",))
    assert found.values.tolist() == [[2.0, 4.0], [1.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize("past", [False, True])
def test_rates_against_a_slow_count(graph, past):
    random = np.random.default_rng(8)
    labels, known = random.random(60) < 0.4, random.random(60) < 0.7
    folds = make_folds(60, known, folds=4, random=random)
    delay = random.integers(0, 5, 60)
    found = rate_neighbours(graph, labels, known, folds=folds, past=past, delay=delay, strength=2.0, prior=0.25)
    for place, relation in enumerate(graph.relations.values()):
        for node in range(60):
            seen = [
                other
                for other in relation.of(node)
                if known[other]
                and not (folds[node] >= 0 and folds[node] == folds[other])
                and not (past and graph.times[node] - graph.times[other] <= delay[node])
            ]
            assert found.values[node, 2 * place] == len(seen)
            rate = (labels[seen].sum() + 0.5) / (len(seen) + 2)
            assert found.values[node, 2 * place + 1] == pytest.approx(rate)


def test_no_column_reads_the_own_fold_or_unknown_labels(graph):
    random = np.random.default_rng(9)
    labels, known = random.random(60) < 0.4, random.random(60) < 0.7
    folds = make_folds(60, known, folds=4, random=random)

    def columns(truth):
        rates = rate_neighbours(graph, truth, known, folds=folds, hops=2, prior=0.3)
        return Columns.join([rates, propagate_labels(graph, truth, known, folds=folds)], nodes=60).values

    before = columns(labels)
    np.testing.assert_array_equal(before, columns(np.where(known, labels, ~labels)))
    for fold in range(4):
        turned = columns(labels ^ (folds == fold))
        np.testing.assert_array_equal(before[folds == fold], turned[folds == fold])
        assert not np.array_equal(before, turned, equal_nan=True)


def test_blocks_hold_all_neighbours_or_a_draw_of_them(graph):
    block = sample_block(graph, [7, 3], hops=2)
    assert block.nodes[:2].tolist() == [7, 3]
    for start, neighbour, relation in zip(block.start, block.neighbour, graph.relations.values(), strict=True):
        for place in range(2):
            assert sorted(block.nodes[neighbour[start[place] : start[place + 1]]]) == sorted(
                relation.of(block.nodes[place])
            )
    few = sample_block(graph, [7, 3], hops=2, fan_out=1, seed=5)
    assert max(np.diff(start).max() for start in few.start) == 1
    again = sample_block(graph, [7, 3], hops=2, fan_out=1, seed=5)
    assert few.nodes.tolist() == again.nodes.tolist()
    assert len(whole_block(graph).nodes) == 60


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Relation(np.array([0, 2]), np.array([0], np.int32)),
        lambda: Relation(np.array([0, 1]), np.array([3], np.int32)),
        lambda: Relation.from_edges([0], [5], nodes=3),
        lambda: Relation.from_groups(np.array([0.5])),
        lambda: Graph(np.zeros((2, 1), np.float32), {"a": Relation.from_groups(np.zeros(3, int))}),
        lambda: Graph(np.zeros((2, 1), np.float32), {}).past(),
        lambda: rate_neighbours(Graph(np.zeros((2, 1), np.float32), {}), [0, 1], [True, True]),
        lambda: make_folds(3, np.ones(3, bool), folds=1, random=np.random.default_rng(0)),
        lambda: sample_block(Graph(np.zeros((2, 1), np.float32), {}), [1, 1], hops=1),
        lambda: aggregate_neighbours(Graph(np.zeros((2, 1), np.float32), {}), hows=("median",)),
    ],
)
def test_what_does_not_fit_is_named(wrong):
    with pytest.raises(UsageError):
        wrong()


LINE = Graph(
    np.zeros((5, 1), np.float32),
    {"next": Relation.from_edges([0, 1, 2, 3], [1, 2, 3, 4], nodes=5)},
    np.arange(5),
)
LABELS, KNOWN, FOLDS = np.array([1, 0, 1, 0, 1]), np.ones(5, bool), np.array([0, 1, 0, 1, 0], np.int32)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"folds": FOLDS[:2]}, r"folds of shape \(2,\)"),
        ({"folds": FOLDS[:, None]}, r"folds of shape \(5, 1\)"),
        ({"folds": FOLDS.astype(float)}, "float64"),
        ({"folds": FOLDS - 2}, "folds from -2"),
        ({"known": KNOWN[:2]}, r"known of shape \(2,\)"),
        ({"known": np.array([0, 2, 3, 4, 1])}, "known of type int64"),
        ({"known": np.full(5, np.nan)}, "known of type float64"),
        ({"labels": LABELS[:2]}, r"labels of shape \(2,\)"),
        ({"labels": 1}, r"labels of shape \(\)"),
        ({"labels": LABELS * 7}, "3 known labels such as 7"),
        ({"labels": np.where(LABELS, np.nan, 0)}, "3 known labels such as nan"),
        ({"labels": list("abcde")}, "labels of type"),
    ],
)
@pytest.mark.parametrize("reader", [rate_neighbours, propagate_labels])
def test_labels_known_and_folds_that_do_not_fit_are_named(reader, wrong, named):
    given = {"labels": LABELS, "known": KNOWN, "folds": FOLDS, **wrong}
    with pytest.raises(UsageError, match=named):
        reader(LINE, **given)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda: LINE.relations["next"].past(np.array([1, 2])), r"times of shape \(2,\)"),
        (lambda: LINE.relations["next"].past(np.zeros((5, 1), int)), r"times of shape \(5, 1\)"),
        (lambda: LINE.relations["next"].past(np.full(5, np.nan)), "float64"),
        (lambda: Graph(LINE.features, LINE.relations, np.arange(4)), r"times of shape \(4,\)"),
        (lambda: Graph(LINE.features, LINE.relations, np.arange(5).astype("M8[us]")), "datetime64"),
        (lambda: rate_neighbours(LINE, LABELS, KNOWN, past=True, prior=0.5, delay=np.zeros(2, int)), r"\(2,\)"),
        (lambda: rate_neighbours(LINE, LABELS, KNOWN, past=True, prior=0.5, delay=0.5), "float64"),
        (lambda: make_folds(5, KNOWN[:3], folds=2, random=np.random.default_rng(0)), r"known of shape \(3,\)"),
        (lambda: propagate_labels(LINE, LABELS, KNOWN, folds=FOLDS, read_at=(0, 2)), "read_at"),
    ],
)
def test_times_delays_and_steps_that_do_not_fit_are_named(wrong, named):
    with pytest.raises(UsageError, match=named):
        wrong()


def test_what_stands_where_no_label_is_known_is_not_read():
    known = np.array([1, 0, 1, 1, 0])
    before = rate_neighbours(LINE, LABELS, known == 1, folds=FOLDS, hops=2, prior=0.5).values
    odd = np.where(known == 1, LABELS, np.nan)
    np.testing.assert_array_equal(
        rate_neighbours(LINE, odd, known, folds=FOLDS.tolist(), hops=2, prior=0.5).values, before
    )
    spread = propagate_labels(LINE, LABELS, known == 1, folds=FOLDS).values
    np.testing.assert_array_equal(propagate_labels(LINE, odd, known, folds=FOLDS.tolist()).values, spread)


def test_unsigned_times_do_not_wrap_around():
    late = Graph(LINE.features, LINE.relations, np.arange(5, dtype=np.uint64)[::-1])
    same = Graph(LINE.features, LINE.relations, np.arange(5)[::-1])
    found, expected = (rate_neighbours(each, LABELS, KNOWN, past=True, prior=0.5) for each in (late, same))
    np.testing.assert_array_equal(found.values, expected.values)
