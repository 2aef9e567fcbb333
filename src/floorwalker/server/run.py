"""One server process: recover, listen, keep up what runs beside the decisions, end gracefully."""

from __future__ import annotations

import asyncio
import gc
import math
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import msgspec
import numpy as np
import structlog
import uvicorn
from litestar import Litestar

from floorwalker.detectors.rules import default_schema
from floorwalker.detectors.unusual import UnusualActivity
from floorwalker.errors import FloorwalkerError, UsageError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.bulk.taking import BulkTaker
from floorwalker.events.decode import decode_event
from floorwalker.events.event import Event
from floorwalker.events.identity import Tokeniser, normalise, stored_value
from floorwalker.pipeline.records import ProvenRecord
from floorwalker.policy.thresholds import ThresholdPolicy
from floorwalker.server.app import make_app
from floorwalker.server.archive import Archive
from floorwalker.server.batcher import MicroBatcher
from floorwalker.server.calibration import CalibrationWatch
from floorwalker.server.direct import DirectProtocol
from floorwalker.server.engine import Job, Outcome, RecordJob
from floorwalker.server.fast_path import FastPath
from floorwalker.server.history_keeper import HistoryKeeper
from floorwalker.server.installation import Installation
from floorwalker.server.keeper import Keeper
from floorwalker.server.keyring import KeyRing
from floorwalker.server.metrics import Metrics
from floorwalker.server.personal import PersonalQueue
from floorwalker.server.records_to_rows import write_rows
from floorwalker.server.rehearsal import rehearse
from floorwalker.server.routes.collector import check_settings
from floorwalker.server.rule_watch import RuleWatch
from floorwalker.server.service import Intake, Personal, Service
from floorwalker.server.startup import Durability, Runtime
from floorwalker.server.turns import SHORT_SECONDS, ask_for_turns
from floorwalker.server.vaults import open_vault
from floorwalker.store.ledger import Ledger, Projector

_WARM_UP = {
    "id": "warm-up", "type": "checkout", "account": "warm-up", "email": "warm-up@example.com", "phone": "+442079460000",
    "ip": "192.0.2.1", "amount_minor": 1, "currency": "EUR", "country": "GB",
}  # fmt: skip

log = structlog.get_logger("floorwalker.server")

SWITCH_SECONDS = 0.0005
"""How long a background thread may hold the interpreter while a request waits; Python's default is ten times this."""
DIRECT_SECONDS = 0.001
"""A sync of the journal that takes no longer is done without another thread."""
GRACE_SECONDS = 20
MAINTAIN_SECONDS = 0.25
SAVE_SECONDS = 0.001
MOST_PAGES, ASKED_PAGES = 128, 32
"""Pages of a snapshot saved at a time: half a millisecond's worth, or a quarter of it where somebody may ask."""


def wall_clock() -> int:
    """µs UTC."""
    return time.time_ns() // 1000  # the server is one of two rooms that read the clock


@dataclass(frozen=True)
class ServeOptions:
    """What `floorwalker serve` was asked for.

    Parameters
    ----------
    installation : the folder.
    host, port : where to listen; port 0 takes a free one.
    durability : `power_loss` or `process`.
    database : URL of the ledger; "" for SQLite in the folder.
    mode : `shadow` or `enforce`.
    company_ms : longest wait of a live request for company, at most 1.
    snapshot_seconds, snapshot_events : see `Runtime`.
    history_minutes : between two updates of the Parquet history; 0 makes none.
    history_days : rows of the history go so many days after their day; 0 keeps them.
    """

    installation: Installation
    host: str = "127.0.0.1"
    port: int = 8080
    durability: Durability = "power_loss"
    database: str = ""
    mode: str = "shadow"
    company_ms: float = 0.0
    snapshot_seconds: int = 60
    snapshot_events: int = 50_000
    history_minutes: float = 0.0
    history_days: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.company_ms <= 1:
            raise UsageError(f"company_ms is {self.company_ms}", allowed="0 to 1")


class Server:
    """Everything that one process of `floorwalker serve` holds.

    Parameters
    ----------
    options : see there.
    on_ready : called with the port once decisions are being made.
    """

    def __init__(self, options: ServeOptions, on_ready: Callable[[int], None] = lambda port: None) -> None:
        self.options = options
        self.on_ready = on_ready
        self.port = options.port
        self.metrics = Metrics()
        self.runtime = Runtime(
            options.installation,
            wall_clock,
            durability=options.durability,
            snapshot_events=options.snapshot_events,
            snapshot_seconds=options.snapshot_seconds,
            policy=ThresholdPolicy(mode=options.mode),
            on_fault=self._fault,
        )
        self.service: Service
        self._failed: Exception | None = None
        self._erasures = -1
        self._history: HistoryKeeper | None = None

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; then answer what is waiting, snapshot and leave.

        Raises what opening the folder raises, and `UsageError` where the port is taken.
        """
        options = self.options
        options.installation.make()
        check_settings(options.installation.folder)
        listener = _listen(options.host, options.port)
        self.port = listener.getsockname()[1]
        ledger_url = options.database or options.installation.ledger_url
        ledger = Ledger(ledger_url)
        archive = Archive(ledger)
        self.runtime.prepare()
        engine = self.runtime.engine
        tokeniser = Tokeniser(options.installation.token_key())
        vault = open_vault(options.installation, clock=wall_clock)
        self.keeper = Keeper(options.installation, ledger_url, lambda: engine.journal.durable, self._fault)
        self._personal = PersonalQueue(self.keeper.put, self._fault, wall_clock)
        engine.keep_personal = self._personal.add
        keyring = KeyRing(archive.list_keys)
        keyring.renew()
        batcher: MicroBatcher[Job, Outcome] = MicroBatcher(
            engine.work, engine.commit, company_seconds=options.company_ms / 1000, direct_seconds=DIRECT_SECONDS
        )
        self.service = Service(
            engine,
            batcher,
            keyring,
            self.metrics,
            make_intake(tokeniser),
            BulkTaker(tokeniser, seed=os.urandom(32)),
            make_forms(tokeniser),
            archive,
            self._personal.__len__,
        )
        self.ledger, self.vault = ledger, vault
        self._watch()
        config = uvicorn.Config(
            FastPath(make_app(self.service, self._live), self.service),
            loop="uvloop" if sys.platform != "win32" else "asyncio",
            http=DirectProtocol.serving(self.service),
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        sys.setswitchinterval(SWITCH_SECONDS)
        # uvicorn raises the signal again after its own graceful end; ours is not over then.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        try:
            uvicorn.Server(config).run(sockets=[listener])
        finally:
            self.runtime.close()
            vault.close()
            ledger.close()
        if self._failed is not None:
            raise self._failed

    @asynccontextmanager
    async def _live(self, _: Litestar) -> AsyncIterator[None]:
        recovery = asyncio.create_task(self._recover())
        self.service.batcher.start()
        self._personal.start()
        try:
            yield
        finally:
            self.service.ready = "stopping"
            await asyncio.gather(recovery, return_exceptions=True)
            if self.service.rules is not None:
                await asyncio.to_thread(self.service.rules.stop)
            if self._history is not None:
                await asyncio.to_thread(self._history.stop)
            await self._stop_beside()
            await self.service.batcher.stop()
            for task in (self._maintenance, self._saving):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            self.service.keyring.stop()
            await asyncio.to_thread(self._personal.stop)
            await asyncio.to_thread(self._stop_keeper)
            log.info("stopped", events=self.service.engine.events)

    async def _recover(self) -> None:
        started = time.perf_counter()
        self._projector: Projector | None = None
        self._maintenance = self._saving = self._reading = self._comparing = asyncio.create_task(asyncio.sleep(0))
        self.service.ready = "recovering"
        try:
            await asyncio.to_thread(self.runtime.recover)
            self._warm_up()
            self._start_keeper()
            await self._start_rule_watch()
            self._start_history()
            self._start_texts()
            self._start_calibration()
        except Exception as error:  # noqa: BLE001 - whatever it was, the process must say it and end
            self.service.ready = "failed"
            self._failed = error
            log.error("recovery failed", kind=type(error).__name__, text=str(error))
            os.kill(os.getpid(), signal.SIGTERM)
            return
        self.service.keyring.start(lambda error: self._fault("ledger", str(error)))
        self._maintenance = asyncio.create_task(self._maintain())
        self._saving = asyncio.create_task(self._save_pages())
        # Start-up made hundreds of thousands of objects that never go: the collector need not look at them again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 50, 100)
        ask_for_turns(SHORT_SECONDS)
        self.service.ready = ""
        log.info(
            "ready", port=self.port, seconds=round(time.perf_counter() - started, 3), events=self.runtime.replayed,
            mode=self.options.mode, durability=self.options.durability, stages=self.runtime.stages,
        )  # fmt: skip
        self.on_ready(self.port)

    def _warm_up(self) -> None:
        """Compile and load everything on the hot path before the first customer waits for it; moves no state."""
        pipeline, now = self.service.engine.pipeline, self.service.engine.now()
        body = msgspec.json.encode({**_WARM_UP, "at": now})
        event, _ = self.service.intake(decode_event(body, now=now))
        for events in ([event], [event, event]):
            batch = pipeline.batch(events)
            pipeline.score(batch, np.arange(len(batch)))
            pipeline.window.find(pipeline.event_keys(batch.texts["shop"], batch.id))
        pipeline.models.warm()
        rehearse(wall_clock)

    async def _start_rule_watch(self) -> None:
        engine, watch = self.service.engine, self.metrics.watch
        pipeline = engine.pipeline
        rules = RuleWatch(
            self.options.installation, pipeline.rules, default_schema(pipeline.features.names), self.service.batcher,
            wall_clock, self._fault,
        )  # fmt: skip
        await rules.begin()
        self.service.rules = rules
        watch("rules", "Rules that decide.", lambda: rules.state.rules)
        watch("rules_since_seconds", "When they began to, in seconds since 1970.", lambda: rules.state.since / 1e6)
        watch("rules_refused", "Faults of a changed set that was refused, 0 for none.", lambda: rules.state.faults)

    def _start_history(self) -> None:
        options = self.options
        self._history = history = HistoryKeeper(
            options.installation, options.database, options.history_minutes, options.history_days, wall_clock,
            self._fault,
        )  # fmt: skip
        watch = self.metrics.watch
        watch("history_since_seconds", "The history holds what is older, in seconds since 1970.",
              lambda: history.updated_at / 1e6)  # fmt: skip
        history.start()

    def _start_texts(self) -> None:
        folder = self.options.installation.texts
        if not folder.is_dir():
            return
        # Imported where it is needed: most servers read no texts.
        from floorwalker.server.joining import TextJoiner

        service, watch = self.service, self.metrics.watch
        try:
            texts = TextJoiner(
                service.engine, service.ledger, folder, lambda records: service.record(*records),
                lambda: self.keeper.reached, self._fault,
            )  # fmt: skip
        except FloorwalkerError as error:
            # Texts are beside the decisions: a broken classifier stops none of them, and /ready names it.
            why = str(error)
            self._fault("content.classifier", why)
            service.degraded["content.classifier"] = lambda: why
            watch("texts_degraded", "1 while texts are not read.", lambda: 1.0)
            return
        texts.start()
        service.texts = texts
        service.degraded["content.classifier"] = lambda: texts.degraded
        watch("texts_waiting", "Texts that wait to be read in another process.", lambda: texts.waiting)
        watch("texts_joined_total", "Signals of texts that joined their decisions, since start.", lambda: texts.joined)
        watch("texts_raised_total", "Of these, those that a person should look at.", lambda: texts.raised)
        watch("texts_dropped_total", "Texts put off, since too many waited; they are read later.",
              lambda: texts.dropped)  # fmt: skip
        watch("texts_restarts_total", "How often the process that reads texts was started again.",
              lambda: texts.restarts)  # fmt: skip
        watch("texts_degraded", "1 while texts are not read.", lambda: float(bool(texts.degraded)))
        watch("texts_pid", "The process that reads texts; 0 while there is none.", lambda: texts.pid)
        self._reading = asyncio.create_task(texts.run())

    def _start_calibration(self) -> None:
        engine, service = self.service.engine, self.service

        async def keep(record: ProvenRecord) -> None:
            def prove(_: int) -> None:
                engine.pipeline.prove(record.types, fusion=record.fusion)

            await service.batcher.submit(RecordJob((record,), then=prove))

        calibration = CalibrationWatch(engine, self.ledger, keep, lambda: self.keeper.reached, self._fault)
        service.calibration = calibration

        def read(abuse_type: str, figure: str) -> float:
            found = getattr(calibration.checks.get(("", abuse_type)), figure, None)
            return math.nan if found is None else float(found)

        for name, figure, meaning in (
            ("calibration_error", "error", "Expected calibration error by labels of the risks."),
            ("calibration_decisions", "decisions", "Decisions with mature labels."),
            ("calibration_predicted", "predicted", "Mean risk that these decisions told."),
            ("calibration_observed", "observed", "Share of these decisions that was abuse."),
        ):
            self.metrics.watch_each(name, meaning, "abuse_type", ABUSE_TYPES, partial(read, figure=figure))
        self._comparing = asyncio.create_task(calibration.run())

    async def _stop_beside(self) -> None:
        for task in (self._reading, self._comparing):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self.service.texts is not None:
            await asyncio.to_thread(self.service.texts.stop)

    def _start_keeper(self) -> None:
        # Made here to refuse a ledger that is ahead of the journal, and to finish what a keeper has left.
        self._projector = Projector(self.service.engine.journal, self.ledger, write_rows, clock=wall_clock)
        self.keeper.reached = self._projector.reached
        self.keeper.start()

    def _stop_keeper(self) -> None:
        self.keeper.stop()
        if self._projector is not None:
            with suppress(FloorwalkerError):
                self._projector.catch_up()

    async def _maintain(self) -> None:
        """What is due now and then, in the thread that owns the state, between two batches."""
        while True:
            await asyncio.sleep(MAINTAIN_SECONDS)
            try:
                learned = self.runtime.take_learned()
                if learned is not None:
                    model, record = learned
                    await self.service.batcher.submit(RecordJob((record,), then=self._adopt(model)))
                    log.info("model adopted", detector=record.detector, version=record.version)
                self.runtime.maintain()
                self._trim_applied()
                await self._watch_erasures()
            except FloorwalkerError as error:
                self._fault("maintenance", str(error))

    async def _save_pages(self) -> None:
        """While a snapshot is under way: save its pages a few at a time, between two batches."""
        step, engine = self.runtime.snapshots.step, self.runtime.engine
        while True:
            is_left = step(ASKED_PAGES if engine.is_asked() else MOST_PAGES)
            await asyncio.sleep(SAVE_SECONDS if is_left else MAINTAIN_SECONDS)

    async def _watch_erasures(self) -> None:
        """Whoever was erased may come back: the vault is given all values again."""
        erasures = await asyncio.to_thread(self.vault.erasures)
        if erasures != self._erasures:
            self._erasures = erasures
            self.service.taker.forget_given()
            self._personal.forget_given()

    def _adopt(self, model: UnusualActivity) -> Callable[[int], None]:
        return lambda _: self.service.engine.pipeline.adopt(model)

    def _trim_applied(self) -> None:
        """Reports that are in the ledger need not be remembered here."""
        applied = self.service.engine.applied
        if len(applied) > 1000 and self.keeper.behind == 0:
            for sequence in list(applied)[:-1000]:
                del applied[sequence]

    def _fault(self, place: str, text: str) -> None:
        self.metrics.count_fault(place)
        if place == "vault" and hasattr(self, "service"):
            self.service.taker.forget_given()
            self._personal.forget_given()
        log.warning("fault", place=place, text=text)

    def _watch(self) -> None:
        engine, watch = self.service.engine, self.metrics.watch
        watch("events_total", "Events counted since start.", lambda: engine.events)
        watch("duplicates_total", "Events that were known already, since start.", lambda: engine.duplicates)
        watch("journal_records", "Records in the journal.", lambda: engine.journal.next)
        watch("journal_bytes", "Bytes of the journal.", lambda: engine.journal.size_bytes)
        watch("requests_waiting", "Requests that wait for their batch.", lambda: self.service.batcher.waiting)
        watch("batches_total", "Batches worked on since start.", lambda: self.service.batcher.batches)
        watch("syncs_in_thread_total", "Batches whose sync was left to a thread, since start.",
              lambda: self.service.batcher.syncs_in_thread)  # fmt: skip
        watch("snapshots_total", "Snapshots taken since start.", lambda: self.runtime.snapshots_taken)
        watch("replayed_events", "Events that the start counted again.", lambda: self.runtime.replayed)
        watch("ready", "1 while decisions are being made.", lambda: float(not self.service.ready))
        watch("vault_waiting", "Raw personal values that are not in the vault yet.", lambda: len(self._personal))
        watch("ledger_behind", "Durable records that are not in the ledger yet.", lambda: self.keeper.behind)
        watch("ledger_records", "Records that the ledger was made from.", lambda: self.keeper.reached)
        watch("keeper_pid", "The process that keeps ledger and vault; 0 while there is none.", lambda: self.keeper.pid)
        watch("features_evicted_total", "Rows of live state that gave way to newer ones.", self._evicted)

    def _evicted(self) -> float:
        figures = self.service.engine.pipeline.features.figures()
        return float(sum(count for name, count in figures.items() if name.startswith("evicted.")))


def make_forms(tokeniser: Tokeniser) -> Callable[[str, str, str], list[str]]:
    """What finds the stored forms of an entity, given its kind, its name and its shop."""

    def forms(entity: str, value: str, shop: str) -> list[str]:
        return stored_value(entity, value, shop, tokeniser)

    return forms


def make_intake(tokeniser: Tokeniser) -> Intake:
    """What normalises and tokenises events."""

    def intake(event: Event) -> tuple[Event, Personal]:
        return normalise(event, tokeniser)

    return intake


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UsageError(
            f"{host}:{port} cannot be listened on: {error.strerror}", fix="give another --port, or 0 for a free one"
        ) from error
    listener.setblocking(False)
    return listener
