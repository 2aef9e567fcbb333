"""Many events taken in at once: which of them the kernel takes, and what the vault is given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from floorwalker.events.bulk._known import make_known
from floorwalker.events.bulk.packed import PackedReader
from floorwalker.events.bulk.taking import BulkTaker, TakenEvents
from floorwalker.events.codec import unpack_event
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import Event
from floorwalker.events.identity import DEFAULT_RULES, IdentityRules, Tokeniser
from floorwalker.events.identity.currency import read_rates
from floorwalker.events.types import EVENT_TYPES

NOW = 1_760_000_000_000_000
HEAD = 18

SOUND: dict[str, Any] = {
    "account": "a-17", "session": "s-3", "device": "d-9", "ip": "203.0.113.9", "email": "jane@example.com",
    "phone": "+442079460000", "country": "GB", "payment": "tok-1", "bin": "411111", "url": "/p/1?x=1", "text": "schön",
    "card": {"funding": "credit", "avs_result": "Y"}, "order": "o-1", "item": "i-1", "seller": "v-1", "quantity": 2,
    "lines": [{"item": "i-1", "quantity": 2, "price_minor": 1999, "digital": False}, {}], "coupons": ["TEN", "拾"],
    "discounts": [{"kind": "coupon", "amount_minor": 1}], "amount_minor": 3598, "currency": "EUR", "rating": 0.75,
    "promotion": "spring", "group": "g-1", "inviter": "a-2", "result": "passed", "reason": "because", "status": 200,
    "shipping_address": {"street": "12 High Street", "postal_code": "LS1 4AP", "country": "GB"}, "guest": True,
    "billing_address": {"text": "浙江省杭州市西湖区文三路12号"}, "latitude": -1.5, "longitude": 0, "channel": "web",
    "device_facts": {"kind": "phone", "rooted": False, "fingerprint_confidence": 1}, "method": None,
    "signals": {"webdriver": False, "key_gap_ms": 12.25}, "network": {"asn": 64500, "country": "GB"},
    "three_d_secure": {"result": "frictionless", "eci": "05"}, "user_agent": "Mozilla/5.0 (X11) Firefox/143.0",
}  # fmt: skip


def say(number: int = 1, kind: str = "checkout", **fields: Any) -> bytes:
    return json.dumps({"id": f"e-{number}", "type": kind, "at": NOW, **fields}, ensure_ascii=False).encode()


def taker(rules: IdentityRules = DEFAULT_RULES) -> BulkTaker:
    return BulkTaker(Tokeniser(bytes(32)), seed=bytes(32), rules=rules)


def take(by: BulkTaker, *texts: bytes, shop: str | None = None, now: int = NOW) -> TakenEvents:
    stops = np.cumsum([len(text) for text in texts])
    return by.take(b"".join(texts), stops - [len(text) for text in texts], stops, now=now, shop=shop)


def event_of(taken: TakenEvents, row: int = 0) -> Event:
    return unpack_event(taken.record(row)[HEAD:])


@pytest.mark.parametrize("kind", [kind.name for kind in EVENT_TYPES if "dispute" not in kind.needs])
def test_the_kernel_takes_every_type_with_every_field(kind: str) -> None:
    taken = take(SHARED, say(kind=kind, **SOUND))
    assert taken.left == []
    assert event_of(taken).type == kind
    assert event_of(taken).received_at == NOW


SHARED = taker()


@pytest.mark.parametrize(
    "fields",
    [
        {"account": "4111 1111 1111 1111"}, {"password": "x"}, {"url": "/?password=x"}, {"amount_minor": -5},
        {"amount_minor": 1.5}, {"amount_minor": 10**16}, {"currency": "euro"}, {"type": "checkout "}, {"at": NOW * 2},
        {"at": 1}, {"at": True}, {"account": ""}, {"account": "a" * 257}, {"lines": [{"sku": "i"}]}, {"coupons": [""]},
        {"identity": {}}, {"attributes": {"a": {"b": 1}}}, {"schema_version": 2}, {"rating": 1.01}, {"rating": 1e-7},
        {"text": "write to jane@example.com"}, {"dispute": {"opened_at": 5}}, {"account": "a\u0000"}, {"shop": 7},
        {"url": "/n?m=jane%2Bx%40gmail.com"}, {"url": "/n?r=%3Fm%3Djane%2540gmail.com"}, {"text": "bob＠example.net"},
        {"referrer": "bob%EF%BC%A0example.net"}, {"reason": "bob%25ef%25bc%25a0example.net"},
        {"coupons": ["bob﹫example.net"]}, {"lines": [{"item": "jane%2540gmail.com"}]},
        {"lines": [{}] * 501}, {"lines": None}, {"card": {"last_four": "12345"}}, {"coupons": ["A"] * 51},
    ],
)  # fmt: skip
def test_whatever_is_in_doubt_is_left_to_the_twin(fields: dict[str, Any]) -> None:
    assert take(SHARED, say(**{"account": "a", "amount_minor": 5, "currency": "EUR"} | fields)).left == [0]


def test_a_full_width_at_sign_makes_an_account_a_token() -> None:
    by = taker()
    taken = take(by, say(1, "logout", account="bob＠example.net"), say(2, "logout", account="bob@example.net"))
    assert taken.left == []
    assert event_of(taken, 0).account == event_of(taken, 1).account != "bob＠example.net"


def test_a_number_that_is_none_a_name_twice_and_bytes_that_are_no_text_are_left() -> None:
    start = b'{"id":"e","type":"logout","at":1760000000000000,"account":"a"'
    for end in (
        b',"rating":NaN}', b',"rating":01}', b',"rating":.5}', b',"rating":1.}', b',"account":"a"}', b',"item":"\xff"}',
        b',"item":"\xed\xa0\x80"}', b',"item":"\xc0\xaf"}', b',"item":"\\u0041"}', b'', b'}}', b',}', b'} {}',
        b',"rating":-0}', b',"status":-0}', b',"guest":truth}', b',"guest":tru', b',"item":nul}',
    ):  # fmt: skip
        assert take(SHARED, start + end).left == [0], end
    assert take(SHARED, start + b' , "rating" : 1 }\r\n').left == []


def test_only_events_of_the_callers_shop_are_taken() -> None:
    by = taker()
    own, other, silent = say(1, **SOUND, shop="north"), say(2, **SOUND, shop="south"), say(3, **SOUND)
    taken = take(by, own, other, silent, shop="north")
    assert taken.left == [1, 2]
    for row, text in ((1, other), (2, silent)):
        by.look_closely(taken, row, text, now=NOW, shop="north")
    taken.settle()
    assert [(fault.position, fault.field) for fault in taken.faults] == [(1, "shop"), (2, "shop")]
    assert take(by, silent, shop="default").left == []


def test_the_vault_is_given_each_value_once_a_day_and_again_when_something_was_forgotten() -> None:
    by = taker()
    first = take(by, say(1, **SOUND), say(2, **SOUND))
    fields = ["billing_address", "email", "ip", "phone", "shipping_address"]
    assert sorted(value.field for value in first.personal) == fields
    assert {value.subject for value in first.personal} == {"account:a-17"}
    assert take(by, say(3, **SOUND)).personal == []
    assert [value.subject for value in take(by, say(4, **SOUND | {"account": "a-18"})).personal] == ["account:a-18"] * 5
    by.forget_given()
    assert take(by, say(5, **SOUND)).personal == first.personal
    later = take(by, say(6, **SOUND), now=NOW + 86_400_000_000)
    assert len(later.personal) == 5


def test_full_tables_are_emptied_and_nothing_changes() -> None:
    small, large = taker(), taker()
    small._known = make_known(bytes(32), entries=16, arena_bytes=2048, marks=16)
    for number in range(60):
        text = say(number, **SOUND | {"email": f"jane{number}@example.com", "ip": f"203.0.113.{number}"})
        expected, found = take(large, text), take(small, text)
        for row in found.left:
            small.look_closely(found, row, text, now=NOW)
        found.settle()
        assert found.record(0) == expected.record(0)
        assert set(expected.personal) <= set(found.personal)


def test_an_event_longer_than_the_kernels_room_is_left() -> None:
    text = say(1, "message", account="a", text="x" * 19_000, url="/" + "y" * 4000)
    assert take(SHARED, text).left == []
    spaced = text[:-1] + b" " * 70_000 + b"}"
    assert take(SHARED, spaced).left == [0]
    assert take(SHARED, b"{" + b" " * 300_000 + text[1:]).left == [0]


def test_amounts_in_another_currency_are_the_twins() -> None:
    rates = read_rates('base = "EUR"\n[[rates]]\nfrom = 2020-01-01\nUSD = 0.5\n')
    by = taker(IdentityRules(rates=rates))
    text = say(1, **SOUND | {"currency": "USD"})
    taken = take(by, text)
    assert taken.left == [0]
    by.look_closely(taken, 0, text, now=NOW)
    taken.settle()
    identity = event_of(taken).identity
    assert identity is not None
    assert identity.amount_base_minor == 1799


def test_readable_addresses_stay_where_the_rules_say_so() -> None:
    kept = take(taker(IdentityRules(keep_ip=True)), say(1, **SOUND))
    assert event_of(kept).ip == "203.0.113.9"
    assert "ip" not in {value.field for value in kept.personal}


def test_a_reader_meets_shops_and_judges_names_as_they_come() -> None:
    keyer = EntityKeyer(bytes(16))
    reader = PackedReader(keyer, bytes(16), lambda shop: shop.encode())
    texts = [say(n, **SOUND | {"device": "unknown" if n % 2 else f"d-{n}"}, shop=f"shop-{n % 300}") for n in range(600)]
    taken = take(SHARED, *texts)
    read = reader.read(taken.data, taken.starts, taken.stops)
    devices = read.batch.keys["device"].tolist()
    assert devices == [0 if n % 2 else keyer.key(f"shop-{n % 300}", "device", f"d-{n}") for n in range(600)]
    assert read.is_event.all()


_PLAIN = """
import sys
from floorwalker.events.bulk.packed import PackedReader
from floorwalker.events.bulk.splitting import split_array, split_lines
from floorwalker.events.bulk.taking import BulkTaker
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.identity import Tokeniser
body = bytes.fromhex(sys.argv[1])
texts = split_lines(body, 4)
by = BulkTaker(Tokeniser(bytes(32)), seed=bytes(32))
taken = by.take(texts.body, texts.starts, texts.stops, now=int(sys.argv[2]))
read = PackedReader(EntityKeyer(bytes(16)), bytes(16), lambda shop: b"x").read(taken.data, taken.starts, taken.stops)
print(taken.left, taken.record(0).hex(), [key.tolist() for key in read.batch.keys.values()], read.id_keys.tolist(),
      read.batch.parts.numbers.tolist(), split_array(b'[1, {"a": [2]}]', 4).texts())
"""


def test_kernels_run_as_plain_python_too() -> None:
    body = b"\n".join([say(1, **SOUND), say(2, **SOUND | {"device": "0000"})])
    outputs = []
    for switch in ("0", "1"):
        command = [sys.executable, "-W", "error", "-c", _PLAIN, body.hex(), str(NOW)]
        environment = {**os.environ, "NUMBA_DISABLE_JIT": switch}
        outputs.append(subprocess.run(command, capture_output=True, check=True, env=environment).stdout)
    assert outputs[0] == outputs[1]
    assert outputs[0].startswith(b"[] 82a4")
