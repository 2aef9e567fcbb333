"""Stars: an event's account with the neighbours it had at that moment; what the live network learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from floorwalker.detectors.relation._live_layout import KINDS
from floorwalker.detectors.relation.gnn import RelationalNetwork
from floorwalker.detectors.relation.graph import Graph, Relation


@dataclass(frozen=True)
class Stars:
    """What `LiveRelations.collect` saw around some events.

    Parameters
    ----------
    own : float32 [n, P], the account as of just before the event, as `_live_layout.PROFILE`; NaN for unknown ones.
    around : float32 [n, kinds, K, P], the neighbours.
    amounts : int64 [n, kinds], how many of the K are there.
    """

    own: NDArray[np.float32]
    around: NDArray[np.float32]
    amounts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.own)

    @classmethod
    def join(cls, parts: Sequence[Stars]) -> Stars:
        """Several collections, one after the other."""
        return cls(
            np.concatenate([part.own for part in parts]),
            np.concatenate([part.around for part in parts]),
            np.concatenate([part.amounts for part in parts]),
        )

    def graph(self) -> Graph:
        """The n events as the first n nodes of a graph, their neighbours as further ones."""
        events, kinds, fan_out, _ = self.around.shape
        is_there = np.arange(fan_out) < self.amounts[:, :, None]
        place = np.cumsum(is_there.reshape(-1)) - 1 + events
        nodes = events + int(is_there.sum())
        relations = {}
        for kind, name in enumerate(KINDS[:kinds]):
            event, slot = np.nonzero(is_there[:, kind])
            start = np.zeros(nodes + 1, np.int64)
            start[1:] = np.cumsum(np.bincount(event, minlength=nodes))
            neighbour = place.reshape(events, kinds, fan_out)[event, kind, slot].astype(np.int32)
            relations[name] = Relation(start, neighbour)
        return Graph(np.vstack([self.own, self.around[is_there]]), relations)


def learn_stars(
    stars: Stars,
    labels: ArrayLike,
    training: NDArray[np.bool_],
    validation: NDArray[np.bool_],
    *,
    hidden: int = 32,
    epochs: int = 60,
    patience: int = 8,
    batch: int = 4096,
    seed: int = 0,
    device: str = "cpu",
) -> RelationalNetwork:
    """The network that `LiveRelations` serves.

    Parameters
    ----------
    labels : [n] or [n, O], 0, 1 or NaN, known at the time of training.
    training, validation : bool [n]; earlier and later events, apart.
    hidden, epochs, patience, batch, seed, device : as of `RelationalNetwork`.
    """
    graph = stars.graph()
    targets = np.asarray(labels, np.float32)
    more = np.full((len(graph) - len(stars), *targets.shape[1:]), np.nan, np.float32)
    network = RelationalNetwork(
        hidden=hidden, layers=1, heads=1, epochs=epochs, patience=patience, batch=batch, fan_out=0, seed=seed,
        device=device,
    )  # fmt: skip
    return network.fit(graph, np.concatenate([targets, more]), np.flatnonzero(training), np.flatnonzero(validation))
