"""Positions against eigenvectors of the whole matrix, and what must not move them."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.detectors.relation.graph import Graph, Relation
from floorwalker.detectors.relation.positions import place_nodes
from floorwalker.errors import UsageError


def make_relation(nodes: int = 60, seed: int = 0) -> Relation:
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 3, nodes)
    near = (random.random((nodes, nodes)) < np.where(blocks[:, None] == blocks, 0.5, 0.05)) & ~np.eye(nodes, dtype=bool)
    near[nodes - 1] = near[:, nodes - 1] = False
    source, target = np.nonzero(near)
    return Relation.from_edges(source, target, nodes=nodes)


def graph_of(relation: Relation) -> Graph:
    return Graph(np.zeros((relation.nodes, 1), np.float32), {"device": relation})


def test_positions_are_the_leading_eigenvectors():
    relation = make_relation()
    dense = np.zeros((60, 60))
    dense[np.repeat(np.arange(60), relation.degrees()), relation.neighbour] = 1
    scale = 1 / np.sqrt(np.maximum(dense.sum(0), 1))
    values, vectors = np.linalg.eigh(dense * scale[:, None] * scale)
    first = np.argsort(-np.abs(values))[:3]
    slow = vectors[:, first] * values[first]
    found = place_nodes(graph_of(relation), width=3, rounds=200).values
    np.testing.assert_allclose(np.abs(found), np.abs(slow), atol=1e-4)
    assert (found[np.abs(found).argmax(axis=0), range(3)] > 0).all()
    assert (found[59] == 0).all()  # nobody is its neighbour


def test_they_move_with_their_nodes_and_read_edges_alone():
    relation = make_relation()
    order = np.random.default_rng(1).permutation(60)
    place = np.argsort(order)
    target = np.repeat(np.arange(60), relation.degrees())
    moved = Relation.from_edges(place[relation.neighbour], place[target], nodes=60)
    first = place_nodes(graph_of(relation), width=3, rounds=200).values
    second = place_nodes(graph_of(moved), width=3, rounds=200).values
    np.testing.assert_allclose(second, first[order], atol=1e-4)
    other = Graph(np.full((60, 1), 7, np.float32), {"device": relation})
    assert np.array_equal(place_nodes(other, width=3, rounds=200).values, first)


def test_small_and_empty_graphs():
    nobody = Relation.from_edges(np.zeros(0, np.int64), np.zeros(0, np.int64), nodes=4)
    pair = Relation.from_edges([0], [1], nodes=4)
    found = place_nodes(Graph(np.zeros((4, 1), np.float32), {"ip": nobody, "device": pair}), width=6)
    assert found.values.shape == (4, 12)
    assert np.isfinite(found.values).all()
    assert (found.values[:, :6] == 0).all()
    assert (found.values[2:] == 0).all()
    assert np.abs(found.values[:2, 6:8]).max() > 0.1
    assert place_nodes(Graph(np.zeros((0, 1), np.float32), {}), width=2).values.shape == (0, 0)
    with pytest.raises(UsageError, match="width"):
        place_nodes(graph_of(pair), width=0)
