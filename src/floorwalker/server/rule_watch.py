"""Rules exchanged while decisions go on: the folder is watched, a faulty set is refused, a good one is journalled."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from floorwalker.detectors.rules import RuleError, RuleTable, Schema
from floorwalker.detectors.rules.live import LiveRules, rest
from floorwalker.errors import FloorwalkerError
from floorwalker.pipeline.records import RulesRecord
from floorwalker.server.batcher import MicroBatcher
from floorwalker.server.engine import Job, Outcome, RecordJob
from floorwalker.server.installation import Installation
from floorwalker.server.rule_sets import RuleSets, load_rules, sign_rules

log = structlog.get_logger("floorwalker.server")

SHOWN = 20
"""Faults that one line of the log spells out."""


@dataclass(frozen=True)
class RulesState:
    """Which rules decide, and what became of the last attempt to exchange them.

    Parameters
    ----------
    version, rules : of the table that decides.
    since : µs UTC, when it began to.
    refused_at : µs UTC of the last refusal that no good set has followed; 0 for none.
    faults : how many faults it had.
    seconds : how long the last exchange took, from reading the files to the first decision.
    """

    version: str
    rules: int
    since: int
    refused_at: int = 0
    faults: int = 0
    seconds: float = 0.0


@dataclass
class RuleWatch:
    """Exchanges the rules of a running server when their files change, or when somebody asks.

    Files are read, checked and assembled in the thread that asks, resting often so that decisions go on. The finished
    table is put in place in the thread that decides, between two batches, together with the journal record that says
    so: decisions before the record were made with the old rules, those behind it with the new ones. Where any file is
    faulty, all old rules stay.

    Parameters
    ----------
    installation : whose rules.
    live : holds the table that decides.
    schema : what rules may name.
    batcher : of the engine.
    clock : µs UTC.
    on_fault : told of a refused set.
    seconds : between two looks at the folder.
    """

    installation: Installation
    live: LiveRules
    schema: Schema
    batcher: MicroBatcher[Job, Outcome]
    clock: Callable[[], int]
    on_fault: Callable[[str, str], None]
    seconds: float = 1.0
    state: RulesState = field(init=False)
    _sets: RuleSets = field(init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _ended: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _thread: threading.Thread | None = field(default=None, init=False, repr=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False, repr=False)
    _seen: tuple[object, ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        table = self.live.current
        self.state = RulesState(table.version, len(table), self.clock())
        self._sets = RuleSets(self.installation.rule_sets)

    async def begin(self) -> None:
        """Keep the set that decides and journal it where another one decided last; then watch until `stop`."""
        self._loop = asyncio.get_running_loop()
        table, previous = self.live.current, self._sets.adopted()
        # Files that changed since they were read at the start are noticed by the first look.
        self._seen = sign_rules(self.installation.rules)
        await asyncio.to_thread(self._sets.keep, table)
        if previous != table.version:
            await self._journal(table, previous, "start", adopt=False)
            await asyncio.to_thread(self._sets.note_adopted, table.version)
        self._thread = threading.Thread(target=self._watch, name="rules", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End watching; an exchange under way is finished."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def reload(self, by: str) -> RulesState:
        """Read the rules anew and put them to work; not in the thread of the event loop.

        Parameters
        ----------
        by : who wants it, for the journal.

        Raises `RuleError` with all faults where a file is faulty, and `FloorwalkerError` where the set cannot be kept
        or journalled; the rules then stay.
        """
        with self._lock:
            started, signed = time.perf_counter(), sign_rules(self.installation.rules)
            before = self.live.current
            try:
                table = load_rules(
                    self.installation, schema=self.schema, lists=before.lists, previous=before, between=rest
                )
                if table.version != before.version:
                    self._sets.keep(table)
                    self._put_to_work(table, before.version, by)
            except FloorwalkerError as error:
                self._refuse(error)
                raise
            finally:
                self._seen = signed
            self.state = RulesState(
                table.version,
                len(table),
                self.state.since if table.version == before.version else self.clock(),
                seconds=round(time.perf_counter() - started, 3),
            )
            log.info("rules in force", version=table.version, rules=len(table), seconds=self.state.seconds, reason=by)
            return self.state

    def _put_to_work(self, table: RuleTable, previous: str, by: str) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(self._journal(table, previous, by, adopt=True), self._loop).result()
        self._sets.note_adopted(table.version)

    async def _journal(self, table: RuleTable, previous: str, by: str, *, adopt: bool) -> None:
        record = RulesRecord(at=self.clock(), version=table.version, previous=previous, by=by, rules=len(table))

        def put_in_place(_: int) -> None:
            if adopt:
                self.live.adopt(table)

        await self.batcher.submit(RecordJob((record,), then=put_in_place))

    def _refuse(self, error: FloorwalkerError) -> None:
        faults = error.faults if isinstance(error, RuleError) else ()
        was = self.state
        self.state = RulesState(was.version, was.rules, was.since, self.clock(), max(1, len(faults)), was.seconds)
        shown = "; ".join(map(str, faults[:SHOWN])) if faults else str(error)
        more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        self.on_fault(
            "rules", f"the changed rules are refused and version {was.version} goes on deciding: {shown}{more}"
        )

    def _watch(self) -> None:
        waiting: tuple[object, ...] | None = None
        while not self._ended.wait(self.seconds if waiting is None else self.seconds / 4):
            try:
                now = sign_rules(self.installation.rules)
                if now == self._seen:
                    waiting = None
                elif now != waiting:
                    # Somebody may still be copying: taken once two looks find the same.
                    waiting = now
                else:
                    waiting = None
                    self.reload("folder")
            except FloorwalkerError:
                # Said already.
                continue
            except Exception as error:  # noqa: BLE001 - whatever it was, the next change must find somebody watching
                self.on_fault("rules", f"{type(error).__name__}: {error}")
                self._seen = sign_rules(self.installation.rules)
