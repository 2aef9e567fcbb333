"""How fast a whole shop is simulated: five million events, all processes together, from the command line."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from floorwalker.errors import UsageError

EVENTS = 5_000_000
BARS = {"seconds": {"max": 90.0}, "peak_memory_mb": {"max": 4096.0}}
_PAUSE = 0.2


def run(
    *,
    folder: Path,
    clock: Callable[[], float],
    rounds: int = 1,
    events: int = EVENTS,
    seed: int = 7,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Simulate and measure; the files are removed afterwards.

    Parameters
    ----------
    folder : where the files go: about a gigabyte.
    clock : monotonic seconds.
    rounds : how often; the median counts. One round takes more than a minute, so at most three are run.
    events : how many.

    Metrics: `seconds`, `peak_memory_mb` (resident, of the command and all its processes at one time),
    `events_per_second`.
    """
    say = progress or (lambda text: None)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "simulated"
    command = [sys.executable, "-m", "floorwalker.cli", "simulate", "--events", str(events), "--seed", str(seed),
               "--out", str(target)]  # fmt: skip
    seconds, peaks = [], []
    for number in range(min(rounds, 3)):
        shutil.rmtree(target, ignore_errors=True)
        start = clock()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
            peak = _watch(process)
        seconds.append(clock() - start)
        peaks.append(peak)
        if process.returncode:
            raise UsageError(f"{' '.join(command[2:])} ended with exit code {process.returncode}", fix="run it by hand")
        say(f"round {number + 1}: {seconds[-1]:.1f} s, {peak:.0f} MiB")
    size = sum(path.stat().st_size for path in target.iterdir())
    shutil.rmtree(target, ignore_errors=True)
    middle = statistics.median(seconds)
    return {
        "data": {"events": events, "bytes": size, "source": f"generated, seed {seed}"},
        "split": "none: speed only",
        "seeds": [seed],
        "metrics": {
            "seconds": round(middle, 2),
            "peak_memory_mb": round(max(peaks), 1),
            "events_per_second": round(events / middle),
            "all_seconds": [round(one, 2) for one in seconds],
        },
        "bars": BARS if events == EVENTS else {},
        "notes": [
            "whole command, every process; memory summed over the processes every 0.2 s, shared pages counted once"
        ],
    }


def _watch(process: subprocess.Popen[bytes]) -> float:
    """The most memory in MiB that a process and its children held together while it ran."""
    peak = 0.0
    while True:
        try:
            process.wait(_PAUSE)
        except subprocess.TimeoutExpired:
            peak = max(peak, sum(_memory(pid) for pid in _family(process.pid)))
        else:
            return peak


def _family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for one in found:
        for task in _read(Path(f"/proc/{one}/task")):
            children = task / "children"
            try:
                found += [int(text) for text in children.read_text().split()]
            except OSError:
                continue
    return found


def _read(path: Path) -> list[Path]:
    try:
        return list(path.iterdir())
    except OSError:
        return []


def _memory(pid: int) -> float:
    """MiB of a process, its share of the pages that it has in common with others; 0 where it has gone."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
