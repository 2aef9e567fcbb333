"""The record of one detector's opinion: a score an event, with the reasons behind it.

A score is no probability: only fusion makes risk of it. Reasons are private: they name what gave an abuser away, so
they go to analysts and into the journal, never into a reply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Reason:
    """Why a detector raised a score.

    Parameters
    ----------
    code : stable id of the cause, such as ``rules.promotion_abuse.many_accounts_one_device``.
    text : one sentence for an analyst, with the numbers of this event filled in.
    severity : how much it weighs, in (0, 1].
    """

    code: str
    text: str
    severity: float


class Contribution(NamedTuple):
    """What a column did to a score.

    Parameters
    ----------
    column : its name.
    text : a sentence.
    share : of all that raised the score, in (0, 1].
    """

    column: str
    text: str
    share: float


@dataclass(frozen=True, eq=False)
class Signal:
    """One detector's opinion on `n` events.

    Parameters
    ----------
    detector : id of the detector.
    version : what it was made of; equal versions give equal scores.
    abuse_type : what it accuses of, one of `floorwalker.events.abuse.ABUSE_TYPES`; None where it cannot tell.
    score : float32 [n] in [0, 1], higher is worse.
    reasons : n lists, empty where nothing was found.
    ready : False while the detector is not warmed up; its scores then mean nothing.

    >>> import numpy as np
    >>> signal = Signal("rules", "1", "scraping", np.array([0.0, 0.5], np.float32), [[], [Reason("a", "b", 0.5)]], True)
    >>> len(signal)
    2
    """

    detector: str
    version: str
    abuse_type: str | None
    score: NDArray[np.float32]
    reasons: list[list[Reason]]
    ready: bool

    def __post_init__(self) -> None:
        if len(self.score) != len(self.reasons):
            raise ValueError(f"{len(self.score)} scores with {len(self.reasons)} lists of reasons")

    def __len__(self) -> int:
        return len(self.score)
