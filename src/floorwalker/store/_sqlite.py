"""What every SQLite file of ours has in common: how it is opened, and what its errors mean."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from floorwalker.store.errors import (
    DamagedError,
    LockedError,
    ReadOnlyStorageError,
    StorageFullError,
    StoreError,
    UnavailableError,
)  # fmt: skip


def prepare_connection(connection: sqlite3.Connection, *, survives_power_cut: bool = True) -> None:
    """Readers beside one writer, and transactions that we begin ourselves.

    Parameters
    ----------
    survives_power_cut : of each commit. Without, a power cut may take the last commits back, each whole, and commits do
        not wait for the disk.
    """
    # The driver's own transactions begin late and cannot begin with the write lock.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if survives_power_cut else 'NORMAL'}")
    connection.execute("PRAGMA temp_store = MEMORY")


def name_sqlite_error(error: sqlite3.Error, given: str, path: Path) -> StoreError | None:
    """The kind of failure; None for a fault of the statement, which is ours.

    Parameters
    ----------
    error : what the driver raised.
    given : the sentence that names the file and the reason.
    path : the file.
    """
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LockedError(given, fix="another program holds the database for long: find and end it")
    if code == sqlite3.SQLITE_FULL:
        return StorageFullError(given, fix="free space there; nothing was lost, and the next attempt is tried afresh")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return ReadOnlyStorageError(given, fix="make the file and its folder writable")
    if code == sqlite3.SQLITE_IOERR:
        return UnavailableError(given, fix="check the disk: it may be full or failing")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return DamagedError(given, path=path, fix="move the file away and restore it (docs/storage.md, 'Damage')")
    return None
