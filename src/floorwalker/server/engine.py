"""The engine of one installation: takes events, decides, journals; everything that moves state goes through here."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import FloorwalkerError
from floorwalker.events.bulk.taking import TakenEvents
from floorwalker.events.event import Event
from floorwalker.pipeline.pipeline import Judged, Pipeline
from floorwalker.pipeline.records import (
    AppliedRecord,
    DecisionRecord,
    EventRecord,
    JoinedRecord,
    Record,
    ReplyRecord,
    decode_record,
    encode_record,
)
from floorwalker.policy.decision import Decision
from floorwalker.server.idempotency import IdempotencyBook, RequestMark
from floorwalker.server.problems import ProblemError
from floorwalker.server.replies import make_reply
from floorwalker.store.errors import ReadOnlyStorageError, StorageFullError
from floorwalker.store.journal import Journal
from floorwalker.store.vault import PersonalValue

RECENT = 20_000
"""Decided records kept in memory: duplicates and look-ups of what just happened need no disk."""
MOST_LATER = 50_000
"""Events that were told first and asked about later, whose decisions are found again."""
HEADROOM_BYTES = 64 * 1024 * 1024
"""Free disk below which nothing more is taken: state must never be ahead of a journal that cannot grow."""
_HEADROOM_EVERY = 1_000_000
"""µs between two looks at the free disk."""
_LATELY = 1_000_000
"""µs."""

_DECIDED = (DecisionRecord, EventRecord)
"""Made once: a union of types is made anew wherever it is written."""

_STORED = np.dtype("<f4")

encode_json = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class DecideJob:
    """One event that somebody waits for.

    Parameters
    ----------
    event : tokenised.
    personal : its raw personal values, for the vault.
    mark : of a request with an idempotency key.
    """

    event: Event
    personal: Sequence[PersonalValue] = ()
    mark: RequestMark | None = None


@dataclass(frozen=True)
class IngestJob:
    """Events that were only told."""

    events: Sequence[Event]
    personal: Sequence[PersonalValue] = ()


@dataclass(frozen=True)
class RecordJob:
    """Records of other kinds: labels, lists, what was applied, replies. `then` runs once they are appended."""

    records: Sequence[Record]
    then: Callable[[int], None] = field(default=lambda first: None)


Job = DecideJob | IngestJob | RecordJob


@dataclass(frozen=True)
class Decided:
    """A reply ready to be sent."""

    decision: Decision
    body: bytes


@dataclass(frozen=True)
class Ingested:
    """How many events were new, and how many were known."""

    accepted: int
    duplicates: int


Outcome = Decided | Ingested | int


@dataclass
class Engine:
    """Works on jobs one batch at a time, in the thread that owns the state.

    The state is moved and the records are appended in the same call, so journal order is the order in which features
    saw the events. Records that the disk refuses, although their events were counted, are kept, and nothing is taken
    before they are appended: state is never ahead of the journal by more than they are. Any other error between
    counting and appending, and a sync that failed, stop the engine for good (`failure`): what the state then holds, or
    the disk, is not known, and a restart reads both back from what was acknowledged.

    Parameters
    ----------
    pipeline, journal : of this installation.
    clock : µs UTC.
    book : replies to requests with an idempotency key.
    keep_personal : takes raw personal values for the vault, and returns at once.
    holds_back : whether told events shall wait, so that a restart has no more to count again.
    on_decided : told of each record with a new decision once it is appended, with its sequence; returns at once.

    Attributes
    ----------
    applied : reports of what was done, by the decisions' sequences, of which the ledger may not know yet.
    applying : sequences of those that are not in the journal yet: no snapshot may hold them.
    later : of events that were told first and asked about later, the sequences of the records with their decisions, by
        the events' own.
    joined : signals that came to decisions later, by the decisions' sequences; the newest of them, since the ledger has
        them a moment later.
    """

    pipeline: Pipeline
    journal: Journal
    clock: Callable[[], int]
    book: IdempotencyBook = field(default_factory=IdempotencyBook)
    keep_personal: Callable[[Sequence[PersonalValue]], object] = field(default=lambda values: None)
    holds_back: Callable[[], bool] = field(default=lambda: False)
    on_decided: Callable[[int, EventRecord | DecisionRecord], None] = field(default=lambda sequence, record: None)
    failure: str = field(default="", init=False)
    events: int = field(default=0, init=False)
    decisions: int = field(default=0, init=False)
    duplicates: int = field(default=0, init=False)
    last_time: int = field(default=0, init=False)
    asked_at: int = field(default=0, init=False)
    applied: dict[int, AppliedRecord] = field(default_factory=dict, init=False, repr=False)
    applying: set[int] = field(default_factory=set, init=False, repr=False)
    later: OrderedDict[int, int] = field(default_factory=OrderedDict, init=False, repr=False)
    joined: OrderedDict[int, JoinedRecord] = field(default_factory=OrderedDict, init=False, repr=False)
    _recent: OrderedDict[int, bytes] = field(default_factory=OrderedDict, init=False, repr=False)
    _received: int = field(default=0, init=False, repr=False)
    _room_checked: int = field(default=0, init=False, repr=False)
    _unwritten: Callable[[], object] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.book.check = self._check_sound

    def now(self) -> int:
        """The clock, never behind a time that was already given: receipt times rise along the journal."""
        self.last_time = max(self.last_time, self.clock())
        return self.last_time

    def is_asked(self) -> bool:
        """Whether somebody asked for a decision within the last second, and may ask again at any moment."""
        return self.now() - self.asked_at < _LATELY

    def work(self, jobs: Sequence[Job]) -> tuple[list[Outcome], int]:
        """Outcomes in the order of the jobs, and the sequence through which the journal must be durable first.

        Raises `ProblemError` 503 where the disk takes nothing at the moment, or the engine has stopped.
        """
        self._check_usable()
        outcomes: list[Outcome | None] = [None] * len(jobs)
        records: list[Record] = []
        first = self.journal.next
        asked = [place for place, job in enumerate(jobs) if isinstance(job, DecideJob)]
        try:
            self._decide(jobs, asked, outcomes, records, first)
            for place, job in enumerate(jobs):
                if isinstance(job, IngestJob):
                    outcomes[place] = self._ingest(job, records, first)
                elif isinstance(job, RecordJob):
                    outcomes[place] = first + len(records)
                    records += job.records
            encoded = [encode_record(record) for record in records]
        except Exception as error:
            # Features may have counted events that are in no record.
            self.stop(error)
            raise
        answers = [outcome for outcome in outcomes if outcome is not None]

        def append() -> None:
            appended = self.journal.append(encoded)
            assert appended == first
            for job in jobs:
                if not isinstance(job, RecordJob) and job.personal:
                    self.keep_personal(job.personal)
            for row, (record, data) in enumerate(zip(records, encoded, strict=True)):
                if isinstance(record, _DECIDED) and record.decision is not None:
                    self._remember(first + row, data)
                    self.on_decided(first + row, record)
            for job, outcome in zip(jobs, outcomes, strict=True):
                if isinstance(job, RecordJob) and isinstance(outcome, int):
                    job.then(outcome)

        self.append_or_keep(append)
        return answers, self.journal.next

    def ingest_packed(self, taken: TakenEvents) -> Ingested:
        """Count many told events and append their records, in one go and without waiting for the disk.

        Call it in the thread that owns the state, between two batches of `work`, and sync before anybody is told.
        Raises as `work` does.

        Parameters
        ----------
        taken : settled; faults are the caller's matter.
        """
        self._check_usable()
        rows = taken.rows
        if not len(rows):
            return Ingested(0, 0)
        data, starts, stops = taken.data, taken.starts[rows], taken.stops[rows]
        first = self.journal.next
        try:
            packed = self.pipeline.packed.read(data, starts, stops)
            fresh = self._find_fresh(packed.id_keys)
            if not fresh.all():
                starts, stops = starts[fresh], stops[fresh]
                packed = self.pipeline.packed.read(data, starts, stops)
            if len(starts):
                self.pipeline.count_packed(packed)
                self.pipeline.note_packed(packed, first + np.arange(len(starts)))
        except Exception as error:
            # Features may have counted events that are in no record.
            self.stop(error)
            raise

        # As `append` gives it, so that one compiled kernel serves both.
        records = data.view()
        records.flags.writeable = False

        def append() -> None:
            appended = self.journal.append_spans(records, starts, stops)
            assert appended == first
            if taken.personal:
                self.keep_personal(taken.personal)

        # They are counted, whether or not the disk takes them now.
        self.events += len(starts)
        self.duplicates += len(rows) - len(starts)
        self.append_or_keep(append)
        return Ingested(len(starts), len(rows) - len(starts))

    def append_or_keep(self, append: Callable[[], object]) -> None:
        """Append records whose events were counted; where the disk refuses, keep them and try again later.

        Parameters
        ----------
        append : appends to the journal and does what must follow, or raises and has changed nothing.

        Raises `ProblemError` 503 while the disk refuses. Whoever waits for these records is told so and may ask again:
        once they are appended, their events are known.
        """
        try:
            append()
        except (StorageFullError, ReadOnlyStorageError) as error:
            self._unwritten = append
            self.failure = str(error)
            raise self._refuse() from error
        except Exception as error:
            self.stop(error)
            raise
        if self._unwritten is append:
            self._unwritten, self.failure = None, ""

    def heal(self) -> bool:
        """Append what the disk refused before, if there is any; True where nothing is left to be appended.

        Call it now and then, so that the engine works again as soon as the disk does, whether or not somebody asks.
        """
        unwritten = self._unwritten
        if unwritten is not None:
            with suppress(ProblemError):
                self.append_or_keep(unwritten)
        return not self.failure

    def stop(self, error: Exception) -> None:
        """Take nothing more until a restart."""
        self._unwritten = None
        self.failure = str(error) if isinstance(error, FloorwalkerError) else f"{type(error).__name__}: {error}"

    def commit(self, through: int) -> None:
        """Return when the journal is durable before this sequence; safe in another thread than `work`."""
        try:
            self.journal.sync(through)
        except FloorwalkerError as error:
            self.stop(error)
            raise

    def find(self, sequence: int) -> Record | None:
        """The journal record of this sequence, None where there is none (any more)."""
        if not self.journal.first <= sequence < self.journal.next:
            return None
        data = self._recent.get(sequence)
        if data is None:
            data = next((data for _, data in self.journal.read(sequence, sequence + 1)), None)
        return decode_record(data) if data is not None else None

    def find_event(self, sequence: int) -> EventRecord | None:
        """The event in the journal record of this sequence, with the decision about it, also one asked for later."""
        record = self.find(sequence)
        if not isinstance(record, EventRecord):
            return None
        if record.decision is None and (place := self.later.get(sequence)) is not None:
            later = self.find(place)
            if isinstance(later, DecisionRecord):
                return msgspec.structs.replace(record, decision=later.decision, features=later.features)
        return record

    def note_later(self, sequence: int, record: DecisionRecord) -> None:
        """Remember that this record, which is journalled or will be next, holds the decision about an earlier event."""
        self.later.setdefault(record.event_sequence, sequence)
        if len(self.later) > MOST_LATER:
            self.later.popitem(last=False)

    def note_joined(self, record: JoinedRecord) -> None:
        """Remember a signal that is journalled."""
        self.joined[int(record.decision_id.split("_")[1], 16)] = record
        if len(self.joined) > RECENT:
            self.joined.popitem(last=False)

    def find_decision(self, identity: str) -> tuple[EventRecord | DecisionRecord, int] | None:
        """The record that holds the decision of this id, with its sequence."""
        parts = identity.split("_")
        if len(parts) != 3 or parts[0] != "dc" or not 0 < len(parts[1]) <= 15:
            return None
        try:
            sequence = int(parts[1], 16)
        except ValueError:
            return None
        record = self.find(sequence)
        if isinstance(record, EventRecord | DecisionRecord) and record.decision and record.decision.id == identity:
            return record, sequence
        return None

    def _check_sound(self) -> None:
        """Raise `ProblemError` 503 where what was counted is not journalled, or may not be on the disk."""
        if self.failure:
            raise self._refuse()

    def _refuse(self) -> ProblemError:
        if self._unwritten is None:
            return ProblemError(
                503, f"the engine stopped: {self.failure}", fix="restart the server; nothing acknowledged is lost"
            )
        return ProblemError(
            503, self.failure, fix="make room, or the disk writable; nothing needs a restart",
            headers={"Retry-After": "5"},
        )  # fmt: skip

    def _check_usable(self) -> None:
        if not self.heal():
            raise self._refuse()
        now = self.clock()
        if not 0 <= now - self._room_checked < _HEADROOM_EVERY:
            self._room_checked = now
            disk = os.statvfs(self.journal.folder)
            free = disk.f_bavail * disk.f_frsize
            if free < HEADROOM_BYTES:
                self._room_checked = 0
                raise ProblemError(
                    503,
                    f"the disk of the journal has {free // 2**20} MiB left",
                    allowed=f"at least {HEADROOM_BYTES // 2**20} MiB",
                    fix="free some; nothing needs a restart",
                    headers={"Retry-After": "5"},
                )

    def _decide(
        self, jobs: Sequence[Job], asked: list[int], outcomes: list[Outcome | None], records: list[Record], first: int
    ) -> None:
        if not asked:
            return
        wanted = [job for job in (jobs[place] for place in asked) if isinstance(job, DecideJob)]
        events = [job.event for job in wanted]
        for event in events:
            # Long bodies are taken apart in a thread, and others overtake them.
            if event.received_at < self._received:
                msgspec.structs.force_setattr(event, "received_at", self._received)
            else:
                self._received = event.received_at
        keys = self.pipeline.event_keys([event.shop for event in events], [event.id for event in events])
        known = self.pipeline.window.find(keys).tolist()
        rows_of: dict[int, int] = {}
        fresh: list[int] = []
        for row, (key, sequence) in enumerate(zip(keys.tolist(), known, strict=True)):
            if sequence < 0 and key not in rows_of:
                rows_of[key] = row
                fresh.append(row)
        replies: list[Decided | None] = [None] * len(wanted)
        if fresh:
            counted = [events[row] for row in fresh]
            batch = self.pipeline.batch(counted)
            sequences = np.arange(first, first + len(fresh))
            judged = self.pipeline.advance(batch, sequences, keys if len(fresh) == len(wanted) else keys[fresh])
            for row, event, decision, features in zip(
                fresh, counted, judged.decisions, _feature_bytes(judged), strict=True
            ):
                records.append(EventRecord(event=event, decision=decision, features=features))
                replies[row] = Decided(decision, encode_json(make_reply(decision, duplicate=False)))
        self.events += len(fresh)
        self.decisions += len(wanted)
        self.asked_at = wanted[-1].event.received_at
        for row, (key, sequence) in enumerate(zip(keys.tolist(), known, strict=True)):
            if replies[row] is None:
                self.duplicates += 1
                twin = replies[rows_of[key]] if sequence < 0 else None
                decision = (
                    twin.decision if twin is not None else self._decide_again(events[row], sequence, records, first)
                )
                replies[row] = Decided(decision, encode_json(make_reply(decision, duplicate=True)))
        for place, job, reply in zip(asked, wanted, replies, strict=True):
            assert reply is not None
            outcomes[place] = reply
            if job.mark is not None:
                kept = ReplyRecord(
                    key=job.mark.key, digest=job.mark.digest, at=job.event.received_at, status=200, body=reply.body
                )
                self.book.keep(kept)
                records.append(kept)

    def _decide_again(self, event: Event, sequence: int, records: list[Record], first: int) -> Decision:
        """The decision about an event that is known; one that was only told is judged as if it came next, once."""
        known = self.later.get(sequence, -1)
        # One of the same batch is not journalled yet.
        record = records[known - first] if known >= first else self.find_event(sequence)
        if isinstance(record, EventRecord | DecisionRecord) and record.decision is not None:
            return record.decision
        batch = self.pipeline.batch([event])
        judged = self.pipeline.score(batch, np.array([first + len(records)], np.int64))
        decision = judged.decisions[0]
        asked = DecisionRecord(
            event_sequence=sequence, event=event, decision=decision, features=next(iter(_feature_bytes(judged)))
        )
        self.note_later(first + len(records), asked)
        records.append(asked)
        return decision

    def _ingest(self, job: IngestJob, records: list[Record], first: int) -> Ingested:
        events = job.events
        keys = self.pipeline.event_keys([event.shop for event in events], [event.id for event in events])
        rows = np.flatnonzero(self._find_fresh(keys)).tolist()
        if rows:
            fresh = events if len(rows) == len(events) else [events[row] for row in rows]
            self.pipeline.count(self.pipeline.batch(fresh), first + len(records) + np.arange(len(rows)), keys[rows])
            records += [EventRecord(event=event) for event in fresh]
        self.events += len(rows)
        self.duplicates += len(events) - len(rows)
        return Ingested(len(rows), len(events) - len(rows))

    def _find_fresh(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of these events are new: bool [n]. Of equal ids the first counts."""
        _, earliest = np.unique(keys, return_index=True)
        is_fresh = np.zeros(len(keys), np.bool_)
        is_fresh[earliest] = True
        is_fresh &= self.pipeline.window.find(keys) < 0
        return is_fresh

    def _remember(self, sequence: int, data: bytes) -> None:
        self._recent[sequence] = data
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)


def _feature_bytes(judged: Judged) -> list[bytes]:
    values = judged.features.values.astype(_STORED, copy=False)
    data, width = values.tobytes(), values.shape[1] * 4
    if len(values) == 1:
        return [data]
    return [data[start : start + width] for start in range(0, len(data), width)]
