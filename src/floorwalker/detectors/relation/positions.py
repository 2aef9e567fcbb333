"""Where a node stands in the graph: columns that place nodes with common neighbourhoods close together.

>>> import numpy as np
>>> from floorwalker.detectors.relation.graph import Graph, Relation
>>> crews = Relation.from_groups(np.array([0, 0, 0, 0, 1, 1, 1]))
>>> found = place_nodes(Graph(np.zeros((7, 1), np.float32), {"device": crews}), width=2)
>>> found.names
('device.position_0', 'device.position_1')
>>> first, second = found.values[:4], found.values[4:]
>>> bool(np.ptp(first, axis=0).max() < 1e-3 < np.abs(first[0] - second[0]).max())
True
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.relation.aggregates import Columns
from floorwalker.detectors.relation.graph import Graph, Relation
from floorwalker.errors import UsageError
from floorwalker.kernels import kernel

SPARE = 8
"""Directions carried beside those wanted: what is wanted settles faster."""


def place_nodes(graph: Graph, *, width: int = 32, rounds: int = 20, seed: int = 0) -> Columns:
    """Positions of the nodes by the leading eigenvectors of each relation.

    Label rates say how bad the known neighbours are; a position says which neighbourhood this is, so that trees learn
    of regions with few known labels what they learned of others like them. No label and no feature is read.

    The eigenvectors of `S = D^-1/2 A D^-1/2` with the largest eigenvalues by amount, each times its eigenvalue, found
    by subspace iteration from a drawn start. A position belongs to the whole graph: new nodes need a new call, and
    columns of two graphs do not compare.

    Parameters
    ----------
    width : columns a relation; relations of fewer nodes give as many as there are nodes, and zeros.
    rounds : of the iteration, each a pass over the edges for `width + 8` columns.
    seed : of the start.

    Returns
    -------
    For each relation `RELATION.position_0` and so on, float32; zeros for nodes without neighbours.

    Source: Y. Saad, *Numerical methods for large eigenvalue problems*, 2011, algorithm 5.3; as columns of a node,
    F. Chung, *Spectral graph theory*, 1997, chapter 1.
    """
    if width < 1 or rounds < 1:
        raise UsageError(f"width={width}, rounds={rounds}", allowed="1 and up")
    nodes = len(graph)
    found = [
        _leading(relation, width, rounds, np.random.default_rng([seed, place]))
        for place, relation in enumerate(graph.relations.values())
    ]
    names = tuple(f"{name}.position_{column}" for name in graph.names for column in range(width))
    return Columns(np.hstack(found) if found else np.zeros((nodes, 0), np.float32), names)


def _leading(relation: Relation, width: int, rounds: int, random: np.random.Generator) -> NDArray[np.float32]:
    nodes = relation.nodes
    carried = min(width + SPARE, nodes)
    answer = np.zeros((nodes, width), np.float32)
    if not len(relation.neighbour):
        return answer
    scale = 1.0 / np.sqrt(np.maximum(relation.degrees(), 1))
    basis = np.linalg.qr(random.normal(size=(nodes, carried)))[0]
    for _ in range(rounds):
        basis = np.linalg.qr(_spread(relation.start, relation.neighbour, scale, basis))[0]
    small = basis.T @ _spread(relation.start, relation.neighbour, scale, basis)
    values, turned = np.linalg.eigh((small + small.T) / 2)
    first = np.argsort(-np.abs(values), kind="stable")[:width]
    placed = (basis @ turned[:, first]) * values[first]
    # Eigenvectors have no sign of their own: the heaviest node's is positive.
    heaviest = placed[np.abs(placed).argmax(axis=0), np.arange(len(first))]
    answer[:, : len(first)] = placed * np.where(heaviest < 0, -1.0, 1.0)
    answer[relation.degrees() == 0] = 0
    return answer


@kernel
def _spread(start: Any, neighbour: Any, scale: Any, values: Any) -> Any:
    """`D^-1/2 A D^-1/2 values` for several columns, with `scale = D^-1/2`."""
    answer = np.zeros(values.shape, np.float64)
    for node in range(len(start) - 1):
        for edge in range(start[node], start[node + 1]):
            other = neighbour[edge]
            for column in range(values.shape[1]):
                answer[node, column] += scale[other] * values[other, column]
        for column in range(values.shape[1]):
            answer[node, column] *= scale[node]
    return answer
