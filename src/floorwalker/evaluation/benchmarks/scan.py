"""How fast a scan is, beside GoAccess on the same log: whole processes, interleaved, medians of five."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from floorwalker.errors import UsageError
from floorwalker.simulation.access_log import write_large_log

LINES = 3_000_000
VISITORS = 110_000
URLS = 220_000
DAYS = 8
ROUNDS = 5
SCALING_LINES = (1_000_000, 3_000_000, 10_000_000)
BARS = {
    "speedup_goaccess": {"min": 8.0},
    "speedup_goaccess_report": {"min": 4.0},
    "peak_memory_mb": {"max": 3072},
    "scaling_ratio": {"max": 1.2},
}
MAP_SAMPLE = 2000


@dataclass(frozen=True)
class Run:
    """One finished process: wall seconds, largest resident size in MiB, its standard output."""

    seconds: float
    peak_mb: float
    output: bytes


def run(
    *,
    folder: Path,
    clock: Callable[[], float],
    rounds: int = ROUNDS,
    lines: int = LINES,
    scaling_lines: Sequence[int] = SCALING_LINES,
    seed: int = 1,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Measure; logs are written to `folder` and kept there for the next run.

    Parameters
    ----------
    folder : where the generated logs go: 3.6 GB for the default sizes.
    clock : monotonic seconds.
    rounds : how often each command runs, in turn.
    lines : length of the log that is compared with GoAccess.
    scaling_lines : lengths of the logs, with the same number of visitors, whose seconds per million lines are compared.
    """
    say = progress or (lambda text: None)
    goaccess = shutil.which("goaccess")
    if goaccess is None:
        raise UsageError("GoAccess is not installed", fix="install Debian's package: apt-get install goaccess")
    folder.mkdir(parents=True, exist_ok=True)
    log = _log(folder, lines, seed, say)
    state = folder / f"state-{lines}.npz"
    floorwalker = [sys.executable, "-m", "floorwalker.cli", "scan", str(log)]
    say("learning routes and model once")
    _timed([*floorwalker, "--no-report", "--save", str(state)], clock)
    commands = {
        "scan": [*floorwalker, "--load", str(state), "--no-report"],
        "scan_report": [
            *floorwalker, "--load", str(state), "--report", str(folder / "report.html"),
            "--map-sample", str(MAP_SAMPLE),
        ],
        "goaccess": [
            goaccess, str(log), "--log-format=COMBINED", "--no-global-config", "-o", str(folder / "goaccess.html"),
        ],
    }  # fmt: skip
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(rounds):
        for name, command in commands.items():
            runs[name].append(_timed(command, clock))
            say(f"round {number + 1}: {name} took {runs[name][-1].seconds:.2f} s")
    seconds = {name: statistics.median(run.seconds for run in several) for name, several in runs.items()}
    scaling = _scaling(folder, scaling_lines, seed, clock, say)
    paces = [entry["read_seconds_per_million"] for entry in scaling]
    return {
        "data": {
            "lines": lines, "bytes": log.stat().st_size, "visitors": VISITORS, "urls": URLS, "days": DAYS,
            "source": f"generated, seed {seed}",
        },
        "split": "none: speed only",
        "seeds": [seed],
        "metrics": {
            "speedup_goaccess": seconds["goaccess"] / seconds["scan"],
            "speedup_goaccess_report": seconds["goaccess"] / seconds["scan_report"],
            "peak_memory_mb": max(run.peak_mb for name in ("scan", "scan_report") for run in runs[name]),
            "scaling_ratio": max(
                longer / shorter for place, shorter in enumerate(paces) for longer in paces[place + 1 :]
            ),
            "scaling_spread": max(paces) / min(paces),
            "seconds": {name: round(value, 3) for name, value in seconds.items()},
            "all_seconds": {name: [round(run.seconds, 3) for run in several] for name, several in runs.items()},
            "scaling": scaling,
        },
        "baselines": {
            "goaccess": {
                "version": _version(goaccess), "command": " ".join(["goaccess", log.name, *commands["goaccess"][2:4]]),
                "peak_memory_mb": max(run.peak_mb for run in runs["goaccess"]),
            }
        },
        "bars": BARS,
        "notes": [
            "whole processes, run in turn; medians",
            f"scan_report draws the t-SNE map on {MAP_SAMPLE} visitors",
            "scaling_ratio: the most that seconds per million lines of the pass grow from a log to a longer one",
            "scaling_spread: the largest over the smallest; the fixed cost of starting the pass weighs on a short log",
        ],
    }  # fmt: skip


def _scaling(
    folder: Path, sizes: Sequence[int], seed: int, clock: Callable[[], float], say: Callable[[str], None]
) -> list[dict[str, float]]:
    found = []
    state = folder / f"scaling-{seed}.npz"
    logs = [_log(folder, size, seed, say) for size in sizes]
    _timed([sys.executable, "-m", "floorwalker.cli", "scan", str(logs[0]), "--no-report", "--save", str(state)], clock)
    command = ["--load", str(state), "--no-report", "--json"]
    for size, log in zip(sizes, logs, strict=True):
        runs = [_timed([sys.executable, "-m", "floorwalker.cli", "scan", str(log), *command], clock) for _ in range(3)]
        reading = statistics.median(float(json.loads(run.output)["seconds"]["read the log"]) for run in runs)
        whole = statistics.median(run.seconds for run in runs)
        millions = size / 1e6
        found.append(
            {
                "lines": size,
                "read_seconds_per_million": reading / millions,
                "whole_seconds_per_million": whole / millions,
                "peak_memory_mb": max(run.peak_mb for run in runs),
            }
        )
        say(f"{size:,} lines: {reading / millions:.3f} s per million in the pass, {whole:.2f} s in all")
    return found


def _log(folder: Path, lines: int, seed: int, say: Callable[[str], None]) -> Path:
    log = folder / f"combined-{lines}-{seed}.log"
    if not log.exists():
        say(f"writing {lines:,} lines to {log.name}")
        part = log.with_suffix(".part")
        write_large_log(part, lines=lines, seed=seed, visitors=VISITORS, urls=URLS, days=DAYS)
        part.replace(log)
    return log


def _timed(command: list[str], clock: Callable[[], float]) -> Run:
    """Run a process to its end and take its own peak memory from the kernel's accounts.

    Python keeps its compiled modules, as it does for every user who does not forbid it: the first run writes them.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = clock()
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = clock() - start
    if process.returncode != 0:
        raise UsageError(f"{' '.join(command)} ended with exit code {process.returncode}", fix="run it by hand")
    return Run(seconds, usage.ru_maxrss / 1024, output)


def _version(goaccess: str) -> str:
    output = subprocess.run([goaccess, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    return (output.stdout or output.stderr).splitlines()[0].strip()
