"""What a start makes of what it finds: damaged snapshots, a disk without room for them, a clock that went back."""

from __future__ import annotations

import resource
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from floorwalker.events.event import Event
from floorwalker.features.live import Limits
from floorwalker.server import startup
from floorwalker.server.engine import DecideJob, Engine, IngestJob
from floorwalker.server.installation import Installation
from floorwalker.server.startup import Runtime
from floorwalker.store import live

START = 1_760_000_000_000_000
SMALL = Limits(rows={}, other_rows=2000, sketches=200)


class Clock:
    """Goes on by a millisecond each time it is read."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        self.now += 1000
        return self.now


def open_runtime(folder: Path, clock: Clock | None = None, **options: Any) -> Runtime:
    runtime = Runtime(Installation(folder), clock or Clock(), durability="process", limits=SMALL, **options)
    runtime.open()
    return runtime


def tell(engine: Engine, first: int, count: int) -> None:
    events = [
        Event(id=f"e-{n}", type="login_failed", at=START + n * 10**6, received_at=engine.now(), account=f"a-{n % 7}")
        for n in range(first, first + count)
    ]
    engine.commit(engine.work([IngestJob(events)])[1])


def state_of(runtime: Runtime) -> dict[str, bytes]:
    return {
        f"{part}.{name}": np.ascontiguousarray(array).tobytes()
        for part, arrays in runtime.engine.pipeline.state().items()
        for name, array in arrays.items()
    }


def take_snapshot(runtime: Runtime) -> None:
    assert runtime.snapshot()
    runtime.snapshots.wait()


@pytest.mark.parametrize("ending", [".snapshot", ".pack"])
def test_a_damaged_snapshot_is_passed_over_for_the_one_before(tmp_path: Path, ending: str) -> None:
    first = open_runtime(tmp_path)
    for round_ in range(3):
        tell(first.engine, round_ * 10, 10)
        take_snapshot(first)
    tell(first.engine, 30, 5)
    expected = state_of(first)
    first.engine.journal.close()
    newest = max((tmp_path / "snapshots").glob(f"*{ending}"))
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    faults: list[tuple[str, str]] = []
    second = open_runtime(tmp_path, on_fault=lambda place, text: faults.append((place, text)))
    assert second.replayed == 15, "the snapshot before it, and what came after that"
    assert [place for place, _ in faults] == ["snapshot"]
    assert newest.stem in faults[0][1]
    assert {name for name, array in state_of(second).items() if array != expected[name]} == set()
    second.close()


def test_where_every_snapshot_is_damaged_the_journal_is_read_from_its_beginning(tmp_path: Path) -> None:
    first = open_runtime(tmp_path)
    for round_ in range(2):
        tell(first.engine, round_ * 10, 10)
        take_snapshot(first)
    expected = state_of(first)
    first.engine.journal.close()
    for pack in (tmp_path / "snapshots").glob("*.pack"):
        # The last chunk: what stands before it has been read into its place by then.
        data = bytearray(pack.read_bytes())
        data[-1] ^= 1
        pack.write_bytes(data)
    faults: list[str] = []
    second = open_runtime(tmp_path, on_fault=lambda place, text: faults.append(place))
    assert (second.replayed, faults) == (20, ["snapshot", "snapshot"])
    assert state_of(second) == expected
    second.close()


def test_a_disk_without_room_for_a_snapshot_stops_no_decision(tmp_path: Path) -> None:
    faults: list[str] = []
    runtime = open_runtime(tmp_path, on_fault=lambda place, text: faults.append(text))
    tell(runtime.engine, 0, 10)
    take_snapshot(runtime)  # compiles what is needed: its files are larger than the limit
    tell(runtime.engine, 10, 10)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (runtime.engine.journal.size_bytes + 5_000, hard))
    try:
        runtime.snapshot()
        with pytest.raises(Exception, match="cannot write a snapshot"):
            runtime.snapshots.wait()
        tell(runtime.engine, 20, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    take_snapshot(runtime)
    expected = state_of(runtime)
    runtime.engine.journal.close()
    again = open_runtime(tmp_path)
    assert again.replayed == 0
    assert state_of(again) == expected
    again.close()


@pytest.mark.parametrize("with_snapshot", [True, False])
def test_a_clock_that_went_back_over_a_restart_gives_no_earlier_times(tmp_path: Path, with_snapshot: bool) -> None:
    first = open_runtime(tmp_path)
    tell(first.engine, 0, 3)
    last = first.engine.last_time
    if with_snapshot:
        take_snapshot(first)
    first.engine.journal.close()
    hours_ago = Clock(START - 3 * 3600 * 10**6)
    second = open_runtime(tmp_path, hours_ago, snapshot_events=1, snapshot_seconds=60)
    assert second.engine.now() >= last
    event = Event(id="back", type="login_failed", at=START, received_at=second.engine.now(), account="a-1")
    (outcome,), through = second.engine.work([DecideJob(event)])
    second.engine.commit(through)
    assert outcome.decision.at >= last  # type: ignore[union-attr]
    taken = second.snapshots_taken
    second.maintain()
    assert second.snapshots_taken == taken
    hours_ago.now += 61 * 10**6
    second.maintain()
    assert second.snapshots_taken == taken + 1, "a minute is a minute by whatever clock"
    second.close()


def test_told_events_wait_where_too_many_gather_behind_a_slow_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(startup, "MOST_UNWRITTEN", 10)
    runtime = open_runtime(tmp_path)
    engine, may_end = runtime.engine, threading.Event()
    replace_file = live.replace_file

    def replace_slowly(*given: Any, **named: Any) -> None:
        assert may_end.wait(60)
        replace_file(*given, **named)

    monkeypatch.setattr(live, "replace_file", replace_slowly)
    tell(engine, 0, 6)
    assert runtime.snapshot()
    tell(engine, 6, 3)
    assert not engine.holds_back()
    tell(engine, 9, 1)
    assert engine.holds_back()
    may_end.set()
    runtime.snapshots.wait()
    assert not engine.holds_back(), "nothing is being written"
    assert runtime.snapshot()
    assert not engine.holds_back(), "four events behind the one that was written"
    runtime.close()
