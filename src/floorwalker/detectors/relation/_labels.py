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


def check_known(known: ArrayLike, nodes: int) -> NDArray[np.bool_]:
    """Whose label is known, as bool [n]; `UsageError` where it is not that."""
    found = np.asarray(known)
    if found.shape != (nodes,):
        raise UsageError(f"known of shape {found.shape}", allowed=f"bool ({nodes},)")
    if found.dtype.kind not in "biuf" or not ((found == 0) | (found == 1)).all():
        raise UsageError(f"known of type {found.dtype} with values that are neither", allowed="true and false, 1 and 0")
    return found.astype(np.bool_)


def check_known_labels(labels: ArrayLike, known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Labels as float64 [n], 0 where they are not known and never read; `UsageError` where a known one is none."""
    given = np.asarray(labels)
    if given.shape != known.shape:
        raise UsageError(f"labels of shape {given.shape}", allowed=f"{known.shape}, as known")
    try:
        read = given[known].astype(np.float64)
    except (TypeError, ValueError) as broken:
        raise UsageError(f"labels of type {given.dtype}", allowed="0 or 1 where they are known") from broken
    wrong = read[(read != 0) & (read != 1)]
    if len(wrong):
        raise UsageError(f"{len(wrong)} known labels such as {wrong[0]}", allowed="0 or 1 where they are known")
    found = np.zeros(known.shape, np.float64)
    found[known] = read
    return found


def check_folds(folds: ArrayLike, nodes: int) -> NDArray[np.int32]:
    """Folds as int32 [n], -1 for none; `UsageError` where they are no such numbers."""
    found = np.asarray(folds)
    if found.shape != (nodes,) or (nodes and found.dtype.kind not in "iu"):
        raise UsageError(f"folds of shape {found.shape}, {found.dtype}", allowed=f"whole numbers ({nodes},)")
    if nodes and not -1 <= int(found.min()) <= int(found.max()) <= np.iinfo(np.int32).max:
        raise UsageError(f"folds from {found.min()} to {found.max()}", allowed="-1 for none, else from 0")
    return found.astype(np.int32)


def check_delays(delay: ArrayLike, nodes: int) -> NDArray[np.int64]:
    """Delays as int64 [n], from one for all or one for each node; `UsageError` where they are none."""
    found = np.asarray(delay)
    if found.shape not in ((), (nodes,)) or (found.size and found.dtype.kind not in "iu"):
        raise UsageError(
            f"a delay of shape {found.shape}, {found.dtype}", allowed=f"one whole number, or ({nodes},) of them"
        )
    return np.broadcast_to(found.astype(np.int64), (nodes,)).copy()
