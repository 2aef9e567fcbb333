"""The live graph's network, learned from a recording: what the neighbours of proven events looked like just before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.relation.live import LiveRelations
from floorwalker.detectors.relation.stars import Stars, learn_stars
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.learning.shop.recording import Recording

FEWEST = 30
"""Proven events below which the network does not learn an abuse type."""
MOST_ROWS = 40_000
PROVEN_SHARE = 0.5
"""Of the rows, at most: proven events and others of the types of event at which abuse was proven."""
VALIDATION_FROM = 0.85


def learn_relations(
    recording: Recording,
    known: NDArray[np.float32],
    *,
    until: int,
    seed: int,
    device: str = "cpu",
    epochs: int = 25,
    most_rows: int = MOST_ROWS,
) -> LiveRelations:
    """An empty live graph, with a network that learned from the events before place `until`; without one where too
    little was proven.

    Parameters
    ----------
    known : float32 [n, abuse types], 1 abuse, 0 judged honest, NaN not known, which is taken for honest.
    seed, device : of the network.
    """
    proven = known[:until] == 1
    learned = [place for place in range(len(ABUSE_TYPES)) if proven[:, place].sum() >= FEWEST]
    if not learned:
        return LiveRelations()
    rng = np.random.default_rng(seed)
    guilty = np.flatnonzero(proven[:, learned].any(axis=1))
    kinds = np.unique(recording.type[guilty])
    others = np.setdiff1d(np.flatnonzero(np.isin(recording.type[:until], kinds)), guilty)
    guilty = _draw(guilty, int(most_rows * PROVEN_SHARE), rng)
    rows = np.sort(np.r_[guilty, _draw(others, most_rows - len(guilty), rng)])
    live = LiveRelations()
    stars = []
    for place, batch, features in recording.batches(0, until):
        here = rows[np.searchsorted(rows, place.start) : np.searchsorted(rows, place.stop)] - place.start
        stars.append(live.collect(batch, features, here)[1])
    labels = np.where(np.isnan(known[rows]), 0.0, known[rows])[:, learned]
    early = rows < VALIDATION_FROM * until
    enough = [place for place in range(len(learned)) if labels[early, place].any()]
    if not enough or early.all() or not early.any():
        return LiveRelations()
    network = learn_stars(
        Stars.join(stars), labels[:, enough], early, ~early, epochs=epochs, patience=5, seed=seed, device=device
    )
    return LiveRelations(network=network, abuse_types=[ABUSE_TYPES[learned[place]] for place in enough])


def _draw(rows: NDArray[np.int64], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.choice(rows, most, replace=False) if len(rows) > most else rows
