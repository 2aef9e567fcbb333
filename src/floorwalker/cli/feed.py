"""``floorwalker feed``: events of files, logs, databases and brokers into a running server."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from floorwalker.cli._output import Json, note, print_json
from floorwalker.errors import InputError, UsageError

if TYPE_CHECKING:
    from floorwalker.sources.feeds import EventSender, Pumped

STATE = Path("floorwalker-feeds")
KEY_VARIABLE = "FLOORWALKER_KEY"
_SAY_SECONDS = 30.0
_LONGEST_REST = 30.0


def feed(
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Files and patterns (JSON lines, CSV, Parquet), a database's URL, or kafka://host:port/topic; "
            "env:NAME takes it from the environment, so that a password is in no list of processes.",
        ),
    ],
    url: Annotated[str, typer.Option(help="The server.")] = "http://127.0.0.1:8080",
    key: Annotated[
        str, typer.Option(help=f"API key with the scope ingest; better in the environment, as {KEY_VARIABLE}.")
    ] = "",
    kind: Annotated[
        str, typer.Option("--as", help="files, access_logs, database or kafka, where SOURCE does not say it.")
    ] = "",
    mapping: Annotated[
        str, typer.Option(help="TOML or YAML file that says which column is which field, or a ready mapping's name.")
    ] = "",
    follow: Annotated[bool, typer.Option(help="Go on for ever: what comes later is sent as it comes.")] = False,
    every_seconds: Annotated[float, typer.Option(help="With --follow: rest between two looks.", min=0.05)] = 2.0,
    state: Annotated[Path, typer.Option(help="Folder for checkpoints and dead letters.")] = STATE,
    withhold_records: Annotated[
        bool, typer.Option(help="Write place and reason of refused records, not the records.")
    ] = False,
    give_up_minutes: Annotated[
        float, typer.Option(help="End after so long without the server; 0 waits for ever, as --follow does.", min=0)
    ] = 10.0,
    batch: Annotated[int, typer.Option(help="Records between two checkpoints.", min=1, max=10_000)] = 1000,
    shop: Annotated[str, typer.Option(help="Logs: whose they are.")] = "",
    log_format: Annotated[str, typer.Option(help="Logs: a format's id, or a format string.")] = "",
    trusted_proxy: Annotated[list[str] | None, typer.Option(help="Logs: proxies that are believed.")] = None,
    session: Annotated[str, typer.Option(help="Logs: where the session is, as scan takes it.")] = "",
    table: Annotated[str, typer.Option(help="Database: table, view, or a query.")] = "",
    column: Annotated[str, typer.Option(help="Database: the column that grows.")] = "",
    row_key: Annotated[
        str | None, typer.Option(help="Database: columns, with commas, that tell rows apart; the primary key without.")
    ] = None,
    overlap: Annotated[float, typer.Option(help="Database: how far each reading goes back.", min=0)] = 0.0,
    group: Annotated[str, typer.Option(help="Kafka: consumer group for lag monitors.")] = "",
    start: Annotated[str, typer.Option(help="Kafka: earliest or latest, without a checkpoint.")] = "",
    setting: Annotated[list[str] | None, typer.Option(help="Kafka: name=value of librdkafka, as TLS and SASL.")] = None,
    as_json: Json = False,
) -> None:
    """Carry events into a running server, each at least once; the server counts each once.

    Ended anyhow, even by kill -9, the same command goes on where it was.
    """
    from floorwalker.sources.feeds import (
        CheckpointFile,
        DeadLetters,
        EventSender,
        FeedOptions,
        StoppedError,
        notes_folder,
        open_feed,
        recognise,
    )
    from floorwalker.sources.mapping import load_mapping
    from floorwalker.store.lock import OwnerLock

    sources = [_from_environment(text) for text in source]
    options = FeedOptions(
        mapping=load_mapping(mapping) if mapping else None, follow=follow, batch=batch, shop=shop,
        log_format=log_format, trusted_proxies=tuple(trusted_proxy or ()), session=session, table=table, column=column,
        row_key=None if row_key is None else [name for name in row_key.split(",") if name],
        overlap=overlap, group=group, start=start, settings=_settings(setting or []),
    )  # fmt: skip
    chosen = kind or recognise(sources)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    opened = open_feed(chosen, sources, options, clock=_now)
    folder = notes_folder(state, chosen, opened, url)
    folder.mkdir(parents=True, exist_ok=True)
    lock = OwnerLock(folder)
    dead = DeadLetters(folder / "dead.jsonl", keep_records=not withhold_records)
    reporter = _Reporter(quiet=as_json)
    sender = EventSender(
        url, key or os.environ.get(KEY_VARIABLE, ""), dead, opened.identity, _now, stop,
        give_up_seconds=give_up_minutes * 60 if give_up_minutes and not follow else None, on_wait=reporter.wait,
    )  # fmt: skip
    started = time.perf_counter()
    try:
        passed = _carry(
            opened, sender, CheckpointFile(folder / "checkpoint"), dead, stop,
            every_seconds=every_seconds if follow else None, reporter=reporter,
        )  # fmt: skip
    except StoppedError as error:
        note(str(error))
        passed = reporter.total
    finally:
        reporter.end()
        sender.close()
        opened.close()
        lock.release()
    document: dict[str, Any] = {
        "feed": opened.identity, "records": passed.records, "events": passed.events,
        "accepted": sender.sent.accepted, "duplicates": sender.sent.duplicates,
        "refused": passed.refused + sender.sent.rejected, "refused_fields": dict(passed.refused_fields),
        "skipped": passed.skipped, "dropped": dict(passed.dropped), "warnings": list(getattr(opened, "warnings", ())),
        "dead_letters": str(dead.path) if dead.path.exists() else None, "checkpoint": str(folder / "checkpoint"),
        "repeated": sender.sent.attempts_repeated, "stopped": stop.is_set(),
        "seconds": round(time.perf_counter() - started, 3),
    }  # fmt: skip
    if as_json:
        print_json(document)
        return
    for text in document["warnings"]:
        note(f"warning: {text}")
    note(
        f"{passed.records:,} records read: {sender.sent.accepted:,} events new to the server, "
        f"{sender.sent.duplicates:,} known to it, {document['refused']:,} refused, {passed.skipped:,} left out"
    )
    if document["refused"]:
        note(f"what was refused, and why: {dead.path}")


def _carry(
    opened: Any, sender: EventSender, checkpoints: Any, dead: Any, stop: threading.Event, *,
    every_seconds: float | None, reporter: _Reporter,
) -> Pumped:  # fmt: skip
    """Pump; with `--follow` a source that does not answer for a while is waited for."""
    from floorwalker.sources.feeds import pump

    rest = 1.0
    while True:
        try:
            reporter.begin_round()
            return pump(
                opened, sender, checkpoints=checkpoints, dead_letters=dead, clock=_now, follow_seconds=every_seconds,
                stop=stop, progress=reporter.progress,
            )  # fmt: skip
        except InputError as error:
            if every_seconds is None or not reporter.total.records:
                raise
            # It was readable before: a database that restarts, a broker that moves.
            rest = 1.0 if reporter.has_moved() else min(rest * 2, _LONGEST_REST)
            reporter.wait(str(error), rest)
            if stop.wait(rest):
                return reporter.total


class _Reporter:
    """Progress on a terminal, a line now and then elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        from floorwalker.sources.feeds import Pumped

        self.total = Pumped()
        self._before = Pumped()
        self._round = 0
        self._said = time.monotonic()
        self._status: Any = None
        self._quiet = quiet
        if sys.stderr.isatty():
            from rich.console import Console

            self._status = Console(stderr=True).status("reading")
            self._status.start()

    def begin_round(self) -> None:
        self._before, self._round = self.total, 0

    def has_moved(self) -> bool:
        return self._round > 0

    def progress(self, passed: Pumped) -> None:
        from floorwalker.sources.feeds import Pumped

        before = self._before
        self._round = passed.records
        self.total = Pumped(
            before.records + passed.records, before.events + passed.events, before.refused + passed.refused,
            before.skipped + passed.skipped, before.refused_fields + passed.refused_fields,
            before.dropped + passed.dropped,
        )  # fmt: skip
        total = self.total
        text = f"{total.records:,} records, {total.events:,} events, {total.refused:,} refused"
        if self._status is not None:
            self._status.update(text)
        elif not self._quiet and time.monotonic() - self._said > _SAY_SECONDS:
            self._said = time.monotonic()
            note(text)

    def wait(self, reason: str, seconds: float) -> None:
        note(f"{reason}; again in {seconds:g} s")

    def end(self) -> None:
        if self._status is not None:
            self._status.stop()


def _from_environment(text: str) -> str:
    if not text.startswith("env:"):
        return text
    found = os.environ.get(text[4:], "")
    if not found:
        raise UsageError(f"the environment holds no {text[4:]}", fix="export it, or give the source itself")
    return found


def _settings(pairs: list[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, mark, value = pair.partition("=")
        if not mark or not name:
            raise UsageError("a setting of Kafka that is none", allowed="--setting name=value")
        found[name] = _from_environment(value)
    return found


def _now() -> int:
    return time.time_ns() // 1000
