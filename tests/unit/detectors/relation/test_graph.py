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
            else:
                assert np.isnan(told[f"{name}.mean.0"])
                assert np.isnan(told[f"{name}.max.0"])


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
