"""The history made from a real journal, and what a statement over it may and may not do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from floorwalker.errors import InputError, UsageError
from floorwalker.events.event import Event
from floorwalker.events.identity import Tokeniser, normalise
from floorwalker.pipeline.records import EventRecord, ModelRecord, encode_record
from floorwalker.policy.decision import Decision
from floorwalker.server.event_history import query_history, update_history
from floorwalker.server.installation import Installation
from floorwalker.store.journal import Journal
from floorwalker.store.ledger import Ledger, put
from floorwalker.store.ledger.tables import projections
from floorwalker.testing.shop_server import run_command

DAY = 86_400_000_000
START = 20_000 * DAY


def _record(number: int) -> bytes:
    at = START + number * DAY // 10
    event = Event(
        id=f"e-{number}", type="checkout" if number % 2 else "search", at=at, received_at=at, account=f"a-{number % 3}",
        email="ann@example.com", ip="203.0.113.9", amount_minor=number, currency="EUR", coupons=("TEN",), order="o",
    )  # fmt: skip
    kept, _ = normalise(event, Tokeniser(bytes(32)))
    decision = Decision(
        id=f"dc_{number}", event_id=event.id, shop="default", subject="account:a", at=at, expires_at=at, action="allow",
        intended="review", mode="shadow", risk=number, level="low", policy_version="1",
    )  # fmt: skip
    return encode_record(EventRecord(event=kept, decision=decision if number % 2 else None))


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """Thirty events over three days, and one record that is none."""
    installation = Installation(tmp_path / "it's data")
    installation.make()
    with Journal(installation.journal, clock=lambda: 0) as journal:
        journal.append([encode_record(ModelRecord(at=0, detector="d", version="1")), *map(_record, range(30))])
        journal.sync()
    assert update_history(installation, clock=lambda: START)["records"] == 31
    return installation


def test_events_are_asked_by_their_columns(installation: Installation) -> None:
    found = query_history(
        installation,
        "select day, count(*), sum(amount_minor), count(decision_id), max(risk) from events group by 1 order by 1",
    )
    assert [row[1:] for row in found["rows"]] == [[10, 45, 5, 9], [10, 145, 5, 19], [10, 245, 5, 29]]
    one = query_history(
        installation,
        "select sequence, event_id, email, ip_network, coupons, order_id, intended, reasons from events where risk = 7",
    )
    (row,) = one["rows"]
    assert row[:2] == [8, "e-7"]
    assert row[2].startswith("em1_")
    assert row[3:] == ["203.0.113.0/24", ["TEN"], "o", "review", []]


def test_an_update_takes_only_what_is_new_and_drops_what_is_old(installation: Installation) -> None:
    assert update_history(installation, clock=lambda: START)["records"] == 0
    with Journal(installation.journal, clock=lambda: 0) as journal:
        journal.append([_record(30)])
        journal.sync()
        # A server runs: what the ledger has read is durable, and no more is taken.
        ledger = Ledger(installation.ledger_url)
        row = {"name": "ledger", "sequence": 31, "updated_at": 0}
        ledger.write(lambda connection: put(connection, projections, [row]))
        assert update_history(installation, clock=lambda: START)["records"] == 0
        ledger.write(lambda connection: put(connection, projections, [{**row, "sequence": 32}]))
        assert update_history(installation, clock=lambda: START)["records"] == 1
        ledger.close()
    assert update_history(installation, clock=lambda: START + 5 * DAY, keep_days=4)["removed"] == 10
    assert query_history(installation, "select count(*) from events")["rows"] == [[21]]


@pytest.mark.parametrize(
    "sql",
    [
        "select 1; select 2",
        "drop view events",
        "copy (select 1) to 'out.csv'",
        "create table t as select 1",
        "set memory_limit = '9GB'",
        "attach 'x.db'",
        "install httpfs",
        "",
    ],
)
def test_only_one_select_is_answered(installation: Installation, sql: str) -> None:
    with pytest.raises((UsageError, InputError)):
        query_history(installation, sql)


def test_no_other_file_and_no_address_is_read(installation: Installation) -> None:
    secret = installation.folder / "secret.csv"
    secret.write_text("a\n1\n", "utf-8")
    for source in (
        f"read_csv('{str(secret).replace(chr(39), chr(39) * 2)}')",
        f"'{str(secret).replace(chr(39), chr(39) * 2)}'",
        "read_text('/etc/hostname')",
        "glob('/etc/*')",
        "read_csv('http://127.0.0.1:1/x.csv')",
    ):
        with pytest.raises(InputError):
            query_history(installation, f"select * from {source}")


def test_a_statement_has_limits(installation: Installation) -> None:
    found = query_history(installation, "select sequence from events order by 1", rows=4)
    assert (found["rows"], found["cut"]) == ([[1], [2], [3], [4]], True)
    endless = "select sum(a.range * b.range % 7) from range(1000000) a, range(1000000) b"
    with pytest.raises(InputError, match=r"took more than 0\.2 s"):
        query_history(installation, endless, seconds=0.2)
    with pytest.raises(InputError, match="nowhere"):
        query_history(installation, "select nowhere from events")


def test_the_command_prints_a_document(installation: Installation) -> None:
    outcome = run_command(
        "history", "query", "select type, count(*) n from events group by 1 order by 1", "--folder",
        str(installation.folder), "--json",
    )  # fmt: skip
    assert json.loads(outcome.stdout) == {
        "columns": ["type", "n"], "rows": [["checkout", 15], ["search", 15]], "cut": False,
    }  # fmt: skip


def test_a_folder_without_a_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no journal"):
        update_history(Installation(tmp_path), clock=lambda: 0)
