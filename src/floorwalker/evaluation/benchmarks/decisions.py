"""Decisions over HTTP, durable, with everything inline: how many, how fast, and what the disk alone would take."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from floorwalker.errors import UsageError

SECONDS = 60.0
ROUNDS = 5
CONNECTIONS = 32
OPEN_CONNECTIONS = 64
RATE = 1000.0
EVENTS = 300_000
TAILS = 100_000
SCOPES = "ingest,decide,label,read,admin"
_KEPT = {"snapshots": "snapshots_total", "ledger_records": "ledger_records"}
BARS = {
    "closed.decisions_per_second": {"min": 3000.0},
    "closed.p99_ms": {"max": 15.0},
    "open_1000.p99_ms": {"max": 5.0},
    "events_per_second": {"min": 50_000.0},
    "generator_share": {"max": 0.7},
    "errors": {"max": 0},
    "snapshots_each_run": {"min": 1},
    "ledger_records_each_run": {"min": 1},
}


def run(
    *,
    folder: Path,
    clock: Callable[[], float],
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
    events: int = EVENTS,
    durability: str = "power_loss",
    snapshot_seconds: int | None = None,
    models: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Measure a server process on one core with a load generator on another.

    Parameters
    ----------
    folder : the installation goes below it, so its disk is the one that is measured.
    clock : monotonic seconds.
    rounds : runs of each kind, in turn; the figures are medians.
    seconds : length of one closed and one open run.
    events : events told through `/v1/events` in each round.
    durability : as for `floorwalker serve`.
    models : trained models that are asked about every event; rules and the anomaly detector alone without.
    snapshot_seconds : short enough that every run holds a snapshot; half of a run, and at most 30, where left out.
    """
    every = snapshot_seconds or max(1, min(30, int(seconds / 2)))
    say = progress or (lambda text: None)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise UsageError("one core only", allowed="two: the server's and the load generator's")
    ours, theirs = cores[0], cores[1]
    installation = folder / "decisions"
    closed, opened, told = [], [], []
    kept: list[dict[str, float]] = []
    sync = measure_sync(folder, clock)
    say(f"one sync of 4 KiB takes {sync['p50_ms']:.3f} ms, p99 {sync['p99_ms']:.3f} ms")
    options = ["--durability", durability, "--snapshot-seconds", str(every), "--snapshot-events", "1"]
    if models is not None:
        options += ["--models", str(models)]
    key = make_key(installation)
    with serve(installation, core=ours, options=options) as (port, process):
        load(port, key, {"kind": "fill"}, core=theirs)
        base = {"tails": TAILS, "seed": 1}
        load(port, key, {**base, "kind": "closed", "seconds": 5.0, "connections": CONNECTIONS, "run": "w"}, core=theirs)
        say("filled and warm: 100,000 accounts behind one address, a coupon in half of the events")
        for number in range(rounds):
            before = _kept(port)
            plan = {**base, "kind": "closed", "seconds": seconds, "connections": CONNECTIONS, "run": f"c{number}"}
            used = _cpu_seconds(process.pid)
            closed.append(load(port, key, plan, core=theirs))
            closed[-1]["cpu_us"] = (_cpu_seconds(process.pid) - used) / closed[-1]["count"] * 1e6
            between = _kept(port)
            kept.append(_grown(before, between))
            say(f"round {number + 1}: closed {closed[-1]['per_second']:.0f}/s, p99 {closed[-1]['p99_ms']:.2f} ms")
            plan = {
                **base, "kind": "open", "seconds": seconds, "connections": OPEN_CONNECTIONS, "rate": RATE,
                "run": f"o{number}", "seed": number + 1,
            }  # fmt: skip
            opened.append(load(port, key, plan, core=theirs))
            say(f"round {number + 1}: open at {RATE:.0f}/s, p99 {opened[-1]['p99_ms']:.2f} ms")
            kept.append(_grown(between, _kept(port)))
            told.append(load(port, key, {**base, "kind": "events", "events": events, "run": f"e{number}"}, core=theirs))
            say(f"round {number + 1}: {told[-1]['per_second']:.0f} events/s told")
        last = read_metrics(port)
        memory = _resident_mb(process.pid)
    runs = [*closed, *opened, *told]
    return {
        "data": {
            "source": "generated, seed 1: Zipf entities, logins, checkouts, coupons; real JSON bodies, unique ids",
            "accounts_behind_one_address": 100_000, "coupon_share": 0.5,
            "events": int(last["floorwalker_events_total"]),
        },
        "split": "none: speed only",
        "seeds": [1],
        "metrics": {
            "closed": _medians(closed, {"decisions_per_second": "per_second", "server_cpu_us": "cpu_us"}),
            "open_1000": _medians(opened, {"decisions_per_second": "per_second"}),
            "events_per_second": statistics.median(each["per_second"] for each in told),
            "sync": sync,
            "errors": sum(each["errors"] for each in runs),
            "generator_share": max(each["generator_share"] for each in [*closed, *opened]),
            "snapshots_each_run": min(each["snapshots"] for each in kept),
            "ledger_records_each_run": min(each["ledger_records"] for each in kept),
            "ledger_behind": last["floorwalker_ledger_behind"],
            "syncs_in_thread_share": last["floorwalker_syncs_in_thread_total"] / last["floorwalker_batches_total"],
            "peak_memory_mb": memory,
        },
        "baselines": {"sync_alone": {"p50_ms": sync["p50_ms"], "p99_ms": sync["p99_ms"]}},
        "bars": BARS,
        "notes": [
            f"server on core {ours}, generator on core {theirs}; {rounds} rounds of {seconds:g} s, medians",
            "open loop: Poisson arrivals, timed from the intended send time",
            f"durability {durability}; rules, features and the anomaly detector inline",
            "processor time and memory are of the server and its keeper together",
        ],
    }  # fmt: skip


def _medians(runs: list[dict[str, Any]], renamed: dict[str, str]) -> dict[str, float]:
    names = {**{name: name for name in ("p50_ms", "p90_ms", "p99_ms", "p99_9_ms", "max_ms")}, **renamed}
    return {name: statistics.median(each[source] for each in runs) for name, source in names.items()}


def measure_sync(folder: Path, clock: Callable[[], float], count: int = 300) -> dict[str, float]:
    """Milliseconds that this disk takes to make 4 KiB durable, nothing else being done."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sync-probe"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    sync = getattr(os, "fdatasync", os.fsync)
    taken = []
    try:
        for _ in range(count):
            os.write(descriptor, bytes(4096))
            start = clock()
            sync(descriptor)
            taken.append((clock() - start) * 1000)
    finally:
        os.close(descriptor)
        path.unlink()
    taken.sort()
    return {"p50_ms": taken[count // 2], "p99_ms": taken[int(count * 0.99)], "max_ms": taken[-1]}


def make_key(installation: Path) -> str:
    """An API key for an installation."""
    command = [
        sys.executable, "-m", "floorwalker.cli", "keys", "create", "bench", "--scopes", SCOPES, "--folder",
        str(installation), "--json",
    ]  # fmt: skip
    output = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603
    return str(json.loads(output)["key"])


@contextmanager
def serve(installation: Path, *, core: int | None, options: list[str]) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A server process on a free port, from being ready to its graceful end.

    Parameters
    ----------
    installation : its folder; the server's log goes there too.
    core : which one it may use; None for any.
    options : of `floorwalker serve`.
    """
    command = [
        sys.executable, "-m", "floorwalker.cli", "serve", "--folder", str(installation), "--port", "0", "--json",
        *options,
    ]  # fmt: skip
    installation.mkdir(parents=True, exist_ok=True)
    with (installation / "server.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)  # noqa: S603
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    assert process.stdout is not None
    try:
        text = b""
        while not text.rstrip().endswith(b"}"):
            line = process.stdout.readline()
            if not line:
                raise UsageError("the server ended before it was ready", fix=f"read {installation / 'server.log'}")
            text += line
        yield int(json.loads(text)["port"]), process
    finally:
        process.terminate()
        process.wait(timeout=120)
        process.stdout.close()


def load(port: int, key: str, plan: dict[str, Any], *, core: int) -> dict[str, Any]:
    """Carry out a plan of `_load` in a process of its own and give its figures."""
    command = [sys.executable, "-m", "floorwalker.evaluation.benchmarks._load", str(port), key, json.dumps(plan)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603
        os.sched_setaffinity(process.pid, {core})
        assert process.stdout is not None
        output = process.stdout.read()
    if process.returncode:
        raise UsageError(f"the load generator ended with {process.returncode}", fix="run it by hand")
    figures: dict[str, Any] = json.loads(output)
    return figures


def read_metrics(port: int) -> dict[str, float]:
    """The server's figures without labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return {
        name: float(value)
        for name, _, value in (line.partition(" ") for line in lines if line and line[0] != "#" and "{" not in line)
    }


def _kept(port: int) -> dict[str, float]:
    """What the server has kept beside its decisions so far."""
    found = read_metrics(port)
    return {name: found[f"floorwalker_{long}"] for name, long in _KEPT.items()}


def _grown(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in before}


def _family(pid: int) -> list[int]:
    """A process and those that it started."""
    found = [pid]
    for thread in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (thread / "children").read_text("ascii").split()]
    return found


def _cpu_seconds(pid: int) -> float:
    """Seconds of processor time that a process has used, with all its threads and the processes that it started."""
    ticks = 0
    for each in _family(pid):
        fields = Path(f"/proc/{each}/stat").read_text("ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    """The most memory that a process and those that it started had, each at its own time."""
    found = 0.0
    for each in _family(pid):
        for line in Path(f"/proc/{each}/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM"):
                found += int(line.split()[1]) / 1024
    return found
