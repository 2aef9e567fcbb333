"""A shop's trained models in the hot path: what they say of an event, and the risk that fusion makes of it.

A folder holds a folder for each detector that remembers (`behaviour/`, `relation/` and so on) and `fusion/` (trees over
features and signals). Each may be missing or broken: the others answer, and every decision names what did not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.signal import Reason, Signal
from floorwalker.errors import ArtefactError, FloorwalkerError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import EventBatch
from floorwalker.features.live import FeatureBatch
from floorwalker.fusion.columns import column_names, fusion_columns
from floorwalker.fusion.stacked import NAME as FUSION
from floorwalker.fusion.stacked import SPOKEN, StackedFusion
from floorwalker.pipeline.live_parts import KIND_OF, KINDS, LivePart
from floorwalker.store.pages import Pages

PARTS: tuple[str, ...] = (*KIND_OF, "fusion")
"""Folders below one of models."""
UNUSUAL_COLUMN = "anomaly.unusual_activity"
EXPLAINED = 0.5
"""Risk from which an opinion comes with its reasons."""

State = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class _Places:
    """Where the fusion's further columns stand among the features: how many are live features, places of the columns,
    those that nobody gives, and those of the anomaly detector."""

    plain: int
    taken: NDArray[np.intp]
    absent: NDArray[np.intp]
    unusual: NDArray[np.intp]


@dataclass
class ShopModels:
    """Trained detectors and fusion.

    Parameters
    ----------
    fusion : makes risk of columns; None where it is missing.
    parts : the detectors that remember, by name, in the order of their columns: those of `live_parts.KINDS`.
    lost : id of each part that was there and could not be loaded -> why.

    Attributes
    ----------
    failed : id of each part that raised while it was asked -> why. Its columns are missing from then on, and decisions
        name it.
    """

    fusion: StackedFusion | None = None
    parts: Mapping[str, LivePart] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        # Names are put together once: an event has no time for it.
        self._outputs = tuple(name for part in self.parts.values() for name in part.outputs)
        self._widened: tuple[tuple[str, ...], tuple[str, ...]] = ((), self._outputs)
        self._placed: tuple[tuple[str, ...], _Places] | None = None

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

        parts = {kind.name: part for kind in KINDS if (part := attempt(kind.name, kind.load)) is not None}
        fusion = attempt("fusion", StackedFusion.load)
        if fusion is not None and fusion.names[: len(column_names(features))] != column_names(features):
            lost["fusion"] = "it was trained on other features than this version computes"
            fusion = None
        if fusion is not None:
            given = {name for part in parts.values() for name in part.outputs} | {*column_names(features)}
            for kind in KINDS:
                if kind.name not in lost and any(kind.owns(name) for name in fusion.names if name not in given):
                    gone = parts.pop(kind.name, None) is None
                    lost[kind.name] = "its folder is missing" if gone else "the fusion learned from other columns of it"
        if not parts and fusion is None and not lost:
            raise ArtefactError(
                f"no models in {folder}",
                allowed=", ".join(f"{name}/" for name in PARTS),
                fix="floorwalker train DATA --out FOLDER",
            )
        return cls(fusion, parts, lost)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns that `widen` adds to the features, in their order."""
        return self._outputs

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the parts, as decisions carry them."""
        found = dict.fromkeys(self.lost, "lost")
        found |= {name: "failed" if name in self.failed else part.version for name, part in self.parts.items()}
        if self.fusion is not None:
            found["fusion"] = self.fusion.version
        return found

    @property
    def columns_version(self) -> str:
        """Version of what adds columns to the features; "" where nothing does."""
        return "+".join(part.version for part in self.parts.values())

    @property
    def reads_texts(self) -> bool:
        """Whether a part wants `batch.texts["written"]` of the events that it follows."""
        return any(KIND_OF[name].reads_texts for name in self.parts)

    def widen(
        self,
        batch: EventBatch,
        features: FeatureBatch,
        *,
        moves: bool,
        on_failure: Callable[[str, Exception], None] = lambda part, error: None,
    ) -> FeatureBatch:
        """The features with what the models that remember say of each event.

        Parameters
        ----------
        moves : whether the events happen, and are remembered; else each is judged as if it came next, alone.
        on_failure : told of a part that raised.
        """
        if not self.parts:
            return features
        said = [self._ask(name, part, batch, features, moves, on_failure) for name, part in self.parts.items()]
        if features.names is not self._widened[0]:
            self._widened = features.names, (*features.names, *self._outputs)
        return replace(
            features,
            values=np.concatenate([features.values, *said], axis=1),
            names=self._widened[1],
            missing=np.concatenate([features.missing, *map(np.isnan, said)], axis=1),
        )

    def _ask(
        self, name: str, part: LivePart, batch: EventBatch, features: FeatureBatch, moves: bool,
        on_failure: Callable[[str, Exception], None],
    ) -> NDArray[np.float32]:  # fmt: skip
        if name not in self.failed:
            # Who was stopped in the midst of an event remembers half of it: it is not asked again.
            try:
                return part.advance(batch, features) if moves else part.score(batch, features)
            except Exception as error:  # noqa: BLE001
                self.failed[name] = f"{type(error).__name__}: {error}"
                on_failure(name, error)
        return np.full((len(batch), len(part.outputs)), np.nan, np.float32)

    def judge(self, batch: EventBatch, features: FeatureBatch, unusual: Signal) -> list[Signal]:
        """Opinions of the fusion: one signal for each abuse type that some event is suspected of.

        Parameters
        ----------
        features : as `widen` made them.
        unusual : what the anomaly detector says.
        """
        missing = [
            Signal(name, version, None, np.zeros(len(batch), np.float32), [[] for _ in range(len(batch))], False)
            for names, version in ((self.lost, "lost"), (self.failed, "failed"))
            for name in names
        ]
        if self.fusion is None:
            return missing
        places = self._places(features.names)
        plain = places.plain
        said = features.values[:, places.taken]
        said[:, places.absent] = np.nan
        if unusual.ready:
            said[:, places.unusual] = unusual.score[:, None]
        columns = fusion_columns(features.values[:, :plain], batch.numbers, batch.type, said)
        whole = self.fusion.suspect(columns, batch.type)
        if self.fusion.is_calm(whole):
            return missing
        risk = self.fusion.risk(self.fusion.scores(columns, batch.type, whole))
        return [*missing, *self._signals(columns, features, np.where(risk >= SPOKEN, risk, np.float32(0)))]

    def _places(self, names: tuple[str, ...]) -> _Places:
        assert self.fusion is not None
        if self._placed is None or self._placed[0] is not names:
            plain = len(names) - len(self._outputs)
            own = len(column_names(names[:plain]))
            wanted = self.fusion.names[own:]
            where = {name: plain + place for place, name in enumerate(self._outputs)}
            taken = np.array([where.get(name, -1) for name in wanted], np.intp)
            unusual = np.flatnonzero([name == UNUSUAL_COLUMN for name in wanted])
            self._placed = names, _Places(plain, np.maximum(taken, 0), np.flatnonzero(taken < 0), unusual)
        return self._placed[1]

    def _signals(self, columns: NDArray[np.float32], features: FeatureBatch, risk: NDArray[np.float32]) -> list[Signal]:
        assert self.fusion is not None
        found = []
        for place in np.flatnonzero(risk.any(axis=0)).tolist():
            name, score = ABUSE_TYPES[place], np.ascontiguousarray(risk[:, place])
            reasons: list[list[Reason]] = [[] for _ in range(len(score))]
            grave = np.flatnonzero(score >= EXPLAINED)
            if len(grave):
                for row, because in zip(grave.tolist(), self.fusion.reasons(columns[grave], name), strict=True):
                    told = [self._tell(reason, name, features, row) for reason in because]
                    reasons[row] = [replace(reason, severity=float(score[row])) for reason in told[:1]] + told[1:]
            found.append(Signal(FUSION, self.fusion.version, name, score, reasons, True))
        return found

    def _tell(self, reason: Reason, abuse_type: str, features: FeatureBatch, row: int) -> Reason:
        """A reason in the words of the part whose column it names: the links, texts and hours that mattered."""
        column = reason.code.partition(f".{abuse_type}.")[2]
        start = len(features.names) - len(self.outputs)
        for name, part in self.parts.items():
            stop = start + len(part.outputs)
            if column in part.outputs:
                said = dict(zip(part.outputs, features.values[row, start:stop].tolist(), strict=True))
                text = KIND_OF[name].tell(column, said)
                return reason if text is None else replace(reason, text=text)
            start = stop
        return reason

    def state(self) -> State:
        """What the models remember; empty where none does. One that failed is left out: the next start reads the
        journal again."""
        return {
            f"{name}.{key}": array
            for name, part in self.parts.items()
            if name not in self.failed
            for key, array in part.state().items()
        }

    def pages(self) -> dict[str, tuple[Pages, int]]:
        """Pages of the large arrays of `state`."""
        return {
            f"{name}.{key}": where
            for name, part in self.parts.items()
            if name not in self.failed
            for key, where in part.pages().items()
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state; one of another model raises `ArtefactError`."""
        for name, part in self.parts.items():
            start = f"{name}."
            part.restore({key.removeprefix(start): one for key, one in state.items() if key.startswith(start)})
