from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

import pytest

from floorwalker.pipeline.records import DecisionRecord, EventRecord, LabelRecord, decode_record
from floorwalker.server.pages import write_cursor
from floorwalker.store.journal import read_journal
from floorwalker.testing.shop_server import Shop, make_event

SOON = 3_600_000_000


def test_a_decision_in_shadow_mode_allows_and_says_what_it_would_have_done(shop: Shop) -> None:
    listed = {"entity": "device", "value": "d-denied", "reason": "stolen", "author": "ann"}
    assert shop.client.post("/v1/lists/deny", json=listed, headers=shop.headers()).status_code == 201
    answer = shop.decide(make_event(device="d-denied")).json()
    assert (answer["action"], answer["public_reason"], answer["duplicate"]) == ("allow", "", False)
    private = answer["private"]
    assert (private["intended"], private["mode"], private["calibrated"]) == ("block", "shadow", False)
    assert "list.deny" in [reason["code"] for reason in private["reasons"]]
    assert private["propensity"] == 1.0
    assert answer["subject"] == "account:a-1"
    assert answer["expires_at"] > time.time_ns() // 1000


def test_an_event_is_decided_once(shop: Shop) -> None:
    event = make_event()
    first, second = shop.decide(event).json(), shop.decide({**event, "account": "another"}).json()
    assert second["decision_id"] == first["decision_id"]
    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert second["subject"] == "account:a-1"


def test_the_same_id_in_two_shops_is_two_events(shop: Shop) -> None:
    event = make_event()
    ids = {shop.decide({**event, "shop": name}).json()["decision_id"] for name in ("north", "south")}
    assert len(ids) == 2


def test_a_decision_can_be_looked_up_with_what_it_was_made_of(shop: Shop) -> None:
    event = make_event(email="ann@example.com", amount_minor=1250, currency="EUR", type="checkout")
    identity = shop.decide(event).json()["decision_id"]
    found = shop.client.get(f"/v1/decisions/{identity}", headers=shop.headers()).json()
    assert found["decision"]["event_id"] == event["id"]
    assert found["event"]["amount_minor"] == 1250
    assert found["event"]["email"].startswith("em1_")
    assert "ann@example.com" not in json.dumps(found)
    assert found["features"]["event_late"] == 0.0
    assert set(found["decision"]["versions"]) == {"features", "rules", "anomaly.unusual_activity"}
    for wrong in ("dc_0_0000000000000000", f"{identity[:-1]}{'0' if identity[-1] != '0' else '1'}", "x", "dc_zz_1"):
        assert shop.client.get(f"/v1/decisions/{wrong}", headers=shop.headers()).status_code == 404


def test_explain_makes_the_decision_again_and_finds_it_equal(shop: Shop) -> None:
    identity = shop.decide(make_event(device="d-denied")).json()["decision_id"]
    outcome = shop.command("explain", identity)
    document = json.loads(outcome.stdout)
    assert outcome.returncode == 0, outcome.stderr
    assert document["equal"] is True
    assert document["changed"] == []
    assert document["again"]["intended"] == document["stored"]["intended"]


def test_what_was_applied_counts_once(shop: Shop) -> None:
    identity = shop.decide(make_event()).json()["decision_id"]
    address = f"/v1/decisions/{identity}/applied"
    done = {"action": "block", "by": "ann", "reason": "called the customer"}
    first = shop.client.post(address, json=done, headers=shop.headers())
    assert first.status_code == 200
    assert first.json() == {"decision_id": identity, "action": "block", "override": True, "late": False}
    assert shop.client.post(address, json=done, headers=shop.headers()).json() == first.json()
    kept = shop.client.get(f"/v1/decisions/{identity}", headers=shop.headers()).json()["applied"]
    assert {name: kept[name] for name in ("action", "by", "reason", "override")} == {**done, "override": True}
    other = shop.client.post(address, json={"action": "allow"}, headers=shop.headers())
    assert other.status_code == 409
    wrong = shop.client.post(address, json={"action": "shrug"}, headers=shop.headers())
    assert wrong.status_code == 422
    assert "block" in wrong.json()["detail"]
    assert shop.client.post("/v1/decisions/dc_1_1/applied", json=done, headers=shop.headers()).status_code == 404


@pytest.mark.parametrize("lines", [True, False], ids=["ndjson", "array"])
def test_events_are_taken_but_for_those_named(shop: Shop, lines: bool) -> None:
    events = [make_event() for _ in range(700)]
    events[3] = {**events[3], "amount_minor": -1}
    events[600] = {key: value for key, value in events[600].items() if key != "account"}
    events[699] = events[0]
    body = "\n".join(map(json.dumps, events)) if lines else json.dumps(events)
    kind = "application/x-ndjson" if lines else "application/json"
    answer = shop.client.post("/v1/events", content=body, headers=shop.headers(**{"Content-Type": kind})).json()
    assert (answer["accepted"], answer["duplicates"], answer["rejected"]) == (697, 1, 2)
    assert [(fault["position"], fault["field"]) for fault in answer["faults"]] == [
        (3, "amount_minor"),
        (600, "account"),
    ]


def test_an_event_that_was_told_can_still_be_decided(shop: Shop) -> None:
    event = make_event(account="told-first")
    shop.client.post("/v1/events", json=[event], headers=shop.headers())
    first, second = shop.decide(event).json(), shop.decide(event).json()
    assert first["duplicate"] is True
    assert first["decision_id"] != ""
    assert second == first
    timeline = shop.client.get("/v1/entities/account/told-first", headers=shop.headers()).json()["timeline"]
    assert [line["decision_id"] for line in timeline] == [first["decision_id"]]
    # It was counted once: what the decision saw are features of one event before it.
    found = shop.client.get(f"/v1/decisions/{first['decision_id']}", headers=shop.headers()).json()
    assert found["features"]["account_events_1h"] == 1.0


def test_the_same_idempotency_key_gets_the_first_reply(shop: Shop) -> None:
    event = make_event()
    key = {"Idempotency-Key": f"once-{event['id']}"}
    first, again = shop.decide(event, **key), shop.decide(event, **key)
    assert (first.status_code, first.content) == (200, again.content)
    other = shop.decide({**event, "account": "a-2"}, **key)
    assert other.status_code == 409
    assert "Idempotency-Key" in other.json()["detail"]
    events = [make_event(), make_event()]
    told = [shop.client.post("/v1/events", json=events, headers=shop.headers(**key)).json() for _ in range(2)]
    assert told[0] == told[1] == {"accepted": 2, "duplicates": 0, "rejected": 0, "faults": []}
    assert shop.decide(make_event(), **{"Idempotency-Key": "k" * 256}).status_code == 400


def test_keys_that_may_not_are_refused(shop: Shop) -> None:
    for key in ("fw_000000000000_guessed", "nonsense", shop.key + "x", shop.key[:-1], "fw__"):
        answer = shop.client.post("/v1/decisions", json=make_event(), headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert shop.client.post("/v1/decisions", json=make_event()).status_code == 401
    reader = shop.make_key("--scopes", "read", "--shop", "north", "--rate", "5")
    refused = shop.client.post("/v1/decisions", json=make_event(), headers=shop.headers(reader))
    assert (refused.status_code, "decide" in refused.json()["detail"]) == (403, True)
    identity = shop.decide(make_event(shop="south")).json()["decision_id"]
    assert shop.client.get(f"/v1/decisions/{identity}", headers=shop.headers(reader)).status_code == 403
    statuses = [shop.client.get("/v1/lists/deny", headers=shop.headers(reader)).status_code for _ in range(30)]
    assert statuses[0] == 200
    assert 429 in statuses


def test_expired_rotated_and_revoked_keys_are_refused(shop: Shop) -> None:
    made = json.loads(shop.command("keys", "create", "short", "--scopes", "read", "--days", "1").stdout)
    rotated = json.loads(shop.command("keys", "rotate", made["id"], "--grace-hours", "0").stdout)
    shop.wait_for_key(rotated["key"], is_known=True)
    show = "/v1/lists/deny"
    assert shop.client.get(show, headers=shop.headers(made["key"])).status_code == 401
    assert shop.client.get(show, headers=shop.headers(rotated["key"])).status_code == 200
    assert shop.command("keys", "revoke", rotated["id"]).returncode == 0
    shop.wait_for_key(rotated["key"], is_known=False)
    assert shop.client.get(show, headers=shop.headers(rotated["key"])).status_code == 401
    listed = json.loads(shop.command("keys", "list").stdout)["keys"]
    assert {key["id"]: bool(key["revoked_at"]) for key in listed}[rotated["id"]] is True
    assert made["key"] not in json.dumps(listed)


def _raw(**changes: str) -> bytes:
    """An event as text, with values that no JSON library would write."""
    fields = {name: json.dumps(value) for name, value in make_event().items()} | changes
    return ("{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}").encode()


BAD_BODIES: dict[str, tuple[Any, str]] = {
    "not a number": (lambda: _raw(amount_minor="NaN"), "amount_minor"),
    "infinite": (lambda: _raw(latitude="1e999"), "latitude"),
    "negative money": (lambda: _raw(amount_minor="-1"), "amount_minor"),
    "far future": (lambda: _raw(at=str(time.time_ns() // 1000 + SOON)), "at"),
    "seconds for microseconds": (lambda: _raw(at=str(time.time_ns() // 10**9)), "at"),
    "twice the same name": (lambda: _raw()[:-1] + b',"account":"b"}', "account"),
    "too deep": (lambda: _raw(attributes='{"a":' * 50 + "1" + "}" * 50), "attributes"),
    "unknown type": (lambda: _raw(type='"teleport"'), "type"),
    "card number": (lambda: _raw(payment='"4111111111111111"'), "payment"),
    "no account": (lambda: _raw(account="null"), "account"),
    "not JSON": (lambda: b"{", "body"),
    "an array": (lambda: b"[]", "body"),
    "no UTF-8": (lambda: b'{"id":"\xff"}', ""),
    "empty": (lambda: b"", "body"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_BODIES)
def test_bodies_that_cannot_be_taken_are_refused_with_the_field_named(shop: Shop, name: str) -> None:
    make, field = BAD_BODIES[name]
    answer = shop.client.post("/v1/decisions", content=make(), headers=shop.headers())
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    faults = answer.json()["faults"]
    assert faults
    assert field in faults[0]["field"]


def test_a_huge_body_is_refused_unread(shop: Shop) -> None:
    answer = shop.client.post("/v1/decisions", content=b"x" * 300_000, headers=shop.headers())
    assert answer.status_code == 413
    many = shop.client.post(
        "/v1/events",
        content=b"[" + b"{}," * 10_001 + b"{}]",
        headers=shop.headers(**{"Content-Type": "application/json"}),
    )
    assert many.status_code == 413
    kind = shop.client.post("/v1/events", content=b"a,b", headers=shop.headers(**{"Content-Type": "text/csv"}))
    assert kind.status_code == 415


def test_entities_show_their_past_and_whom_they_were_seen_with(shop: Shop) -> None:
    for device in ("d-x", "d-y"):
        shop.decide(make_event(account="seen", device=device, email="seen@example.com"))
    found = shop.client.get("/v1/entities/account/seen", headers=shop.headers()).json()
    assert [len(found["timeline"]), found["links"]["device"]] == [2, ["d-x", "d-y"]]
    assert found["features"]["account_devices_1d"] == 2.0
    by_mail = shop.client.get("/v1/entities/email/seen@example.com", headers=shop.headers()).json()
    assert by_mail["links"]["account"] == ["seen"]
    assert shop.client.get("/v1/entities/account/never", headers=shop.headers()).status_code == 404
    assert shop.client.get("/v1/entities/dragon/x", headers=shop.headers()).status_code == 404


def test_an_entity_is_found_whatever_characters_its_id_has(shop: Shop) -> None:
    ids = (
        "team/a1", "/first", "last/", "//two//", "up/../down", "../etc", "./", "50%2Foff", "100%", "what?", "a#b",
        "a b+c;d", "團隊/零一", "entities/account/x",
    )  # fmt: skip
    for name in ids:
        assert shop.decide(make_event(account=name, device=f"d-{name}")).status_code == 200
    for name in ids:
        sent = quote(name, safe="").replace(".", "%2E")
        answer = shop.client.get(f"/v1/entities/account/{sent}", headers=shop.headers())
        assert answer.status_code == 200, (name, answer.text)
        assert [answer.json()["id"], answer.json()["links"]["device"]] == [name, [f"d-{name}"]]
    # What `links` shows can be asked for, with its slash or with `%2F` in its place.
    (network,) = answer.json()["links"]["ip_network"]
    for sent in (network, quote(network, safe="")):
        found = shop.client.get(f"/v1/entities/ip_network/{sent}", headers=shop.headers())
        assert [found.status_code, found.json()["id"]] == [200, network]
    never = shop.client.get("/v1/entities/account/team/a2", headers=shop.headers())
    assert (never.status_code, "event" in never.json()["detail"]) == (404, True)
    document = shop.client.get("/schema/openapi.json").json()
    parameters = document["paths"]["/v1/entities/{entity}/{identity}"]["get"]["parameters"]
    assert {"string"} == {each["schema"]["type"] for each in parameters if each["in"] == "path"}


def test_lists_take_every_spelling_of_what_events_hold_in_one(shop: Shop) -> None:
    of = make_event(
        type="sign_up", account="spelt", email="x@evil-domain.example", phone="+8613800139999", ip="198.51.100.9",
        bin="411112",
    )  # fmt: skip
    assert shop.decide(of).json()["private"]["intended"] == "allow"
    for entity, given, held in (
        ("email_domain", "EVIL-Domain.Example", "evil-domain.example"), ("bin", "4111 12", "411112"),
        ("ip_network", "198.51.100.77", "198.51.100.0/24"), ("ip", "::ffff:198.51.100.9", ""),
        ("phone_prefix", "+86 138-0013", "+861380013"), ("phone", "+86 138 0013 9999", ""),
    ):  # fmt: skip
        body = {"entity": entity, "value": given, "reason": "bad", "author": "ann"}
        made = shop.client.post("/v1/lists/deny", json=body, headers=shop.headers())
        assert (made.status_code, held in made.json()["value"]) == (201, True), entity
        again = {**of, "id": f"spelt-{entity}"}
        assert shop.decide(again).json()["private"]["intended"] == "block", entity
        found = shop.client.get(f"/v1/entities/{entity}/{quote(given, safe='')}", headers=shop.headers())
        assert (found.status_code, "spelt" in found.json()["links"]["account"]) == (200, True), entity
        gone = {"entity": entity, "value": given}
        assert shop.client.delete("/v1/lists/deny", params=gone, headers=shop.headers()).status_code == 204
    assert shop.decide({**of, "id": "spelt-last"}).json()["private"]["intended"] != "block"


def test_lists_refuse_what_no_event_can_hold(shop: Shop) -> None:
    for entity, value in (
        ("email_domain", "jane@evil.example"), ("email_domain", "localhost"), ("ip_network", "198.51.0.0/16"),
        ("ip_network", "10.1.2.0/24"), ("ip_network", "here"), ("ip", "10.1.2.3"), ("ip", "here"), ("bin", "41111"),
        ("phone_prefix", "0791112"), ("phone", "none"), ("email", "test@test.com"), ("delivery_point", "12 High St"),
        ("delivery_point", f"em1_{'a' * 26}"),
    ):  # fmt: skip
        body = {"entity": entity, "value": value, "reason": "bad", "author": "ann"}
        refused = shop.client.post("/v1/lists/deny", json=body, headers=shop.headers())
        assert (refused.status_code, "allowed: " in refused.json()["detail"]) == (422, True), (entity, value)
        assert [fault["field"] for fault in refused.json()["faults"]] == ["value"]
        assert shop.client.get(f"/v1/entities/{entity}/{value}", headers=shop.headers()).status_code == 404


def test_every_coupon_and_line_of_an_event_is_found_counted_and_looked_up_on_lists(shop: Shop) -> None:
    lines = [{"item": "i-1", "seller": "s-1"}, {"item": "i-2", "seller": "s-2", "quantity": 3}]
    stack = {"type": "coupon_redeem", "coupons": ["STACK-1", "STACK-2"], "lines": lines}
    for device in ("d-1", "d-2"):
        shop.decide(make_event(**stack, device=device))
    shop.decide(make_event(**{**stack, "coupons": ["STACK-1"]}, device="d-3"))
    for code, devices in (("STACK-1", ["d-1", "d-2", "d-3"]), ("STACK-2", ["d-1", "d-2"])):
        found = shop.client.get(f"/v1/entities/coupon/{code}", headers=shop.headers()).json()
        assert [found["links"]["device"], len(found["timeline"])] == [devices, len(devices)]
        assert found["links"]["item"] == ["i-1", "i-2"]
        assert found["features"]["coupon_redemptions_life"] == float(len(devices))
        assert found["hub"] is False
    for entity, name in (("item", "i-2"), ("seller", "s-2")):
        found = shop.client.get(f"/v1/entities/{entity}/{name}", headers=shop.headers()).json()
        assert len(found["timeline"]) == 3
    listed = {"entity": "coupon", "value": "STACK-2", "reason": "leaked", "author": "ann"}
    assert shop.client.post("/v1/lists/deny", json=listed, headers=shop.headers()).status_code == 201
    assert shop.decide(make_event(**stack)).json()["private"]["intended"] == "block"
    assert shop.decide(make_event(**{**stack, "coupons": ["STACK-1"]})).json()["private"]["intended"] != "block"


def test_lists_are_paged_and_entries_taken_off(shop: Shop) -> None:
    for number in range(5):
        body = {"entity": "account", "value": f"w-{number}", "reason": "seen", "author": "ann"}
        assert shop.client.post("/v1/lists/watch", json=body, headers=shop.headers()).status_code == 201
    assert shop.decide(make_event(account="w-1")).json()["private"]["intended"] == "observe"
    values, cursor = [], None
    while True:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = shop.client.get("/v1/lists/watch", params=query, headers=shop.headers()).json()
        values += [item["value"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert values == [f"w-{number}" for number in range(5)]
    gone = {"entity": "account", "value": "w-1"}
    assert shop.client.delete("/v1/lists/watch", params=gone, headers=shop.headers()).status_code == 204
    assert shop.client.delete("/v1/lists/watch", params=gone, headers=shop.headers()).status_code == 404
    assert shop.decide(make_event(account="w-1")).json()["private"]["intended"] == "allow"
    for until, intended in ((time.time_ns() // 1000 + 3_600_000_000, "block"), (1, "allow")):
        body = {"entity": "account", "value": "d-1", "reason": "seen", "author": "ann", "expires_at": until}
        made = shop.client.post("/v1/lists/deny", json=body, headers=shop.headers())
        assert (made.json()["expires_at"], made.json()["author"], made.json()["reason"]) == (until, "ann", "seen")
        assert shop.decide(make_event(account="d-1")).json()["private"]["intended"] == intended
    for query in ({"limit": "0"}, {"limit": "1001"}, {"limit": "x"}, {"cursor": "!!!"}):
        for path in ("/v1/lists/watch", "/v1/joined"):
            refused = shop.client.get(path, params=query, headers=shop.headers())
            assert (refused.status_code, [each["field"] for each in refused.json()["faults"]]) == (422, list(query))
    for name, given in (
        ("day", "yesterday"),
        ("day", "2026-3-1"),
        ("day", "1969-12-31"),
        ("limit", "0"),
        ("limit", "1001"),
    ):
        refused = shop.client.get("/v1/suspects", params={name: given}, headers=shop.headers())
        assert refused.status_code == 422, given
        assert [each["field"] for each in refused.json()["faults"]] == [name]
    refused = shop.client.get("/v1/suspects", params={"limit": "x"}, headers=shop.headers())
    assert (refused.status_code, refused.json()["faults"][0]["field"]) == (422, "limit")
    # Nobody is suspected without models.
    found = shop.client.get("/v1/suspects", params={"day": "2026-03-01"}, headers=shop.headers())
    assert found.json() == {"day": "2026-03-01", "items": []}
    refused = shop.client.get("/v1/joined", params={"raised": "perhaps", "limit": "x"}, headers=shop.headers())
    assert (refused.status_code, {each["field"] for each in refused.json()["faults"]}) == (422, {"raised", "limit"})
    assert "perhaps" not in refused.text
    figures = shop.client.get("/metrics").text
    assert 'floorwalker_refusals_total{route="show_joined",status="422"}' in figures
    # Answers are not counted there.
    assert 'route="show_joined",status="200"' not in figures
    nameless = shop.client.delete("/v1/lists/watch", params={"entity": "dragon"}, headers=shop.headers())
    assert (nameless.status_code, nameless.json()["faults"][0]["field"]) == (422, "entity")
    assert shop.client.get("/v1/lists/maybe", headers=shop.headers()).status_code == 404


def test_positions_that_no_journal_reaches_are_refused(shop: Shop) -> None:
    asked = [
        shop.client.get("/v1/joined", params={"cursor": write_cursor(position)}, headers=shop.headers()).status_code
        for position in (-1, 2**62, 2**63, 2**64 - 1, -(2**63))
    ]
    assert asked == [200, 422, 422, 422, 422]


def test_labels_name_their_subjects_as_the_records_do(shop: Shop) -> None:
    """A shop that names accounts or orders by e-mail addresses says so in labels, too; nothing raw is kept."""
    bought = make_event(
        id="mail-1", type="order", account="lea@example.org", order="lea@example.org/7", amount_minor=1, currency="EUR"
    )
    assert shop.decide(bought).status_code == 200
    about = {"abuse_type": "payment_fraud", "value": 1.0, "source": "analyst"}
    for kind, subject in (("account", "lea@example.org"), ("order", "lea@example.org/7")):
        label = {**about, "subject_kind": kind, "subject": subject}
        assert shop.client.post("/v1/labels", json=label, headers=shop.headers()).status_code == 201
    stored = [data for _, data in read_journal(shop.folder / "journal", 0)]
    records = [decode_record(data) for data in stored]
    named = {one.label.subject for one in records if isinstance(one, LabelRecord) and one.label is not None}
    events = [one.event for one in records if isinstance(one, EventRecord | DecisionRecord)]
    event = next(one for one in events if one.id == "mail-1")
    assert {event.account, event.order} <= named
    assert not any(b"lea@example.org" in data for data in stored)


def test_labels_are_kept_and_taken_back(shop: Shop) -> None:
    body = {"subject_kind": "order", "subject": "o-1", "source": "chargeback", "scheme": "visa", "reason_code": "10.4"}
    made = shop.client.post("/v1/labels", json=body, headers=shop.headers())
    assert (made.status_code, made.json()["abuse_type"]) == (201, "payment_fraud")
    complaint = shop.client.post("/v1/labels", json={**body, "reason_code": "13.1"}, headers=shop.headers())
    assert (complaint.status_code, complaint.json()["label_id"]) == (200, None)
    for wrong in (
        {"value": 7},
        {"source": "rumour"},
        {"subject_kind": "ghost"},
        {"observed_at": 2**62},
        {"weight": -1},
    ):
        refused = shop.client.post("/v1/labels", json={**body, **wrong}, headers=shop.headers())
        assert refused.status_code == 422, wrong
        assert refused.json()["faults"][0]["field"] == next(iter(wrong))
    address = f"/v1/labels/{made.json()['label_id']}"
    deadline = time.monotonic() + 20
    while (status := shop.client.delete(address, headers=shop.headers()).status_code) == 404:
        assert time.monotonic() < deadline, "the label does not reach the ledger"
        time.sleep(0.2)
    assert status == 204


def test_the_system_routes_need_no_key(shop: Shop) -> None:
    assert shop.client.get("/health").json()["status"] == "alive"
    assert shop.client.get("/ready").json() == {"ready": True, "reason": "", "degraded": {}}
    shop.decide(make_event())
    assert "floorwalker_decisions_total{" in shop.client.get("/metrics").text
    assert shop.client.get("/version").json()["mode"] == "shadow"
    document = shop.client.get("/schema/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert shop.client.get("/nowhere").status_code == 404
    assert shop.client.put("/v1/decisions").status_code == 405


def test_no_secret_and_no_personal_value_is_logged(shop: Shop) -> None:
    shop.decide(make_event(email="private.person@example.com", phone="+4915112345678", account="log-test"))
    shop.client.post("/v1/decisions", content=b'{"email":"private.person@example.com"', headers=shop.headers())
    shop.client.get("/v1/entities/email/private.person@example.com", headers=shop.headers())
    text = (shop.folder / "server.log").read_text("utf-8")
    assert '"event": "ready"' in text
    for secret in (shop.key, shop.key[16:40], "private.person", "15112345678", "203.0.113.9"):
        assert secret not in text
