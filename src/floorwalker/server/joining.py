"""Texts of decided events, scored in another process; their signals are journalled and join the decisions.

Nothing here is in the way of a decision: an event's text is put down in a list, and the rest happens between two
batches and in another process that has what nobody else wants of the machine.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from floorwalker.detectors.content.background import BackgroundScorer, BackgroundState
from floorwalker.detectors.content.read_types import READ_TYPES
from floorwalker.errors import ArtefactError, FloorwalkerError
from floorwalker.events.outcomes import DAY
from floorwalker.fusion.late_texts import CLASSIFIER, DETECTOR, LateTexts
from floorwalker.pipeline.joining import join_text
from floorwalker.pipeline.records import DecisionRecord, EventRecord, JoinedRecord
from floorwalker.server.archive import Archive
from floorwalker.server.engine import Engine
from floorwalker.store.errors import DamagedError

log = structlog.get_logger("floorwalker.server")

MOST_WAITING = 10_000
"""Texts that wait to be handed over; further ones push out the oldest, which the ledger still knows as unread."""
AT_ONCE = 100
"""Signals journalled together, and unread texts looked up together."""
REACH = 7 * DAY
"""µs: decisions older than that are not read any more."""
RETRY = 300_000_000
"""µs after which a process that died too often is tried again."""
STEP_SECONDS, PAUSE_SECONDS = 0.25, 5.0
"""Between two looks at what waits and what came back; and after one that went wrong."""
WORKER = "floorwalker.server.text_worker"


@dataclass
class TextJoiner:
    """Gives texts to another process and joins what comes back. Call `note` for each decision, `step` now and then.

    A text that was not read, because too many waited, the process died or the server ended, stands as unread in the
    ledger, and is read when there is time: after a start, and after the process has come back.

    Parameters
    ----------
    engine, archive : of this installation.
    folder : of the classifier and its ranks.
    keep : journals records; `Service.record`.
    reached : how far the journal is in the ledger.
    on_fault : told of what went wrong: a place and a sentence.
    most : texts that wait to be handed over; as many may be with the process.

    Raises `ArtefactError` where the folder holds no sound classifier.
    """

    engine: Engine
    archive: Archive
    folder: Path
    keep: Callable[[list[JoinedRecord]], Awaitable[object]]
    reached: Callable[[], int]
    on_fault: Callable[[str, str], None]
    most: int = MOST_WAITING
    texts: LateTexts = field(init=False)
    joined: int = field(default=0, init=False)
    raised: int = field(default=0, init=False)
    dropped: int = field(default=0, init=False)
    restarts: int = field(default=0, init=False)
    _inbox: deque[tuple[str, str]] = field(default_factory=deque, init=False, repr=False)
    _given: set[str] = field(default_factory=set, init=False, repr=False)
    _scores: dict[str, float | None] = field(default_factory=dict, init=False, repr=False)
    _scorer: BackgroundScorer | None = field(default=None, init=False, repr=False)
    _state: BackgroundState = field(default=BackgroundState(False, False, 0, 0, 0), init=False, repr=False)
    _down_at: int = field(default=0, init=False, repr=False)
    _looked_through: int | None = field(default=-1, init=False, repr=False)
    _look_from: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        self.texts = LateTexts.load(self.folder)

    def start(self) -> None:
        """Start the process; what was left unread before is read, once the ledger has caught up."""
        self._look_from = self.engine.journal.next
        self._scorer = BackgroundScorer(self.folder / CLASSIFIER, most=self.most, module=WORKER)
        self.engine.on_decided = self.note

    async def run(self) -> None:
        """`step` again and again, until cancelled."""
        while True:
            pause = STEP_SECONDS
            try:
                # Many may have come back; each step journals some.
                while await self.step() == AT_ONCE:
                    pass
            except Exception as error:  # noqa: BLE001 - whatever it was, the texts are beside the decisions
                self.on_fault(DETECTOR, str(error) if isinstance(error, FloorwalkerError) else repr(error))
                pause = PAUSE_SECONDS
            await asyncio.sleep(pause)

    def stop(self) -> None:
        """End the process; texts that wait are read after the next start."""
        if self._scorer is not None:
            self._scorer.close()

    @property
    def degraded(self) -> str:
        """Why no text is read at the moment; "" while they are, or will be in a moment."""
        if not self._state.degraded:
            return ""
        return self._state.reason or "the process that reads texts died too often"

    @property
    def ready(self) -> bool:
        """Whether the process has loaded its model and answers."""
        return self._state.ready

    @property
    def waiting(self) -> int:
        """Texts in memory that were not read yet."""
        return len(self._inbox) + len(self._given)

    @property
    def pid(self) -> int:
        """The process's id, 0 while there is none."""
        return self._scorer.pid if self._scorer is not None else 0

    def note(self, sequence: int, record: EventRecord | DecisionRecord) -> None:
        """A decision was appended to the journal; takes its text, if it has one that is read."""
        event, decision = record.event, record.decision
        if event.type in READ_TYPES and event.text and decision is not None:
            self._inbox.append((decision.id, event.text))
            if len(self._inbox) > self.most:
                self._inbox.popleft()
                self.dropped += 1
                self._look_again(sequence)

    async def step(self) -> int:
        """Hand over what waits, and journal what came back; returns how many signals joined their decisions.

        Call it in the thread that owns the state, between two batches.
        """
        scorer = self._scorer
        if scorer is None:
            return 0
        state = scorer.status()
        self.restarts += state.restarts - self._state.restarts
        self._state = state
        if state.degraded:
            return await self._rest(scorer)
        self._hand_over(scorer)
        self._scores |= scorer.collect()
        done = await self._join()
        await self._look()
        return done

    def _hand_over(self, scorer: BackgroundScorer) -> None:
        ids, texts = [], []
        while self._inbox and len(self._given) < self.most:
            name, text = self._inbox.popleft()
            if name not in self._given:
                self._given.add(name)
                ids.append(name)
                texts.append(text)
        scorer.submit(ids, texts)

    async def _join(self) -> int:
        names = list(self._scores)[:AT_ONCE]
        if not names:
            return 0
        found = await self._find(names)
        records = [
            join_text(each[0], self._scores[name], self.texts, self.engine.pipeline.policy, at=self.engine.now())
            for name, each in zip(names, found, strict=True)
            if each is not None
        ]
        # Where the disk refuses them, they stay for the next step.
        if records:
            await self.keep(records)
        for name in names:
            del self._scores[name]
            self._given.discard(name)
        self.joined += len(records)
        for record in records:
            self.engine.note_joined(record)
            if record.raised:
                self.raised += 1
                log.warning(
                    "alert", decision_id=record.decision_id, shop=record.shop, event_id=record.event_id,
                    risk=record.risk, level=record.level, intended=record.intended, abuse_type=record.abuse_type,
                )  # fmt: skip
        return len(records)

    async def _look(self) -> None:
        """Take up texts that stand as unread in the ledger, some at a time, while there is room for them."""
        after, look_from = self._looked_through, self._look_from
        if after is None or self.waiting > self.most // 2 or self.reached() < look_from:
            return
        since = self.engine.now() - REACH
        rows = await asyncio.to_thread(self.archive.list_unread, after=after, since=since, limit=AT_ONCE)
        waiting = self._given | {name for name, _ in self._inbox}
        fresh = [name for sequence, name in rows if name not in waiting and sequence not in self.engine.joined]
        found = await self._find(fresh)
        for name, each in zip(fresh, found, strict=True):
            if each is not None and each[0].event.text:
                self._inbox.append((name, each[0].event.text))
        # Texts may have been put off meanwhile: then it is looked from the beginning again.
        if self._look_from == look_from:
            self._looked_through = rows[-1][0] if len(rows) == AT_ONCE else None

    async def _find(self, names: Sequence[str]) -> list[tuple[EventRecord | DecisionRecord, int] | None]:
        """Records of decisions; None, and a fault, for one that the journal cannot give any more: the others go on."""

        def find() -> tuple[list[tuple[EventRecord | DecisionRecord, int] | None], list[str]]:
            found, faults = list[tuple[EventRecord | DecisionRecord, int] | None](), list[str]()
            for name in names:
                try:
                    found.append(self.engine.find_decision(name))
                except (DamagedError, ArtefactError) as error:
                    found.append(None)
                    faults.append(f"the text of decision {name} is not read: {error}")
            return found, faults

        found, faults = await asyncio.to_thread(find)
        for fault in faults:
            self.on_fault(DETECTOR, fault)
        return found

    def _look_again(self, sequence: int) -> None:
        """Some text of a decision up to this sequence is unread: look from the beginning, once the ledger has it."""
        self._looked_through, self._look_from = -1, max(self._look_from, sequence + 1)

    async def _rest(self, scorer: BackgroundScorer) -> int:
        """The process died too often: say so, and try again after a while."""
        now = self.engine.now()
        self._scores |= scorer.collect()
        if not self._down_at:
            self._down_at = now
            self.on_fault(DETECTOR, self.degraded)
        elif now - self._down_at >= RETRY:
            await asyncio.to_thread(scorer.close)
            self._scorer = BackgroundScorer(self.folder / CLASSIFIER, most=self.most, module=WORKER)
            self._state = self._scorer.status()
            self._given = set(self._scores)
            self._down_at = 0
            self._look_again(self.engine.journal.next - 1)
        return await self._join()
