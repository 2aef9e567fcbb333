"""What detectors of this family are given: rows, labels, weights, names; taken or refused in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from floorwalker.errors import UsageError


def take_rows(rows: ArrayLike, columns: int | None = None) -> NDArray[np.floating[Any]]:
    """Rows as float32 or float64 [n, d]; NaN is a missing value.

    Errors
    ------
    `UsageError` where they are no table of numbers, or have another number of columns than `columns`.
    """
    try:
        taken = np.asarray(rows)
        if taken.dtype not in (np.float32, np.float64):
            taken = taken.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as broken:
        raise UsageError(
            f"rows that are no numbers: {broken}", allowed="[n, d] of numbers, NaN where missing"
        ) from None
    if taken.ndim != 2 or taken.shape[1] == 0:
        raise UsageError(f"rows of shape {taken.shape}", allowed="[n, d] with d of 1 and up")
    if columns is not None and taken.shape[1] != columns:
        raise UsageError(f"rows with {taken.shape[1]} columns", allowed=f"the {columns} of training")
    return taken


def take_labels(labels: ArrayLike, count: int) -> NDArray[np.float64]:
    """Labels as float64 [n, L]: 0, 1, or NaN where nobody knows.

    Errors
    ------
    `UsageError` for other values, another length, or a third axis.
    """
    taken = _numbers(labels, "labels", "0, 1, and NaN where nobody knows", "turn texts into 0 and 1")
    if taken.ndim == 1:
        taken = taken[:, None]
    if taken.ndim != 2 or len(taken) != count or taken.shape[1] == 0:
        raise UsageError(f"labels of shape {np.shape(labels)}", allowed=f"[{count}] or [{count}, L]")
    if not (np.isnan(taken) | (taken == 0) | (taken == 1)).all():
        raise UsageError("labels beside 0 and 1", allowed="0, 1, and NaN where nobody knows")
    return taken


def take_weights(weights: ArrayLike | None, count: int) -> NDArray[np.float64]:
    """Weights of the rows, float64 [n]: ones where none are given.

    Errors
    ------
    `UsageError` for another length, negative or missing weights, or none above 0.
    """
    if weights is None:
        return np.ones(count)
    taken = _numbers(weights, "weights", f"[{count}] finite numbers of 0 and up", "turn texts into numbers")
    if taken.shape != (count,) or not np.isfinite(taken).all() or (taken < 0).any() or not taken.any():
        raise UsageError(f"weights of shape {taken.shape}", allowed=f"[{count}] finite numbers of 0 and up, not all 0")
    return taken


def _numbers(values: ArrayLike, what: str, allowed: str, fix: str) -> NDArray[np.float64]:
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError, OverflowError) as broken:
        raise UsageError(f"{what} that are no numbers: {broken}", allowed=allowed, fix=fix) from None


def take_names(names: Sequence[object] | None, columns: int) -> tuple[str, ...]:
    """Names of the columns; ``column_0`` and so on where none are given. Numbers are taken as their texts.

    Errors
    ------
    `UsageError` for another number of names, or one that stands twice.
    """
    if names is None:
        return tuple(f"column_{place}" for place in range(columns))
    taken = tuple(str(name) for name in names)
    if len(taken) != columns or len(set(taken)) != columns:
        raise UsageError(f"{len(taken)} names, {len(set(taken))} different", allowed=f"{columns} different names")
    return taken


def hold_latest(at: ArrayLike | None, count: int, share: float, held: ArrayLike | None = None) -> NDArray[np.bool_]:
    """The latest `share` of the rows, bool [n]: what is chosen is chosen on later rows than it was learned from.

    Parameters
    ----------
    at : time of each row [n]; without it the rows stand in their order in time. Rows of one time stay together.
    held : bool [n], the part itself, where the caller knows better.
    """
    if held is not None:
        taken = np.asarray(held, np.bool_)
        if taken.shape != (count,) or taken.all():
            raise UsageError(f"a validation part of shape {taken.shape}", allowed=f"bool [{count}], not all true")
        return taken
    if share <= 0 or count < 2:
        return np.zeros(count, np.bool_)
    times = np.arange(count) if at is None else np.asarray(at)
    if times.shape != (count,):
        raise UsageError(f"times of shape {times.shape}", allowed=f"[{count}]")
    last = max(count - 1 - round(count * share), 0)
    cut = np.partition(times, last)[last]
    later: NDArray[np.bool_] = times > cut
    return later


def usual_values(rows: NDArray[np.floating[Any]], honest: NDArray[np.bool_], most: int = 50_000) -> NDArray[np.float32]:
    """The median of each column over the honest rows that have it, float32 [d]; NaN where none has."""
    chosen = np.flatnonzero(honest) if honest.any() else np.arange(len(rows))
    sample = np.sort(rows[chosen[:: max(len(chosen) // most, 1)]], axis=0)
    present = (~np.isnan(sample)).sum(axis=0)
    # NaN sorts last, so the present values of a column are its first.
    middle = sample[np.maximum(present - 1, 0) // 2, np.arange(sample.shape[1])]
    # A median beyond float32 is told as infinite.
    with np.errstate(over="ignore"):
        return np.where(present > 0, middle, np.nan).astype(np.float32)
