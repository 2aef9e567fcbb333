"""Labels of sequences and events, checked and spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour.sequences import Sequences
from floorwalker.errors import InputError


def check_labels(labels: NDArray[Any] | Sequence[Any] | None, sequences: Sequences) -> NDArray[np.float32] | None:
    """Labels as float32 [n or events, K]; None where none is given or all are NaN."""
    if labels is None:
        return None
    try:
        given = np.asarray(labels, np.float32)
    except (TypeError, ValueError) as broken:
        raise InputError(f"the labels are no numbers: {broken}", allowed="0, 1 or NaN") from broken
    if given.ndim == 1:
        given = given[:, None]
    if given.ndim != 2 or len(given) not in {len(sequences), len(sequences.tokens)} or not given.shape[1]:
        raise InputError(
            f"labels of shape {np.shape(labels)}",
            allowed=f"one for each of {len(sequences)} sequences or of {len(sequences.tokens)} events",
        )
    if not np.isin(given[~np.isnan(given)], (0.0, 1.0)).all():
        raise InputError("labels other than 0 and 1", allowed="0 = none, 1 = abuse, NaN = unknown")
    return None if np.isnan(given).all() else given


def to_events(given: NDArray[np.float32] | None, sequences: Sequences) -> NDArray[np.float32]:
    """Labels of each event, float32 [events, K]; a column of NaN without any."""
    if given is None:
        return np.full((len(sequences.tokens), 1), np.nan, np.float32)
    return given if len(given) == len(sequences.tokens) else np.ascontiguousarray(given[sequences.owners])


def sequence_weights(sequences: Sequences) -> NDArray[np.float32]:
    """Weights of events under labels of sequences: half for the last event, half for all on the way, so that it is
    recognised early too. Every sequence weighs the same; the mean is one."""
    lengths = np.maximum(sequences.lengths, 1)
    weights = (0.5 / lengths)[sequences.owners]
    filled = sequences.lengths > 0
    weights[sequences.starts[1:][filled] - 1] += 0.5
    found: NDArray[np.float32] = (weights / max(weights.mean(), 1e-12)).astype(np.float32)
    return found


def soft_loss(logits: NDArray[np.float32], labels: NDArray[np.float32], weights: NDArray[np.float32]) -> float:
    """Weighted mean over events of the cross entropies, summed over labels; unknown labels count nothing."""
    known = ~np.isnan(labels)
    target = np.where(known, labels, 0.0)
    wide = logits.astype(np.float64)
    each = np.logaddexp(0.0, wide) - target * wide
    return float((each * known * weights[:, None]).sum() / max(float(weights.sum()), 1e-12))
