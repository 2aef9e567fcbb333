from __future__ import annotations

import os
import time
from pathlib import Path

from floorwalker.events.decode import decode_event
from floorwalker.events.identity import Tokeniser, normalise
from floorwalker.server.engine import IngestJob
from floorwalker.server.event_history import query_history
from floorwalker.server.history_keeper import HistoryKeeper
from floorwalker.server.installation import Installation
from floorwalker.server.startup import Runtime
from floorwalker.store.ledger import Ledger, Projector

NOW = 1_760_000_000_000_000


def test_it_writes_what_was_answered_and_says_what_went_wrong(tmp_path: Path) -> None:
    installation, told = Installation(tmp_path / "data"), list[tuple[str, str]]()
    runtime = Runtime(installation, lambda: NOW)
    runtime.open()
    body = b'{"id": "e-1", "type": "logout", "at": 1760000000000000, "account": "a-1"}'
    event, _ = normalise(decode_event(body, now=NOW), Tokeniser(bytes(32)))
    _, through = runtime.engine.work([IngestJob([event])])
    runtime.engine.commit(through)
    ledger = Ledger(installation.ledger_url)
    projector = Projector(runtime.engine.journal, ledger, lambda connection, batch: None, clock=lambda: NOW)
    projector.catch_up()
    keeper = HistoryKeeper(installation, "", 1.0, 0, lambda: NOW, lambda *fault: told.append(fault))
    try:
        # The journal has an owner, as beside a running server.
        assert keeper.update()
        assert (keeper.updated_at, keeper.runs, told) == (NOW, 1, [])
        assert query_history(installation, "select event_id from events")["rows"] == [["e-1"]]
    finally:
        runtime.close()
        ledger.close()
    (installation.folder / "history" / "checkpoint").write_bytes(b"broken")
    assert not keeper.update()
    ((place, text),) = told
    assert place == "history"
    assert "checkpoint is damaged" in text
    assert keeper.runs == 1


def test_it_runs_at_its_interval_with_the_least_priority_until_it_is_stopped(tmp_path: Path) -> None:
    told = list[tuple[str, str]]()
    keeper = HistoryKeeper(Installation(tmp_path), "", 0.0001, 0, lambda: NOW, lambda *fault: told.append(fault))
    keeper.start()
    deadline = time.monotonic() + 30
    nice = set[int]()
    while not told:
        process = keeper._process
        if process is not None and process.poll() is None:
            nice.add(os.getpriority(os.PRIO_PROCESS, process.pid))
        assert time.monotonic() < deadline
        time.sleep(0.005)
    keeper.stop()
    assert "holds no journal" in told[0][1]
    assert nice == {19}
    count = len(told)
    time.sleep(0.1)
    assert len(told) == count


def test_without_an_interval_it_does_nothing(tmp_path: Path) -> None:
    keeper = HistoryKeeper(Installation(tmp_path), "", 0.0, 0, lambda: NOW, lambda *fault: None)
    keeper.start()
    keeper.stop()
    assert keeper.runs == 0
