"""Naive velocity rules: too much, too often, against limits that honest customers hardly reach."""

from __future__ import annotations

import re
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.transaction.classical._base import Arrays, Classical, Rows

VELOCITY = re.compile(r"_(1m|10m|1h|1d|7d)$|amount")
"""Columns that speak of pace and size: short windows, and amounts."""
LEVELS = np.concatenate([np.linspace(0, 0.9, 19), 1 - np.geomspace(0.1, 1e-4, 60)[1:]])


class VelocityRules(Classical):
    """For each column of pace or size, how few honest training rows have as much; the most unusual one is the score.

    A limit at the score s alarms on a share of about 1 - s of the honest rows per column. Nothing is learned from
    fraud: it is only kept out of the limits. Where no name speaks of pace (`VELOCITY`), every column counts.
    """

    name: ClassVar[str] = "velocity_rules"
    source: ClassVar[str] = "common practice of shops before they learn from data"

    def _learn(self, rows: Rows, fraud: NDArray[np.bool_], weights: NDArray[np.float64]) -> Arrays:
        named = [place for place, name in enumerate(self.names) if VELOCITY.search(name)]
        columns = np.array(named or range(rows.shape[1]), np.int64)
        limits = np.full((len(columns), len(LEVELS)), np.inf)
        for place, column in enumerate(columns):
            values = rows[~fraud, column]
            values = values[~np.isnan(values)]
            if len(values):
                limits[place] = np.quantile(values, LEVELS)
        return {"columns": columns, "limits": limits}

    def _judge(self, rows: Rows) -> NDArray[np.float64]:
        places = np.zeros((len(rows), len(self._arrays["columns"])))
        for place, column in enumerate(self._arrays["columns"]):
            values, limits = rows[:, column], self._arrays["limits"][place]
            # How many of the limits are passed; a missing value passes none.
            passed = np.searchsorted(limits, np.nan_to_num(values, nan=-np.inf), side="left")
            places[:, place] = np.append(0.0, LEVELS)[passed]
        # Ties at the highest limit are broken by the other columns.
        answer: NDArray[np.float64] = 0.999 * places.max(axis=1) + 0.001 * places.mean(axis=1)
        return answer
