"""Labels told to a running server stand beside the risks of their decisions a moment later."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from floorwalker.testing.shop_server import Shop, make_event

TYPE = "inventory_abuse"
"""No other test of this server labels it."""


def wait(happens: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 30
    while not (found := happens()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def figures(shop: Shop) -> dict[str, Any]:
    found = shop.client.get("/v1/calibration", headers=shop.headers(), params={"shop": "default"})
    assert found.status_code == 200, found.text
    return dict(found.json()["types"][TYPE])


def test_labels_are_compared_with_risks_as_they_arrive(shop: Shop) -> None:
    decisions = [shop.decide(make_event(account=f"calibrated-{number}")).json() for number in range(3)]
    made = []
    for value, decision in enumerate(decisions):
        label = {
            "subject_kind": "decision", "subject": decision["decision_id"], "source": "analyst", "abuse_type": TYPE,
            "value": float(value == 2),
        }  # fmt: skip
        answer = shop.client.post("/v1/labels", json=label, headers=shop.headers())
        assert answer.status_code == 201
        made.append(answer.json()["label_id"])
    wait(lambda: figures(shop)["decisions"] == 3)
    found = figures(shop)
    risks = [decision["private"]["risks"].get(TYPE, 0.0) for decision in decisions]
    assert found["predicted"] == round(sum(risks) / 3, 4)
    assert (found["abusive"], found["observed"], found["calibrated"]) == (1, 0.3333, False)
    assert decisions[0]["private"]["calibrated"] is False
    assert f'floorwalker_calibration_observed{{abuse_type="{TYPE}"}} 0.3333' in shop.client.get("/metrics").text
    shown = json.loads(shop.command("calibration").stdout)
    assert shown["types"][TYPE]["decisions"] == 3
    assert shop.client.delete(f"/v1/labels/{made[2]}", headers=shop.headers()).status_code == 204
    wait(lambda: figures(shop)["decisions"] == 2)
    assert figures(shop)["observed"] == 0
    narrow = shop.make_key("--scopes", "read", "--shop", "elsewhere")
    elsewhere = shop.client.get("/v1/calibration", headers=shop.headers(narrow))
    assert elsewhere.json()["shop"] == "elsewhere"
    assert elsewhere.json()["types"][TYPE]["decisions"] == 0
    assert elsewhere.json()["labels"].keys() == shown["labels"].keys()
    refused = shop.client.get("/v1/calibration?shop=default", headers=shop.headers(narrow))
    assert refused.status_code == 403
