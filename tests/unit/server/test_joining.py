"""Which texts wait, and which are looked up again; reading them in another process is tried in e2e/test_joined_texts."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from floorwalker.events.event import Event
from floorwalker.features.live import Limits
from floorwalker.fusion.late_texts import ARTEFACT, CLASSIFIER, FACTS, VERSION
from floorwalker.models.artefacts import MANIFEST, save_artefact
from floorwalker.pipeline.records import JoinedRecord
from floorwalker.server.archive import Archive
from floorwalker.server.engine import Decided, DecideJob, RecordJob
from floorwalker.server.installation import Installation
from floorwalker.server.joining import TextJoiner
from floorwalker.server.records_to_rows import write_rows
from floorwalker.server.replaying import compare_history
from floorwalker.server.startup import Runtime
from floorwalker.store.ledger import Ledger, Projector

SECOND = 1_000_000
START = 1_760_000_000 * SECOND
SMALL = Limits(rows={}, other_rows=2000, sketches=200)
NUMBERS = itertools.count()


def write_ranks(folder: Path) -> None:
    """Ranks of a classifier that nobody asks anything."""
    save_artefact(folder / CLASSIFIER, name="content.none", version=1, files={"nothing": b""}, facts={})
    digest = hashlib.sha256((folder / CLASSIFIER / MANIFEST).read_bytes()).hexdigest()
    told = {
        "abuse_type": "content_abuse", "ranks": [[0.2, 0.9], [0.5, 0.0005]], "encoders": [], "classifier": digest,
    }  # fmt: skip
    save_artefact(folder, name=ARTEFACT, version=VERSION, files={FACTS: json.dumps(told).encode()}, facts={})


class Shop:
    """A runtime with its ledger and a joiner whose process was not started."""

    def __init__(self, folder: Path, most: int) -> None:
        self.installation = Installation(folder)
        write_ranks(self.installation.texts)
        self.runtime = Runtime(self.installation, lambda: START + SECOND, durability="process", limits=SMALL)
        self.runtime.open()
        self.engine = self.runtime.engine
        self.ledger = Ledger(self.installation.ledger_url)
        self.projector = Projector(self.engine.journal, self.ledger, write_rows, clock=lambda: 0)
        self.joiner = TextJoiner(
            self.engine, Archive(self.ledger), self.installation.texts, self.keep, lambda: self.projector.reached,
            lambda place, text: None, most=most,
        )  # fmt: skip
        self.engine.on_decided = self.joiner.note

    async def keep(self, records: list[JoinedRecord]) -> None:
        _, through = self.engine.work([RecordJob(records)])
        self.engine.commit(through)

    def write(self) -> str:
        """Decide about a review; returns the decision's id."""
        number = next(NUMBERS)
        event = Event(
            id=f"e-{number}", type="review", at=START, received_at=START, account="a-1", item="i-1", text=f"nice {number}",
        )  # fmt: skip
        (outcome,), through = self.engine.work([DecideJob(event)])
        self.engine.commit(through)
        assert isinstance(outcome, Decided)
        return outcome.decision.id

    def take(self) -> list[str]:
        """What waits, taken out as if the process had been given it."""
        names = [name for name, _ in self.joiner._inbox]
        self.joiner._inbox.clear()
        return names

    def close(self) -> None:
        self.ledger.close()
        self.runtime.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "data", most=4)
    yield made
    made.close()


def test_texts_put_off_while_others_are_looked_up_are_looked_up_later(shop: Shop) -> None:
    written = [shop.write() for _ in range(2)]
    taken = shop.take()
    shop.projector.catch_up()

    class Busy(Archive):
        """More texts come than may wait while the ledger is asked."""

        def list_unread(self, *, after: int, since: int, limit: int) -> list[tuple[int, str]]:
            rows = super().list_unread(after=after, since=since, limit=limit)
            written.extend(shop.write() for _ in range(7))
            return rows

    shop.joiner.archive = Busy(shop.ledger)
    asyncio.run(shop.joiner._look())
    assert shop.joiner.dropped == 3
    shop.joiner.archive = Archive(shop.ledger)
    shop.projector.catch_up()
    for _ in range(3):
        taken += shop.take()
        asyncio.run(shop.joiner._look())
    assert set(taken) == set(written)
