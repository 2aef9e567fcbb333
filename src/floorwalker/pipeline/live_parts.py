"""The detectors that remember: each adds columns of its own to what a decision sees.

>>> [kind.name for kind in KINDS]
['behaviour', 'relation', 'content', 'series', 'context', 'memory']
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly_series.live import LiveSeries
from floorwalker.detectors.anomaly_series.live import tell_column as tell_series
from floorwalker.detectors.behaviour.live import LiveBehaviour
from floorwalker.detectors.content.live import LiveContent
from floorwalker.detectors.content.live import tell_column as tell_content
from floorwalker.detectors.context.live import LiveContext
from floorwalker.detectors.context.live import tell_column as tell_context
from floorwalker.detectors.relation.links import tell_column as tell_relation
from floorwalker.detectors.relation.live import LiveRelations
from floorwalker.events.batch import EventBatch
from floorwalker.features.live import FeatureBatch
from floorwalker.fusion.memory import LiveMemory
from floorwalker.fusion.memory import tell_column as tell_memory
from floorwalker.store.pages import Pages

State = dict[str, NDArray[Any]]


class LivePart(Protocol):
    """A detector that follows the events of a shop."""

    @property
    def version(self) -> str:
        """Which model and settings: equal versions give equal columns."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of its columns."""

    def score(self, batch: EventBatch, features: FeatureBatch) -> NDArray[np.float32]:
        """float32 [n, len(outputs)], each event as if it came next, alone; nothing is remembered."""

    def advance(self, batch: EventBatch, features: FeatureBatch) -> NDArray[np.float32]:
        """As `score`, in order, each event after those before it; then all are remembered."""

    def state(self) -> State:
        """What it remembers: the arrays themselves."""

    def pages(self) -> dict[str, tuple[Pages, int]]:
        """Pages of the large arrays of `state`."""

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state; another model's or another shape's raises `ArtefactError`."""


@dataclass(frozen=True)
class PartKind:
    """A kind of detector that remembers.

    Parameters
    ----------
    name : of its folder, and of the part in decisions.
    load : reads the folder; `ArtefactError` where it is damaged.
    tell : a sentence for one of its columns, given all of them; None where it has none.
    reads_texts : whether it reads what people wrote (`batch.texts["written"]`).
    prefix : what the names of its columns begin with; its name and a dot without it.
    reads : the part, asked before, whose columns it reads behind the features.
    """

    name: str
    load: Callable[[Path], LivePart]
    tell: Callable[[str, Mapping[str, float]], str | None]
    reads_texts: bool = False
    prefix: str = ""
    reads: str = ""

    def owns(self, column: str) -> bool:
        """Whether a column of this name is one of its."""
        return column.startswith(self.prefix or f"{self.name}.")


def tell_behaviour(column: str, said: Mapping[str, float]) -> str | None:
    """A sentence for a column of the sequence model.

    >>> tell_behaviour("behaviour.lstm.account_takeover", {"behaviour.lstm.account_takeover": 0.83})
    'the course of the events looks like account takeover (0.83)'
    """
    if math.isnan(said.get(column, math.nan)):
        return None
    if column == "behaviour.surprise":
        return f"the event does not follow from those before it: {said[column]:.1%} of events were foreseen better"
    return f"the course of the events looks like {column.rpartition('.')[2].replace('_', ' ')} ({said[column]:.2g})"


KINDS: tuple[PartKind, ...] = (
    PartKind("behaviour", LiveBehaviour.load, tell_behaviour),
    PartKind("relation", LiveRelations.load, tell_relation),
    PartKind("content", LiveContent.load, tell_content, reads_texts=True),
    PartKind("series", LiveSeries.load, tell_series, prefix="anomaly.series."),
    PartKind("context", LiveContext.load, tell_context),
    PartKind("memory", LiveMemory.load, tell_memory, reads="context"),
)
"""In the order in which they are asked, and their columns stand."""
KIND_OF: Mapping[str, PartKind] = {kind.name: kind for kind in KINDS}
