"""The workers of Tolokers: who did the same tasks, what their profiles say, who was banned, and ten official splits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.relation.graph import Graph, Relation
from floorwalker.errors import InputError

FILE = Path("tolokers") / "tolokers.npz"

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Workers:
    """Workers and their splits.

    Parameters
    ----------
    graph : features of n workers; relation `task`: they did the same task.
    banned : bool [n], the label.
    training, validation, test : bool [s, n], the official splits.
    """

    graph: Graph
    banned: Mask
    training: Mask
    validation: Mask
    test: Mask

    def shuffled(self, random: np.random.Generator) -> Workers:
        """The same workers in another order, everything that belongs to them moved with them."""
        order = random.permutation(len(self.banned))
        place = np.argsort(order)
        relation = self.graph.relations["task"]
        target = np.repeat(np.arange(relation.nodes), relation.degrees())
        moved = Relation.from_edges(place[relation.neighbour], place[target], nodes=relation.nodes)
        return Workers(
            Graph(self.graph.features[order], {"task": moved}),
            self.banned[order],
            *(masks[:, order] for masks in (self.training, self.validation, self.test)),
        )


def read_workers(data: Path) -> Workers:
    """The workers; `InputError` where they are missing."""
    path = data / FILE
    if not path.is_file():
        raise InputError(f"no {FILE} in {data}", fix="give the folder that holds tolokers")
    with np.load(path, allow_pickle=False) as arrays:
        edges, labels = arrays["edges"], arrays["node_labels"]
        relation = Relation.from_edges(edges[:, 0], edges[:, 1], nodes=len(labels))
        masks = (np.asarray(arrays[f"{part}_masks"], np.bool_) for part in ("train", "val", "test"))
        return Workers(Graph(arrays["node_features"].astype(np.float32), {"task": relation}), labels == 1, *masks)
