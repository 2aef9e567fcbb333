"""An installation with a long past, for measurements: made by the engine itself, event by event, without the network.

Run as ``python -m floorwalker.server.filling FOLDER PLAN``; the plan is JSON. The process kills itself at the end, with
`behind` events journalled after the newest sound snapshot, so that the folder is what a killed server leaves.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace

from floorwalker.evaluation.benchmarks._load import make_tails
from floorwalker.events.decode import decode_event
from floorwalker.events.event import Event
from floorwalker.events.identity import Tokeniser, normalise
from floorwalker.server.engine import DecideJob, IngestJob, RecordJob
from floorwalker.server.installation import Installation
from floorwalker.server.startup import MOST_BEHIND, Runtime

TOLD_TOGETHER = 5_000
ASKED_TOGETHER = 125
"""Live requests in one batch: the server takes up to 128."""
DAYS = 30
"""Over which the events are spread, but for the last ones."""
RUSH_MICROSECONDS = 20
"""Between two of the last events: 50,000 in a second, so that no snapshot becomes due by time before one by number."""


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
    asked: float = 0.2
    tails: int = 100_000
    seed: int = 1


@dataclass
class Clock:
    """µs UTC that pass only with events."""

    now: int

    def __call__(self) -> int:
        """The time."""
        return self.now


def fill(installation: Installation, plan: Plan) -> dict[str, float]:
    """Journal the plan's events and leave the runtime as it stands: nothing is closed.

    The installation must be new. Returns `events`, `decisions`, `accounts`, `journal_bytes`, `snapshots`.
    """
    end = time.time_ns() // 1000
    early = plan.events - plan.behind
    gap = max(1, (DAYS * 86_400_000_000) // max(1, early))
    clock = Clock(end - plan.behind * RUSH_MICROSECONDS - early * gap)
    runtime = Runtime(installation, clock, durability="power_loss", snapshot_events=MOST_BEHIND)
    runtime.open()
    events = _Events(plan, _templates(plan, installation, clock.now))
    done = 0
    while done < early:
        count = min(TOLD_TOGETHER, early - done)
        _work(runtime, events, clock, count, gap)
        done += count
        _maintain(runtime)
    runtime.snapshots.wait()
    if not runtime.snapshot():
        raise RuntimeError("no snapshot could be taken")
    runtime.snapshots.wait()
    while done < plan.events:
        count = min(TOLD_TOGETHER, plan.events - done)
        _work(runtime, events, clock, count, RUSH_MICROSECONDS)
        done += count
    engine = runtime.engine
    return {
        "events": engine.events, "decisions": engine.decisions, "accounts": events.accounts(),
        "journal_bytes": engine.journal.size_bytes, "snapshots": runtime.snapshots_taken,
    }  # fmt: skip


def _templates(plan: Plan, installation: Installation, now: int) -> list[Event]:
    tokeniser = Tokeniser(installation.token_key())
    texts = make_tails(plan.tails, plan.seed)
    return [
        normalise(decode_event(b'{"id":"t-%d","at":%d,%s' % (row, now, text), now=now), tokeniser)[0]
        for row, text in enumerate(texts)
    ]


class _Events:
    """Events out of templates, with ids, times and entities of their own."""

    def __init__(self, plan: Plan, templates: list[Event]) -> None:
        self._templates = templates
        self._random = np.random.default_rng(plan.seed)
        self._newcomers = plan.accounts
        self._met = np.zeros(plan.accounts, np.bool_)
        self._made = 0
        self.asked = plan.asked

    def accounts(self) -> int:
        """Different accounts so far, of those that are not in a template."""
        return int(self._met.sum())

    def take(self, count: int, begin: int, gap: int) -> list[Event]:
        """The next events, `gap` µs apart."""
        rows = self._random.integers(0, len(self._templates), count).tolist()
        # Half of the events are of accounts by Zipf's law, as in the templates; half of accounts that come rarely.
        rare = self._random.integers(0, self._newcomers, count)
        is_rare = self._random.random(count) < 0.5
        self._met[rare[is_rare]] = True
        made = []
        templates, number = self._templates, self._made
        for row, account, changes in zip(rows, rare.tolist(), is_rare.tolist(), strict=True):
            begin += gap
            number += 1
            if changes:
                name = f"n-{account}"
                made.append(
                    replace(
                        templates[row], id=f"f-{number}", at=begin, received_at=begin, account=name,
                        device=f"dn-{account}", session=f"s-{name}",
                    )
                )  # fmt: skip
            else:
                made.append(replace(templates[row], id=f"f-{number}", at=begin, received_at=begin))
        self._made = number
        return made


def _work(runtime: Runtime, events: _Events, clock: Clock, count: int, gap: int) -> None:
    engine = runtime.engine
    begin = clock.now
    made = events.take(count, begin, gap)
    asked = min(count, int(count * events.asked))
    for first in range(0, asked, ASKED_TOGETHER):
        together = made[first : min(asked, first + ASKED_TOGETHER)]
        clock.now = together[-1].received_at
        _, through = engine.work([DecideJob(event) for event in together])
    clock.now = made[-1].received_at
    if asked < count:
        _, through = engine.work([IngestJob(made[asked:])])
    engine.commit(through)


def _maintain(runtime: Runtime) -> None:
    learned = runtime.take_learned()
    if learned is not None:
        model, record = learned
        runtime.engine.work([RecordJob((record,), then=lambda _: runtime.engine.pipeline.adopt(model))])
    runtime.maintain()


def main(arguments: list[str]) -> None:
    """Fill, print the figures, and die as a killed server does."""
    plan = msgspec.json.decode(arguments[1], type=Plan)
    figures = fill(Installation(Path(arguments[0])), plan)
    sys.stdout.write(json.dumps(figures))
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
