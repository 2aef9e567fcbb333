"""How many of a node's neighbours are known to be bad: rates that do not give the label away.

>>> import numpy as np
>>> from floorwalker.detectors.relation.graph import Graph, Relation
>>> crew = Relation.from_groups(np.array([0, 0, 0, 0]))
>>> graph = Graph(np.zeros((4, 1), np.float32), {"device": crew})
>>> folds = np.array([0, 0, 1, -1], np.int32)
>>> found = rate_neighbours(graph, [1, 1, 0, 0], [True, True, True, False], folds=folds, prior=0.5)
>>> [round(float(rate), 2) for rate in found.values[:, 1]]
[0.33, 0.33, 0.75, 0.6]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from floorwalker.detectors.relation._aggregate_kernels import mean_of_rows, propagate, weigh_labels
from floorwalker.detectors.relation._labels import check_delays, check_folds, check_known, check_known_labels
from floorwalker.detectors.relation.aggregates import Columns, times_of
from floorwalker.detectors.relation.graph import Graph
from floorwalker.errors import UsageError


def make_folds(nodes: int, known: NDArray[np.bool_], *, folds: int, random: np.random.Generator) -> NDArray[np.int32]:
    """A fold for each node whose label is known, drawn evenly; -1 for the others, which may see every known label.

    >>> known = np.array([True, False, True, True])
    >>> sorted(make_folds(4, known, folds=3, random=np.random.default_rng(0)).tolist())
    [-1, 0, 1, 2]
    """
    if folds < 2:
        raise UsageError(f"folds={folds}", allowed="2 and up")
    fold = np.full(nodes, -1, np.int32)
    rows = np.flatnonzero(check_known(known, nodes))
    fold[rows] = random.permutation(np.arange(len(rows)) % folds)
    return fold


def rate_neighbours(
    graph: Graph,
    labels: ArrayLike,
    known: ArrayLike,
    *,
    folds: NDArray[np.int32] | None = None,
    past: bool = False,
    delay: int | NDArray[np.int64] = 0,
    halving: float = 0.0,
    prior: float | None = None,
    strength: float = 2.0,
    hops: int = 1,
) -> Columns:
    """Smoothed share of positives among the neighbours whose label is known.

    A rate that counts a node's own label gives the label away. Leaving out only oneself does so, too: the rate of the
    others is then the lower the more positive oneself is, and a tree subtracts. So nodes whose labels are known see
    labels of other folds alone, or (`past`) older labels alone.

    Parameters
    ----------
    labels : bool or 0/1 [n]; what stands where `known` is False is never read.
    known : bool [n].
    folds : int32 [n] of `make_folds`; needed unless `past`.
    past : only labels of nodes older by more than `delay` count; needs `graph.times`.
    delay : how long a label takes to become known, in the unit of `graph.times`; an array gives each node its own. A
        model that will be asked long after the last label is trained with such delays, or it trusts labels too much.
    halving : see `aggregate_neighbours`.
    prior : the rate where nothing is known; None = the share among known labels. With `past` it must
        be given, as the share among training labels: that among all would tell of the future, and one that moves with
        time tells trees the date.
    strength : neighbours that the prior is worth.
    hops : 2 adds the mean over neighbours of their own rates.

    Returns
    -------
    For each relation `RELATION.known` (weight of the known neighbours), `RELATION.rate`, with two hops
    `RELATION.rate_2`.

    Errors
    ------
    `UsageError` for arrays of other shapes or types, and for known labels other than 0 and 1.
    """
    nodes = len(graph)
    known = check_known(known, nodes)
    label = check_known_labels(labels, known)
    if folds is None and not past:
        raise UsageError("rates without folds", fix="give `folds=make_folds(…)`, or `past=True` with times")
    if past and prior is None:
        raise UsageError("rates of the past without a prior", fix="give the share among training labels")
    if past and graph.times is None:
        raise UsageError("rates of the past in a graph without times", fix="give the graph its `times`")
    if hops not in (1, 2):
        raise UsageError(f"hops={hops}", allowed="1 or 2")
    fold = check_folds(folds, nodes) if folds is not None else np.full(nodes, -1, np.int32)
    times = times_of(graph, halving or float(past))
    delays = check_delays(delay, nodes)
    middle = float(label[known].mean()) if prior is None and known.any() else float(prior or 0.0)

    def rates(name: str, counted: NDArray[np.bool_], groups: NDArray[np.int32]) -> tuple[NDArray[np.float64], ...]:
        relation = graph.relations[name]
        hits, total = np.empty(nodes), np.empty(nodes)
        weigh_labels(
            relation.start, relation.neighbour, times, float(halving), delays, past,
            label, counted, groups, hits, total,
        )  # fmt: skip
        return total, (hits + strength * middle) / (total + strength)

    found: list[NDArray[np.float64]] = []
    titles: list[str] = []
    for name, relation in graph.relations.items():
        total, rate = rates(name, known, fold)
        found += [total, rate]
        titles += [f"{name}.known", f"{name}.rate"]
        if hops == 2:
            second = np.full(nodes, np.nan)
            # Both hops leave out the labels of the fold of the node that asks, not of the one in between.
            none = np.full(nodes, -1, np.int32)
            for group in np.unique(fold).tolist():
                counted = known & (fold != group) if group >= 0 else known
                weight, between = rates(name, counted, none)
                between[weight == 0] = np.nan
                rows = np.flatnonzero(fold == group)
                mean_of_rows(relation.start, relation.neighbour, rows, between, second)
            found.append(second)
            titles.append(f"{name}.rate_2")
    values = np.stack(found, axis=1).astype(np.float32) if found else np.zeros((nodes, 0), np.float32)
    return Columns(values, tuple(titles))


def propagate_labels(
    graph: Graph,
    labels: ArrayLike,
    known: ArrayLike,
    *,
    folds: NDArray[np.int32],
    steps: int = 8,
    keep: float = 0.85,
    read_at: tuple[int, ...] = (2, 4, 8),
) -> Columns:
    """What known labels say after they have spread along the edges for some steps.

    Each step takes `h <- keep * S h + (1 - keep) * seeds` with `S = D^-1/2 A D^-1/2` of a relation and seeds of
    `label - rate` where the label is known. It reaches further than two hops and discounts hubs. Nodes with a known
    label read a spreading in which their fold had no label.

    Parameters
    ----------
    labels, known, folds : as for `rate_neighbours`.
    steps : of the spreading; the cost is `steps * (folds + 1)` passes over the edges.
    keep : share that comes from the neighbours.
    read_at : steps whose values become columns `RELATION.spread_STEP`.

    Source: D. Zhou et al., *Learning with local and global consistency*, NIPS 2003, iteration of section 2.
    """
    known = check_known(known, len(graph))
    label = check_known_labels(labels, known)
    groups = check_folds(folds, len(graph))
    if not 0 < keep < 1 or not read_at or min(read_at) < 1 or max(read_at) > steps:
        raise UsageError(
            f"keep={keep}, steps={steps}, read_at={read_at}", allowed="keep in (0, 1), read_at from 1 up to steps"
        )
    found, titles = [], []
    for name, relation in graph.relations.items():
        scale = 1.0 / np.sqrt(np.maximum(relation.degrees(), 1))
        values = np.zeros((len(graph), len(read_at)), np.float32)
        for fold in np.unique(groups).tolist():
            counted = known & (groups != fold) if fold >= 0 else known
            seeds = np.where(counted, label - (label[counted].mean() if counted.any() else 0.0), 0.0)
            spread, rows = seeds.copy(), groups == fold
            for step in range(1, steps + 1):
                spread = propagate(relation.start, relation.neighbour, scale, spread)
                spread = keep * spread + (1 - keep) * seeds
                if step in read_at:
                    values[rows, read_at.index(step)] = spread[rows]
        found.append(values)
        titles += [f"{name}.spread_{step}" for step in read_at]
    joined = np.hstack(found) if found else np.zeros((len(graph), 0), np.float32)
    return Columns(joined, tuple(titles))
