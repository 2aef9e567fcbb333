"""An installation with a long past, for measurements: made by the engine itself, event by event, without the network.

Run as ``python -m floorwalker.server.filling FOLDER PLAN``; the plan is JSON. The process kills itself at the end, with
`behind` events journalled after the newest sound snapshot, so that the folder is what a killed server leaves.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace

from floorwalker.evaluation.benchmarks._load import make_tails
from floorwalker.events.bulk.splitting import split_lines
from floorwalker.events.bulk.taking import BulkTaker
from floorwalker.events.decode import decode_event
from floorwalker.events.event import Event
from floorwalker.events.identity import Tokeniser, normalise
from floorwalker.server.engine import DecideJob, RecordJob
from floorwalker.server.installation import Installation
from floorwalker.server.startup import MOST_BEHIND, Runtime

TOGETHER = 5_000
"""Events between two looks at what is due: as many as a sender tells of at once."""
ASKED_TOGETHER = 125
"""Live requests in one batch: the server takes up to 128."""
DAYS = 30
"""Over which the events are spread, but for the last ones."""
RUSH_MICROSECONDS = 20
"""Between two of the last events: 50,000 in a second, so that no snapshot becomes due by time before one by number."""
SAVED_TOGETHER = 16_384
"""Pages saved for a snapshot after so many events: no fewer than come to be written meanwhile."""
_PATIENCE_SECONDS = 0.01
_SAY_SECONDS = 10
_WHO = re.compile(rb'"account":"[^"]*","session":"[^"]*","device":"[^"]*"')


class Plan(msgspec.Struct, frozen=True):
    """What is wanted.

    Parameters
    ----------
    events : journalled events.
    accounts : different ones among them, about.
    behind : of the events, those after the newest snapshot.
    asked : share of events that a decision was asked for.
    tails : different bodies that the events are made from.
    """

    events: int
    accounts: int
    behind: int
    asked: float = 0.1
    tails: int = 100_000
    seed: int = 1


@dataclass
class Clock:
    """µs UTC that pass only with events."""

    now: int

    def __call__(self) -> int:
        """The time."""
        return self.now


class Filler:
    """Moves a runtime along made-up traffic, as the server's routes do.

    Parameters
    ----------
    runtime, clock : opened; the clock is the runtime's.
    plan : what is wanted.
    """

    def __init__(self, runtime: Runtime, clock: Clock, plan: Plan) -> None:
        tokeniser = Tokeniser(runtime.installation.token_key())
        self._runtime, self._clock, self._plan = runtime, clock, plan
        self._taker = BulkTaker(tokeniser, seed=os.urandom(32))
        self._random = np.random.default_rng(plan.seed)
        self._met = np.zeros(plan.accounts, np.bool_)
        self._made = 0
        tails = make_tails(plan.tails, plan.seed)
        self._tails = [tail.replace(b"%", b"%%") for tail in tails]
        # The same event of an account that comes rarely, with a device and a session of its own.
        who = b'"account":"n-%(name)d","session":"s-n-%(name)d","device":"dn-%(name)d"'
        self._rare = [_WHO.sub(who, tail, count=1) for tail in self._tails]
        self._events = [
            normalise(decode_event(b'{"id":"t","at":%d,%s' % (clock.now, tail), now=clock.now), tokeniser)[0]
            for tail in tails[: plan.tails // 10]
        ]

    @property
    def accounts(self) -> int:
        """Different accounts so far, of those that come rarely."""
        return int(self._met.sum())

    def work(self, count: int, gap: int) -> None:
        """Let `count` events come, `gap` µs apart, and make them durable."""
        engine, clock = self._runtime.engine, self._clock
        asked = int(count * self._plan.asked)
        for first in range(0, asked, ASKED_TOGETHER):
            together = self._make_events(min(ASKED_TOGETHER, asked - first), gap)
            engine.work([DecideJob(event) for event in together])
        texts = split_lines(self._make_body(count - asked, gap), count)
        taken = self._taker.take(texts.body, texts.starts, texts.stops, now=clock.now)
        for row in taken.left:
            self._taker.look_closely(taken, row, texts.text(row), now=clock.now)
        taken.settle()
        engine.ingest_packed(taken)
        engine.commit(engine.journal.next)

    def maintain(self) -> None:
        """What the server does between two batches."""
        runtime = self._runtime
        learned = runtime.take_learned()
        if learned is not None:
            model, record = learned
            runtime.engine.work([RecordJob((record,), then=lambda _: runtime.engine.pipeline.adopt(model))])
        runtime.maintain()
        runtime.snapshots.step(SAVED_TOGETHER)
        while runtime.is_far_ahead():
            # Sleep, rather than ask again at once: the thread that writes needs the interpreter as well.
            time.sleep(_PATIENCE_SECONDS)
            runtime.snapshots.step(SAVED_TOGETHER)

    def _draw(self, count: int, kinds: int) -> tuple[list[int], list[int], list[bool]]:
        """Which templates, which of the rare accounts, and whether these: half of the events."""
        rows = self._random.integers(0, kinds, count).tolist()
        rare = self._random.integers(0, len(self._met), count)
        is_rare = self._random.random(count) < 0.5
        self._met[rare[is_rare]] = True
        return rows, rare.tolist(), is_rare.tolist()

    def _make_events(self, count: int, gap: int) -> list[Event]:
        made = []
        for row, name, is_rare in zip(*self._draw(count, len(self._events)), strict=True):
            self._made += 1
            self._clock.now += gap
            event = replace(
                self._events[row], id=f"f-{self._made}", at=self._clock.now, received_at=self._clock.now
            )  # fmt: skip
            if is_rare:
                event = replace(event, account=f"n-{name}", device=f"dn-{name}", session=f"s-n-{name}")
            made.append(event)
        return made

    def _make_body(self, count: int, gap: int) -> bytes:
        lines = []
        number, at = self._made, self._clock.now
        for row, name, is_rare in zip(*self._draw(count, len(self._tails)), strict=True):
            number += 1
            at += gap
            tail = (self._rare if is_rare else self._tails)[row] % {b"name": name}
            lines.append(b'{"id":"f-%d","at":%d,%s' % (number, at, tail))
        self._made, self._clock.now = number, at
        return b"\n".join(lines)


def fill(installation: Installation, plan: Plan, say: Callable[[str], None]) -> dict[str, float]:
    """Journal the plan's events and leave the runtime as it stands: nothing is closed.

    The installation must be new. Returns `events`, `decisions`, `accounts`, `journal_bytes`, `snapshots`.
    """
    early = plan.events - plan.behind
    gap = max(1, (DAYS * 86_400_000_000) // max(1, early))
    clock = Clock(time.time_ns() // 1000 - plan.behind * RUSH_MICROSECONDS - early * gap)
    runtime = Runtime(installation, clock, snapshot_events=MOST_BEHIND)
    runtime.open()
    filler = Filler(runtime, clock, plan)
    done, said = 0, time.monotonic()
    while done < plan.events:
        is_early = done < early
        count = min(TOGETHER, (early if is_early else plan.events) - done)
        filler.work(count, gap if is_early else RUSH_MICROSECONDS)
        done += count
        if done < early:
            filler.maintain()
        elif done == early:
            # The newest sound snapshot; from here on the next one is never finished.
            runtime.snapshots.wait()
            if not runtime.snapshot():
                raise RuntimeError("no snapshot could be taken")
            runtime.snapshots.wait()
        if time.monotonic() > said + _SAY_SECONDS:
            said = time.monotonic()
            say(f"{done:,} of {plan.events:,} events")
    engine = runtime.engine
    return {
        "events": engine.events, "decisions": engine.decisions, "accounts": filler.accounts,
        "journal_bytes": engine.journal.size_bytes, "snapshots": runtime.snapshots_taken,
    }  # fmt: skip


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def main(arguments: list[str]) -> None:
    """Fill, print the figures, and die as a killed server does."""
    plan = msgspec.json.decode(arguments[1], type=Plan)
    figures = fill(Installation(Path(arguments[0])), plan, _say)
    sys.stdout.write(json.dumps(figures))
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
