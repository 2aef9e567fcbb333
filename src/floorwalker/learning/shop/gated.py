"""The gated fusion learned from the same rows as the stacked one, and asked about the same events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from floorwalker.fusion.columns import EVENT_TYPE, column_names, fusion_columns
from floorwalker.fusion.gated import GatedFusion
from floorwalker.learning.shop.fusing import lessons_of, relevant_types
from floorwalker.learning.shop.plan import TrainingPlan
from floorwalker.learning.shop.recording import Recording
from floorwalker.learning.shop.signals import Signals

OWN = "transaction"
"""The group of live features and of the event's own numbers."""


def groups_of(recording: Recording, signals: Signals) -> dict[str, tuple[int, ...]]:
    """Places of each modality's columns among those of `fusion_columns`."""
    start = len(column_names(recording.names))
    groups = {OWN: tuple(range(start))}
    for modality in signals.modalities:
        groups[modality.name] = tuple(range(start, start + len(modality.outputs)))
        start += len(modality.outputs)
    return groups


def fuse_rows_gated(
    recording: Recording,
    known: NDArray[np.float32],
    signals: Signals,
    plan: TrainingPlan,
    *,
    learned_until: int,
    guessed: NDArray[np.float32] | None = None,
    epochs: int = 12,
) -> GatedFusion:
    """As `fuse_rows`, with a network in the trees' place: the same rows, labels and weights."""
    rng = np.random.default_rng(plan.seed)
    relevant = relevant_types(recording, known, learned_until)
    rows, label, weights = lessons_of(recording, known, signals, plan, learned_until, guessed, relevant, rng)
    matrix = fusion_columns(
        np.asarray(recording.features[rows]), np.asarray(recording.numbers[rows]), recording.type[rows],
        signals.rows(rows),
    )  # fmt: skip
    fusion = GatedFusion(
        groups_of(recording, signals), kind=column_names(recording.names).index(EVENT_TYPE), epochs=epochs,
        drop_out=plan.drop_out, seed=plan.seed, device=plan.device,
    )  # fmt: skip
    return fusion.fit(matrix, label[:, 0], weights=weights, at=recording.at[rows])


def score_gated(
    recording: Recording,
    signals: Signals,
    fusion: GatedFusion,
    relevant: NDArray[np.bool_],
    start: int,
    stop: int,
    *,
    without: Sequence[str] = (),
) -> NDArray[np.float32]:
    """Whether the events at these places are abuse: float32 [stop - start]; 0 where nothing is judged."""
    found = np.zeros(stop - start, np.float32)
    judged = np.asarray(relevant.any(axis=1))
    for first in range(start, stop, 20_000):
        last = min(first + 20_000, stop)
        inside = np.flatnonzero(judged[recording.type[first:last]])
        if len(inside):
            rows = first + inside
            matrix = fusion_columns(
                np.asarray(recording.features[first:last])[inside], np.asarray(recording.numbers[first:last])[inside],
                recording.type[rows], signals.rows(rows, without=without),
            )  # fmt: skip
            found[rows - start] = fusion.score(matrix)
    return found
