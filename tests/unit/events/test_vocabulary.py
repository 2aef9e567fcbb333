"""Types, entities, kinds of abuse: what stands in journals and models does not move."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import pytest

from floorwalker.errors import UsageError
from floorwalker.events.abuse import ABUSE_MEANINGS, ABUSE_TYPES, ACTION_MEANINGS, ACTIONS
from floorwalker.events.entities import ENTITIES, ENTITY_MEANINGS
from floorwalker.events.event import Event
from floorwalker.events.placeholders import is_placeholder
from floorwalker.events.reply import PUBLIC_REASONS, Reply
from floorwalker.events.types import COMMON_FIELDS, EVENT_TYPES, TYPE_CODES

GOLDEN = Path(__file__).parents[2] / "golden" / "event_codes.txt"


def test_codes_are_those_that_journals_and_models_hold() -> None:
    lines = [line for line in GOLDEN.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    frozen = dict(line.split(" ", 1) for line in lines)
    assert frozen["types"].split() == [kind.name for kind in EVENT_TYPES]
    assert frozen["abuse"].split() == list(ABUSE_TYPES)
    assert frozen["actions"].split() == list(ACTIONS)
    assert frozen["entities"].split() == list(ENTITIES)
    assert [TYPE_CODES[kind.name] for kind in EVENT_TYPES] == list(range(len(EVENT_TYPES)))


def test_types_need_and_may_have_fields_that_exist() -> None:
    fields = set(get_type_hints(Event))
    for kind in EVENT_TYPES:
        needed = {field for need in kind.needs for field in need.split("|")}
        assert needed | set(kind.may) <= fields, kind.name
        assert len(kind.may) == len(set(kind.may)), kind.name
    assert set(COMMON_FIELDS) <= fields


def test_every_name_has_a_meaning() -> None:
    assert tuple(ABUSE_MEANINGS) == ABUSE_TYPES
    assert tuple(ACTION_MEANINGS) == ACTIONS == tuple(PUBLIC_REASONS)
    assert tuple(ENTITY_MEANINGS) == ENTITIES


def test_a_reply_holds_only_actions_that_exist() -> None:
    with pytest.raises(UsageError, match="unknown action 'smite'"):
        Reply(decision_id="d-1", action="smite")


@pytest.mark.parametrize(
    ("entity", "value"),
    [
        ("account", "unknown"),
        ("account", " NULL "),
        ("account", "0"),
        ("session", "0000-0000"),
        ("session", "undefined"),
        ("device", "9774d56d682e549c"),
        ("device", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"),
        ("device", "匿名"),
        ("device", "02:00:00:00:00:00"),
        ("ip", "10.0.0.1"),
        ("ip", "100.64.3.2"),
        ("ip", "::1"),
        ("ip", "::ffff:10.0.0.1"),
        ("ip", "fe80::1"),
        ("ip", "not an address"),
        ("ip_network", "192.168.1.0/24"),
        ("email", "test@test.com"),
        ("email", "noreply@example.com"),
        ("phone", "00000000"),
        ("phone", "+86 13800138000"),
        ("bin", "000000"),
        ("bin", "123456"),
        ("item", "n/a"),
        ("coupon", "-"),
        ("seller", "无"),
        ("payment", "xxxx"),
    ],
)
def test_values_that_mean_unknown(entity: str, value: str) -> None:
    assert is_placeholder(entity, value)


@pytest.mark.parametrize(
    ("entity", "value"),
    [
        ("account", "a"),
        ("account", "1"),
        ("account", "10"),
        ("account", "x"),
        ("session", "0001"),
        ("device", "d-0"),
        ("ip", "203.0.113.9"),
        ("ip", "2001:db8::1"),
        ("ip_network", "203.0.113.0/24"),
        ("email", "jane@example.com"),
        ("email", "em1_abc"),
        ("phone", "+447911123456"),
        ("phone", "ph1_abc"),
        ("bin", "411111"),
        ("item", "test"),
        ("coupon", "NEW"),
        ("promotion", "default"),
        ("delivery_point", "dp1_abc"),
        ("ip", "ip1_abc"),
        ("email_domain", "gmail.com"),
    ],
)
def test_values_that_mean_somebody(entity: str, value: str) -> None:
    assert not is_placeholder(entity, value)
