"""Start and end of an engine: state is the newest sound snapshot and the journal's records behind it."""

from __future__ import annotations

import gc
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.rules import LiveRules, default_schema
from floorwalker.detectors.unusual import DETECTOR, LEAST_ROWS, UnusualActivity
from floorwalker.errors import ArtefactError, FloorwalkerError
from floorwalker.events.entities import EntityKeyer
from floorwalker.features.live import Limits, LiveFeatures
from floorwalker.models.artefacts import load_artefact, save_artefact
from floorwalker.pipeline.ids import IdHasher
from floorwalker.pipeline.models import PARTS, ShopModels
from floorwalker.pipeline.pipeline import Pipeline
from floorwalker.pipeline.records import AppliedRecord, DecisionRecord, JoinedRecord, ModelRecord, Record, ReplyRecord
from floorwalker.pipeline.replaying import Replay
from floorwalker.policy.lists import ListBook, ListEntry
from floorwalker.policy.thresholds import ThresholdPolicy
from floorwalker.server.engine import Engine
from floorwalker.server.installation import Installation
from floorwalker.server.laps import Laps
from floorwalker.server.rule_sets import load_rules
from floorwalker.server.turns import step_back
from floorwalker.store._files import remove_folder, replace_file, replace_folder, sync_folder
from floorwalker.store.journal import Journal
from floorwalker.store.live import Shapes, Snapshots
from floorwalker.store.lock import OwnerLock

Durability = Literal["power_loss", "process"]
Kept = TypeVar("Kept", AppliedRecord, ReplyRecord)
MODEL = "unusual_activity"
MODEL_FORMAT = 1
TEXTS = "texts"
"""Folder below one of models that `floorwalker train texts` writes."""
REST_SECONDS = 0.002
"""Rest of the thread that writes a snapshot after each mebibyte: the journal's syncs use the same disk."""
ASKED_REST_SECONDS = 0.02
"""The same while decisions are asked for: checksums, copies and syncs of a mebibyte take some milliseconds, and whoever
asks would wait for them. A snapshot takes a few times as long then."""
WRITING_NICENESS = 16
"""Of the thread that writes a snapshot: before the keeper, for whoever decides waits for what it holds of the
interpreter."""
LEARNING_NICENESS = 19
"""Of the thread that learns: nobody waits for what it makes."""
MOST_BEHIND = 400_000
"""Events after which a snapshot is due whatever the time: a restart counts no more than these again."""
MOST_UNWRITTEN = 800_000
"""Events behind the last written snapshot from which on told events wait while the next one is written: what a kill at
the end of a slow write leaves to be counted again. Decisions never wait; they are few beside it."""
_BOOKS, _REPLIES, _APPLIED, _LATER = "books", "replies", "applied", "later"
_RECORDS_AT_ONCE = 200
"""Encoded without letting the interpreter go: a fraction of a millisecond."""


class _Books(msgspec.Struct):
    """The small parts of the state, kept in a snapshot beside the arrays."""

    lists: list[ListEntry]
    model: str
    last_time: int
    events: int
    proven: dict[str, tuple[str, ...]] = {}
    proven_by: str = ""


def make_pipeline(
    installation: Installation, *, policy: ThresholdPolicy | None = None, limits: Limits | None = None
) -> Pipeline:
    """An empty pipeline of an installation: its secret, its rules, the rules that come with the package.

    Raises `floorwalker.detectors.rules.RuleError` where a rule is faulty, with all faults.
    """
    secret = installation.secret()
    seed = int.from_bytes(secret[16:24], "little")
    features = LiveFeatures(seed=seed, limits=limits)
    table = load_rules(installation, schema=default_schema(features.names))
    return Pipeline(
        EntityKeyer(secret[:16]),
        IdHasher(secret[:16]),
        features,
        LiveRules(table),
        policy or ThresholdPolicy(),
        models=_load_models(installation, features.names),
        seed=seed >> 32,
    )


def _load_models(installation: Installation, features: tuple[str, ...]) -> ShopModels:
    """The trained models of an installation; those that were installed and are gone are lost, others never were."""
    wanted = installation.installed_parts()
    if wanted or installation.trained.exists():
        return ShopModels.load(installation.trained, features, wanted=wanted)
    return ShopModels()


def install_models(installation: Installation, source: Path) -> None:
    """Copy trained models into an installation, whole: decisions are explained with them later.

    Live state that other models left there is made anew from the journal at the next start.

    Raises `ArtefactError` where the folder holds no models, or broken ones: they are refused before they replace any;
    and `floorwalker.store.errors.LockedError` while a server runs there.
    """
    found = ShopModels.load(source, LiveFeatures(seed=0).names)
    if found.lost:
        raise ArtefactError(
            "; ".join(f"{name} of {source}: {why}" for name, why in found.lost.items()), fix="floorwalker train again"
        )
    if (source / TEXTS).is_dir():
        install_texts(installation, source / TEXTS)
    with _alone(installation):
        ready = installation.folder / "trained.new"
        shutil.rmtree(ready, ignore_errors=True)
        for part in PARTS:
            if (source / part).is_dir():
                shutil.copytree(source / part, ready / part)
        installed = [part for part in PARTS if (ready / part).is_dir()]
        # Broken off between the two, there is no list: better than one that speaks of other models.
        installation.trained_parts.unlink(missing_ok=True)
        sync_folder(installation.folder)
        replace_folder(ready, installation.folder / "trained")
        replace_file(installation.trained_parts, msgspec.json.encode(installed))


def install_texts(installation: Installation, source: Path) -> None:
    """Copy a classifier of texts into an installation, whole.

    Raises `ArtefactError` where the folder holds none, or a broken one: it is refused before it replaces any; and
    `floorwalker.store.errors.LockedError` while a server runs there.
    """
    from floorwalker.detectors.content.classifier import TextClassifier
    from floorwalker.fusion.late_texts import CLASSIFIER, LateTexts

    LateTexts.load(source)
    TextClassifier.load(source / CLASSIFIER)
    with _alone(installation):
        ready = installation.folder / "texts.new"
        shutil.rmtree(ready, ignore_errors=True)
        shutil.copytree(source, ready)
        replace_folder(ready, installation.folder / "texts")


def remove_texts(installation: Installation) -> None:
    """Read no texts from the next start on; raises `floorwalker.store.errors.LockedError` while a server runs there."""
    with _alone(installation):
        remove_folder(installation.folder / "texts")


@contextmanager
def _alone(installation: Installation) -> Iterator[None]:
    """No server runs in the folder meanwhile: it would go on with some of the old and some of the new."""
    installation.make()
    installation.journal.mkdir(exist_ok=True)
    lock = OwnerLock(installation.journal)
    try:
        yield
    finally:
        lock.release()


def load_model(installation: Installation, version: str) -> UnusualActivity | None:
    """A stored anomaly detector; None where it is lost or damaged, or of other features."""
    try:
        artefact = load_artefact(installation.models / MODEL / version, name=MODEL, version=MODEL_FORMAT)
        with np.load(BytesIO(artefact.files["model.npz"]), allow_pickle=False) as arrays:
            return UnusualActivity.from_state(dict(arrays))
    except (ArtefactError, ValueError, OSError):
        return None


def save_model(installation: Installation, model: UnusualActivity, *, events: int) -> None:
    """Keep an anomaly detector, so that decisions made with it can be explained."""
    buffer = BytesIO()
    arrays: dict[str, Any] = model.state()
    np.savez(buffer, **arrays)
    save_artefact(
        installation.models / MODEL / model.version,
        name=MODEL,
        version=MODEL_FORMAT,
        files={"model.npz": buffer.getvalue()},
        facts={"learned_from_events": events, "features": len(model.names)},
    )


def _pack(records: Sequence[Kept]) -> NDArray[np.uint8]:
    """Records as bytes: groups of MessagePack, each behind its length in 4 bytes. Takes long: for a thread."""
    packed = bytearray()
    for start in range(0, len(records), _RECORDS_AT_ONCE):
        group = msgspec.msgpack.encode(records[start : start + _RECORDS_AT_ONCE])
        packed += len(group).to_bytes(4, "little") + group
        time.sleep(0)
    return np.frombuffer(bytes(packed), np.uint8)


def _unpack(packed: NDArray[Any], kind: type[Kept]) -> Iterator[Kept]:
    data = packed.tobytes()
    decoder = msgspec.msgpack.Decoder(list[kind])  # type: ignore[valid-type]
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        yield from decoder.decode(data[at + 4 : at + 4 + size])
        at += 4 + size


@dataclass
class Runtime:
    """An engine with what keeps it: opened, recovered, snapshotted, closed.

    Parameters
    ----------
    installation : the folder.
    clock : µs UTC.
    durability : see `floorwalker.store.journal.Journal`.
    snapshot_events, snapshot_seconds : a snapshot is due after so many events and so much time, whichever comes last,
        and at the latest after `MOST_BEHIND` events.
    policy, limits : of the pipeline.
    on_progress : told how many events of the journal were counted again.
    on_fault : told of what went wrong beside the decisions.
    """

    installation: Installation
    clock: Callable[[], int]
    durability: Durability = "power_loss"
    snapshot_events: int = 50_000
    snapshot_seconds: int = 60
    policy: ThresholdPolicy = field(default_factory=ThresholdPolicy)
    limits: Limits | None = None
    on_progress: Callable[[int], None] = field(default=lambda events: None)
    on_fault: Callable[[str, str], None] = field(default=lambda place, text: None)
    engine: Engine = field(init=False)
    snapshots: Snapshots = field(init=False)
    snapshots_taken: int = field(default=0, init=False)
    stages: dict[str, float] = field(default_factory=dict, init=False)
    _counted: int = field(default=0, init=False)
    _replayed: int = field(default=0, init=False)
    _taken_at: int = field(default=0, init=False)
    _taken_events: int = field(default=0, init=False)
    _written_events: int = field(default=0, init=False)
    _learner: threading.Thread | None = field(default=None, init=False)
    _learned: UnusualActivity | None = field(default=None, init=False)

    @property
    def replayed(self) -> int:
        """Events that the last recovery counted again."""
        return self._replayed

    def prepare(self) -> None:
        """Take the folder and read rules; `recover` must follow.

        Raises `floorwalker.store.errors.LockedError` where another process has it, `DamagedError` where the journal is
        damaged, `floorwalker.detectors.rules.RuleError` where a rule is faulty.
        """
        self.installation.make()
        journal = Journal(self.installation.journal, durability=self.durability, clock=self.clock)
        try:
            self.snapshots = Snapshots(
                self.installation.snapshots,
                clock=self.clock,
                rest_seconds=REST_SECONDS,
                settle=partial(step_back, WRITING_NICENESS),
            )
            self.engine = Engine(self._make_pipeline(), journal, self.clock)
            self.engine.holds_back = self.is_far_ahead
        except BaseException:
            journal.close()
            raise

    def recover(self) -> None:
        """Bring the state to the journal's end; a damaged snapshot is passed over for an older one, or for none."""
        # Events are made and dropped by the hundred thousand: looking for cycles among them took half of the time.
        was_collecting = gc.isenabled()
        gc.disable()
        try:
            self._recover()
        finally:
            if was_collecting:
                gc.enable()

    def _recover(self) -> None:
        journal, engine = self.engine.journal, self.engine
        laps = Laps()
        if dropped := self.snapshots.drop_beyond(journal.next):
            self.on_fault(
                "snapshot", f"{dropped} deleted: of records that the journal, which ends before {journal.next}, lacks"
            )
        restored = self.snapshots.restore(self._make_room)
        laps.end("snapshot_read")
        for fault in restored.faults:
            self.on_fault("snapshot", fault)
        first, is_restored = journal.first, False
        if restored.state and journal.first <= restored.sequence <= journal.next:
            try:
                self._restore(engine.pipeline, restored.state)
                first, is_restored = restored.sequence, True
            except (FloorwalkerError, KeyError, msgspec.MsgspecError) as error:
                self.on_fault("snapshot", f"not usable, the journal is read from its beginning: {error}")
        if not is_restored and (restored.state or restored.faults):
            # Some of the snapshot may stand in its memory.
            engine.pipeline = self._make_pipeline()
            self._counted = 0
        del restored
        laps.end("state_restored")
        self._taken_events = self._written_events = self._counted
        replay = Replay(engine.pipeline, lambda version: load_model(self.installation, version), self._note)
        for count in replay.catch_up(journal.read_batches(first)):
            self._counted += count
            self._replayed += count
            self.on_progress(self._replayed)
        engine.last_time = max(engine.last_time, replay.last_time)
        laps.end("replay")
        self.stages = laps.seconds
        self._taken_at = self.clock()

    def open(self) -> None:
        """`prepare` and `recover`."""
        self.prepare()
        try:
            self.recover()
        except BaseException:
            self.engine.journal.close()
            raise

    def _make_pipeline(self) -> Pipeline:
        pipeline = make_pipeline(self.installation, policy=self.policy, limits=self.limits)
        pipeline.on_failure = lambda detector, error: self.on_fault(detector, repr(error))
        return pipeline

    def is_far_ahead(self) -> bool:
        """Whether told events shall wait until the snapshot that is being written is on the disk."""
        events = self._counted + self.engine.events
        return events - self._written_events >= MOST_UNWRITTEN and self.snapshots.is_busy

    def maintain(self) -> None:
        """Do what is due: learn, put to work what was learned, snapshot. Call it between batches, often."""
        if not self.engine.heal():
            return
        self._learn_when_due()
        events = self._counted + self.engine.events
        can_wait = self.engine.is_asked() and events - self._written_events < MOST_BEHIND
        self.snapshots.rest_seconds = ASKED_REST_SECONDS if can_wait else REST_SECONDS
        due = events - self._taken_events
        waited = self.clock() - self._taken_at >= self.snapshot_seconds * 1_000_000
        if (due >= self.snapshot_events and waited) or due >= MOST_BEHIND:
            self.snapshot()

    def snapshot(self) -> bool:
        """Begin a snapshot of the state as it is now; False while the last one is still being written.

        Call `snapshots.step` between batches until it says that nothing is left to save.
        """
        engine = self.engine
        if self.snapshots.is_busy or engine.failure:
            return False
        try:
            self.snapshots.wait()
            self._written_events = self._taken_events
        except FloorwalkerError as error:
            self.on_fault("snapshot", str(error))
        parts = engine.pipeline.pages().items()
        replies = engine.book.replies()
        applied = [record for sequence, record in engine.applied.items() if sequence not in engine.applying]
        later = list(engine.later.items())
        taken = self.snapshots.take(
            self._arrays(),
            sequence=engine.journal.next,
            notes=engine.pipeline.versions,
            pages={f"{part}.{name}": where for part, of in parts for name, where in of.items()},
            late={
                _REPLIES: lambda: _pack(replies),
                _APPLIED: lambda: _pack(applied),
                _LATER: lambda: np.array(later, np.int64).reshape(-1, 2),
            },
        )
        if taken:
            self.snapshots_taken += 1
            self._taken_at, self._taken_events = self.clock(), self._counted + engine.events
        return taken

    def close(self) -> None:
        """Snapshot, wait for it, and let the folder go."""
        if self._learner is not None:
            self._learner.join()
        try:
            self.snapshots.wait()
            if self._counted + self.engine.events > self._taken_events:
                self.snapshot()
            self.snapshots.wait()
        except FloorwalkerError as error:
            # The journal holds everything: the next start only takes longer.
            self.on_fault("snapshot", str(error))
        finally:
            self.engine.journal.close()

    def take_learned(self) -> tuple[UnusualActivity, ModelRecord] | None:
        """A newly learned detector and the record that puts it to work, None where there is none.

        Journal the record and adopt the detector in the same step, so that replay adopts it at the same place.
        """
        model, self._learned = self._learned, None
        if model is None:
            return None
        return model, ModelRecord(at=self.engine.now(), detector=DETECTOR, version=model.version)

    def _learn_when_due(self) -> None:
        pipeline = self.engine.pipeline
        if self._learned is not None or (self._learner is not None and self._learner.is_alive()):
            return
        learned = int(pipeline.unusual.version) if pipeline.unusual.version.isdigit() else 0
        # The first at 2,000 events, then each time that history has grown fourfold, six versions in all.
        if learned >= 6 or pipeline.sample.seen < LEAST_ROWS * 4**learned:
            return
        rows, version = pipeline.sample.filled(), str(learned + 1)
        seen = pipeline.sample.seen

        def learn() -> None:
            step_back(LEARNING_NICENESS)
            try:
                model = UnusualActivity.fit(rows, pipeline.features.names, version=version, seed=pipeline.seed)
                save_model(self.installation, model, events=seen)
                self._learned = model
            except (FloorwalkerError, OSError) as error:
                self.on_fault(DETECTOR, str(error))

        self._learner = threading.Thread(target=learn, name="learner")
        self._learner.start()

    def _arrays(self) -> dict[str, NDArray[Any]]:
        engine = self.engine
        arrays = {
            f"{part}.{name}": array for part, state in engine.pipeline.state().items() for name, array in state.items()
        }
        books = _Books(
            lists=engine.pipeline.lists.entries(),
            model=engine.pipeline.unusual.version,
            last_time=engine.last_time,
            events=self._counted + engine.events,
            proven=dict(engine.pipeline.proven),
            proven_by=engine.pipeline.versions.get("fusion", ""),
        )
        arrays[_BOOKS] = np.frombuffer(msgspec.msgpack.encode(books), np.uint8)
        return arrays

    def _make_room(self, shapes: Shapes) -> dict[str, NDArray[Any]]:
        """The live features' own memory for their part of a snapshot: most of it."""
        part = "features."
        wanted = {name.removeprefix(part): shape for name, shape in shapes.items() if name.startswith(part)}
        return {part + name: place for name, place in self.engine.pipeline.features.make_room(wanted).items()}

    def _restore(self, pipeline: Pipeline, state: dict[str, NDArray[Any]]) -> None:
        books = msgspec.msgpack.decode(state[_BOOKS].tobytes(), type=_Books)
        parts: dict[str, dict[str, NDArray[Any]]] = {}
        for name, array in state.items():
            part, _, inner = name.partition(".")
            parts.setdefault(part, {})[inner] = array
        pipeline.restore(parts)
        pipeline.lists = ListBook(books.lists)
        pipeline.prove(books.proven, fusion=books.proven_by)
        pipeline.show_lists_to_rules()
        if books.model != "0":
            stored = load_model(self.installation, books.model)
            pipeline.adopt(stored or UnusualActivity(pipeline.features.names, books.model))
        for reply in _unpack(state[_REPLIES], ReplyRecord):
            self.engine.book.keep(reply)
        # The ledger may be behind the snapshot.
        for record in _unpack(state.get(_APPLIED, np.empty(0, np.uint8)), AppliedRecord):
            self._note_applied(record)
        self.engine.later.update(state.get(_LATER, np.empty((0, 2), np.int64)).tolist())
        self.engine.last_time = books.last_time
        self._counted = books.events

    def _note(self, sequence: int, record: Record) -> None:
        if isinstance(record, ReplyRecord):
            self.engine.book.keep(record)
        elif isinstance(record, AppliedRecord):
            self._note_applied(record)
        elif isinstance(record, JoinedRecord):
            self.engine.note_joined(record)
        elif isinstance(record, DecisionRecord):
            self.engine.note_later(sequence, record)

    def _note_applied(self, record: AppliedRecord) -> None:
        """What was done, which the ledger may not know yet: a decision is for one use."""
        self.engine.applied[int(record.decision_id.split("_")[1], 16)] = record
