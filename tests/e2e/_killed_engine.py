"""What `test_crash.py` runs: an engine that is killed again and again, and checked after every kill.

Run as ``python _killed_engine.py FOLDER KILLS SEED``. The process loads everything once and forks a child for each life
of the engine, so that a life takes a tenth of a second and not four. A child says what it acknowledged, as the server
would answer: after the sync. The parent kills it at a random moment, in the middle of recovery too, and reads the
journal as it stands. It prints what it counted as JSON.
"""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from floorwalker.events.event import Event
from floorwalker.features.live import Limits
from floorwalker.pipeline.pipeline import Pipeline
from floorwalker.pipeline.recent import RecentEvents
from floorwalker.pipeline.records import (
    DecisionRecord,
    EventRecord,
    LabelRecord,
    ListRecord,
    ReplyRecord,
    decode_record,
)
from floorwalker.pipeline.window import EventWindow
from floorwalker.policy.lists import ListEntry
from floorwalker.server.engine import Decided, DecideJob, Engine, IngestJob, Job, RecordJob
from floorwalker.server.idempotency import mark_request
from floorwalker.server.installation import Installation
from floorwalker.server.replaying import compare_history
from floorwalker.server.startup import Runtime
from floorwalker.store.journal import read_journal

SMALL = Limits(rows={}, other_rows=3000, sketches=20_000)
"""Room for everything that is sent: what gives way depends on the room, and `floorwalker replay` has the default."""
KINDS = ("login_succeeded", "login_failed", "checkout", "coupon_redeem", "page_view")
LIFE_SECONDS, LONG_SECONDS = 0.2, 1.2


def wall_clock() -> int:
    return time.time_ns() // 1000


class SmallRuntime(Runtime):
    """With tables so small that a snapshot takes a twentieth of a second."""

    def _make_pipeline(self) -> Pipeline:
        pipeline = super()._make_pipeline()
        pipeline.window, pipeline.recent = EventWindow(1 << 14), RecentEvents(1 << 14)
        return pipeline


def make_runtime(folder: Path) -> Runtime:
    return SmallRuntime(Installation(folder), wall_clock, snapshot_events=60, snapshot_seconds=0, limits=SMALL)


def make_event(chance: random.Random, name: str) -> Event:
    now = wall_clock()
    kind = chance.choice(KINDS)
    more: dict[str, Any] = {}
    if kind in ("checkout", "coupon_redeem"):
        more = {"amount_minor": chance.randint(1, 10**6), "currency": "EUR", "coupons": ("HALF",), "promotion": "p"}
    late = chance.choice([0, 0, 0, 3600, 90_000]) * 1_000_000
    return Event(
        id=name, type=kind, at=now - late, received_at=now, account=f"a-{chance.randint(1, 60)}",
        device=f"d-{chance.randint(1, 20)}", ip=f"203.0.113.{chance.randint(1, 200)}", **more,
    )  # fmt: skip


def live(folder: Path, say: int, life: int, seed: int) -> None:
    """Recover, then work until killed; acknowledge each batch in one line, once it is durable."""
    chance = random.Random(seed)
    runtime = make_runtime(folder)
    runtime.open()
    engine = runtime.engine
    os.write(say, b"ready\n")
    number = 0
    earlier: list[Event] = []
    while True:
        jobs: list[Job] = []
        for _ in range(chance.randint(1, 4)):
            number += 1
            name = f"{life}-{number}"
            draw = chance.random()
            if draw < 0.5:
                mark = mark_request("k", "/v1/decisions", name, b"body") if draw < 0.2 else None
                event = chance.choice(earlier) if earlier and draw > 0.45 else make_event(chance, name)
                jobs.append(DecideJob(event, mark=mark))
            elif draw < 0.9:
                jobs.append(IngestJob([make_event(chance, f"{name}-{row}") for row in range(chance.randint(1, 30))]))
            elif draw < 0.95:
                jobs.append(RecordJob((LabelRecord(id=f"lb-{name}", shop="default", at=wall_clock(), author="ann"),)))
            else:
                entry = ListEntry(
                    list="watch", shop="default", entity="device", value=name, key=chance.getrandbits(63),
                    author="ann", reason="test", created_at=wall_clock(),
                )  # fmt: skip
                jobs.append(
                    RecordJob((ListRecord(at=wall_clock(), author="ann", entry=entry),), then=put_on(engine, entry))
                )
        outcomes, through = engine.work(jobs)
        engine.commit(through)
        said: list[Any] = []
        for job, outcome in zip(jobs, outcomes, strict=True):
            if isinstance(job, DecideJob) and isinstance(outcome, Decided):
                earlier = [*earlier[-20:], job.event]
                said.append(["decided", job.event.id, outcome.decision.id, job.mark.key.hex() if job.mark else ""])
            elif isinstance(job, IngestJob):
                said.append(["told", [event.id for event in job.events]])
            elif isinstance(job, RecordJob):
                said.append(["record", outcome])
        os.write(say, json.dumps(said).encode() + b"\n")
        put_to_work(runtime, chance)


def put_on(engine: Engine, entry: ListEntry) -> Callable[[int], None]:
    return lambda _: engine.pipeline.change_lists(entry, removed=False)


def put_to_work(runtime: Runtime, chance: random.Random) -> None:
    learned = runtime.take_learned()
    if learned is not None:
        model, record = learned
        runtime.engine.work([RecordJob((record,), then=lambda _: runtime.engine.pipeline.adopt(model))])
    runtime.maintain()
    # A part of the pages only: kills shall fall into snapshots that are half saved.
    runtime.snapshots.step(60)


class Witness:
    """What was acknowledged, and whether the journal holds it."""

    def __init__(self, folder: Path) -> None:
        self._journal = folder / "journal"
        self.decisions: dict[str, str] = {}
        self.told: set[str] = set()
        self.records: set[int] = set()
        self.marks: set[str] = set()

    def note(self, line: bytes) -> None:
        """One line that a child wrote to its end."""
        for said in json.loads(line):
            if said[0] == "decided":
                self.decisions[said[1]] = said[2]
                if said[3]:
                    self.marks.add(said[3])
            elif said[0] == "told":
                self.told.update(said[1])
            else:
                self.records.add(said[1])

    def check(self, first: int) -> int:
        """Read the journal from a record on and strike out what is there; returns the next record.

        Everything that was acknowledged must be there: what is left over is lost.
        """
        reached = first
        for sequence, data in read_journal(self._journal, first):
            record = decode_record(data)
            if isinstance(record, EventRecord | DecisionRecord):
                self.told.discard(record.event.id)
                decision = record.decision
                if decision is not None and self.decisions.get(record.event.id) == decision.id:
                    del self.decisions[record.event.id]
            elif isinstance(record, ReplyRecord):
                self.marks.discard(record.key.hex())
            else:
                self.records.discard(sequence)
            reached = sequence + 1
        lost = {**self.decisions, **dict.fromkeys(self.told), **dict.fromkeys(map(str, self.records))}
        assert not lost, f"acknowledged and lost: {list(lost.items())[:5]}"
        assert not self.marks, "acknowledged under an idempotency key, and its reply is lost"
        return reached


def snapshots_in(folder: Path) -> set[str]:
    """Names of the finished snapshots."""
    return {file.name for file in (folder / "snapshots").glob("*.snapshot")}


def kill_once(folder: Path, life: int, chance: random.Random) -> tuple[list[bytes], bool]:
    """The lines that one life acknowledged, and whether it came to work at all."""
    heard, said = os.pipe()
    seed = chance.getrandbits(32)
    child = os.fork()
    if child == 0:
        try:
            os.close(heard)
            live(folder, said, life, seed)
        finally:
            os._exit(70)
    os.close(said)
    data = b""
    # One life in eight may end before it has recovered; the others end at a random moment of their work.
    deadline = time.monotonic() + (chance.uniform(0.0, LIFE_SECONDS) if life % 8 == 0 else 60.0)
    # A few live until they have finished a snapshot, however busy the machine is.
    patient, before = life % 25 == 23, snapshots_in(folder)
    is_ready = False
    while (left := deadline - time.monotonic()) > 0:
        if patient and snapshots_in(folder) - before:
            patient, deadline = False, time.monotonic() + chance.uniform(0.0, LIFE_SECONDS)
        if select.select([heard], [], [], min(left, 0.05) if patient else left)[0]:
            got = os.read(heard, 1 << 16)
            if not got:
                break
            data += got
        if not is_ready and data.count(b"\n") > 1:
            is_ready = True
            if life % 8 and not patient:
                # Long enough for a snapshot, one life in five.
                deadline = time.monotonic() + chance.uniform(0.0, LIFE_SECONDS if life % 5 else LONG_SECONDS)
    os.kill(child, signal.SIGKILL)
    while got := os.read(heard, 1 << 16):
        data += got
    os.close(heard)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the engine ended by itself with {os.waitstatus_to_exitcode(status)}"
    lines = data.split(b"\n")[:-1]
    return lines[1:], is_ready


def state_of(folder: Path) -> dict[str, bytes]:
    runtime = make_runtime(folder)
    runtime.open()
    state = {
        f"{part}.{name}": np.ascontiguousarray(array).tobytes()
        for part, arrays in runtime.engine.pipeline.state().items()
        for name, array in arrays.items()
    }
    state["lists"] = msgspec.msgpack.encode(
        sorted(runtime.engine.pipeline.lists.entries(), key=lambda each: each.value)
    )
    state["replies"] = b"".join(sorted(reply.key for reply in runtime.engine.book.replies()))
    state["model"] = runtime.engine.pipeline.unusual.version.encode()
    runtime.engine.journal.close()
    return state


def warm_up(folder: Path) -> None:
    """Load every kernel before the first fork."""
    runtime = make_runtime(folder)
    runtime.open()
    chance = random.Random(0)
    engine: Engine = runtime.engine
    engine.work(
        [DecideJob(make_event(chance, "w-1")), IngestJob([make_event(chance, "w-2"), make_event(chance, "w-3")])]
    )
    runtime.close()


def main(folder: Path, kills: int, seed: int) -> None:
    chance, base = random.Random(seed), folder
    folder = base / "data"
    warm_up(base / "warm-up")
    counts = {"kills": 0, "early": 0, "decided": 0, "told": 0, "records": 0}
    reached = 0
    for life in range(kills):
        lines, is_ready = kill_once(folder, life, chance)
        witness = Witness(folder)
        for line in lines:
            witness.note(line)
        counts["kills"] += 1
        counts["early"] += not is_ready
        counts["decided"] += len(witness.decisions)
        counts["told"] += len(witness.told)
        counts["records"] += len(witness.records)
        # Records behind the last check may have been a torn tail that the next life cut off: from the one before it on.
        if (folder / "journal").is_dir():
            reached = max(reached, witness.check(reached))
    compared = compare_history(Installation(folder))
    recovered = state_of(folder)
    snapshots = len(snapshots_in(folder))
    undisturbed = base / "undisturbed"
    shutil.copytree(folder, undisturbed, ignore=shutil.ignore_patterns("snapshots"))
    expected = state_of(undisturbed)
    differ = sorted(name for name in {*expected, *recovered} if expected.get(name) != recovered.get(name))
    sys.stdout.write(json.dumps({**counts, **compared, "state_differs": differ, "snapshots": snapshots}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
