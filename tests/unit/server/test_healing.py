"""A disk that refuses records whose events were counted: they are kept, and appended before anything else is taken."""

from __future__ import annotations

import asyncio
import fcntl
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from floorwalker.events.bulk.taking import BulkTaker
from floorwalker.events.event import Event
from floorwalker.events.identity import Tokeniser
from floorwalker.features.live import Limits
from floorwalker.pipeline.records import LabelRecord
from floorwalker.server import engine as engine_module
from floorwalker.server.engine import DecideJob, Engine, Ingested, IngestJob, Job, RecordJob
from floorwalker.server.idempotency import mark_request
from floorwalker.server.installation import Installation
from floorwalker.server.problems import ProblemError
from floorwalker.server.replaying import compare_history
from floorwalker.server.startup import Durability, Runtime
from floorwalker.store.errors import StorageFailedError
from floorwalker.testing.small_disk import SmallDisk

START = 1_760_000_000_000_000
SMALL = Limits(rows={}, other_rows=2000, sketches=200)


def open_runtime(folder: Path, durability: Durability = "process") -> Runtime:
    times = iter(range(START, START + 10**9, 1000))
    runtime = Runtime(Installation(folder), lambda: next(times), durability=durability, limits=SMALL)
    runtime.open()
    return runtime


def event(number: int) -> Event:
    at = START + number * 1_000_000
    return Event(id=f"e-{number}", type="login_succeeded", at=at, received_at=at, account=f"a-{number % 3}")


def work(engine: Engine, *jobs: Job) -> list[Any]:
    outcomes, through = engine.work(jobs)
    engine.commit(through)
    return outcomes


def work_until_refused(engine: Engine, numbers: Iterator[int]) -> None:
    while True:
        work(engine, IngestJob([event(next(numbers)) for _ in range(500)]))


def counted(engine: Engine) -> dict[str, np.ndarray]:
    state = engine.pipeline.state()
    return {f"{part}.{name}": array.copy() for part, arrays in state.items() for name, array in arrays.items()}


@contextmanager
def no_larger_files(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_records_that_the_disk_refuses_come_first_once_it_takes_them(tmp_path: Path) -> None:
    runtime = open_runtime(tmp_path / "one")
    engine = runtime.engine
    noted: list[int] = []
    label = RecordJob((LabelRecord(id="l", shop="s", at=0, author="ann"),), then=noted.append)
    work(engine, DecideJob(event(0)))
    with no_larger_files(engine.journal.size_bytes + 100):
        with pytest.raises(ProblemError, match="cannot append") as refused:
            work(engine, DecideJob(event(1)), IngestJob([event(2), event(3)]), label)
        assert refused.value.status == 503
        assert refused.value.headers == {"Retry-After": "5"}
        before = counted(engine)
        for _ in range(2):
            with pytest.raises(ProblemError, match="nothing needs a restart"):
                work(engine, DecideJob(event(4)))
        assert engine.journal.next == 1
        assert not runtime.snapshot(), "a snapshot would be ahead of the journal"
        assert not engine.heal()
        assert {name: array.tobytes() for name, array in before.items()} == {
            name: array.tobytes() for name, array in counted(engine).items()
        }
    assert noted == []
    assert engine.heal()
    assert (engine.journal.next, engine.failure, noted) == (5, "", [4])
    (again,) = work(engine, DecideJob(event(1)))
    assert b'"duplicate":true' in again.body
    work(engine, DecideJob(event(4)))
    runtime.close()

    undisturbed = open_runtime(tmp_path / "two")
    # The same secret, so that keys are equal.
    undisturbed.close()
    (tmp_path / "two" / "state.key").write_bytes((tmp_path / "one" / "state.key").read_bytes())
    undisturbed = open_runtime(tmp_path / "two")
    for jobs in (
        [DecideJob(event(0))], [DecideJob(event(1)), IngestJob([event(2), event(3)]), label],
        [DecideJob(event(1))], [DecideJob(event(4))],
    ):  # fmt: skip
        work(undisturbed.engine, *jobs)
    expected, found = counted(undisturbed.engine), counted(engine)
    assert {name for name in expected if expected[name].tobytes() != found[name].tobytes()} == set()
    undisturbed.close()
    compared = compare_history(Installation(tmp_path / "one"))
    assert (compared["events"], compared["features_differ"]) == (5, 0)


def test_a_reply_whose_record_is_on_no_disk_is_not_given_again(tmp_path: Path) -> None:
    runtime = open_runtime(tmp_path)
    engine = runtime.engine
    mark = mark_request("key", "/v1/decisions", "once", b"{}")
    work(engine, DecideJob(event(9)))  # compiles what is needed: its files are larger than the limit
    with no_larger_files(engine.journal.size_bytes + 100):
        assert asyncio.run(engine.book.begin(mark, engine.now())) is None
        with pytest.raises(ProblemError):
            work(engine, DecideJob(event(0), mark=mark))
        engine.book.end(mark)
        with pytest.raises(ProblemError, match="cannot append"):
            asyncio.run(engine.book.begin(mark, engine.now()))
    engine.heal()
    kept = asyncio.run(engine.book.begin(mark, engine.now()))
    assert kept is not None
    assert kept.status == 200
    runtime.close()


def test_events_of_the_bulk_path_are_kept_too(tmp_path: Path) -> None:
    runtime = open_runtime(tmp_path)
    engine = runtime.engine
    taker = BulkTaker(Tokeniser(bytes(32)), seed=bytes(32))
    lines = [b'{"id":"b-%d","type":"logout","at":%d,"account":"a-1"}' % (number, START) for number in range(50)]
    body, ends = b"".join(lines), np.cumsum([len(line) for line in lines])

    def tell(count: int = 50) -> Ingested:
        begins = ends - [len(line) for line in lines]
        taken = taker.take(body, begins[:count], ends[:count], now=START)
        taken.settle()
        done = engine.ingest_packed(taken)
        engine.commit(engine.journal.next)
        return done

    tell(1)  # compiles what is needed: its files are larger than the limit
    with no_larger_files(engine.journal.size_bytes + 1000):
        with pytest.raises(ProblemError, match="cannot append"):
            tell()
        assert engine.journal.next == 1
        with pytest.raises(ProblemError, match="cannot append"):
            tell()
    assert tell() == Ingested(accepted=0, duplicates=50)
    assert engine.events == engine.journal.next == 50
    runtime.close()
    assert compare_history(Installation(tmp_path))["events"] == 50


def test_a_kill_while_the_disk_refuses_leaves_what_was_acknowledged(tmp_path: Path) -> None:
    runtime = open_runtime(tmp_path)
    engine = runtime.engine
    work(engine, DecideJob(event(0)))
    with no_larger_files(engine.journal.size_bytes + 100):
        with pytest.raises(ProblemError):
            work(engine, DecideJob(event(1)))
        engine.journal.close()
    again = open_runtime(tmp_path)
    assert again.engine.journal.next == 1
    (made,) = work(again.engine, DecideJob(event(1)))
    assert b'"duplicate":true' not in made.body
    again.close()


def test_a_real_disk_that_was_full_heals_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "HEADROOM_BYTES", 0)
    with SmallDisk(tmp_path / "disk") as disk:
        folder = disk.mount("64m")
        if folder is None:
            pytest.skip("mounting a small file system needs root")
        runtime = open_runtime(folder)
        engine, numbers = runtime.engine, iter(range(100_000))
        work(engine, DecideJob(event(next(numbers))))
        disk.remount("size=400k")
        with pytest.raises(ProblemError, match="No space") as refused:
            work_until_refused(engine, numbers)
        assert refused.value.headers == {"Retry-After": "5"}
        disk.remount("size=64m")
        runtime.maintain()
        assert not engine.failure
        work(engine, DecideJob(event(next(numbers))))
        assert engine.events == engine.journal.next == next(numbers)
        runtime.close()


def test_a_disk_that_turns_read_only_under_the_server_heals_when_it_is_writable(tmp_path: Path) -> None:
    runtime = open_runtime(tmp_path)
    engine = runtime.engine
    work(engine, DecideJob(event(0)))
    writable = os.dup(engine.journal._descriptor)
    # A file that nobody may write to any more answers as those of a disk do that the system has made read-only.
    sealed = os.memfd_create("sealed", os.MFD_ALLOW_SEALING)
    fcntl.fcntl(sealed, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    os.dup2(sealed, engine.journal._descriptor)
    with pytest.raises(ProblemError, match="writable") as refused:
        work(engine, DecideJob(event(1)))
    assert refused.value.headers == {"Retry-After": "5"}
    assert not engine.heal()
    os.dup2(writable, engine.journal._descriptor)
    work(engine, DecideJob(event(2)))
    assert engine.events == engine.journal.next == 3
    runtime.close()
    os.close(sealed)
    os.close(writable)
    assert compare_history(Installation(tmp_path))["features_differ"] == 0


def test_a_sync_that_failed_stops_the_engine_until_a_restart(tmp_path: Path) -> None:
    runtime = open_runtime(tmp_path, "power_loss")
    engine = runtime.engine
    work(engine, DecideJob(event(0)))
    _, through = engine.work([DecideJob(event(1))])
    reader, writer = os.pipe()
    os.dup2(writer, engine.journal._descriptor)
    with pytest.raises(StorageFailedError):
        engine.commit(through)
    for _ in range(2):
        assert not engine.heal()
        with pytest.raises(ProblemError, match="restart the server"):
            work(engine, DecideJob(event(2)))
    assert not runtime.snapshot()
    engine.journal.close()
    os.close(reader)
    os.close(writer)
    again = open_runtime(tmp_path)
    (known,) = work(again.engine, DecideJob(event(0)))
    assert b'"duplicate":true' in known.body
    again.close()
