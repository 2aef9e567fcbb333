from __future__ import annotations

import json
from pathlib import Path

import pytest

from floorwalker.errors import UsageError
from floorwalker.events.decode import decode_event
from floorwalker.events.faults import FieldError
from floorwalker.server.bodies import read_body
from floorwalker.server.collector.settings import read_settings
from floorwalker.server.problems import ProblemError
from floorwalker.server.replies import AppliedBody, LabelBody, ListBody

NOW = 1_760_000_000_000_000


@pytest.mark.parametrize(
    ("kind", "body", "meant"),
    [
        (AppliedBody, {"action": "allow", "reasn": "x"}, "reason"),
        (LabelBody, {"subject_kind": "order", "subject": "o", "source": "s", "schema": "visa"}, "scheme"),
        (ListBody, {"entity": "ip", "val": "x", "reason": "r", "author": "a"}, "value"),
        (ListBody, {"entity": "ip", "value": "x", "reason": "r", "author": "a", "expires": 1}, "expires_at"),
    ],
)
def test_an_unknown_field_names_the_nearest(kind: type, body: dict[str, object], meant: str) -> None:
    with pytest.raises(ProblemError, match=f"did you mean '{meant}'") as raised:
        read_body(json.dumps(body).encode(), kind)
    assert raised.value.status == 422
    assert meant in raised.value.faults[0].message


def test_a_field_that_is_like_none_gets_no_advice() -> None:
    with pytest.raises(ProblemError) as raised:
        read_body(b'{"action": "allow", "zzz": 1}', AppliedBody)
    assert "did you mean" not in str(raised.value)


def test_an_event_that_lacks_what_was_sent_under_another_name_says_which() -> None:
    body = {"id": "e", "type": "coupon_redeem", "at": NOW, "account": "a", "coupon": "SPRING"}
    with pytest.raises(FieldError, match="the field 'coupon' is unknown: did you mean 'coupons'"):
        decode_event(json.dumps(body).encode(), now=NOW)
    # A name of the shop's own beside what is needed is kept, as documented.
    kept = decode_event(json.dumps({**body, "coupons": ["SPRING"]}).encode(), now=NOW)
    assert kept.attributes == {"coupon": "SPRING"}


def test_settings_of_the_collector_name_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "collector.toml").write_text('origin = ["https://shop.example.com"]\n')
    with pytest.raises(UsageError, match="did you mean 'origins'"):
        read_settings(tmp_path)


@pytest.mark.parametrize("text", ["a\x00b", "line\x1b[2J", "4111 1111 1111 1111", "card 5555555555554444"])
@pytest.mark.parametrize("name", ["value", "reason", "author", "shop"])
def test_texts_that_no_record_may_hold_are_refused_with_their_field(name: str, text: str) -> None:
    given = {"entity": "account", "value": "v", "reason": "r", "author": "a", name: text}
    with pytest.raises(ProblemError) as raised:
        read_body(json.dumps(given).encode(), ListBody)
    assert [fault.field for fault in raised.value.faults] == [name]
    assert "4111" not in str(raised.value)


def test_texts_of_several_lines_and_scripts_come_through() -> None:
    given = {"action": "allow", "reason": "rang twice:\n\tno answer, 没有回答"}
    assert read_body(json.dumps(given).encode(), AppliedBody).reason == given["reason"]
