"""Parts of a graph around some nodes: what mini-batches and single scores are computed on.

PyTorch Geometric's own loader needs compiled extensions; this one is a kernel over the flat lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from floorwalker.detectors.relation.graph import Graph
from floorwalker.errors import UsageError
from floorwalker.kernels import kernel


@dataclass(frozen=True)
class Block:
    """A piece of a graph, with places of its own.

    Parameters
    ----------
    nodes : int64 [b], nodes of the whole graph; those asked for come first, in their order.
    asked : number of nodes asked for.
    start, neighbour : as of `Relation`, one pair a relation, in places of `nodes`.
    """

    nodes: NDArray[np.int64]
    asked: int
    start: tuple[NDArray[np.int64], ...]
    neighbour: tuple[NDArray[np.int32], ...]


def sample_block(graph: Graph, nodes: ArrayLike, *, hops: int, fan_out: int = 0, seed: int = 0) -> Block:
    """The nodes asked for and what surrounds them.

    Parameters
    ----------
    nodes : int [k], each once.
    hops : how far to go: as many as the network has layers. Nodes on the rim have no neighbours in the block.
    fan_out : neighbours drawn a node and relation, with replacement where there are more; 0 = all.
    seed : of the draws: equal seeds give equal blocks.

    >>> from floorwalker.detectors.relation.graph import Relation
    >>> line = Relation.from_edges([0, 1, 2], [1, 2, 3], nodes=4)
    >>> block = sample_block(Graph(np.zeros((4, 0), np.float32), {"next": line}), [0], hops=2)
    >>> block.nodes.tolist(), block.start[0].tolist(), block.neighbour[0].tolist()
    ([0, 1, 2], [0, 1, 3, 3], [1, 0, 2])
    """
    wanted = np.asarray(nodes, np.int64)
    if wanted.ndim != 1 or (len(wanted) and not 0 <= int(wanted.min()) <= int(wanted.max()) < len(graph)):
        raise UsageError("nodes that are not in the graph", allowed=f"0 to {len(graph) - 1}")
    if len(np.unique(wanted)) != len(wanted):
        raise UsageError("a node asked for twice", allowed="each node once")
    place = np.full(len(graph), -1, np.int32)
    found = np.empty(max(len(graph), 1), np.int64)
    found[: len(wanted)] = wanted
    place[wanted] = np.arange(len(wanted), dtype=np.int32)
    drawn: list[list[NDArray[np.int32]]] = [[] for _ in graph.relations]
    counts: list[list[NDArray[np.int64]]] = [[] for _ in graph.relations]
    begin, end = 0, len(wanted)
    for hop in range(hops):
        rim = end
        for number, relation in enumerate(graph.relations.values()):
            draw = (seed * 1_000_003 + hop * 101 + number + 1) & 0x7FFFFFFFFFFFFFFF
            count, chosen, rim = _draw(relation.start, relation.neighbour, found, begin, end, rim, place, fan_out, draw)
            counts[number].append(count)
            drawn[number].append(chosen)
        begin, end = end, rim
    starts = []
    for parts in counts:
        start = np.zeros(end + 1, np.int64)
        inner = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        start[1 : len(inner) + 1] = np.cumsum(inner)
        start[len(inner) + 1 :] = start[len(inner)]
        starts.append(start)
    neighbours = tuple(np.concatenate(parts) if parts else np.zeros(0, np.int32) for parts in drawn)
    return Block(found[:end].copy(), len(wanted), tuple(starts), neighbours)


def whole_block(graph: Graph) -> Block:
    """The whole graph as one block."""
    return Block(
        np.arange(len(graph), dtype=np.int64),
        len(graph),
        tuple(relation.start for relation in graph.relations.values()),
        tuple(relation.neighbour for relation in graph.relations.values()),
    )


@kernel
def _draw(
    start: Any, neighbour: Any, found: Any, begin: int, end: int, rim: int, place: Any, fan_out: int, seed: int
) -> tuple[Any, Any, int]:
    count = np.empty(end - begin, np.int64)
    total = 0
    for at in range(begin, end):
        degree = start[found[at] + 1] - start[found[at]]
        count[at - begin] = degree if fan_out == 0 else min(degree, fan_out)
        total += count[at - begin]
    chosen = np.empty(total, np.int32)
    write = 0
    state = np.uint64(seed)
    for at in range(begin, end):
        first = start[found[at]]
        degree = start[found[at] + 1] - first
        for step in range(count[at - begin]):
            edge = first + step
            if degree > count[at - begin]:
                # xorshift64*: draws need to be even and repeatable, nothing more.
                state ^= state >> np.uint64(12)
                state ^= state << np.uint64(25)
                state ^= state >> np.uint64(27)
                high = (state * np.uint64(2685821657736338717)) >> np.uint64(33)
                edge = first + np.int64(high) % degree
            other = neighbour[edge]
            if place[other] < 0:
                place[other] = rim
                found[rim] = other
                rim += 1
            chosen[write] = place[other]
            write += 1
    return count, chosen, rim
