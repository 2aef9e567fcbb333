"""Communities of a weighted graph: nodes move where they are tied most, then communities move as nodes do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel

_LEVELS = 10
_ROUNDS = 20
WIDER = 0.4
"""Share of the density at which parts of one crew are looked for."""
BETWEEN = 0.4
"""Share of the ties within a wider community that must run between its parts for them to be one."""

Whole = NDArray[np.int64]


def find_communities(start: Whole, neighbour: Whole, weight: NDArray[np.float64], density: float) -> Whole:
    """A community for each node, int64 [n], numbered from 0; each is connected.

    Nodes move while that raises `sum over communities of (inner weight - density * size * (size - 1) / 2)`: only ties
    of more than `density` a pair hold a community together, whatever else there is in the graph.

    Source: V. Traag, P. Van Dooren, Y. Nesterov, *Narrow scope for resolution-limit-free community detection*, 2011
    (constant Potts model), moved level by level as in V. Blondel et al., 2008; parts that do not hang together are
    taken apart at the end, as V. Traag et al., *From Louvain to Leiden*, 2019, ask for.
    """
    nodes = len(start) - 1
    community = np.arange(nodes)
    size: NDArray[np.float64] = np.ones(nodes, np.float64)
    at = (start, neighbour, weight)
    for _ in range(_LEVELS):
        moved = np.asarray(_move_nodes(*at, size, density, _ROUNDS))
        _, moved = np.unique(moved, return_inverse=True)
        community = moved[community]
        if len(size) == int(moved.max(initial=-1)) + 1:
            break
        size = np.bincount(moved, weights=size).astype(np.float64)
        at = _merge(*at, moved)
    connected = np.asarray(_take_apart(start, neighbour, community))
    return np.unique(connected, return_inverse=True)[1]


def join_parts(start: Whole, neighbour: Whole, weight: NDArray[np.float64], parts: Whole, density: float) -> Whole:
    """Communities in which parts that belong together are one, int64 [n], numbered from 0; each is connected.

    A crew of dozens who share several things is looser as a whole than `density`, and falls apart into those who share
    one of them. Then nearly as many ties run between the parts as within them, while hardly any run between two crews
    that touch, or two homes. So communities are looked for at a lower density, and taken where the ties between their
    parts are many.

    Parameters
    ----------
    parts : int64 [n], from `find_communities` at `density`.
    """
    wider = find_communities(start, neighbour, weight, WIDER * density)
    source = np.repeat(np.arange(len(start) - 1), np.diff(start))
    inside = wider[source] == wider[neighbour]
    between = inside & (parts[source] != parts[neighbour])
    count = int(wider.max(initial=-1)) + 1
    all_ties, crossing = (
        np.bincount(wider[source[chosen]], weights=weight[chosen], minlength=count) for chosen in (inside, between)
    )
    joined = (all_ties > 0) & (crossing >= BETWEEN * all_ties)
    community = np.where(joined[wider], int(parts.max(initial=-1)) + 1 + wider, parts)
    # What a crew left of a part may not hang together any more.
    connected = np.asarray(_take_apart(start, neighbour, community))
    return np.unique(connected, return_inverse=True)[1]


def _merge(
    start: Whole, neighbour: Whole, weight: NDArray[np.float64], community: Whole
) -> tuple[Whole, Whole, NDArray[np.float64]]:
    """The graph whose nodes are the communities."""
    count = int(community.max()) + 1
    source = community[np.repeat(np.arange(len(start) - 1), np.diff(start))]
    target = community[neighbour]
    outer = source != target
    pair, place = np.unique(source[outer] * count + target[outer], return_inverse=True)
    total = np.bincount(place, weights=weight[outer], minlength=len(pair))
    starts = np.zeros(count + 1, np.int64)
    starts[1:] = np.cumsum(np.bincount(pair // count, minlength=count))
    return starts, np.asarray(pair % count, np.int64), np.asarray(total, np.float64)


@kernel
def _move_nodes(start: Any, neighbour: Any, weight: Any, size: Any, density: float, rounds: int) -> Any:
    nodes = len(size)
    community = np.arange(nodes)
    sizes = size.copy()
    tie = np.zeros(nodes, np.float64)
    for _ in range(rounds):
        moves = 0
        for node in range(nodes):
            own = community[node]
            for edge in range(start[node], start[node + 1]):
                tie[community[neighbour[edge]]] += weight[edge]
            best = own
            gain = tie[own] - density * size[node] * (sizes[own] - size[node])
            if gain < 0.0:
                # Alone is better than among strangers; nobody else has the node's own number then.
                gain = 0.0
                if sizes[own] > size[node] and sizes[node] == 0.0:
                    best = node
            for edge in range(start[node], start[node + 1]):
                other = community[neighbour[edge]]
                if other != own:
                    found = tie[other] - density * size[node] * sizes[other]
                    if found > gain + 1e-12:
                        gain = found
                        best = other
            for edge in range(start[node], start[node + 1]):
                tie[community[neighbour[edge]]] = 0.0
            if best != own:
                sizes[own] -= size[node]
                sizes[best] += size[node]
                community[node] = best
                moves += 1
        if moves == 0:
            break
    return community


@kernel
def _take_apart(start: Any, neighbour: Any, community: Any) -> Any:
    nodes = len(community)
    part = np.full(nodes, -1, np.int64)
    waiting = np.empty(nodes, np.int64)
    parts = 0
    for seed in range(nodes):
        if part[seed] >= 0:
            continue
        part[seed] = parts
        waiting[0] = seed
        count = 1
        while count:
            count -= 1
            node = waiting[count]
            for edge in range(start[node], start[node + 1]):
                other = neighbour[edge]
                if part[other] < 0 and community[other] == community[node]:
                    part[other] = parts
                    waiting[count] = other
                    count += 1
        parts += 1
    return part
