"""Graphs as flat arrays: nodes with features, and edges by relation.

>>> import numpy as np
>>> users = Relation.from_groups(np.array([1, 1, 2, -1, 1]))
>>> graph = Graph(np.zeros((5, 1), np.float32), {"same_user": users})
>>> graph.relations["same_user"].of(0).tolist(), graph.relations["same_user"].of(3).tolist()
([1, 4], [])
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from floorwalker.errors import UsageError
from floorwalker.kernels import kernel

MOST_EDGES = 1 << 31
"""Edges of one relation: 8 GiB of them, and the most that groups may make."""


@dataclass(frozen=True)
class Relation:
    """Who is related to whom in one way: the neighbours of node `i` are `neighbour[start[i]:start[i + 1]]`.

    Messages flow from neighbour to node. Neighbours of a node rise and each stands there once, unless it was built from
    arrays that say otherwise.

    Parameters
    ----------
    start : int64 [n + 1].
    neighbour : int32 [m].

    Errors
    ------
    `UsageError` where the arrays are no such lists.
    """

    start: NDArray[np.int64]
    neighbour: NDArray[np.int32]

    def __post_init__(self) -> None:
        start, neighbour = self.start, self.neighbour
        if (
            start.ndim != 1
            or not len(start)
            or start[0] != 0
            or start[-1] != len(neighbour)
            or (np.diff(start) < 0).any()
        ):
            raise UsageError("the starts of a relation", allowed="rising from 0 to the number of its edges")
        if len(neighbour) and not 0 <= int(neighbour.min()) <= int(neighbour.max()) < len(start) - 1:
            raise UsageError("an edge to a node that is not there", allowed=f"nodes from 0 to {len(start) - 2}")

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.start) - 1

    def of(self, node: int) -> NDArray[np.int32]:
        """The neighbours of one node, int32."""
        return self.neighbour[self.start[node] : self.start[node + 1]]

    def degrees(self) -> NDArray[np.int64]:
        """int64 [n], the number of neighbours of each node."""
        return np.diff(self.start)

    @classmethod
    def from_edges(cls, source: ArrayLike, target: ArrayLike, *, nodes: int, both_ways: bool = True) -> Relation:
        """Neighbours from a list of edges; doubles and loops are dropped.

        Parameters
        ----------
        source, target : int [m], nodes; the message flows from source to target.
        nodes : number of nodes.
        both_ways : whether the message flows the other way, too.
        """
        one, other = np.asarray(source), np.asarray(target)
        if one.shape != other.shape or one.ndim != 1 or (one.dtype.kind not in "iu" and len(one)):
            raise UsageError(
                f"edges of shapes {one.shape} and {other.shape}", allowed="two flat arrays of whole numbers"
            )
        one, other = one.astype(np.int64), other.astype(np.int64)
        if len(one) and (min(one.min(), other.min()) < 0 or max(one.max(), other.max()) >= nodes):
            raise UsageError("an edge to a node that is not there", allowed=f"nodes from 0 to {nodes - 1}")
        if both_ways:
            one, other = np.concatenate([one, other]), np.concatenate([other, one])
        edges = np.unique((other * nodes + one)[one != other])
        targets = edges // max(nodes, 1)
        start = np.zeros(nodes + 1, np.int64)
        np.cumsum(np.bincount(targets, minlength=nodes), out=start[1:])
        return cls(start, (edges - targets * nodes).astype(np.int32))

    @classmethod
    def from_groups(cls, groups: ArrayLike) -> Relation:
        """Everybody is a neighbour of everybody in the same group.

        Parameters
        ----------
        groups : int [n], the group of each node; negative = none. A group of m has m (m - 1) edges.
        """
        group = np.asarray(groups)
        if group.ndim != 1 or (len(group) and group.dtype.kind not in "iu"):
            raise UsageError(f"groups of shape {group.shape}, {group.dtype}", allowed="a flat array of whole numbers")
        inside = np.flatnonzero(group >= 0)
        _, place, sizes = np.unique(group[inside], return_inverse=True, return_counts=True)
        if int((sizes.astype(np.float64) ** 2).sum()) >= MOST_EDGES:
            raise UsageError("groups that are too large", allowed=f"{MOST_EDGES} edges", fix="leave out the hubs")
        order = inside[np.argsort(place, kind="stable")]
        first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        place_of = np.full(len(group), -1, np.int64)
        place_of[inside] = place
        start, neighbour = _pair_groups(order.astype(np.int32), first, place_of)
        return cls(start, neighbour)

    def past(self, times: NDArray[np.int64]) -> Relation:
        """Only neighbours that are older: `times` of the neighbour is smaller than that of the node.

        `UsageError` where `times` is not a whole number for each node.
        """
        start, kept = _keep_past(self.start, self.neighbour, check_times(times, self.nodes))
        return Relation(start, self.neighbour[kept])


@dataclass(frozen=True)
class Graph:
    """Nodes with features, edges by relation, and where known the nodes' times.

    Kinds of nodes are told apart by features (a column a kind) and by the relations that they take part in.

    Parameters
    ----------
    features : float32 [n, F]; missing values are NaN where the reader says it takes them.
    relations : name -> `Relation` of n nodes.
    times : int64 [n], µs or any other unit; with them neighbours can be held to the past.

    Errors
    ------
    `UsageError` where shapes do not fit together.
    """

    features: NDArray[np.float32]
    relations: Mapping[str, Relation]
    times: NDArray[np.int64] | None = field(default=None)

    def __post_init__(self) -> None:
        if self.features.ndim != 2:
            raise UsageError(f"features of shape {self.features.shape}", allowed="a row a node")
        for name, relation in self.relations.items():
            if relation.nodes != len(self.features):
                raise UsageError(f"relation {name!r} of {relation.nodes} nodes", allowed=f"{len(self.features)} nodes")
        if self.times is not None:
            object.__setattr__(self, "times", check_times(self.times, len(self.features)))

    def __len__(self) -> int:
        return len(self.features)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the relations, in order."""
        return tuple(self.relations)

    def past(self) -> Graph:
        """The same nodes, each seeing older ones only; raises `UsageError` without times."""
        if self.times is None:
            raise UsageError("a graph without times", fix="give `times`")
        older = {name: relation.past(self.times) for name, relation in self.relations.items()}
        return Graph(self.features, older, self.times)


def check_times(times: ArrayLike, nodes: int) -> NDArray[np.int64]:
    """Times as int64 [n]; `UsageError` where they are no whole number for each node."""
    found = np.asarray(times)
    if found.shape != (nodes,) or (nodes and found.dtype.kind not in "iu"):
        raise UsageError(
            f"times of shape {found.shape}, {found.dtype}", allowed=f"whole numbers ({nodes},)",
            fix="give one for each node, such as µs",
        )  # fmt: skip
    return found.astype(np.int64, copy=False)


@kernel
def _pair_groups(order: Any, first: Any, place: Any) -> tuple[Any, Any]:
    nodes = len(place)
    start = np.zeros(nodes + 1, np.int64)
    for node in range(nodes):
        group = place[node]
        size = first[group + 1] - first[group] - 1 if group >= 0 else 0
        start[node + 1] = start[node] + size
    neighbour = np.empty(start[nodes], np.int32)
    for node in range(nodes):
        if place[node] >= 0:
            at = start[node]
            for position in range(first[place[node]], first[place[node] + 1]):
                if order[position] != node:
                    neighbour[at] = order[position]
                    at += 1
    return start, neighbour


@kernel
def _keep_past(start: Any, neighbour: Any, times: Any) -> tuple[Any, Any]:
    kept = np.zeros(len(neighbour), np.bool_)
    left = np.zeros(len(start), np.int64)
    for node in range(len(start) - 1):
        count = 0
        for edge in range(start[node], start[node + 1]):
            if times[neighbour[edge]] < times[node]:
                kept[edge] = True
                count += 1
        left[node + 1] = left[node] + count
    return left, kept
