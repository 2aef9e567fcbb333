"""A text is read in another process after its decision was answered, and its signal joins the decision."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from floorwalker.evaluation.benchmarks.decisions import serve
from floorwalker.testing.late_texts import PLAIN, SHOUTED, write_texts
from floorwalker.testing.shop_server import Shop, create_key, make_event, run_command

pytest.importorskip("lightgbm")
pytestmark = pytest.mark.slow


@contextmanager
def running(folder: Path, key: str, *options: str) -> Iterator[Shop]:
    with (
        serve(folder, core=None, options=list(options)) as (port, _),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        yield Shop(folder, client, key)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_texts(tmp_path_factory.mktemp("texts"))


def write(shop: Shop, text: str, **fields: Any) -> dict[str, Any]:
    event = make_event(**{"type": "review", "item": "i-1", "rating": 1.0, "text": text, **fields})
    answer = shop.decide(event)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def show(shop: Shop, answer: dict[str, Any]) -> dict[str, Any]:
    return dict(shop.client.get(f"/v1/decisions/{answer['decision_id']}", headers=shop.headers()).json())


def wait(happens: Callable[[], Any], seconds: float = 240) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := happens()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def metric(shop: Shop, name: str) -> float:
    lines = shop.client.get("/metrics").text.splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(f"floorwalker_{name} "))


def listed(shop: Shop, **query: Any) -> dict[str, Any]:
    return dict(shop.client.get("/v1/joined", params=query, headers=shop.headers()).json())


def test_a_text_joins_its_decision_later(tmp_path: Path, texts: Path) -> None:
    folder = tmp_path / "data"
    key = create_key(folder)
    with running(folder, key, "--texts", str(texts)) as shop:
        plain = write(shop, f"{PLAIN[3]} 7", account="a-plain")
        shouted = write(shop, f"{SHOUTED[2]} now, write to ann@example.com", account="a-loud")
        bought = shop.decide(make_event(type="checkout", text=SHOUTED[0], amount_minor=100, currency="EUR")).json()
        # What was answered stays as it was.
        assert shouted["private"]["intended"] in ("allow", "observe")
        wait(lambda: show(shop, shouted)["joined"] and show(shop, plain)["joined"])
        said = show(shop, shouted)
        assert said["decision"]["risk"] == shouted["private"]["risk"] < 60
        joined = said["joined"]
        assert joined["raised"] is True
        assert joined["risk"] >= 60
        assert (joined["level"], joined["intended"], joined["abuse_type"]) == ("high", "quarantine", "content_abuse")
        assert joined["causes"][0]["code"] == "content.classifier.wording"
        assert joined["at"] > said["decision"]["at"]
        assert "em1_" in said["event"]["text"]
        assert "example.com" not in json.dumps(said)
        assert show(shop, plain)["joined"]["signal"] == 0
        assert show(shop, plain)["joined"].get("raised", False) is False
        assert show(shop, bought)["joined"] is None
        entity = shop.client.get("/v1/entities/account/a-loud", headers=shop.headers()).json()
        assert entity["risk"] == joined["risk"]
        assert entity["timeline"][0]["joined"]["decision_id"] == shouted["decision_id"]
        assert metric(shop, "texts_joined_total") == 2
        assert metric(shop, "texts_raised_total") == 1
        # The ledger shows it a moment later, in the order in which it came.
        wait(lambda: len(listed(shop)["items"]) == 2)
        assert [each["decision_id"] for each in listed(shop, raised="true")["items"]] == [shouted["decision_id"]]
        page = listed(shop, limit=1)
        rest = listed(shop, cursor=page["next_cursor"])
        assert len(rest["items"]) == 1
        assert listed(shop, cursor=rest["next_cursor"]) == {"items": [], "next_cursor": rest["next_cursor"]}
        # The process dies: another one reads on.
        os.kill(int(metric(shop, "texts_pid")), signal.SIGKILL)
        again = write(shop, SHOUTED[1], account="a-other")
        wait(lambda: show(shop, again)["joined"])
        assert metric(shop, "texts_restarts_total") == 1
        assert shop.client.get("/ready").json() == {"ready": True, "reason": "", "degraded": {}}
        # A key of another shop sees nothing of this one.
        foreign = shop.make_key("--scopes", "read", "--shop", "elsewhere")
        found = shop.client.get("/v1/joined", headers=shop.headers(foreign)).json()
        assert found["items"] == []
        assert shop.client.get("/v1/joined?shop=default", headers=shop.headers(foreign)).status_code == 403
    # After the end everything stands in the journal: replay, explanation and the person's own data show it.
    replayed = json.loads(shop.command("replay").stdout)
    assert (replayed["joined"], replayed["joined_differ"], replayed["features_differ"]) == (3, 0, 0)
    explained = json.loads(shop.command("explain", str(shouted["decision_id"])).stdout)
    assert explained["equal"] is True
    assert explained["joined"]["risk"] == joined["risk"]
    assert explained["joined_again"] == explained["joined"]
    person = json.loads(shop.command("privacy", "export", "a-loud").stdout)
    assert [each["decision_id"] for each in person["joined"]] == [shouted["decision_id"]]
    assert shop.command("privacy", "erase", "a-loud", "--yes").returncode == 0
    replayed = json.loads(shop.command("replay").stdout)
    assert (replayed["joined"], replayed["joined_differ"], replayed["features_differ"]) == (3, 0, 0)


def test_texts_of_before_are_read_after_a_start(tmp_path: Path, texts: Path) -> None:
    folder = tmp_path / "data"
    key = create_key(folder)
    with running(folder, key) as shop:
        assert shop.client.get("/ready").json()["degraded"] == {}
        early = [write(shop, f"{SHOUTED[number % 3]} {number}", account=f"a-{number}") for number in range(5)]
        assert show(shop, early[0])["joined"] is None
    with running(folder, key, "--texts", str(texts)) as shop:
        for answer in early:
            wait(lambda answer=answer: show(shop, answer)["joined"])
        assert metric(shop, "texts_joined_total") == 5
    with running(folder, key) as shop:
        # Kept in the installation; nothing is read twice.
        wait(lambda: metric(shop, "texts_pid") > 0)
        late = write(shop, PLAIN[0])
        wait(lambda: show(shop, late)["joined"])
        assert metric(shop, "texts_joined_total") == 1
        assert all(show(shop, answer)["joined"] for answer in early)


def test_a_broken_classifier_is_named_and_stops_no_decision(tmp_path: Path, texts: Path) -> None:
    folder = tmp_path / "data"
    key = create_key(folder)
    broken = tmp_path / "broken"
    broken.mkdir()
    refused = run_command("serve", "--folder", str(folder), "--texts", str(broken))
    assert refused.returncode != 0
    assert "manifest.json" in refused.stderr
    with running(folder, key, "--texts", str(texts)):
        pass
    (folder / "texts" / "classifier" / "arrays.npz").write_bytes(b"damaged")
    with running(folder, key) as shop:
        answer = write(shop, SHOUTED[0])
        degraded = wait(lambda: shop.client.get("/ready").json()["degraded"])
        assert "arrays.npz" in degraded["content.classifier"]
        assert shop.client.get("/ready").status_code == 200
        assert metric(shop, "texts_degraded") == 1
        assert show(shop, answer)["joined"] is None
        assert write(shop, PLAIN[0])["decision_id"]
