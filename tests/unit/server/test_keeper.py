from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from floorwalker.events.identity import PersonalValue
from floorwalker.pipeline.records import ModelRecord, encode_record
from floorwalker.server.installation import Installation
from floorwalker.server.keeper import Keeper
from floorwalker.store.errors import UnavailableError
from floorwalker.store.journal import Journal


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    made = Installation(tmp_path / "data")
    made.make()
    return made


@pytest.fixture
def journal(installation: Installation) -> Iterator[Journal]:
    with Journal(installation.journal, clock=lambda: 0, segment_bytes=4096) as opened:
        yield opened


def _wait(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _audit_rows(installation: Installation) -> int:
    connection = sqlite3.connect(installation.folder / "ledger.sqlite")
    try:
        return int(connection.execute("select count(*) from audit").fetchone()[0])
    finally:
        connection.close()


def _append(journal: Journal, count: int) -> None:
    journal.append([encode_record(ModelRecord(at=n, detector="d", version=str(n))) for n in range(count)])


def _value(number: int) -> PersonalValue:
    return PersonalValue("email", f"em1_{number}", f"u{number}@example.com", f"account:{number}", "default")


def test_acknowledged_records_and_values_are_kept_and_a_killed_keeper_is_followed_by_another(
    installation: Installation, journal: Journal
) -> None:
    faults: list[str] = []
    keeper = Keeper(
        installation, installation.ledger_url, lambda: journal.durable, lambda *fault: faults.append(fault[0])
    )
    keeper.start()
    try:
        _append(journal, 300)
        journal.sync()
        _append(journal, 5)
        _wait(lambda: keeper.reached == 300)
        assert (_audit_rows(installation), keeper.behind) == (300, 0)
        assert keeper.put([_value(1), _value(2)]) == 2
        assert keeper.put([_value(2)]) == 0
        os.kill(keeper.pid, signal.SIGKILL)
        journal.sync()
        _wait(lambda: keeper.reached == 305)
        assert keeper.put([_value(3)]) == 1
        assert faults == ["keeper"]
        _append(journal, 50)
        journal.sync()
    finally:
        keeper.stop()
    assert _audit_rows(installation) == 355
    with pytest.raises(UnavailableError):
        keeper.put([_value(4)])


def test_a_keeper_ends_when_its_server_dies(installation: Installation, journal: Journal) -> None:
    keeper = Keeper(installation, installation.ledger_url, lambda: journal.durable, lambda *fault: None)
    keeper._launch()
    process = keeper._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(30) != 0
    keeper._process = None
