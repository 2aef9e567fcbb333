"""The graph of the reviews, and the columns that trees read: history, neighbours, rates of known labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.relation.aggregates import aggregate_neighbours
from floorwalker.detectors.relation.graph import Graph, Relation
from floorwalker.detectors.relation.label_rates import make_folds, rate_neighbours
from floorwalker.evaluation.tasks._reviews_data import Reviews
from floorwalker.evaluation.tasks._reviews_history import describe_history

HALVINGS = (0, 60, 365)
"""Days at which a neighbour's label weighs half; 0 = no matter when."""
FOLDS = 10
STANDING = (0.5, 1.5, 4.5)
"""Steps of a user's other reviews: labels of newcomers speak of newcomers."""

Matrix = NDArray[np.float32]
Mask = NDArray[np.bool_]
Days = NDArray[np.int64]


@dataclass(frozen=True)
class Nodes:
    """The nodes with all that needs no label.

    Parameters
    ----------
    reviews : of the nodes alone.
    flat : float32 [n, C], history without the graph: what the baseline reads.
    around : float32 [n, D], means over the neighbours.
    graph : relations in which labels are counted; where `past`, of older neighbours only.
    """

    reviews: Reviews
    flat: Matrix
    around: Matrix
    graph: Graph
    past: bool


def build_nodes(reviews: Reviews, *, past: bool) -> Nodes:
    """History, relations and neighbours' means of the nodes.

    Relations: same user (R-U-R), same product and stars (R-S-R), same product and calendar month (for R-T-R), same
    product, and same product and standing of the user.
    """
    history, names = describe_history(reviews, past=past)
    rows = np.flatnonzero(reviews.is_node)
    nodes, flat = reviews.take(rows), history[rows]
    others = flat[:, names.index("user.reviews")]
    product, stars = nodes.product, nodes.stars.astype(np.int64)
    relations = {
        "user": Relation.from_groups(nodes.user),
        "product": Relation.from_groups(product),
        "product_stars": Relation.from_groups(product * 10 + stars),
        "product_month": Relation.from_groups(product * 10_000 + nodes.months()),
        "product_standing": Relation.from_groups(product * 10 + np.digitize(others, STANDING)),
    }
    graph = Graph(np.zeros((len(nodes), 0), np.float32), relations, nodes.day)
    if past:
        graph = graph.past()
    told = [column for column, name in enumerate(names) if name.startswith("user.") or name in TOLD]
    near = Graph(graph.features, {name: graph.relations[name] for name in NEAR}, nodes.day)
    around = aggregate_neighbours(near, flat[:, told], hows=("mean",)).values
    if not past:
        # When it was is no label, and in a random split past and future are one.
        flat = np.hstack([flat, nodes.day[:, None].astype(np.float32)])
    return Nodes(nodes, flat, around, graph, past)


NEAR = ("user", "product_stars", "product_month")
TOLD = ("distance", "product.reviews", "product.distance_from_mean", "product.days_to_previous", "product.rank",
        "product.reviews_7d", "product.reviews_30d", "product.newcomers_7d", "product.newcomers_30d")  # fmt: skip


def label_columns(
    nodes: Nodes, known: Mask, *, delay: int | Days = 0, prior: float | None = None, seed: int = 0
) -> Matrix:
    """Rates of known labels among the neighbours: out of fold, or of the past alone.

    Parameters
    ----------
    known : bool [n], labels that may be read.
    delay : days that a label takes to become known; for nodes that see the past.
    prior : share of positives among training labels; for nodes that see the past.
    """
    random = np.random.default_rng([seed, 21])
    folds = None if nodes.past else make_folds(len(known), known, folds=FOLDS, random=random)
    labels = nodes.reviews.filtered
    found = [
        rate_neighbours(
            nodes.graph,
            labels,
            known,
            folds=folds,
            past=nodes.past,
            delay=delay,
            halving=halving,
            prior=prior,
            strength=3.0,
        ).values
        for halving in HALVINGS
    ]
    users = Graph(nodes.graph.features, {"user": nodes.graph.relations["user"]}, nodes.reviews.day)
    if not nodes.past:
        found.append(rate_neighbours(users, labels, known, folds=folds, hops=2).values[:, -1:])
    return np.hstack(found)
