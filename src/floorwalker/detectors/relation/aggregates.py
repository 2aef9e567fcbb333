"""What a node's neighbours are like, and what is known of them: columns for boosted trees.

Abusers change their own looks at no cost, but not with whom they share devices, cards, addresses and targets. Flat
columns about the neighbours bring that to any model of tables.

>>> import numpy as np
>>> from floorwalker.detectors.relation.graph import Graph, Relation
>>> friends = Relation.from_edges([0, 1, 2], [1, 2, 3], nodes=4)
>>> graph = Graph(np.array([[1], [2], [3], [4]], np.float32), {"friend": friends})
>>> found = aggregate_neighbours(graph)
>>> found.names
('friend.degree', 'friend.mean.0', 'friend.max.0', 'friend.sum.0')
>>> found.values[1].tolist()
[2.0, 2.0, 3.0, 4.0]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.relation._aggregate_kernels import mean_maximum_and_sum
from floorwalker.detectors.relation.graph import Graph
from floorwalker.errors import UsageError


@dataclass(frozen=True)
class Columns:
    """Named columns, a row a node: float32 [n, C]; NaN where there is nothing to say."""

    values: NDArray[np.float32]
    names: tuple[str, ...]

    @classmethod
    def join(cls, parts: Sequence[Columns], *, nodes: int) -> Columns:
        """Columns side by side."""
        values = [part.values for part in parts] or [np.zeros((nodes, 0), np.float32)]
        return cls(np.hstack(values), tuple(name for part in parts for name in part.names))


def aggregate_neighbours(
    graph: Graph,
    values: NDArray[np.float32] | None = None,
    *,
    names: Sequence[str] | None = None,
    hows: Sequence[str] = ("mean", "max", "sum"),
    halving: float = 0.0,
) -> Columns:
    """Mean, maximum and sum of the neighbours' values, relation by relation, and the degree.

    Parameters
    ----------
    values : float32 [n, C], of each node; None takes the graph's features. Give the means of a first call to look two
        hops far.
    names : of the C columns; None numbers them.
    hows : of mean, max, sum.
    halving : distance in time at which a neighbour weighs half, in the unit of `graph.times`; 0 = all weigh the same.

    Returns
    -------
    For each relation `RELATION.degree`, the number of neighbours, and `RELATION.HOW.NAME`; NaN where a node has no
    neighbour with a value. Neighbours without a value do not count; mean and sum are weighted where `halving` is given.
    """
    rows = graph.features if values is None else np.asarray(values, np.float32)
    if rows.ndim != 2 or len(rows) != len(graph):
        raise UsageError(f"values of shape {rows.shape}", allowed=f"{len(graph)} rows, one a node")
    unknown = sorted({*hows} - {"mean", "max", "sum"})
    if unknown:
        raise UsageError(f"the aggregates {', '.join(unknown)}", allowed="mean, max, sum")
    labels = tuple(names) if names is not None else tuple(str(place) for place in range(rows.shape[1]))
    times = times_of(graph, halving)
    found: list[NDArray[np.float32]] = []
    titles: list[str] = []
    for name, relation in graph.relations.items():
        mean = np.empty(rows.shape, np.float32)
        largest = np.empty(rows.shape, np.float32)
        total = np.empty(rows.shape, np.float32)
        mean_maximum_and_sum(relation.start, relation.neighbour, times, float(halving), rows, mean, largest, total)
        degree = relation.degrees().astype(np.float32)[:, None]
        by_name = {"mean": mean, "max": largest, "sum": total}
        found += [degree, *(by_name[how] for how in hows)]
        titles += [f"{name}.degree", *(f"{name}.{how}.{label}" for how in hows for label in labels)]
    return Columns(np.hstack(found) if found else np.zeros((len(graph), 0), np.float32), tuple(titles))


def times_of(graph: Graph, needed: float) -> NDArray[np.int64]:
    """The graph's times; zeros where it has none and none are needed."""
    if graph.times is not None:
        return graph.times
    if needed:
        raise UsageError("a weight by time in a graph without times", fix="give the graph its `times`")
    return np.zeros(len(graph), np.int64)
