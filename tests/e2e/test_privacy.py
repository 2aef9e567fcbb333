"""Handing out and erasing a person's data, on a folder that a real server process writes."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from floorwalker.errors import InputError, UsageError
from floorwalker.evaluation.benchmarks.decisions import serve
from floorwalker.events.identity import PersonalValue
from floorwalker.server.installation import Installation
from floorwalker.server.person import Person
from floorwalker.server.privacy import erase_person, export_person
from floorwalker.store.errors import StoreError
from floorwalker.store.ledger import Ledger
from floorwalker.store.vault import Vault
from floorwalker.testing.shop_server import Shop, create_key, make_event, run_command

pytestmark = pytest.mark.slow

ANN, BEN, BOTH = "ann.uncommon@example.com", "ben.uncommon@example.org", "household@example.org"
ROAD = {"street": "12 Uncommon Street", "postal_code": "10115", "city": "Berlin", "country": "DE"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Ann orders and is labelled, Ben is somebody else, two accounts share one address; the server keeps running."""
    folder = tmp_path_factory.mktemp("privacy") / "data"
    key = create_key(folder)
    with (
        serve(folder, core=None, options=[]) as (port, _),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        shop = Shop(folder, client, key)
        bought = shop.decide(
            make_event(id="ann-1", type="checkout", account="ann-account", email=ANN, phone="+442079460018",
                       order="o-ann", shipping_address=ROAD, amount_minor=4200, currency="EUR")
        ).json()  # fmt: skip
        shop.decide(make_event(id="ann-2", account="ann-account", url=f"/reset?mail={ANN}"))
        shop.decide(
            make_event(id="ann-guest", type="checkout", account=None, email=ANN, amount_minor=1, currency="EUR")
        )
        shop.decide(make_event(id="ben-1", account="ben-account", email=BEN, inviter="ann-account"))
        shop.decide(make_event(id="ben-2", account="ben-account", url=f"/invite?to={ANN}"))
        for number in (1, 2):
            shop.decide(make_event(id=f"both-{number}", account=f"both-{number}", email=BOTH))
        shop.decide(make_event(id="zoe-mail", account="zoe@example.net"))
        headers = shop.headers()
        label = {"subject_kind": "order", "subject": "o-ann", "abuse_type": "payment_fraud", "value": 1.0,
                 "source": "analyst"}  # fmt: skip
        assert client.post("/v1/labels", json=label, headers=headers).status_code == 201
        applied = {"action": "review", "by": "clerk", "reason": "looked odd"}
        done = client.post(f"/v1/decisions/{bought['decision_id']}/applied", json=applied, headers=headers)
        assert done.status_code < 300
        listed = {"entity": "account", "value": "ann-account", "reason": "regular", "author": "clerk"}
        assert client.post("/v1/lists/watch", json=listed, headers=headers).status_code < 300
        _wait_for(lambda: len(export(shop, "ann-account")["lists"]) == 1 and len(export(shop, BEN)["values"]) > 0)
        yield shop


def _wait_for(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def export(shop: Shop, subject: str, *, name: str = "default", is_all: bool = False) -> dict[str, Any]:
    """What `floorwalker privacy export` prints, without starting a process each time."""
    installation = Installation(shop.folder)
    ledger = Ledger(installation.ledger_url)
    try:
        return export_person(installation, subject, shop=name, is_all=is_all, ledger=ledger, clock=lambda: 0)
    finally:
        ledger.close()


def _bytes_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_export_gives_what_is_kept_of_a_person_and_nothing_of_others(shop: Shop) -> None:
    document = export(shop, "ann-account")
    values = {(value["field"], value["raw"]) for value in document["values"]}
    assert {("email", ANN), ("phone", "+442079460018"), ("url", ANN), ("ip", "203.0.113.9")} <= values
    assert any("12 Uncommon Street" in raw for field, raw in values if field == "shipping_address")
    assert all(value["first_seen"][:2] == "20" for value in document["values"])
    assert [event["id"] for event in document["events"]] == ["ann-1", "ann-2", "ann-guest"]
    assert [decision["event_id"] for decision in document["decisions"]] == ["ann-1", "ann-2", "ann-guest"]
    assert [record["by"] for record in document["applied"]] == ["clerk"]
    assert [record["label"]["subject"] for record in document["labels"]] == ["o-ann"]
    assert [(each["id"], each["as"]) for each in document["mentions"]] == [("ben-1", ["inviter"]), ("ben-2", ["text"])]
    assert [row["list"] for row in document["lists"]] == ["watch"]
    assert "list.added" in [row["action"] for row in document["audit"]]
    printed = run_command("privacy", "export", "ann-account", "--folder", str(shop.folder), "--json")
    assert json.loads(printed.stdout) == json.loads(json.dumps(document))
    text = printed.stdout
    assert BEN not in text
    assert "ben-account" not in text


def test_a_person_is_found_by_any_of_their_names(shop: Shop) -> None:
    by_account = export(shop, "ann-account")
    for typed in (ANN.upper(), "+44 20 7946 0018", by_account["events"][0]["email"], "account:ann-account"):
        assert {**export(shop, typed), "subject": "ann-account"} == by_account
    zoe = export(shop, "zoe@example.net")
    assert [event["id"] for event in zoe["events"]] == ["zoe-mail"]
    assert ("account", "zoe@example.net") in {(value["field"], value["raw"]) for value in zoe["values"]}


def test_an_address_of_two_accounts_is_not_guessed_about(shop: Shop) -> None:
    outcome = run_command("privacy", "export", BOTH, "--folder", str(shop.folder))
    assert outcome.returncode == 2
    assert "both-1, both-2" in outcome.stderr
    one = export(shop, "both-1")
    assert [event["id"] for event in one["events"]] == ["both-1"]
    assert {event["id"] for event in export(shop, BOTH, is_all=True)["events"]} == {"both-1", "both-2"}


def test_wrong_uses_are_refused(shop: Shop, tmp_path: Path) -> None:
    for arguments, code, text in (
        (("erase", "nobody-here", "--yes", "--folder", str(shop.folder)), 1, "nothing is kept of"),
        (("erase", "ann-account", "--folder", str(shop.folder)), 2, "add --yes"),
        (("erase", "ann-account", "--yes", "--folder", str(tmp_path)), 2, "holds no journal"),
    ):
        outcome = run_command("privacy", *arguments)
        assert (outcome.returncode, text in outcome.stderr) == (code, True), outcome.stderr
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="nothing is kept of 'nobody-here'"):
        export(shop, "nobody-here")
    with pytest.raises(UsageError, match="the subject is empty"):
        export(shop, " ")
    assert len(export(shop, "ann-account")["values"]) > 0


def test_export_to_a_file_is_for_its_owner_only(shop: Shop, tmp_path: Path) -> None:
    out = tmp_path / "ann.json"
    command = ("privacy", "export", "ann-account", "--folder", str(shop.folder), "--out", str(out))
    assert run_command(*command).returncode == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert ANN in out.read_text("utf-8")
    assert run_command(*command).returncode == 2


def test_after_an_erasure_no_file_holds_the_values_or_their_key_and_replay_is_equal(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    key = create_key(folder)
    with (
        serve(folder, core=None, options=[]) as (port, process),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        shop = Shop(folder, client, key)
        for number in range(30):
            shop.decide(
                make_event(account="ann-account", email=ANN, shipping_address=ROAD, text=f"{number}: ask {ANN}")
            )
            shop.decide(make_event(account="ben-account", email=BEN, url=f"/invite?to={ANN}"))
        _wait_for(lambda: bool(export(shop, "ann-account")["values"]) and bool(export(shop, BEN)["values"]))
        known = export(shop, "ann-account")
        with closing(sqlite3.connect(folder / "vault.sqlite")) as vault:
            secrets = [row[0] for row in vault.execute("select wrapped_key from people where subject like '%ann-%'")]
            secrets += [row[0] for row in vault.execute("select sealed from raw_values where subject like '%ann-%'")]
        assert len(secrets) > 4
        before = _bytes_of(folder)
        assert all(any(secret in data for data in before.values()) for secret in secrets)

        outcome = run_command("privacy", "erase", ANN, "--yes", "--folder", str(folder), "--json")
        assert outcome.returncode == 0, outcome.stderr
        document = json.loads(outcome.stdout)
        # One more than her own: her address in the text of Ben's page.
        assert document["values_erased"] == len(secrets)
        tokens = {each["token"] for each in known["values"] if ANN in each["raw"]}
        with Vault(folder / "vault.sqlite", folder / "vault.key", clock=lambda: 0) as opened:
            assert opened.reveal(sorted(tokens)) == {}
        assert document["remains"]["events"] == 30
        assert document["remains"]["tokens"] >= 3

        for path, data in _bytes_of(folder).items():
            assert not any(secret in data for secret in secrets), path
            for raw in (ANN, "12 Uncommon Street", "ann.uncommon"):
                assert raw.encode() not in data, path
        after = export(shop, "ann-account")
        assert after["values"] == []
        assert len(after["events"]) == len(after["decisions"]) == 30
        assert len(export(shop, BEN)["values"]) > 0

        # The running server noticed: what comes now is sealed under a new key, and can be erased again.
        assert shop.decide(make_event(account="ann-account", email=ANN)).status_code == 200
        _wait_for(lambda: ANN in json.dumps(export(shop, "ann-account")["values"]))
        again = run_command("privacy", "erase", "ann-account", "--yes", "--folder", str(folder))
        assert again.returncode == 0
        assert "replay still gives every one of them again" in again.stderr
        assert export(shop, "ann-account")["values"] == []
        process.terminate()
        assert process.wait(timeout=60) == 0
    replayed = run_command("replay", "--folder", str(folder), "--json")
    assert replayed.returncode == 0
    found = json.loads(replayed.stdout)
    assert (found["events"], found["decisions"], found["features_differ"], found["actions_differ"]) == (61, 61, 0, 0)
    for path, data in _bytes_of(folder).items():
        assert not any(secret in data for secret in secrets), path
        assert ANN.encode() not in data, path


def test_namesakes_in_two_shops_are_told_apart(shop: Shop) -> None:
    for name, mail in (("north", ANN), ("south", BEN)):
        assert shop.decide(make_event(shop=name, account="7", email=mail)).status_code == 200
    _wait_for(lambda: len(export(shop, "7", name="north")["values"]) >= 2)
    north = export(shop, "7", name="north")
    assert BEN not in json.dumps(north)
    assert ANN in json.dumps(north["values"])
    assert north["other_shops"] == {"south": 1}
    _wait_for(lambda: len(export(shop, "7", name="south")["values"]) >= 2)
    south = export(shop, "7", name="south")["values"]
    done = run_command("privacy", "erase", "7", "--shop", "north", "--yes", "--folder", str(shop.folder), "--json")
    assert done.returncode == 0, done.stderr
    assert "south" in done.stderr
    assert json.loads(done.stdout)["values_erased"] == len(north["values"])
    # Erasing in one shop leaves the other as it was.
    assert export(shop, "7", name="north")["values"] == []
    assert export(shop, "7", name="south")["values"] == south
    with closing(sqlite3.connect(shop.folder / "ledger.sqlite")) as ledger:
        rows = ledger.execute("select * from personal_audit where shop = 'north' order by rowid").fetchall()
    assert [row[4] for row in rows][-4:] == [
        "personal.exported", "personal.erasing", "personal.erased", "personal.exported",
    ]  # fmt: skip
    assert all("account:7" in row[5] and ANN not in str(row) for row in rows)
    assert rows[-2][3].startswith("user ")
    assert json.loads(rows[-2][6]) == {"values": len(north["values"])}
    refused = run_command("keys", "rotate-master", "--folder", str(shop.folder))
    assert refused.returncode == 2
    assert "stop the server" in refused.stderr


@pytest.mark.slow
def test_a_reader_that_keeps_the_old_key_in_the_log_is_told_of(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    person = Person("a", "default", ("account:a",), frozenset({"a"}))
    ledger = Ledger(installation.ledger_url)
    with Vault(installation.vault, installation.vault_key, clock=lambda: 0) as vault:
        vault.put([PersonalValue("email", "em1_x", ANN, "account:a", "default")])
    with closing(sqlite3.connect(installation.vault, isolation_level=None)) as reader:
        reader.execute("begin")
        assert reader.execute("select count(*) from people").fetchone() == (1,)
        with pytest.raises(StoreError, match="the old key still stands in vault"):
            erase_person(installation, person, clock=lambda: 0, ledger=ledger)
        reader.execute("rollback")
        # Asked again, it is done: the key was gone from the tables, and now goes from the file.
        assert erase_person(installation, person, clock=lambda: 0, ledger=ledger) == 0
    ledger.close()
    assert all(ANN.encode() not in data for data in _bytes_of(tmp_path).values())
