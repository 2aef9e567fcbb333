"""Told events, from the texts of a body to state and journal: as if each had gone through alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from floorwalker.events.bulk.splitting import split_lines
from floorwalker.events.bulk.taking import BulkTaker, TakenEvents
from floorwalker.events.decode import decode_event
from floorwalker.events.identity import Tokeniser, normalise
from floorwalker.features.live import Limits
from floorwalker.pipeline.records import EventRecord, encode_record
from floorwalker.server.engine import DecideJob, Ingested, IngestJob
from floorwalker.server.installation import Installation
from floorwalker.server.problems import ProblemError
from floorwalker.server.replaying import compare_history
from floorwalker.server.startup import Runtime
from floorwalker.store.errors import StorageFullError

SECOND = 1_000_000
START = 1_760_000_000 * SECOND
SMALL = Limits(rows={}, other_rows=2000, sketches=200)
KINDS = ("page_view", "coupon_redeem", "order", "login_failed")


def open_runtime(folder: Path) -> Runtime:
    runtime = Runtime(Installation(folder), lambda: START, durability="process", limits=SMALL)
    runtime.open()
    return runtime


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    made = open_runtime(tmp_path / "one")
    yield made
    made.close()


def say(number: int, **fields: Any) -> bytes:
    event = {
        "id": f"e-{number}", "type": KINDS[number % 4], "at": START + number * SECOND // 10, "order": f"o-{number}",
        "device": f"d-{number % 5}" if number % 11 else "unknown", "ip": f"203.0.113.{number % 9}",
        "account": f"a-{number % 7}",
        "coupons": ["TEN", f"c-{number % 3}"], "lines": [{"item": f"i-{number % 4}", "quantity": 2, "price_minor": 50}],
        "amount_minor": 100 + number, "currency": "EUR", "country": "DE", "url": f"/p/{number}?x", **fields,
    }  # fmt: skip
    return json.dumps(event).encode()


def tell(runtime: Runtime, taker: BulkTaker, texts: list[bytes], piece: int) -> list[Ingested]:
    done = []
    for start in range(0, len(texts), piece):
        split = split_lines(b"\n".join(texts[start : start + piece]), piece)
        taken = taker.take(split.body, split.starts, split.stops, now=START)
        for row in taken.left:
            taker.look_closely(taken, row, split.text(row), now=START)
        taken.settle()
        done.append(runtime.engine.ingest_packed(taken))
    return done


def records_of(runtime: Runtime) -> list[bytes]:
    return [data for _, data in runtime.engine.journal.read()]


def make_taker() -> BulkTaker:
    return BulkTaker(Tokeniser(bytes(32)), seed=bytes(32))


def arrays_of(runtime: Runtime) -> dict[str, np.ndarray[Any, Any]]:
    state = runtime.engine.pipeline.state()
    return {f"{part}.{name}": array for part, arrays in state.items() for name, array in arrays.items()}


@pytest.mark.parametrize("piece", [1, 7, 300])
def test_state_and_journal_are_those_of_events_taken_one_by_one(runtime: Runtime, tmp_path: Path, piece: int) -> None:
    texts = [say(number) for number in range(200)]
    # What only the twin understands stands among them.
    texts[20] = say(20, note="an unknown field", attributes={"basket": [1, 2]})
    texts[50] = say(50, at="2025-10-09T08:53:20Z")
    (tmp_path / "two").mkdir()
    for name in ("state.key",):
        (tmp_path / "two" / name).write_bytes((tmp_path / "one" / name).read_bytes())
        (tmp_path / "two" / name).chmod(0o600)
    other = open_runtime(tmp_path / "two")
    tokeniser = Tokeniser(bytes(32))
    events = [normalise(decode_event(text, now=START), tokeniser)[0] for text in texts]
    other.engine.work([IngestJob(events)])
    assert sum(each.accepted for each in tell(runtime, make_taker(), texts, piece)) == len(texts)
    assert records_of(runtime) == records_of(other) == [encode_record(EventRecord(event=event)) for event in events]
    mine, theirs = arrays_of(runtime), arrays_of(other)
    assert mine.keys() == theirs.keys()
    for name, array in mine.items():
        np.testing.assert_array_equal(array, theirs[name], name)
    # What comes next sees the same past.
    asked = DecideJob(normalise(decode_event(say(900), now=START), tokeniser)[0])
    runtime.engine.work([asked])
    other.engine.work([asked])
    assert records_of(runtime)[-1] == records_of(other)[-1]
    other.close()


def test_an_id_counts_once_within_a_body_and_over_bodies(runtime: Runtime) -> None:
    taker = make_taker()
    texts = [say(1), say(2), say(1), say(3, shop="north"), say(3)]
    assert tell(runtime, taker, texts, 10) == [Ingested(accepted=4, duplicates=1)]
    assert tell(runtime, taker, [say(2), say(4)], 10) == [Ingested(accepted=1, duplicates=1)]
    assert tell(runtime, taker, [say(4)], 10) == [Ingested(accepted=0, duplicates=1)]
    assert runtime.engine.pipeline.features.figures()["counted"] == 5
    assert runtime.engine.journal.next == 5


def test_history_counted_again_gives_the_features_of_its_decisions(tmp_path: Path) -> None:
    runtime = open_runtime(tmp_path)
    taker, tokeniser = make_taker(), Tokeniser(bytes(32))
    for turn in range(4):
        tell(runtime, taker, [say(1000 * turn + number) for number in range(60)], 25)
        runtime.engine.work([DecideJob(normalise(decode_event(say(1000 * turn + 999), now=START), tokeniser)[0])])
    runtime.close()
    found = compare_history(Installation(tmp_path))
    assert (found["events"], found["decisions"], found["features_differ"]) == (244, 4, 0)


def test_raw_values_go_to_the_vault_with_their_events(runtime: Runtime) -> None:
    kept: list[Any] = []
    runtime.engine.keep_personal = kept.extend
    tell(runtime, make_taker(), [say(number) for number in range(20)], 20)
    assert {value.field for value in kept} == {"ip"}
    assert len({(value.subject, value.token) for value in kept}) == len(kept) == 20


def test_a_disk_that_takes_no_more_refuses_and_keeps_what_was_counted(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    taker, journal = make_taker(), runtime.engine.journal
    whole = journal.append_spans

    def refuse(*_: Any) -> int:
        raise StorageFullError("no room")

    monkeypatch.setattr(journal, "append_spans", refuse)
    with pytest.raises(ProblemError):
        tell(runtime, taker, [say(1), say(2)], 10)
    monkeypatch.setattr(journal, "append_spans", whole)
    assert tell(runtime, taker, [say(1), say(3)], 10) == [Ingested(accepted=1, duplicates=1)]
    assert journal.next == 3
    assert runtime.engine.pipeline.features.figures()["counted"] == 3


def test_nothing_taken_is_nothing_told(runtime: Runtime) -> None:
    empty = np.empty(0, np.int64)
    taken = TakenEvents(np.empty(0, np.uint8), empty, empty, [], [], [])
    assert runtime.engine.ingest_packed(taken) == Ingested(0, 0)
