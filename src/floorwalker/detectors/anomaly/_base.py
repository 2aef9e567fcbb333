"""What every outlier detector promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
"""float32 [n, d]: one row a visitor, one column a feature, scaled by the caller."""


@dataclass(frozen=True)
class Capabilities:
    """What a detector can do, stated on the class so that no caller finds out by failing.

    Parameters
    ----------
    name : the detector's name as the field writes it.
    source : paper and equations.
    score_meaning : what 0, 0.5 and 1 stand for.
    approximate_above : number of training rows above which it works on landmarks or approximate
        neighbours; 0 = never.
    minimum_rows : fewest training rows it can be fitted on; fewer raise `UsageError`.
    order_free : True where the order of the training rows changes nothing (below `approximate_above`).
    """

    name: str
    source: str
    score_meaning: str
    approximate_above: int = 0
    minimum_rows: int = 2
    order_free: bool = False


@runtime_checkable
class Detector(Protocol):
    """Fit on rows taken as mostly normal, then score any rows.

    `fit` returns the detector; `score` is pure and gives float32 [n] in [0, 1], higher is more unusual; `state`
    gives arrays (never objects) from which `from_state` restores an equal detector, so that a cron job can load
    it without pickle.
    """

    capabilities: Capabilities

    def fit(self, rows: Matrix) -> Self: ...

    def score(self, rows: Matrix) -> NDArray[np.float32]: ...

    def state(self) -> dict[str, NDArray[np.generic]]: ...

    @classmethod
    def from_state(cls, state: dict[str, NDArray[np.generic]]) -> Self: ...
