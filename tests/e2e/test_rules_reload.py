"""Rules exchanged under a running server, and what decisions of before and after say about it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from floorwalker.testing.shop_server import Shop, make_event

RULE = """\
abuse_type: scraping
severity: 0.95
events: [login_succeeded]
reason: "an address of the night of the {amount_minor}"
condition: user_agent = 'reloaded/1'
"""


@pytest.fixture
def rules(shop: Shop) -> Iterator[Path]:
    folder = shop.folder / "rules" / "scraping"
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    for path in folder.iterdir():
        path.unlink()
    assert shop.client.post("/v1/rules/reload", headers=shop.headers()).status_code == 200


def wait_for(what: Callable[[], Any]) -> Any:
    for _ in range(200):
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it never came")


def figures(shop: Shop) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in shop.client.get("/metrics").text.splitlines() if line[0] != "#"]
    return {name: float(value) for name, _, value in lines}


def health(shop: Shop) -> dict[str, Any]:
    found: dict[str, Any] = shop.client.get("/health").json()["rules"]
    return found


def reasons(answer: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in answer["private"]["reasons"]]


def test_changed_files_decide_a_moment_later_and_older_decisions_are_still_explained(shop: Shop, rules: Path) -> None:
    before = shop.decide(make_event(user_agent="reloaded/1")).json()
    assert "rules.scraping.reloaded" not in reasons(before)
    was = health(shop)
    (rules / "reloaded.yaml").write_text(RULE, "utf-8")
    wait_for(lambda: health(shop)["version"] != was["version"])
    after = shop.decide(make_event(user_agent="reloaded/1")).json()
    assert "rules.scraping.reloaded" in reasons(after)
    assert (
        after["private"]["versions"]["rules"] == health(shop)["version"] == shop.client.get("/version").json()["rules"]
    )
    assert health(shop)["rules"] == was["rules"] + 1 == figures(shop)["floorwalker_rules"]
    for answer in (before, after):
        done = shop.command("explain", answer["decision_id"])
        document = json.loads(done.stdout)
        assert done.returncode == 0, done.stderr
        assert (document["equal"], document["changed"]) == (True, [])
        assert document["rules_now"] == after["private"]["versions"]["rules"]
    # The decision of before, by the rules of now, stands beside it.
    assert document["today"]["intended"] == after["private"]["intended"]
    replayed = json.loads(shop.command("replay").stdout)
    assert (replayed["features_differ"], replayed["actions_differ"], replayed["rules_lost"]) == (0, 0, 0)


def test_a_faulty_set_is_refused_named_and_counted_while_the_old_one_decides(shop: Shop, rules: Path) -> None:
    was, refused = health(shop), figures(shop).get('floorwalker_faults_total{place="rules"}', 0.0)
    (rules / "reloaded.yaml").write_text(RULE, "utf-8")
    (rules / "broken.yaml").write_text(RULE.replace("user_agent =", "user_agant ="), "utf-8")
    found = wait_for(lambda: health(shop) if health(shop)["refused_at"] else None)
    assert (found["version"], found["faults"]) == (was["version"], 1)
    assert figures(shop)['floorwalker_faults_total{place="rules"}'] > refused
    assert figures(shop)["floorwalker_rules_refused"] == 1
    assert "rules.scraping.reloaded" not in reasons(shop.decide(make_event(user_agent="reloaded/1")).json())
    answer = shop.client.post("/v1/rules/reload", headers=shop.headers())
    assert answer.status_code == 422
    assert answer.json()["faults"][0]["field"].startswith("scraping/broken.yaml:5:")
    assert "user_agent" in answer.json()["faults"][0]["message"]
    line = (shop.folder / "server.log").read_text("utf-8")
    assert "scraping/broken.yaml:5:" in line
    (rules / "broken.yaml").unlink()
    answer = shop.client.post("/v1/rules/reload", headers=shop.headers())
    assert answer.status_code == 200, answer.text
    assert answer.json()["seconds"] < 60
    found = health(shop)
    assert (found["refused_at"], found["faults"], found["version"]) == (None, 0, answer.json()["version"])
    assert "rules.scraping.reloaded" in reasons(shop.decide(make_event(user_agent="reloaded/1")).json())


def test_who_exchanged_the_rules_stands_in_the_audit(shop: Shop, rules: Path) -> None:
    from sqlalchemy import select

    from floorwalker.store.ledger import Ledger
    from floorwalker.store.ledger.tables import audit

    (rules / "reloaded.yaml").write_text(RULE + "# another\n", "utf-8")
    version = shop.client.post("/v1/rules/reload", headers=shop.headers()).json()["version"]
    ledger = Ledger(f"sqlite:///{shop.folder / 'ledger.sqlite'}")
    query = select(audit.c.actor).where(audit.c.action == "rules.adopted", audit.c.object == version)
    found = wait_for(lambda: ledger.read(lambda connection: connection.execute(query).scalars().all()))
    ledger.close()
    assert found[0].startswith("key ") or found[0] == "folder"


@pytest.mark.slow
def test_only_a_key_of_all_rights_and_all_shops_exchanges_rules(shop: Shop) -> None:
    address = "/v1/rules/reload"
    assert shop.client.post(address).status_code == 401
    keys = [
        shop.make_key("--scopes", "decide,ingest,label,read"),
        shop.make_key("--scopes", "admin", "--shop", "north"),
    ]
    for key in keys:
        assert shop.client.post(address, headers=shop.headers(key)).status_code == 403
