"""Which texts wait, and which are looked up again; reading them in another process is tried end to end."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from floorwalker.events.event import Event
from floorwalker.features.live import Limits
from floorwalker.fusion.late_texts import ARTEFACT, CLASSIFIER, FACTS, VERSION
from floorwalker.models.artefacts import MANIFEST, save_artefact
from floorwalker.pipeline.joining import join_text
from floorwalker.pipeline.records import EventRecord, JoinedRecord
from floorwalker.server.archive import Archive
from floorwalker.server.engine import Decided, DecideJob, RecordJob
from floorwalker.server.installation import Installation
from floorwalker.server.joining import TextJoiner
from floorwalker.server.records_to_rows import write_rows
from floorwalker.server.replaying import compare_history
from floorwalker.server.routes.entities import _find_joined
from floorwalker.server.startup import Runtime, remove_texts
from floorwalker.store.errors import LockedError
from floorwalker.store.journal import repair_journal
from floorwalker.store.journal.segments import SEGMENT_HEADER_BYTES, list_segments
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
            id=f"e-{number}", type="review", at=START, received_at=START, account="a-1", item="i-1", text="nice",
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


def test_a_decision_whose_record_is_damaged_keeps_no_other_text_from_being_read(shop: Shop) -> None:
    first, second, damaged = (shop.write() for _ in range(3))
    shop.take()
    faults = list[tuple[str, str]]()
    shop.joiner.on_fault = lambda *fault: faults.append(fault)
    shop.engine._recent.clear()
    (path,) = list_segments(shop.installation.journal)
    data = bytearray(path.read_bytes())
    data[data.index(damaged.encode()) + 3] ^= 1
    path.write_bytes(data)
    shop.joiner._scores |= dict.fromkeys((damaged, first, second), 0.9)
    assert asyncio.run(shop.joiner._join()) == 2
    assert not shop.joiner._scores
    ((_, text),) = faults
    assert damaged in text
    assert "repair_journal" in text
    joined = [int(name.split("_")[1], 16) in shop.engine.joined for name in (first, second, damaged)]
    assert joined == [True, True, False]


def test_a_joined_signal_whose_decision_the_journal_lacks_ends_no_replay(tmp_path: Path) -> None:
    """A repair leaves a gap, and segments go by age: the signal may be kept and its decision not."""
    made = Shop(tmp_path / "data", most=4)
    lost, kept = made.write(), made.write()
    for name in (lost, kept):
        found = made.engine.find_decision(name)
        assert found is not None
        record = join_text(found[0], 0.9, made.joiner.texts, made.engine.pipeline.policy, at=START)
        asyncio.run(made.keep([record]))
    made.close()
    found = compare_history(made.installation)
    assert (found["joined"], found["joined_differ"]) == (2, 0)
    # The first decision becomes a gap, as a repair leaves it.
    (path,) = list_segments(made.installation.journal)
    data = bytearray(path.read_bytes())
    data[SEGMENT_HEADER_BYTES + 40] ^= 1
    path.write_bytes(data)
    repair_journal(made.installation.journal)
    found = compare_history(made.installation)
    assert (found["decisions"], found["joined"], found["joined_differ"]) == (1, 2, 0)


def test_a_signal_pushed_out_between_two_looks_is_found_in_the_ledger(shop: Shop) -> None:
    """The entity's page looks in a thread while the owner's thread notes further signals."""
    name = shop.write()
    found = shop.engine.find_decision(name)
    assert found is not None
    assert isinstance(found[0], EventRecord)
    record = join_text(found[0], 0.9, shop.joiner.texts, shop.engine.pipeline.policy, at=START)
    asyncio.run(shop.keep([record]))
    shop.projector.catch_up()

    class Pushed(OrderedDict[int, JoinedRecord]):
        def __contains__(self, sequence: object) -> bool:
            return self.pop(sequence, None) is not None  # type: ignore[call-overload, no-any-return]

    shop.engine.joined = Pushed({found[1]: record})
    service: Any = SimpleNamespace(engine=shop.engine, ledger=Archive(shop.ledger))
    assert _find_joined(service, [(found[1], found[0])]) == {name: record}


def test_nobody_exchanges_the_classifier_under_a_running_server(tmp_path: Path) -> None:
    """Its process would load the new one when it is started again, and the ranks in memory are of the old one."""
    made = Shop(tmp_path / "data", most=4)
    with pytest.raises(LockedError):
        remove_texts(made.installation)
    assert made.installation.texts.is_dir()
    made.close()
    remove_texts(made.installation)
    assert not made.installation.texts.exists()
    again = Runtime(made.installation, lambda: START, durability="process", limits=SMALL)
    again.open()
    again.close()
