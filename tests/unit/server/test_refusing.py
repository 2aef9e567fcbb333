"""What the engine refuses for want of room is not remembered as done: the same request again is worked on again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from floorwalker.events.bulk.taking import BulkTaker
from floorwalker.events.identity import Tokeniser
from floorwalker.features.live import Limits
from floorwalker.pipeline.records import AppliedRecord, EventRecord, LabelRecord, decode_record
from floorwalker.server import engine as engine_module
from floorwalker.server.app import make_app
from floorwalker.server.archive import Archive
from floorwalker.server.batcher import MicroBatcher
from floorwalker.server.calibration import CalibrationWatch
from floorwalker.server.engine import Job, Outcome
from floorwalker.server.installation import Installation
from floorwalker.server.keyring import KeyRing
from floorwalker.server.keys import make_key
from floorwalker.server.metrics import Metrics
from floorwalker.server.run import make_forms, make_intake
from floorwalker.server.service import Service
from floorwalker.server.startup import Runtime
from floorwalker.store.ledger import Ledger

pytestmark = pytest.mark.filterwarnings(
    # The routes' path parameters work as they are declared.
    "ignore:.*deprecated inferred style"
)

START = 1_760_000_000_000_000
SMALL = Limits(rows={}, other_rows=2000, sketches=200)
EVENT = {"id": "e-1", "type": "login_succeeded", "at": START, "account": "a-1"}
LABEL = {"subject_kind": "event", "subject": "e-1", "source": "analyst", "abuse_type": "account_takeover"}


class Disk:
    """Lets the engine believe that the journal's disk has no room left."""

    def __init__(self, patch: pytest.MonkeyPatch, service: Service) -> None:
        self.patch, self.service, self.engine = patch, service, service.engine

    def fill(self) -> None:
        self.patch.setattr(engine_module, "HEADROOM_BYTES", 2**60)
        self.engine._room_checked = 0

    def free(self) -> None:
        self.patch.undo()
        self.engine._room_checked = 0


Work = Callable[[httpx.AsyncClient, Disk], Coroutine[Any, Any, None]]


def serve(folder: Path, patch: pytest.MonkeyPatch, work: Work) -> list[Any]:
    """Do this with a server's application in this process; returns the records that are journalled then."""
    runtime = Runtime(Installation(folder), lambda: START, durability="process", limits=SMALL)
    runtime.open()
    key, text = make_key("all", ["admin"], now=0)
    keyring = KeyRing(lambda: [key])
    keyring.renew()
    ledger = Ledger(runtime.installation.ledger_url)
    tokeniser = Tokeniser(bytes(32))
    batcher: MicroBatcher[Job, Outcome] = MicroBatcher(runtime.engine.work, runtime.engine.commit)
    service = Service(
        runtime.engine, batcher, keyring, Metrics(), make_intake(tokeniser), BulkTaker(tokeniser, seed=bytes(32)),
        make_forms(tokeniser), Archive(ledger), ready="",
    )  # fmt: skip

    async def run() -> None:
        batcher.start()
        transport = httpx.ASGITransport(make_app(service))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://server", headers={"Authorization": f"Bearer {text}"}
        ) as client:
            await work(client, Disk(patch, service))
        await batcher.stop()

    try:
        asyncio.run(run())
        return [decode_record(data) for _, data in runtime.engine.journal.read()]
    finally:
        ledger.close()
        runtime.close()


def test_a_label_that_was_refused_is_kept_when_it_comes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(client: httpx.AsyncClient, disk: Disk) -> None:
        async def tell() -> int:
            return (await client.post("/v1/labels", json=LABEL, headers={"Idempotency-Key": "l-1"})).status_code

        disk.fill()
        assert await tell() == 503
        disk.free()
        assert [await tell(), await tell()] == [201, 201]

    records = serve(tmp_path, monkeypatch, work)
    assert sum(isinstance(record, LabelRecord) for record in records) == 1


def test_a_report_that_was_refused_is_kept_when_it_comes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(client: httpx.AsyncClient, disk: Disk) -> None:
        made = (await client.post("/v1/decisions", json=EVENT)).json()["decision_id"]

        async def report(action: str) -> int:
            return (
                await client.post(f"/v1/decisions/{made}/applied", json={"action": action, "by": "till"})
            ).status_code

        disk.fill()
        assert await report("allow") == 503
        disk.free()
        assert [await report("allow"), await report("allow"), await report("block")] == [200, 200, 409]

    records = serve(tmp_path, monkeypatch, work)
    assert sum(isinstance(record, AppliedRecord) for record in records) == 1


def test_events_whose_reply_was_refused_are_synced_before_they_are_called_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(client: httpx.AsyncClient, disk: Disk) -> None:
        async def tell() -> httpx.Response:
            return await client.post("/v1/events", json=[EVENT], headers={"Idempotency-Key": "e-1"})

        take = disk.engine.ingest_packed

        def take_the_last_room(taken: Any) -> Any:
            done = take(taken)
            disk.fill()
            return done

        monkeypatch.setattr(disk.engine, "ingest_packed", take_the_last_room)
        assert (await tell()).status_code == 503
        disk.free()
        again = (await tell()).json()
        assert (again["accepted"], again["duplicates"]) == (0, 1)
        assert disk.engine.journal.durable == disk.engine.journal.next

    records = serve(tmp_path, monkeypatch, work)
    assert sum(isinstance(record, EventRecord) for record in records) == 1


def test_a_label_whose_sender_has_gone_is_compared_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []

    async def work(client: httpx.AsyncClient, disk: Disk) -> None:
        engine, has_gone = disk.engine, threading.Event()

        def commit(through: int) -> None:
            assert has_gone.wait(10)
            engine.commit(through)

        disk.service.batcher.commit = commit
        disk.service.calibration = cast(CalibrationWatch, SimpleNamespace(wake=woken.append))
        for sequence in range(2):
            headers = {"Idempotency-Key": "l-1"} if sequence else {}
            asked = asyncio.create_task(client.post("/v1/labels", json=LABEL, headers=headers))
            while engine.journal.next == sequence:
                await asyncio.sleep(0)
            asked.cancel()
            await asyncio.wait([asked])
        has_gone.set()

    serve(tmp_path, monkeypatch, work)
    assert woken == [0, 1]


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/decisions", EVENT), ("/v1/events", [EVENT]), ("/v1/labels", LABEL)], ids=lambda each: ""
)
def test_a_repeat_is_not_answered_before_the_first_request_is_durable(
    path: str, body: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_synced, is_waiting = threading.Event(), threading.Event()

    async def work(client: httpx.AsyncClient, disk: Disk) -> None:
        commit = disk.engine.commit

        def slow(through: int) -> None:
            is_waiting.set()
            assert is_synced.wait(20)
            commit(through)

        disk.service.batcher.commit = slow

        async def tell() -> httpx.Response:
            return await client.post(path, json=body, headers={"Idempotency-Key": "k-1"})

        first = asyncio.create_task(tell())
        assert await asyncio.to_thread(is_waiting.wait, 20)
        again = asyncio.create_task(tell())
        done, _ = await asyncio.wait({first, again}, timeout=0.3)
        assert not done
        is_synced.set()
        replies = await asyncio.gather(first, again)
        assert replies[0].status_code in (200, 201)
        assert replies[0].content == replies[1].content

    serve(tmp_path, monkeypatch, work)


def test_equal_labels_that_come_together_have_ids_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(client: httpx.AsyncClient, disk: Disk) -> None:
        replies = await asyncio.gather(*(client.post("/v1/labels", json=LABEL) for _ in range(4)))
        assert len({each.json()["label_id"] for each in replies}) == 4

    records = serve(tmp_path, monkeypatch, work)
    assert len({record.id for record in records if isinstance(record, LabelRecord)}) == 4


def test_who_applied_is_named_in_as_many_characters_as_the_ledger_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(client: httpx.AsyncClient, disk: Disk) -> None:
        made = (await client.post("/v1/decisions", json=EVENT)).json()["decision_id"]
        statuses = []
        for by in ("t" * 201, "t" * 200):
            answer = await client.post(f"/v1/decisions/{made}/applied", json={"action": "allow", "by": by})
            statuses.append(answer.status_code)
        assert statuses == [422, 200]

    serve(tmp_path, monkeypatch, work)
