"""A server with trained models: it decides by them, keeps them, and explains with them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from floorwalker.detectors.anomaly_series.live import LiveSeries
from floorwalker.detectors.behaviour.live import LiveBehaviour
from floorwalker.detectors.content.live import LiveContent
from floorwalker.detectors.context.live import LiveContext
from floorwalker.detectors.relation.live import LiveRelations
from floorwalker.evaluation.benchmarks.decisions import serve
from floorwalker.features.live import LiveFeatures
from floorwalker.testing.behaviour import model as sequence_model
from floorwalker.testing.shop_models import coupon_fusion
from floorwalker.testing.shop_server import Shop, create_key, make_event, run_command

pytest.importorskip("lightgbm")


@contextmanager
def running(folder: Path, key: str, *options: str) -> Iterator[Shop]:
    with (
        serve(folder, core=None, options=list(options)) as (port, _),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        yield Shop(folder, client, key)


def redeem(shop: Shop) -> dict[str, object]:
    event = make_event(type="coupon_redeem", coupons=["TEN"], account="a-many", at=time.time_ns() // 1000)
    answer = shop.decide(event)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def review(shop: Shop, account: str) -> dict[str, object]:
    text = "Great blender, it crushes ice in seconds and is very easy to clean afterwards."
    event = make_event(
        type="review", account=account, item="i-1", rating=1.0, text=text, device=account, at=time.time_ns() // 1000
    )
    answer = shop.decide(event)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def check_suspects(shop: Shop, answers: list[dict[str, Any]]) -> None:
    suspicions = [each["private"]["suspicion"] for each in answers]
    assert [each > 0 for each in suspicions] == [each["private"]["risk"] > 0 for each in answers]
    assert suspicions[0] == 0 < suspicions[-1]
    calm = shop.decide(make_event(type="coupon_redeem", coupons=["TEN"], account="a-calm")).json()
    assert calm["private"]["suspicion"] == 0
    told = shop.client.get(f"/v1/decisions/{answers[-1]['decision_id']}", headers=shop.headers()).json()
    assert told["decision"]["suspicion"] == suspicions[-1]
    entity = shop.client.get("/v1/entities/account/a-many", headers=shop.headers()).json()
    assert entity["suspicion"] == max(suspicions)
    assert shop.client.get("/v1/entities/account/a-calm", headers=shop.headers()).json()["suspicion"] == 0
    # The ledger has them a moment later.
    deadline = time.monotonic() + 60
    while True:
        found = shop.client.get("/v1/suspects", headers=shop.headers()).json()
        if found["items"] and found["items"][0]["events"] == len(answers):
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (item,) = found["items"]
    assert item.pop("decision_id") in {
        each["decision_id"] for each in answers if each["private"]["suspicion"] == max(suspicions)
    }
    assert item == {
        "shop": "default",
        "subject": "account:a-many",
        "suspicion": max(suspicions),
        "risk": max(each["private"]["risk"] for each in answers),
        "abuse_type": "promotion_abuse",
        "events": len(answers),
    }


def test_trained_models_decide_are_kept_and_explain(tmp_path: Path) -> None:
    models, folder = tmp_path / "models", tmp_path / "data"
    coupon_fusion(LiveFeatures(seed=0).names).save(models / "fusion", facts={})
    LiveBehaviour(sequence_model()).model.save(models / "behaviour", facts={})
    for name, part in (
        ("relation", LiveRelations()),
        ("content", LiveContent()),
        ("series", LiveSeries()),
        ("context", LiveContext()),
    ):
        part.save(models / name)
    key = create_key(folder)
    with running(folder, key, "--models", str(models)) as shop:
        answers = [redeem(shop) for _ in range(12)]
        assert answers[0]["private"]["intended"] == "allow"
        assert answers[-1]["private"]["intended"] in ("limit", "block")
        assert answers[-1]["private"]["reasons"][0]["code"].startswith("transaction.promotion_abuse.account_events_1h")
        told = shop.client.get(f"/v1/decisions/{answers[-1]['decision_id']}", headers=shop.headers()).json()
        assert told["features"]["behaviour.surprise"] is not None
        assert told["features"]["relation.coupon.degree"] == 1
        assert told["features"]["context.account.times"] == 11
        check_suspects(shop, answers)
        copies = [review(shop, f"a-{number}") for number in range(3)]
    # The next start finds the models in the installation, and what they remember in the journal.
    with running(folder, key) as shop:
        last = redeem(shop)
        assert last["private"]["intended"] in ("limit", "block")
        copies.append(review(shop, "a-3"))
        copied = [
            shop.client.get(f"/v1/decisions/{copy['decision_id']}", headers=shop.headers()).json()["features"]
            for copy in copies
        ]
        assert [round(each["content.near_duplicate"], 3) for each in copied] == [0, 1, 1, 1]
        assert [each["relation.item.degree"] for each in copied] == [0, 1, 2, 3]
        for answer in (answers[-1], last, copies[-1]):
            outcome = shop.command("explain", str(answer["decision_id"]))
            assert outcome.returncode == 0, outcome.stderr
            assert json.loads(outcome.stdout)["equal"] is True


def test_broken_models_are_refused_before_the_start(tmp_path: Path) -> None:
    models = tmp_path / "models" / "fusion"
    coupon_fusion(LiveFeatures(seed=0).names).save(models, facts={})
    (models / "fusion.json").write_text("{}")
    found = run_command("serve", "--folder", str(tmp_path / "data"), "--models", str(tmp_path / "models"))
    assert found.returncode != 0
    assert "not the file of its manifest" in found.stderr
    assert "Traceback" not in found.stderr
