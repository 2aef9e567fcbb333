"""The history of events as Parquet files, made from the journal, and questions to it in SQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from sqlalchemy import func, select

from floorwalker.errors import InputError, UsageError
from floorwalker.server.event_table import make_event_table
from floorwalker.server.installation import Installation
from floorwalker.store.errors import LockedError
from floorwalker.store.history import History, open_history
from floorwalker.store.journal import Journal, RecordBatch, read_journal_batches
from floorwalker.store.journal.segments import list_segments, read_header
from floorwalker.store.ledger import Ledger
from floorwalker.store.ledger.tables import projections

DAY = 86_400_000_000
FOLDER = "history"


class _Beside:
    """A journal that a running server owns, up to where the ledger has read it: that much is durable."""

    def __init__(self, folder: Path, durable: int) -> None:
        self.folder = folder
        self.durable = durable
        segments = list_segments(folder)
        self.first = read_header(segments[0]).first if segments else 0

    def read_batches(self, first: int, stop: int) -> Iterator[RecordBatch]:
        return read_journal_batches(self.folder, first, stop)


def update_history(
    installation: Installation, *, clock: Callable[[], int], database: str = "", keep_days: int = 0
) -> dict[str, int]:
    """Bring the history to the journal's durable end, join small files, drop old rows; also beside a running server.

    Parameters
    ----------
    installation, database : whose; `database` is the ledger's URL where it is not in the folder.
    clock : µs UTC.
    keep_days : rows go so many days after their day has ended; 0 keeps them.

    Returns
    -------
    `records` read, `reached` (the next record to read), `joined` (files written by joining), `removed` (rows).

    Raises `LockedError` while another update runs.
    """
    if not installation.journal.is_dir():
        raise UsageError(f"{installation.folder} holds no journal", fix="give the --folder that the server was given")
    with History(installation.folder / FOLDER, clock=clock) as history:
        try:
            with Journal(installation.journal, clock=clock) as journal:
                records = history.catch_up(journal, make_event_table)
        except LockedError:
            beside = _Beside(installation.journal, _reach_of_ledger(installation, database))
            records = history.catch_up(cast(Journal, beside), make_event_table)
        return {
            "records": records,
            "reached": history.reached,
            "joined": history.compact(),
            "removed": history.sweep({}, otherwise=keep_days * DAY) if keep_days else 0,
        }


def query_history(
    installation: Installation, sql: str, *, rows: int = 10_000, seconds: float = 60.0, memory: str = "1GB"
) -> dict[str, Any]:
    """The answer to one SELECT over the view `events`.

    The statement can read the history's files and nothing else: no other file, no network, no setting, no extension.

    Parameters
    ----------
    installation : whose history.
    sql : one SELECT in DuckDB's SQL.
    rows : at most so many are given; `cut` says whether there were more.
    seconds : the statement is broken off after this time.
    memory : limit for DuckDB.

    Returns
    -------
    `columns`, `rows` (lists in the order of the columns) and `cut`.

    Raises `InputError` for a faulty statement and for an empty history, `UsageError` for anything but one SELECT.
    """
    import duckdb

    folder = (installation.folder / FOLDER).resolve()
    connection = open_history(folder, memory=memory)
    try:
        allowed = str(folder).replace("'", "''")
        for setting in (
            "autoload_known_extensions = false", f"allowed_directories = ['{allowed}/']", "temp_directory = ''",
            "enable_external_access = false", "lock_configuration = true",
        ):  # fmt: skip
            connection.execute(f"set {setting}")
        statements = connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise UsageError(
                "the history answers one SELECT and nothing else", fix="split it, or remove what is no SELECT"
            )
        timer = threading.Timer(seconds, connection.interrupt)
        timer.start()
        try:
            answer = connection.execute(statements[0])
            columns = [column[0] for column in answer.description or ()]
            found = answer.fetchmany(rows + 1)
        finally:
            timer.cancel()
    except duckdb.InterruptException as error:
        raise InputError(
            f"the statement took more than {seconds:g} s", fix="ask for fewer days, or give --seconds"
        ) from error
    except duckdb.Error as error:
        raise InputError(str(error).strip()) from error
    finally:
        connection.close()
    return {"columns": columns, "rows": [list(row) for row in found[:rows]], "cut": len(found) > rows}


def _reach_of_ledger(installation: Installation, database: str) -> int:
    ledger = Ledger(database or installation.ledger_url)
    try:
        query = select(func.max(projections.c.sequence))
        return ledger.read(lambda connection: connection.execute(query).scalar_one_or_none()) or 0
    finally:
        ledger.close()
