"""How long a restart takes: millions of journalled events, the process killed, and decisions made again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from floorwalker.errors import UsageError
from floorwalker.evaluation.benchmarks.decisions import _cpu_seconds, make_key, read_metrics

EVENTS = 5_000_000
ACCOUNTS = 1_200_000
BEHIND = 800_000
"""Events after the newest sound snapshot: a server kills no later than this (`MOST_UNWRITTEN` in `server.startup`)."""
BARS = {"restart_seconds": {"max": 20.0}}
_POLL_SECONDS = 0.005
_MOST_SECONDS = 300.0


def run(
    *,
    folder: Path,
    clock: Callable[[], float],
    rounds: int = 3,
    events: int = EVENTS,
    accounts: int = ACCOUNTS,
    behind: int = BEHIND,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Fill an installation as the server would, kill it, and time the way back to the first decision.

    Parameters
    ----------
    folder : the installation goes below it and stays, so that another run fills no more.
    clock : monotonic seconds.
    rounds : restarts with warm files; each server is killed again, and the snapshots it began are removed, so that
        every one finds what the first found. One more finds its files out of memory.
    events, accounts : journalled events, and different accounts among them, about.
    behind : events after the newest snapshot; the default is the most that a server ever leaves.
    """
    say = progress or (lambda text: None)
    installation = folder / f"recovery-{events}-{accounts}-{behind}"
    is_kept = (installation / "filled").exists()
    filled = _fill(installation, {"events": events, "accounts": accounts, "behind": behind}, say)
    key = make_key(installation)
    if is_kept:
        # The program may have changed since it was filled: a start of its own compiles what must be compiled.
        _restart(installation, key, clock)
    found = []
    for number in range(rounds):
        found.append(_restart(installation, key, clock))
        say(
            f"restart {number + 1}: {found[-1]['restart_seconds']:.2f} s,"
            f" {found[-1]['counted_again']:,.0f} events counted again"
        )
    _forget_pages(installation)
    cold = _restart(installation, key, clock)
    say(f"with no file in memory: {cold['restart_seconds']:.2f} s")
    worst = max(found, key=lambda each: each["restart_seconds"])
    return {
        "data": {
            "source": "generated, seed 1; written by the server's engine in process, a tenth of them decided",
            **filled,
        },
        "split": "none: speed only",
        "seeds": [1],
        "metrics": {
            **worst,
            "all_seconds": [round(each["restart_seconds"], 2) for each in found],
            "cold": {"restart_seconds": cold["restart_seconds"]},
        },
        "bars": BARS,
        "notes": [
            "the worst of all restarts, from the start of the process to the answer to a decision; default settings",
            f"the newest sound snapshot is {behind:,} events old: the most that the server lets it be",
            "`cold`: the same once more, after the files were put out of memory",
        ],
    }  # fmt: skip


def _fill(installation: Path, plan: dict[str, int], say: Callable[[str], None]) -> dict[str, Any]:
    """An installation as a killed server leaves it; kept with its figures in `filled`."""
    done = installation / "filled"
    if not done.exists():
        shutil.rmtree(installation, ignore_errors=True)
        say(f"{plan['events']:,} events are journalled; it takes minutes, and the folder is kept")
        command = [sys.executable, "-m", "floorwalker.server.filling", str(installation), json.dumps(plan)]
        ended = subprocess.run(command, stdout=subprocess.PIPE, check=False)  # noqa: S603
        if ended.returncode != -signal.SIGKILL or not ended.stdout:
            raise UsageError(f"filling ended with {ended.returncode}", fix="look at what it printed above")
        done.write_bytes(ended.stdout)
    figures: dict[str, Any] = json.loads(done.read_bytes())
    return figures


def _restart(installation: Path, key: str, clock: Callable[[], float]) -> dict[str, Any]:
    """Start a server, wait until it decides, kill it, and put its snapshots back to what they were."""
    snapshots = set((installation / "snapshots").iterdir())
    port = _free_port()
    log = installation / "server.log"
    command = [sys.executable, "-m", "floorwalker.cli", "serve", "--folder", str(installation), "--port", str(port)]
    with log.open("wb") as errors:
        start = clock()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)  # noqa: S603
        try:
            listening = _wait_for(f"http://127.0.0.1:{port}/health", process, start, clock)
            ready = _wait_for(f"http://127.0.0.1:{port}/ready", process, start, clock)
            _decide(port, key)
            decided = clock() - start
            used = _cpu_seconds(process.pid)
            figures = read_metrics(port)
        finally:
            process.kill()
            process.wait()
    for path in (installation / "snapshots").iterdir():
        if path not in snapshots:
            path.unlink()
    if missing := snapshots - set((installation / "snapshots").iterdir()):
        raise UsageError(f"{len(missing)} files of snapshots went", fix="remove the folder, so that it is filled again")
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines() if line.startswith("{")]
    stages: dict[str, float] = next((line.get("stages", {}) for line in lines if line.get("event") == "ready"), {})
    return {
        "restart_seconds": decided,
        "ready_seconds": ready,
        "listening_seconds": listening,
        "cpu_seconds": used,
        "stages": stages,
        "journal_mb": figures["floorwalker_journal_bytes"] / 2**20,
        "counted_again": figures["floorwalker_replayed_events"],
    }


def _wait_for(url: str, process: subprocess.Popen[bytes], start: float, clock: Callable[[], float]) -> float:
    while clock() - start < _MOST_SECONDS:
        if process.poll() is not None:
            raise UsageError(f"the server ended with {process.returncode}", fix="read its log in the folder")
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
            urllib.request.urlopen(url, timeout=30) as answer,  # noqa: S310
        ):
            if answer.status == 200:
                return clock() - start
        time.sleep(_POLL_SECONDS)
    raise UsageError(f"{url} did not answer 200 in {_MOST_SECONDS:g} s")


def _decide(port: int, key: str) -> None:
    body = {"id": f"back-{time.time_ns()}", "type": "search", "at": time.time_ns() // 1000, "account": "n-1"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/decisions",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        answer.read()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def _forget_pages(folder: Path) -> None:
    """Ask the system to read the files from the disk the next time; no more than a wish."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
