"""What fusion hands to the policy: risk per abuse type, the causes, and what was missing."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from floorwalker.events.abuse import ABUSE_TYPES


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One private reason of a decision: it names the signal, so it never leaves towards the person judged.

    Parameters
    ----------
    code : stable id of the pattern, e.g. `velocity.cards_per_device`.
    text : one sentence for the analyst.
    severity : share of certainty in [0, 1] that the detector gave this cause.
    detector : id of the detector that said so.
    abuse_type : one of `ABUSE_TYPES`, or "" where the detector cannot tell.
    """

    code: str
    text: str
    severity: float
    detector: str
    abuse_type: str = ""


@dataclass(frozen=True)
class Assessment:
    """Risk of `n` events.

    Parameters
    ----------
    risk : float32 [n, len(ABUSE_TYPES)] in [0, 1].
    calibrated : True only once the risks were checked against mature labels; before that they order events and are
        no probabilities.
    causes : for each event its causes, the gravest first.
    degraded : ids of detectors that were asked and could not answer (not fitted, not warm, failed).
    suspicion : float32 [n] in [0, 1], how suspicious each event makes whoever did it: it puts accounts in an order
        and moves no risk. None where nothing is said of anybody.
    """

    risk: NDArray[np.float32]
    calibrated: bool
    causes: list[list[Cause]]
    degraded: tuple[str, ...]
    suspicion: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if self.risk.shape != (len(self.causes), len(ABUSE_TYPES)):
            raise ValueError(f"risk of shape {self.risk.shape} for {len(self.causes)} events")
        if self.suspicion is not None and self.suspicion.shape != (len(self.causes),):
            raise ValueError(f"suspicions of shape {self.suspicion.shape} for {len(self.causes)} events")

    def __len__(self) -> int:
        return len(self.causes)
