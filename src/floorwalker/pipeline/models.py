"""A shop's trained models in the hot path: what they say of an event, and the risk that fusion makes of it.

A folder holds a folder for each detector that remembers (`behaviour/`, `relation/` and so on) and `fusion/` (trees over
features and signals). Each may be missing or broken: the others answer, and every decision names what did not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.signal import Contribution, Reason, Signal
from floorwalker.errors import ArtefactError, FloorwalkerError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import EventBatch
from floorwalker.features.live import FeatureBatch
from floorwalker.fusion.columns import column_names
from floorwalker.fusion.memory import FIRST, LiveMemory
from floorwalker.fusion.reading import asked_rows
from floorwalker.fusion.stacked import NAME as FUSION
from floorwalker.fusion.stacked import StackedFusion
from floorwalker.pipeline.live_parts import KIND_OF, KINDS, LivePart, PartKind
from floorwalker.store.pages import Pages

PARTS: tuple[str, ...] = (*KIND_OF, "fusion")
"""Folders below one of models."""
MISSING = "its folder is missing"
UNUSUAL_COLUMN = "anomaly.unusual_activity"
EXPLAINED = 0.5
"""Risk from which an opinion comes with what raised it; below, with how rare it is."""

State = dict[str, NDArray[Any]]


class Opinion(NamedTuple):
    """What the fusion says of `n` events.

    Parameters
    ----------
    signals : one for each abuse type that some event is suspected of, and one for each part that is missing.
    suspicion : float32 [n] in [0, 1], how suspicious each event makes whoever did it, as `StackedFusion.suspicion`; 0
        where `StackedFusion.speaks_of` is false, by how rare the event is: a calibrated risk of 0 may have one. None
        where all events are calm.
    """

    signals: list[Signal]
    suspicion: NDArray[np.float32] | None = None


class _Said(Mapping[str, float]):
    """What one part says of an event, by column; each number is looked up when it is asked for.

    Parameters
    ----------
    places : of the part's columns.
    said : float32, what all parts say.
    """

    __slots__ = ("_places", "_said")

    def __init__(self, places: Mapping[str, int], said: NDArray[np.float32]) -> None:
        self._places, self._said = places, said

    def __getitem__(self, column: str) -> float:
        return float(self._said[self._places[column]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


@dataclass
class ShopModels:
    """Trained detectors and fusion.

    Parameters
    ----------
    fusion : makes risk of columns; None where it is missing.
    parts : the detectors that remember, by name, in the order of their columns: those of `live_parts.KINDS`.
    lost : id of each part that was there and is missing or could not be loaded -> why.

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
        self._versions: tuple[int, dict[str, str]] = (-1, {})
        self._widened: tuple[tuple[str, ...], tuple[str, ...]] = ((), self._outputs)
        self._opinion: NDArray[np.intp] | None = None
        self._seen: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self._reader = None if self.fusion is None else self.fusion.reader(further=UNUSUAL_COLUMN)
        # Of each column the kind of part that has words for it, and where that part's columns stand among `outputs`.
        self._tellers: dict[str, tuple[PartKind, dict[str, int]]] = {}
        start = 0
        for name, part in self.parts.items():
            places = {output: start + place for place, output in enumerate(part.outputs)}
            self._tellers |= dict.fromkeys(part.outputs, (KIND_OF[name], places))
            start += len(part.outputs)

    @classmethod
    def load(cls, folder: Path, features: tuple[str, ...], *, wanted: Collection[str] = ()) -> ShopModels:
        """The models of a folder that `floorwalker train` wrote.

        Parameters
        ----------
        features : names of the live features of today; a fusion that was trained on others is lost.
        wanted : of `PARTS`, those that stood there once; one without a folder is lost.

        Errors
        ------
        `ArtefactError` where the folder holds no models at all, and none are wanted.
        """
        lost = {name: MISSING for name in PARTS if name in wanted and not (folder / name).is_dir()}

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
                    lost[kind.name] = MISSING if gone else "the fusion learned from other columns of it"
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
        """Versions of the parts, as decisions carry them: to be read, not written into."""
        if self._versions[0] != len(self.failed):
            found = dict.fromkeys(self.lost, "lost")
            found |= {name: "failed" if name in self.failed else part.version for name, part in self.parts.items()}
            if self.fusion is not None:
                found["fusion"] = self.fusion.version
            self._versions = len(self.failed), found
        return self._versions[1]

    @cached_property
    def columns_version(self) -> str:
        """Version of what adds columns to the features; "" where nothing does."""
        return "+".join(part.version for part in self.parts.values())

    @property
    def reads_texts(self) -> bool:
        """Whether a part wants `batch.texts["written"]` of the events that it follows."""
        return any(KIND_OF[name].reads_texts for name in self.parts)

    def warm(self) -> None:
        """Compile and load what only few events need, before one of them waits for it; moves no state."""
        for part in self.parts.values():
            if isinstance(part, LiveMemory):
                part.warm()
        if self.fusion is not None:
            self.fusion.warm()

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
        said: dict[str, NDArray[np.float32]] = {}
        for name, part in self.parts.items():
            read = said.get(KIND_OF[name].reads)
            seen = features if read is None else self.beside(features, KIND_OF[name].reads, read)
            said[name] = self._ask(name, part, batch, seen, moves, on_failure)
        return self.join(features, list(said.values()))

    def beside(self, features: FeatureBatch, name: str, said: NDArray[np.float32]) -> FeatureBatch:
        """The features with the columns of one part behind them, as another part reads them.

        Parameters
        ----------
        name : of the part whose columns `said` are.
        """
        known = self._seen.get(name)
        if known is None or known[0] is not features.names:
            known = self._seen[name] = features.names, (*features.names, *self.parts[name].outputs)
        values = np.concatenate([features.values, said], axis=1)
        return FeatureBatch(features.event_ids, features.as_of, values, known[1], features.missing)

    def join(self, features: FeatureBatch, said: Sequence[NDArray[np.float32]]) -> FeatureBatch:
        """The features with these columns behind them.

        Parameters
        ----------
        said : of each part, in their order.
        """
        if features.names is not self._widened[0]:
            self._widened = features.names, (*features.names, *self._outputs)
        values = np.concatenate([features.values, *said], axis=1)
        silent = np.isnan(values[:, features.values.shape[1] :])
        return FeatureBatch(
            features.event_ids, features.as_of, values, self._widened[1],
            np.concatenate([features.missing, silent], axis=1),
        )  # fmt: skip

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

    def judge(self, batch: EventBatch, features: FeatureBatch, unusual: Signal) -> Opinion:
        """The fusion's opinion of events, of each as if it were alone; calm events cost little.

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
        if self.fusion is None or self._reader is None:
            return Opinion(missing)
        rows = asked_rows(self.fusion.judged, batch.type)
        if not len(rows):
            return Opinion(missing)
        columns, sums, speaks = self._reader.read(rows, batch, features, unusual.score if unusual.ready else None)
        if not speaks:
            return Opinion(missing)
        whole = self._reader.scores(sums)[:, 0].astype(np.float32)
        risk = self.fusion.judge(columns, batch.type[rows], whole)
        if risk is None:
            return Opinion(missing)
        suspicion = np.zeros(len(batch), np.float32)
        suspicion[rows] = self.fusion.suspicion(whole, columns)
        return Opinion([*missing, *self._signals(columns, rows, features, risk)], suspicion)

    def _signals(
        self, columns: NDArray[np.float32], rows: NDArray[np.int64], features: FeatureBatch, risk: NDArray[np.float32]
    ) -> list[Signal]:
        """A signal for each abuse type that has a risk; `columns` and `risk` are of the events at the places `rows`."""
        assert self.fusion is not None
        count = len(features)
        places, kinds = risk.nonzero()
        cells = list(zip(places.tolist(), kinds.tolist(), risk[places, kinds].tolist(), strict=True))
        grave = sorted({place for place, _, value in cells if value >= EXPLAINED})
        because: dict[int, list[Contribution]] = {}
        if grave:
            raised = self.fusion.contributions(columns if len(grave) == len(columns) else columns[grave])
            for place, several in zip(grave, raised, strict=True):
                told_of = self._unfold(several, columns[place : place + 1])
                because[place] = [self._tell(each, features, int(rows[place])) for each in told_of]
        found: dict[int, Signal] = {}
        for place, kind, value in cells:
            signal = found.get(kind)
            if signal is None:
                signal = found[kind] = Signal(
                    FUSION, self.fusion.version, ABUSE_TYPES[kind], np.zeros(count, np.float32),
                    [[] for _ in range(count)], True,
                )  # fmt: skip
            row = int(rows[place])
            signal.score[row] = value
            told = signal.reasons[row]
            if value < EXPLAINED:
                told.append(Reason(f"fusion.{signal.abuse_type}", self.fusion.tell(ABUSE_TYPES[kind], value), value))
            else:
                start = f"transaction.{signal.abuse_type}."
                for each in because[place]:
                    # The strongest stands for the whole risk.
                    told.append(Reason(start + each.column, each.text, each.share if told else value))
        return [found[kind] for kind in sorted(found)]

    def _unfold(self, several: list[Contribution], columns: NDArray[np.float32]) -> list[Contribution]:
        """Contributions with what raised the first opinion in its place: that an event looks odd explains nothing.

        Parameters
        ----------
        several : of one event; columns : float32 [1, k], the event's own.
        """
        memory = self.parts.get("memory")
        if not isinstance(memory, LiveMemory) or all(each.column != FIRST for each in several):
            return several
        named = {each.column for each in several}
        found = []
        for each in several:
            if each.column == FIRST:
                inner = memory.opinion.because(self._as_opinion_reads(memory, columns))
                new = [one for one in inner if one.column not in named]
                whole = sum(one.share for one in new)
                found += [one._replace(share=each.share * one.share / whole) for one in new] or [each]
            else:
                found.append(each)
        return found

    def _as_opinion_reads(self, memory: LiveMemory, columns: NDArray[np.float32]) -> NDArray[np.float32]:
        """The columns of the first opinion, out of those of fusion; one that fusion does not have is missing."""
        assert self.fusion is not None
        if self._opinion is None:
            places = {name: place for place, name in enumerate(self.fusion.names)}
            self._opinion = np.array([places.get(name, -1) for name in memory.opinion.models[0].names])
        found = columns[:, self._opinion]
        found[:, self._opinion < 0] = np.nan
        return found

    def _tell(self, each: Contribution, features: FeatureBatch, row: int) -> Contribution:
        """A contribution in the words of the part whose column it is: the links, texts and hours that mattered."""
        teller = self._tellers.get(each.column)
        if teller is None:
            return each
        kind, places = teller
        text = kind.tell(each.column, _Said(places, features.values[row, -len(self._outputs) :]))
        return each if text is None else each._replace(text=text)

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
