"""The processes of a run: as many as there are cores, each a `floorwalker.simulation.shop.worker`."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from floorwalker.errors import InputError, UsageError
from floorwalker.simulation.shop.scenario import Scenario
from floorwalker.simulation.shop.worker import Job, Worker

Work = Callable[[Iterable[Job]], Iterator[Job]]
"""Does jobs, and gives their answers in the jobs' order."""
_COMMAND = ("-P", "-m", "floorwalker.simulation.shop.worker")
_SECONDS_TO_END = 10.0


def cores_here() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def working(cores: int, scenario: Scenario, parts: Path) -> Iterator[Work]:
    """Something that does jobs: in this process where there is one core, else in others that end with the block.

    Raises `UsageError` for fewer than one core, `InputError` where a process dies.
    """
    if cores < 1:
        raise UsageError(f"cores is {cores}", allowed="1 or more")
    if cores == 1:
        worker = Worker(scenario, parts)
        yield lambda jobs: map(worker.do, jobs)
        return
    processes = [_start(scenario, parts) for _ in range(cores)]
    free: queue.SimpleQueue[subprocess.Popen[str]] = queue.SimpleQueue()
    for process in processes:
        free.put(process)

    def do(job: Job) -> Job:
        process = free.get()
        try:
            return _ask(process, job)
        finally:
            free.put(process)

    try:
        with ThreadPoolExecutor(cores) as threads:
            yield lambda jobs: threads.map(do, jobs)
    except BaseException:
        for process in processes:
            process.kill()
        raise
    finally:
        for process in processes:
            _end(process)


def _start(scenario: Scenario, parts: Path) -> subprocess.Popen[str]:
    # Each process is one core's: a pool of threads in each would only cost memory.
    settings = {"POLARS_MAX_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, *_COMMAND],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=os.environ | settings,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"scenario": scenario.as_plain(), "parts": str(parts.absolute())}) + "\n")
    process.stdin.flush()
    return process


def _ask(process: subprocess.Popen[str], job: Job) -> Job:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
    except BrokenPipeError:
        line = ""
    if not line:
        raise InputError(
            f"a process of the simulation ended with exit code {process.wait()}",
            fix="what it said stands above; where memory is short, use fewer cores or events",
        )
    answer: Job = json.loads(line)
    if "error" in answer:
        kind = UsageError if answer["kind"] == UsageError.__name__ else InputError
        raise kind(answer["error"])
    return answer


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
