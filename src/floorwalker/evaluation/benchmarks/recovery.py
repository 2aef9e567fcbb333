"""How long a restart takes: a journal of millions of events, the process killed, and decisions made again."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from floorwalker.evaluation.benchmarks.decisions import load, make_key, read_metrics, serve

EVENTS = 5_000_000
STEP = 500_000
BARS = {"restart_seconds": {"max": 20.0}}


def run(
    *,
    folder: Path,
    clock: Callable[[], float],
    rounds: int = 3,
    events: int = EVENTS,
    durability: str = "process",
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Fill a journal through the server, kill it, and time the way back to the first decision.

    Parameters
    ----------
    folder : the installation goes below it and stays, so that another run fills no more.
    clock : monotonic seconds.
    rounds : restarts; each one is killed too, so that none leaves a snapshot behind for the next.
    events : journalled events.
    durability : of the filling only; it changes nothing about the way back.
    """
    say = progress or (lambda text: None)
    installation = folder / f"recovery-{events}"
    options = ["--durability", durability]
    is_filled = installation / "filled"
    if is_filled.exists():
        key = is_filled.read_text("ascii")
    else:
        key = make_key(installation)
        with serve(installation, core=None, options=options) as (port, process):
            for number in range(-(-events // STEP)):
                count = min(STEP, events - number * STEP)
                plan = {"kind": "events", "events": count, "tails": 100_000, "seed": 1, "run": f"r{number}"}
                load(port, key, plan, core=sorted(os.sched_getaffinity(0))[-1])
                say(f"{number * STEP + count:,} events journalled")
            process.kill()
            process.wait()
        is_filled.write_text(key, "ascii")
    found = []
    for number in range(rounds):
        start = clock()
        with serve(installation, core=None, options=options) as (port, process):
            ready = clock() - start
            _decide(port, key, number, start)
            decided = clock() - start
            figures = read_metrics(port)
            process.kill()
            process.wait()
        found.append(
            {
                "ready_seconds": ready,
                "restart_seconds": decided,
                "journal_mb": figures["floorwalker_journal_bytes"] / 2**20,
                "counted_again": figures["floorwalker_replayed_events"],
            }
        )
        say(f"restart {number + 1}: {decided:.2f} s, {found[-1]['counted_again']:,.0f} events counted again")
    worst = max(found, key=lambda each: each["restart_seconds"])
    return {
        "data": {"events": events, "source": "generated, seed 1, told through /v1/events"},
        "split": "none: speed only",
        "seeds": [1],
        "metrics": {**worst, "all_seconds": [round(each["restart_seconds"], 2) for each in found]},
        "bars": BARS,
        "notes": ["the worst of all restarts; each process was killed, so the newest snapshot is one taken under load"],
    }


def _decide(port: int, key: str, number: int, at: float) -> None:
    body = {"id": f"back-{number}-{at}", "type": "search", "at": 1_760_000_000_000_000}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/decisions",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        answer.read()
