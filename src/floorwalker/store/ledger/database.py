"""The ledger's database: SQLite in the state's folder, or PostgreSQL by URL, with the same tables and calls."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from floorwalker.errors import MissingExtraError, UsageError
from floorwalker.store._files import make_folder
from floorwalker.store._sqlite import name_sqlite_error, prepare_connection
from floorwalker.store.errors import (
    ClosedError,
    LockedError,
    NewerVersionError,
    StoreError,
    UnavailableError,
    name_storage_error,
)  # fmt: skip

Answer = TypeVar("Answer")
Row = Mapping[str, Any]
Pause = Callable[[], object]

_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds between attempts while the database does not answer: 3.15 s in all."""
_MIGRATION_LOCK = 0x666C6F6F72
_READ, _WRITE = "read", "write"
_PAUSE = "floorwalker_pause"
_ROWS_A_TURN = 50
_STEPS_A_TURN = 200
"""Of SQLite's machine: some rows."""
_LOCK_NOT_AVAILABLE = "55P03"


def sqlite_url(path: Path) -> str:
    """The URL of a database file.

    >>> sqlite_url(Path("state/ledger.sqlite"))
    'sqlite:///state/ledger.sqlite'
    """
    return f"sqlite:///{path}"


class Ledger:
    """Decisions, labels, lists and audit as tables; a projection of the journal that can be rebuilt.

    Opening brings the tables to this version (Alembic). SQLite runs in WAL mode, so readers and the one writer do not
    wait for one another. A database that is locked or does not answer is tried again for some seconds; then
    `LockedError` or `UnavailableError` says so, and a later call starts afresh: connections are made anew.

    Parameters
    ----------
    url : as ``sqlite:///ledger.sqlite`` or ``postgresql://user:password@host/name``.
    busy_seconds : how long one attempt waits for another connection's lock.
    patient : False tries once only.
    survives_power_cut : False where all that is written can be made again from the journal: with SQLite a power cut may
        then take the last commits back, each whole, and no commit waits for the disk.
    pause : called every tenth of a millisecond or so of work with the database, as to let others have the core.

    >>> import tempfile
    >>> ledger = Ledger(sqlite_url(Path(tempfile.mkdtemp()) / "ledger.sqlite"))
    >>> ledger.read(lambda connection: connection.execute(text("select count(*) from decisions")).scalar())
    0
    """

    def __init__(
        self,
        url: str,
        *,
        busy_seconds: float = 1.0,
        patient: bool = True,
        survives_power_cut: bool = True,
        pause: Pause | None = None,
    ) -> None:
        self._is_closed = threading.Event()
        self._waits = _WAITS if patient else ()
        self._pause = pause
        self._engine = _make_engine(url, busy_seconds, survives_power_cut, pause)
        self.place = self._engine.url.render_as_string(hide_password=True)
        self.is_sqlite = self._engine.dialect.name == "sqlite"
        try:
            self.write(_migrate)
        except BaseException:
            self._engine.dispose()
            raise

    def read(self, work: Callable[[Connection], Answer]) -> Answer:
        """Run queries on one consistent view; tried again where the database does not answer."""
        return self._attempt(work, _READ)

    def write(self, work: Callable[[Connection], Answer]) -> Answer:
        """Run statements in one transaction, committed on return.

        `work` may run several times, and may even have been committed where the connection broke at that moment, so
        it must do no harm when repeated: give rows keys, and use `put`.
        """
        return self._attempt(work, _WRITE)

    def close(self) -> None:
        """Close every connection, and stop attempts that wait."""
        self._is_closed.set()
        self._engine.dispose()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _attempt(self, work: Callable[[Connection], Answer], kind_of_work: str) -> Answer:
        for wait in (*self._waits, None):
            if self._is_closed.is_set():
                raise ClosedError(f"the ledger {self.place} is closed")
            try:
                with self._engine.connect() as plain:
                    connection = plain.execution_options(**self._options(kind_of_work))
                    with connection.begin():
                        return work(connection)
            except DBAPIError as error:
                kind = self._name_error(error)
                if kind is None:
                    raise
                if wait is None or not isinstance(kind, (LockedError, UnavailableError)):
                    raise kind from error
            self._is_closed.wait(wait)
        raise AssertionError("unreachable")

    def _options(self, kind_of_work: str) -> dict[str, Any]:
        options: dict[str, Any] = {_PAUSE: self._pause}
        if self.is_sqlite:
            return options | {"floorwalker_begin": "IMMEDIATE" if kind_of_work == _WRITE else "DEFERRED"}
        return options | {"isolation_level": "READ COMMITTED" if kind_of_work == _WRITE else "REPEATABLE READ"}

    def _name_error(self, error: DBAPIError) -> StoreError | None:
        """The kind of failure, or None for a fault of the statement, which is ours."""
        reason = str(error.orig).strip().partition("\n")[0]
        given = f"the ledger {self.place}: {reason}"
        if isinstance(error.orig, sqlite3.Error):
            return name_sqlite_error(error.orig, given, Path(self._engine.url.database or ""))
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            return LockedError(given, fix="another program holds the table for long: find and end it")
        if error.connection_invalidated or isinstance(error, OperationalError):
            return UnavailableError(given, fix="check that the database runs; calls are tried again by themselves")
        return None


def put(connection: Connection, table: Table, rows: Sequence[Row], *, replace: bool = True) -> None:
    """Insert rows; one whose key exists is replaced, or left as it is.

    Parameters
    ----------
    connection : of a `Ledger.write`.
    table, rows : every row has the same columns.
    replace : False keeps the row that was there first.
    """
    if not rows:
        return
    insert: Any = insert_sqlite if connection.dialect.name == "sqlite" else insert_postgresql
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    if replace and others:
        statement = statement.on_conflict_do_update(index_elements=keys, set_=others)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    pause = pause_of(connection)
    if pause is None:
        connection.execute(statement, list(rows))
        return
    for first in range(0, len(rows), _ROWS_A_TURN):
        connection.execute(statement, list(rows[first : first + _ROWS_A_TURN]))
        pause()


def pause_of(connection: Connection) -> Pause | None:
    """What whoever works long with this connection of a `Ledger` calls now and then; None: nothing."""
    pause: Pause | None = connection.get_execution_options().get(_PAUSE)
    return pause


def _make_engine(url: str, busy_seconds: float, survives_power_cut: bool, pause: Pause | None) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise UsageError(f"ledger URL of kind {parsed.drivername!r}", allowed="sqlite:///… or postgresql://…")
        if parsed.get_backend_name() == "sqlite":
            return _make_sqlite(parsed.database, busy_seconds, survives_power_cut, pause)
        milliseconds = int(busy_seconds * 1000)
        options = f"-c lock_timeout={milliseconds} -c timezone=UTC"
        return create_engine(
            parsed, pool_pre_ping=True, pool_size=8, connect_args={"connect_timeout": 5, "options": options}
        )
    except (ArgumentError, NoSuchModuleError) as error:
        raise UsageError("the ledger URL cannot be read", allowed="sqlite:///… or postgresql://…") from error
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "psycopg", "postgres") from error


def _make_sqlite(database: str | None, busy_seconds: float, survives_power_cut: bool, pause: Pause | None) -> Engine:
    if not database or database == ":memory:":
        raise UsageError("a ledger in memory", allowed="a file, as in sqlite:///state/ledger.sqlite")
    folder = Path(database).parent
    try:
        make_folder(folder)
        # SQLite gives its log the same mode as the file: nobody but the owner and its group reads decisions.
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640))
    except OSError as error:
        raise name_storage_error(error, "open", Path(database)) from error
    engine = create_engine(f"sqlite:///{database}", connect_args={"timeout": busy_seconds})

    go_on = partial(_pause_and_go_on, pause) if pause is not None else None

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        prepare_connection(connection, survives_power_cut=survives_power_cut)
        if go_on is not None:
            connection.set_progress_handler(go_on, _STEPS_A_TURN)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('floorwalker_begin', 'DEFERRED')}")

    return engine


def _pause_and_go_on(pause: Pause) -> int:
    """SQLite ends the statement where this is not 0."""
    pause()
    return 0


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Two processes that open a new database at once: the second waits and finds the work done.
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    config = Config()
    config.set_main_option("script_location", "floorwalker.store.ledger:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise NewerVersionError(
            f"the ledger's tables: {error}",
            fix="run the version of floorwalker that made them, or a newer one",
        ) from error
