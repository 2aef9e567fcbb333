"""Every field of an event, and what ids, order, rounding and gaps could betray, as columns of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.evaluation.tasks._hardness_figures import FOLDS
from floorwalker.evaluation.tasks._hardness_lists import floats, list_columns, sums_columns

SKIPPED = frozenset({"shop", "schema_version", "received_at", "type"})
"""Fields on which malicious and honest events were made equal, or that the server fills in."""


def field_columns(
    events: pl.DataFrame, place: NDArray[np.int64], malicious: NDArray[np.bool_], groups: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Numbers that a field can be told by: float64 [n] a column.

    Parameters
    ----------
    events : n rows of the events' table.
    place : int64 [n], how far down their second they stand in it (`place_in_second`).
    malicious : bool [n].
    groups : int64 [n], campaign or account: a value's rate of abuse is learned from other groups only.

    A number or statement stands for itself; a text for the rate of abuse among events of other groups that have it (by
    how much it differs from the rate among all of theirs), and for its length and its digits; a list for its length and
    for what is in it (`_hardness_lists`). `missing/NAME` says that a field is absent.
    """
    columns: dict[str, NDArray[np.float64]] = {}
    fold = groups % FOLDS

    def texts(name: str, column: pl.Series) -> dict[str, NDArray[np.float64]]:
        return {
            f"length/{name}": floats(column.str.len_chars()),
            f"digits/{name}": floats(column.str.count_matches(r"[0-9]")),
            f"rate/{name}": _rates(column, malicious, fold),
            f"first/{name}": _first_character(column),
        }

    for name in events.columns:
        if name in SKIPPED:
            continue
        column = events[name]
        absent = column.is_null().to_numpy()
        if absent.any():
            columns[f"missing/{name}"] = absent.astype(np.float64)
        if absent.all():
            continue
        if name == "at":
            columns.update(_times(column.to_numpy()))
        elif column.dtype.is_nested():
            columns |= list_columns(name, column, texts)
        elif column.dtype == pl.String:
            columns |= texts(name, column)
        else:
            values = column.cast(pl.Float64).to_numpy()
            columns[name] = values
            if name.endswith("_minor"):
                columns[f"cents/{name}"] = np.mod(values, 100)
                columns[f"tens/{name}"] = np.mod(values, 10)
    columns |= sums_columns(events)
    columns["order/place_in_second"] = place.astype(np.float64)
    # Running numbers would rise with whoever made them.
    columns["order/id"] = events["id"].rank("dense").cast(pl.Float64).to_numpy()
    columns["missing/how_many"] = np.sum([events[name].is_null().to_numpy() for name in events.columns], axis=0) * 1.0
    return columns


def commonness(values: NDArray[Any], malicious: NDArray[np.bool_], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """How usual exactly this number is: its share among the honest events of other groups.

    It shows what no threshold does: a number that customers' events always have and adversaries' never, or the reverse.

    Parameters
    ----------
    values : [n], missing ones are a value like others. malicious : bool [n]. groups : int64 [n], campaign or account.
    """
    _, codes = np.unique(values, return_inverse=True)
    n, fold = int(codes.max(initial=0)) + 1, groups % FOLDS
    found = np.zeros(len(codes))
    for held in range(FOLDS):
        others, here = (fold != held) & ~malicious, fold == held
        found[here] = (np.bincount(codes[others], minlength=n) / max(int(others.sum()), 1))[codes[here]]
    return found


def _times(at: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    seconds = at // 1_000_000
    return {
        "at/hour": (seconds // 3600 % 24).astype(np.float64),
        "at/minute": (seconds // 60 % 60).astype(np.float64),
        "at/second": (seconds % 60).astype(np.float64),
        "at/millisecond": (at // 1000 % 1000).astype(np.float64),
        "at/microsecond": (at % 1000).astype(np.float64),
    }


def place_in_second(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """How far down its second each row of the whole table stands; rows of one second must not be sorted by who did it.

    >>> place_in_second(np.array([0, 5, 999_999, 1_000_000, 1_000_001])).tolist()
    [0, 1, 2, 0, 1]
    """
    starts = np.flatnonzero(np.r_[True, np.diff(at // 1_000_000) != 0])
    lengths = np.diff(np.r_[starts, len(at)])
    return np.arange(len(at)) - np.repeat(starts, lengths)


def _first_character(column: pl.Series) -> NDArray[np.float64]:
    heads = column.str.slice(0, 1).fill_null("")
    return np.array([float(ord(head)) if head else np.nan for head in heads.to_list()])


def _rates(column: pl.Series, malicious: NDArray[np.bool_], fold: NDArray[np.int64]) -> NDArray[np.float64]:
    """By how much each text's smoothed rate of abuse differs from everybody's, learned on the other folds.

    NaN for a text that they do not know. The others' own rate is taken off because folds with many malicious events
    leave few to the others: a column that never changes would tell the folds apart by it, and with them the campaigns.
    """
    codes = column.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    n = int(codes.max()) + 1
    rates = np.full(len(codes), np.nan)
    for held in range(FOLDS):
        others, here = fold != held, fold == held
        seen = np.bincount(codes[others], minlength=n)
        bad = np.bincount(codes[others], weights=malicious[others], minlength=n)
        base = bad.sum() / max(seen.sum(), 1)
        learned = np.where(seen > 0, (bad + 20 * base) / (seen + 20) - base, np.nan)
        rates[here] = learned[codes[here]]
    rates[codes == 0] = np.nan
    return rates
