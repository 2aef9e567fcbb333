"""A shop's trained models in the hot path: what they say of an event, and the risk that fusion makes of it.

A folder holds `behaviour/` (the sequence model) and `fusion/` (trees over features and signals). Each may be missing or
broken: the others answer, and every decision names what did not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour.live import OUTPUTS as BEHAVIOUR_OUTPUTS
from floorwalker.detectors.behaviour.live import LiveBehaviour
from floorwalker.detectors.signal import Reason, Signal
from floorwalker.errors import ArtefactError, FloorwalkerError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import EventBatch
from floorwalker.features.live import FeatureBatch
from floorwalker.fusion.columns import column_names, fusion_columns
from floorwalker.fusion.stacked import NAME as FUSION
from floorwalker.fusion.stacked import StackedFusion
from floorwalker.store.pages import Pages

BEHAVIOUR = "behaviour"
PARTS: tuple[str, ...] = (BEHAVIOUR, "fusion")
"""Folders below one of models."""
UNUSUAL_COLUMN = "anomaly.unusual_activity"
SPOKEN = 0.3
"""Risk below which a learned opinion is not heard beside the others: three events in a hundred lie above it."""
EXPLAINED = 0.5
"""Risk from which an opinion comes with its reasons."""

State = dict[str, NDArray[Any]]


@dataclass
class ShopModels:
    """Trained detectors and fusion.

    Parameters
    ----------
    fusion : makes risk of columns; None where it is missing.
    behaviour : follows accounts and sessions; None where it is missing.
    lost : id of each part that was there and could not be loaded -> why.
    """

    fusion: StackedFusion | None = None
    behaviour: LiveBehaviour | None = None
    lost: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path, features: tuple[str, ...]) -> ShopModels:
        """The models of a folder that `floorwalker train` wrote.

        Parameters
        ----------
        features : names of the live features of today; a fusion that was trained on others is lost.

        Errors
        ------
        `ArtefactError` where the folder holds no models at all.
        """
        lost: dict[str, str] = {}

        def attempt(name: str, read: Callable[[Path], Any]) -> Any:
            if not (folder / name).is_dir():
                return None
            try:
                return read(folder / name)
            except FloorwalkerError as broken:
                lost[name] = str(broken)
                return None

        behaviour = attempt(BEHAVIOUR, LiveBehaviour.load)
        fusion = attempt("fusion", StackedFusion.load)
        if fusion is not None and fusion.names[: len(column_names(features))] != column_names(features):
            lost["fusion"] = "it was trained on other features than this version computes"
            fusion = None
        if behaviour is None and fusion is None and not lost:
            raise ArtefactError(
                f"no models in {folder}", allowed="behaviour/ or fusion/", fix="floorwalker train DATA --out FOLDER"
            )
        return cls(fusion, behaviour, lost)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns that `say` adds to the features, in their order."""
        return BEHAVIOUR_OUTPUTS if self.behaviour is not None else ()

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the parts, as decisions carry them."""
        found = dict.fromkeys(self.lost, "lost")
        if self.behaviour is not None:
            found[BEHAVIOUR] = self.behaviour.version
        if self.fusion is not None:
            found["fusion"] = self.fusion.version
        return found

    @property
    def memory(self) -> str:
        """Version of what adds columns to the features; "" where nothing does."""
        return "" if self.behaviour is None else self.behaviour.version

    def widen(self, batch: EventBatch, features: FeatureBatch, *, moves: bool) -> FeatureBatch:
        """The features with what the models that remember say of each event.

        Parameters
        ----------
        moves : whether the events happen, and are remembered; else each is judged as if it came next, alone.
        """
        if self.behaviour is None:
            return features
        said = self.behaviour.advance(batch, features) if moves else self.behaviour.score(batch, features)
        return replace(
            features,
            values=np.concatenate([features.values, said], axis=1),
            names=(*features.names, *self.outputs),
            missing=np.concatenate([features.missing, np.isnan(said)], axis=1),
        )

    def judge(self, batch: EventBatch, features: FeatureBatch, unusual: Signal) -> list[Signal]:
        """Opinions of the fusion: one signal for each abuse type that some event is suspected of.

        Parameters
        ----------
        features : as `widen` made them.
        unusual : what the anomaly detector says.
        """
        missing = [
            Signal(name, "lost", None, np.zeros(len(batch), np.float32), [[] for _ in range(len(batch))], False)
            for name in self.lost
        ]
        if self.fusion is None:
            return missing
        plain = len(features.names) - len(self.outputs)
        own = len(column_names(features.names[:plain]))
        said = np.full((len(batch), len(self.fusion.names) - own), np.nan, np.float32)
        for place, name in enumerate(self.fusion.names[own:]):
            if name in self.outputs:
                said[:, place] = features.values[:, plain + self.outputs.index(name)]
            elif name == UNUSUAL_COLUMN and unusual.ready:
                said[:, place] = unusual.score
        columns = fusion_columns(features.values[:, :plain], batch.numbers, batch.type, said)
        risk = self.fusion.risk(self.fusion.scores(columns, batch.type))
        return [*missing, *self._signals(columns, np.where(risk >= SPOKEN, risk, np.float32(0)))]

    def _signals(self, columns: NDArray[np.float32], risk: NDArray[np.float32]) -> list[Signal]:
        assert self.fusion is not None
        found = []
        for place in np.flatnonzero(risk.any(axis=0)).tolist():
            name, score = ABUSE_TYPES[place], np.ascontiguousarray(risk[:, place])
            reasons: list[list[Reason]] = [[] for _ in range(len(score))]
            grave = np.flatnonzero(score >= EXPLAINED)
            if len(grave):
                for row, because in zip(grave.tolist(), self.fusion.reasons(columns[grave], name), strict=True):
                    reasons[row] = [replace(reason, severity=float(score[row])) for reason in because[:1]] + because[1:]
            found.append(Signal(FUSION, self.fusion.version, name, score, reasons, True))
        return found

    def state(self) -> State:
        """What the models remember; empty where none does."""
        return {} if self.behaviour is None else self.behaviour.state()

    def pages(self) -> dict[str, tuple[Pages, int]]:
        """Pages of the large arrays of `state`."""
        return {} if self.behaviour is None else self.behaviour.pages()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state; one of another model raises `ArtefactError`."""
        if self.behaviour is not None:
            self.behaviour.restore(state)
