"""What an entity's traffic and its known labels say about each payment of S-FFSD, whatever part of both may be seen.

A row's position is its time. Rows without a label are traffic like all others. Every figure is a difference of two
running sums over the rows of one entity in order, so what a row may see is two positions, and a test can move them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

LAST = (1, 3, 10, 30)
"""Of so many newest labels the mean is taken."""
RECENT = (50, 500, 5_000)
"""Rows that count as lately."""
SMOOTHING = 5.0
"""Labels that the overall rate counts as, in each rate."""


class Groups:
    """The rows of each value of a key, in order.

    Parameters
    ----------
    code : int64 [n], 0 and up, the value of each row.
    rows : the rows that are counted, rising positions; all without.
    """

    def __init__(self, code: NDArray[np.int64], rows: NDArray[np.int64] | None = None) -> None:
        self._code, self._size = code, len(code) + 1
        counted = np.arange(len(code)) if rows is None else rows
        place = code[counted] * self._size + counted
        order = np.argsort(place, kind="stable")
        self.rows = counted[order]
        """The counted rows by value and position."""
        self._places = place[order]

    def before(self, stop: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where in `rows` those of each row's value end that lie before position `stop`: int64 [n]."""
        found: NDArray[np.int64] = np.searchsorted(self._places, self._code * self._size + stop)
        return found

    @property
    def begin(self) -> NDArray[np.int64]:
        """Where the rows of each row's value begin: int64 [n]."""
        return self.before(np.zeros(len(self._code), np.int64))

    @property
    def end(self) -> NDArray[np.int64]:
        """Where the rows of each row's value end: int64 [n]."""
        return self.before(np.full(len(self._code), self._size - 1))


def running(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of the first 0, 1, 2 … values: float64 [n + 1]."""
    return np.concatenate([[0.0], np.cumsum(values)])


def traffic_features(
    keys: Mapping[str, NDArray[np.int64]], amount: NDArray[np.float64], *, pairs: Sequence[tuple[str, str]], ahead: bool
) -> dict[str, NDArray[np.float64]]:
    """Counts, gaps, amounts and new values of each key's past; labels play no part.

    Parameters
    ----------
    keys : name -> int64 [n], the codes of an entity, or of several together.
    amount : float64 [n].
    pairs : (of, what): how many different `what` an `of` has had.
    ahead : whether the rows that come later are traffic, too, as in a random split; never where time is respected.
    """
    count = len(amount)
    here, logs = np.arange(count), np.log1p(amount)
    found: dict[str, NDArray[np.float64]] = {"amount": amount, "log_amount": logs, "cents": np.round(amount % 1, 2)}
    for name, code in keys.items():
        groups = Groups(code)
        begin, now, end = groups.begin, groups.before(here), groups.end
        past = (now - begin).astype(np.float64)
        sums, squares = running(logs[groups.rows]), running(logs[groups.rows] ** 2)
        found[f"{name}_rows"] = past
        for window in RECENT:
            found[f"{name}_rows_{window}"] = (now - groups.before(np.maximum(here - window, 0))).astype(np.float64)
        for back in (1, 2, 5):
            before = now - back
            seen = before >= begin
            found[f"{name}_gap_{back}"] = np.where(seen, here - groups.rows[np.maximum(before, 0)], np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (sums[now] - sums[begin]) / past
            spread = np.sqrt(np.maximum((squares[now] - squares[begin]) / past - mean**2, 0))
            found[f"{name}_amount_mean"] = mean
            found[f"{name}_amount_deviation"] = (logs - mean) / (spread + 0.3)
            lately = np.maximum(now - 5, begin)
            found[f"{name}_amount_last_5"] = (sums[now] - sums[lately]) / (now - lately)
        found[f"{name}_amount_last"] = np.where(past > 0, logs[groups.rows[np.maximum(now - 1, 0)]], np.nan)
        if ahead:
            found[f"{name}_rows_all"] = (end - begin).astype(np.float64)
            for window in RECENT:
                found[f"{name}_rows_next_{window}"] = (
                    groups.before(np.minimum(here + window + 1, count)) - now - 1
                ).astype(np.float64)
            follows = now + 1 < end
            nearest = groups.rows[np.minimum(now + 1, count - 1)]
            found[f"{name}_gap_next"] = np.where(follows, nearest - here, np.nan)
            found[f"{name}_amount_next"] = np.where(follows, logs[nearest], np.nan)
            found[f"{name}_amount_mean_all"] = (sums[end] - sums[begin]) / (end - begin)
    for of, what in pairs:
        groups = Groups(keys[of])
        together = keys[of] * (int(keys[what].max()) + 1) + keys[what]
        first = np.zeros(count)
        first[np.unique(together, return_index=True)[1]] = 1.0
        sums = running(first[groups.rows])
        found[f"{of}_different_{what}"] = sums[groups.before(here)] - sums[groups.begin]
        if ahead:
            found[f"{of}_different_{what}_all"] = sums[groups.end] - sums[groups.begin]
    return found


def label_features(
    keys: Mapping[str, NDArray[np.int64]],
    label: NDArray[np.float64],
    *,
    until: NDArray[np.int64],
    after: bool,
) -> dict[str, NDArray[np.float64]]:
    """Smoothed rates of fraud among the labels of each key that a row may see.

    Parameters
    ----------
    keys : name -> int64 [n].
    label : float64 [n], 0 or 1, NaN where it is not known or hidden from these rows. A row never sees its own label:
        the caller hides it, together with its fold's, or sets `until` at or before it.
    until : int64 [n]; labels at positions below it may be seen.
    after : whether the labels of later rows may be seen as well, as in a random split.
    """
    known = np.flatnonzero(~np.isnan(label))
    here = np.arange(len(label))
    overall = _overall(label, known, until, after=after)
    found: dict[str, NDArray[np.float64]] = {}
    for name, code in keys.items():
        groups = Groups(code, known)
        sums = running(label[groups.rows])
        begin, now = groups.begin, groups.before(until)

        def rate(
            start: NDArray[np.int64], stop: NDArray[np.int64], sums: NDArray[np.float64] = sums
        ) -> NDArray[np.float64]:
            smoothed: NDArray[np.float64] = (sums[stop] - sums[start] + SMOOTHING * overall) / (
                stop - start + SMOOTHING
            )
            return smoothed

        found[f"{name}_labels"] = (now - begin).astype(np.float64)
        found[f"{name}_fraud_rate"] = rate(begin, now)
        for last in LAST:
            found[f"{name}_fraud_rate_{last}"] = rate(np.maximum(now - last, begin), now)
        lately = np.maximum(groups.before(np.maximum(until - 2_000, 0)), begin)
        found[f"{name}_fraud_rate_recent"] = rate(lately, now)
        newest = groups.rows[np.maximum(now - 1, 0)] if len(known) else here
        found[f"{name}_label_age"] = np.where(now > begin, here - newest, np.nan)
        if after:
            later, end = groups.before(here + 1), groups.end
            found[f"{name}_fraud_rate_all"] = rate(begin, end)
            for last in LAST:
                found[f"{name}_fraud_rate_next_{last}"] = rate(later, np.minimum(later + last, end))
                found[f"{name}_fraud_rate_around_{last}"] = rate(
                    np.maximum(now - last, begin), np.minimum(later + last, end)
                )
            following = groups.rows[np.minimum(later, max(len(known) - 1, 0))] if len(known) else here
            found[f"{name}_label_ahead"] = np.where(later < end, following - here, np.nan)
    return found


def _overall(
    label: NDArray[np.float64], known: NDArray[np.int64], until: NDArray[np.int64], *, after: bool
) -> NDArray[np.float64]:
    """The rate of fraud among all labels that each row may see, float64 [n]: what its rates are drawn to."""
    sums = running(label[known])
    seen = np.full(len(label), len(known)) if after else np.searchsorted(known, until)
    answer: NDArray[np.float64] = (sums[seen] + 0.1) / (seen + 1.0)
    return answer
