"""Labels and rows as callers give them, checked."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from floorwalker.errors import UsageError

Matrix = NDArray[np.float32]


def show_labels(labels: Matrix, shown: NDArray[np.int64]) -> Matrix:
    """Two columns an output: whether the label is shown, and the label less a half; zeros where it is not."""
    outputs = labels.shape[1]
    visible = np.zeros((len(labels), 2 * outputs), np.float32)
    is_known = np.isfinite(labels[shown])
    visible[shown, :outputs] = is_known
    visible[shown, outputs:] = np.where(is_known, labels[shown] - 0.5, 0.0)
    return visible


def check_labels(labels: ArrayLike, nodes: int) -> Matrix:
    """Labels as float32 [n, O], NaN = unknown; `UsageError` where they are none."""
    found = np.asarray(labels, np.float32)
    if found.shape[:1] != (nodes,) or found.ndim > 2:
        raise UsageError(f"labels of shape {found.shape}", allowed=f"({nodes},) or ({nodes}, outputs)")
    if not (np.isnan(found) | (found == 0) | (found == 1)).all():
        raise UsageError("labels that are neither 0 nor 1", allowed="0, 1 or NaN for unknown")
    return found[:, None] if found.ndim == 1 else found


def check_rows(rows: ArrayLike, nodes: int) -> NDArray[np.int64]:
    """Rows as int64, from bool [n] or whole numbers; `UsageError` where they are none."""
    found = np.asarray(rows)
    if found.dtype == np.bool_ and found.shape == (nodes,):
        return np.flatnonzero(found)
    if found.ndim != 1 or (len(found) and found.dtype.kind not in "iu"):
        raise UsageError(f"rows of shape {found.shape}, {found.dtype}", allowed=f"bool [{nodes}] or whole numbers")
    if len(found) and not 0 <= int(found.min()) <= int(found.max()) < nodes:
        raise UsageError("rows outside the graph", allowed=f"0 to {nodes - 1}")
    return found.astype(np.int64)
