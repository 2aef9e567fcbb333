"""The same tables and calls over SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, delete, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from floorwalker.errors import UsageError
from floorwalker.store.errors import (
    ClosedError,
    DamagedError,
    LockedError,
    NewerVersionError,
    ReadOnlyStorageError,
    StorageFullError,
    UnavailableError,
)
from floorwalker.store.ledger import Ledger, find_reply, forget_expired, put, sqlite_url, sweep_ledger
from floorwalker.store.ledger.tables import audit, lists, metadata, replies

OpenLedger = Callable[[], Ledger]


def entry(value: str, **changes: Any) -> dict[str, Any]:
    return {
        "shop": "main", "list": "deny", "entity": "email", "value": value, "sequence": 1, "author": "ana",
        "reason": "fraud", "added_at": 1, "expires_at": None, **changes,
    }  # fmt: skip


def test_the_versions_make_exactly_the_tables_that_the_code_names(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()

    def differences(connection: Connection) -> list[Any]:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
        return [each for each in found if "alembic_version" not in str(each)]

    assert ledger.read(differences) == []


def test_opening_again_changes_nothing(open_ledger: OpenLedger) -> None:
    open_ledger().write(lambda connection: put(connection, lists, [entry("a")]))
    rows = open_ledger().read(lambda connection: connection.execute(select(lists.c.value)).scalars().all())
    assert rows == ["a"]


def test_tables_of_a_newer_version_are_refused(open_ledger: OpenLedger) -> None:
    open_ledger().write(lambda connection: connection.execute(text("update alembic_version set version_num = '9999'")))
    with pytest.raises(NewerVersionError, match="or a newer one"):
        open_ledger()


def test_put_replaces_or_leaves_a_row_with_the_same_key(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    ledger.write(lambda connection: put(connection, lists, [entry("a"), entry("b")]))
    ledger.write(lambda connection: put(connection, lists, [entry("a", reason="newer")]))
    ledger.write(lambda connection: put(connection, lists, [entry("b", reason="ignored")], replace=False))
    found = ledger.read(lambda c: c.execute(select(lists.c.value, lists.c.reason).order_by(lists.c.value)).all())
    assert [tuple(row) for row in found] == [("a", "newer"), ("b", "fraud")]


def test_a_failing_write_leaves_nothing_behind(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()

    def work(connection: Connection) -> None:
        put(connection, lists, [entry("a")])
        connection.execute(insert(lists), [entry("a")])

    with pytest.raises(IntegrityError):
        ledger.write(work)
    assert ledger.read(lambda connection: connection.execute(select(func.count()).select_from(lists)).scalar()) == 0


def test_replies_are_found_until_their_time_is_over(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    row = {"key": "main/k/1", "sequence": 4, "body_hash": b"\x01", "status": 200, "reply": b"{}", "expires_at": 100}
    ledger.write(lambda connection: put(connection, replies, [row], replace=False))
    found = ledger.read(lambda connection: find_reply(connection, "main/k/1", now=99))
    assert found is not None
    assert (found.body_hash, found.status, found.reply) == (b"\x01", 200, b"{}")
    assert ledger.read(lambda connection: find_reply(connection, "main/k/1", now=100)) is None
    assert ledger.write(lambda connection: forget_expired(connection, now=99)) == 0
    assert ledger.write(lambda connection: forget_expired(connection, now=100)) == 1


def test_a_closed_ledger_says_so(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    ledger.close()
    with pytest.raises(ClosedError):
        ledger.read(lambda connection: connection.execute(select(1)))


def test_a_locked_database_is_named_and_works_again_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(sqlite_url(path), busy_seconds=0.01) as ledger:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LockedError, match="another program holds the database"):
            ledger.write(lambda connection: put(connection, lists, [entry("a")]))
        # Readers do not wait for the writer.
        assert ledger.read(lambda connection: connection.execute(select(func.count()).select_from(lists)).scalar()) == 0
        other.close()
        ledger.write(lambda connection: put(connection, lists, [entry("a")]))


def test_a_lock_in_postgresql_is_named_too(postgres_url: str) -> None:
    with Ledger(postgres_url, busy_seconds=0.05, patient=False) as ledger, Ledger(postgres_url) as other:

        def hold(connection: Connection) -> None:
            connection.execute(text("lock table lists"))
            with pytest.raises(LockedError, match="lock timeout"):
                ledger.write(lambda connection: put(connection, lists, [entry("a")]))

        other.write(hold)
        ledger.write(lambda connection: put(connection, lists, [entry("a")]))


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(DamagedError, match="restore it"):
        Ledger(sqlite_url(path))


@pytest.mark.parametrize("url", ["mysql://host/name", "nonsense", "sqlite://", "sqlite:///:memory:"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match="allowed"):
        Ledger(url)


def test_no_password_stands_in_a_message() -> None:
    with pytest.raises(UnavailableError, match="ledger") as caught:
        Ledger("postgresql://someone:hunter2@127.0.0.1:1/none", patient=False)
    assert "hunter2" not in str(caught.value)
    assert "check that the database runs" in str(caught.value)


def test_deleting_counts(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    row = {
        "sequence": 1,
        "shop": "s",
        "at": 1,
        "actor": "ana",
        "action": "list.add",
        "object": "x",
        "detail_json": "{}",
    }
    ledger.write(lambda connection: put(connection, audit, [row]))
    assert ledger.write(lambda connection: connection.execute(delete(audit)).rowcount) == 1


def test_rows_grow_old_by_table(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    rows = [entry("old", expires_at=10), entry("young", expires_at=90), entry("endless")]
    ledger.write(lambda connection: put(connection, lists, rows))
    assert sweep_ledger(ledger, {"lists": 20, "audit": 0}, now=100) == {"lists": 1, "audit": 0}
    found = ledger.read(lambda c: c.execute(select(lists.c.value).order_by(lists.c.value)).scalars().all())
    assert found == ["endless", "young"]
    with pytest.raises(UsageError, match="api_keys"):
        sweep_ledger(ledger, {"api_keys": 0}, now=100)


def test_a_read_sees_one_moment(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()

    def count_twice(connection: Connection) -> list[int | None]:
        query = select(func.count()).select_from(lists)
        before = connection.execute(query).scalar()
        ledger.write(lambda other: put(other, lists, [entry("a")]))
        return [before, connection.execute(query).scalar()]

    assert ledger.read(count_twice) == [0, 0]


def test_a_full_or_read_only_disk_is_named(small_disk: Any) -> None:
    url = sqlite_url(small_disk.mount("800k") / "ledger.sqlite")
    with Ledger(url) as ledger:
        with pytest.raises(StorageFullError, match="free space"):
            ledger.write(lambda connection: put(connection, lists, [entry(f"v{i}") for i in range(20_000)]))
        assert ledger.read(lambda c: c.execute(select(func.count()).select_from(lists)).scalar()) == 0
        ledger.write(lambda connection: put(connection, lists, [entry("a")]))
    small_disk.remount("ro")
    with pytest.raises(ReadOnlyStorageError, match="writable"), Ledger(url) as ledger:
        ledger.write(lambda connection: put(connection, lists, [entry("b")]))


@pytest.mark.parametrize(("survives", "expected"), [(True, 2), (False, 1)])
def test_commits_wait_for_the_disk_unless_they_can_be_made_again(tmp_path: Path, survives: bool, expected: int) -> None:
    with Ledger(sqlite_url(tmp_path / "ledger.sqlite"), survives_power_cut=survives) as ledger:
        level = ledger.read(lambda connection: connection.execute(text("pragma synchronous")).scalar_one())
        mode = ledger.read(lambda connection: connection.execute(text("pragma journal_mode")).scalar_one())
    # 2 is FULL, 1 is NORMAL.
    assert (level, mode) == (expected, "wal")


def test_many_rows_are_written_with_pauses_between(tmp_path: Path) -> None:
    """In the same transaction, and as the same rows; what the pause answers does not matter."""
    paused: list[int] = []
    rows = [entry(f"v{number}", sequence=number) for number in range(320)]
    with Ledger(sqlite_url(tmp_path / "ledger.sqlite"), pause=lambda: paused.append(1) or True) as ledger:
        paused.clear()

        def work(connection: Connection) -> int:
            put(connection, lists, rows)
            put(connection, lists, [entry("v0", sequence=9)])
            return len(paused)

        between = ledger.write(work)
        found = ledger.read(lambda connection: connection.execute(select(lists.c.value, lists.c.sequence)).all())
        assert {row.value: row.sequence for row in found} == {row["value"]: row["sequence"] for row in rows} | {"v0": 9}

        def fail(connection: Connection) -> None:
            put(connection, lists, [entry(f"w{number}") for number in range(120)])
            raise KeyError

        with pytest.raises(KeyError):
            ledger.write(fail)
        count = select(func.count()).select_from(lists)
        assert ledger.read(lambda connection: connection.execute(count).scalar_one()) == 320
    # SQLite says so within a statement, too.
    assert between > len(rows) // 50 + 1
