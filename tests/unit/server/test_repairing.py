"""Repairing a journal: what is said before, and what is done after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from floorwalker.errors import UsageError
from floorwalker.pipeline.records import ModelRecord, encode_record
from floorwalker.server.installation import Installation
from floorwalker.server.repairing import find_least, rehearse_repair, repair
from floorwalker.store.errors import DamagedError, LockedError
from floorwalker.store.journal import Journal, read_journal
from floorwalker.store.ledger import Ledger, put
from floorwalker.store.ledger.tables import projections
from floorwalker.store.live import Snapshots
from floorwalker.testing.shop_server import run_command

RECORDS = [encode_record(ModelRecord(at=number, detector="d", version=str(number))) for number in range(50)]


def _open(installation: Installation) -> Journal:
    return Journal(installation.journal, clock=lambda: 0)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """Fifty records, each synced on its own, of which the twentieth has a wrong byte."""
    installation = Installation(tmp_path / "data")
    installation.make()
    with _open(installation) as journal:
        for record in RECORDS:
            journal.append([record])
            journal.sync()
    (segment,) = installation.journal.glob("*.journal")
    data = bytearray(segment.read_bytes())
    data[data.index(RECORDS[20]) + 3] ^= 0xFF
    segment.write_bytes(data)
    with pytest.raises(DamagedError):
        list(read_journal(installation.journal))
    return installation


def _files(installation: Installation) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in installation.journal.iterdir() if path.name != "owner.lock"}


def test_a_rehearsal_says_what_a_repair_does_and_changes_nothing(installation: Installation) -> None:
    before = _files(installation)
    rehearsed = rehearse_repair(installation, at_least=0)
    assert rehearsed.lost == ((20, 20),)
    assert _files(installation) == before
    assert [path.name for path in installation.folder.iterdir()] == ["journal"]
    assert repair(installation, at_least=0) == rehearsed
    assert dict(read_journal(installation.journal)) == {
        number: record for number, record in enumerate(RECORDS) if number != 20
    }


def test_a_sound_journal_has_nothing_to_repair(installation: Installation) -> None:
    repair(installation, at_least=0)
    before = _files(installation)
    again = rehearse_repair(installation, at_least=50)
    assert (again.lost, again.changed) == ((), ())
    assert _files(installation) == before


def test_a_journal_in_use_is_left_alone(installation: Installation) -> None:
    repair(installation, at_least=0)
    with _open(installation), pytest.raises(LockedError):
        rehearse_repair(installation, at_least=0)


def test_no_sequence_that_snapshots_or_ledger_know_is_given_twice(installation: Installation) -> None:
    import numpy as np

    assert find_least(installation) == {"snapshots": 0, "ledger": 0}
    assert not (installation.folder / "ledger.sqlite").exists()
    snapshots = Snapshots(installation.snapshots, clock=lambda: 0)
    snapshots.take({"a": np.arange(3)}, sequence=70, notes={})
    snapshots.wait()
    ledger = Ledger(installation.ledger_url)
    ledger.write(lambda connection: put(connection, projections, [{"name": "ledger", "sequence": 64, "updated_at": 0}]))
    ledger.close()
    assert find_least(installation) == {"snapshots": 70, "ledger": 64}
    repair(installation, at_least=70)
    with _open(installation) as journal:
        assert journal.append([b"next"]) == 70


def test_the_command_describes_first_and_repairs_after_yes(installation: Installation) -> None:
    before = _files(installation)
    refused = run_command("repair", "--folder", str(installation.folder))
    assert refused.returncode == 2
    assert "lost: records 20 to 20" in refused.stderr
    assert _files(installation) == before
    done = run_command("repair", "--folder", str(installation.folder), "--yes", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["lost"], document["repaired"]) == ([{"first": 20, "last": 20}], True)
    assert len(list(read_journal(installation.journal))) == 49


def test_a_folder_without_a_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no journal"):
        rehearse_repair(Installation(tmp_path), at_least=0)
    assert list(tmp_path.iterdir()) == []
