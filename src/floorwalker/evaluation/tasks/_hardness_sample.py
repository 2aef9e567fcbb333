"""Which events are compared with which: each malicious one with honest ones of its type and day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

CONTROLS = 4
"""Honest events for each malicious one."""


@dataclass(frozen=True)
class Sample:
    """Rows of the events' table that are looked at.

    Parameters
    ----------
    malicious : int64 [m], positions of the harmful events.
    controls : int64 [m, CONTROLS], positions of honest events of the same type and day; of the same type and another
        day where that day has none; -1 where no honest event has the type.
    """

    malicious: NDArray[np.int64]
    controls: NDArray[np.int64]

    @property
    def rows(self) -> NDArray[np.int64]:
        """All positions, rising, each once."""
        found = np.unique(np.concatenate([self.malicious, self.controls.ravel()]))
        return found[found >= 0]


def choose_sample(truth: pl.DataFrame, *, rng: np.random.Generator, most: int = 60_000) -> Sample:
    """Harmful events, at most `most` of them, each with its honest controls.

    Parameters
    ----------
    truth : a row an event in the order of the events' table, with `phase`, `type` and `day`.

    Controls of one type and day are drawn with replacement: what everybody does at that hour of the simulation (a
    promotion, a young shop whose counters are still low) tells nothing about anybody.
    """
    phases, kinds, days = truth["phase"].to_numpy(), truth["type"].to_numpy(), truth["day"].to_numpy()
    malicious = np.flatnonzero(phases == "harmful")
    if len(malicious) > most:
        malicious = np.sort(rng.choice(malicious, most, replace=False))
    honest = np.flatnonzero(phases == "")
    controls = np.full((len(malicious), CONTROLS), -1, np.int64)
    for kind in np.unique(kinds[malicious]):
        pool = honest[kinds[honest] == kind]
        if not len(pool):
            continue
        places = np.flatnonzero(kinds[malicious] == kind)
        for day in np.unique(days[malicious[places]]):
            here = places[days[malicious[places]] == day]
            near = pool[days[pool] == day]
            controls[here] = rng.choice(near if len(near) >= 20 else pool, (len(here), CONTROLS))
    return Sample(malicious, controls)
