"""docs/events.md says what exists, and what it says exists."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from floorwalker.events._facts import Fact
from floorwalker.events.abuse import ABUSE_MEANINGS, ACTION_MEANINGS
from floorwalker.events.batch import NUMBER_FIELDS, TEXT_FIELDS
from floorwalker.events.decode import decode_event
from floorwalker.events.entities import ENTITY_MEANINGS
from floorwalker.events.event import (
    Address,
    CardFacts,
    ClientSignals,
    DeviceFacts,
    Discount,
    Dispute,
    Event,
    Identity,
    NetworkFacts,
    OrderLine,
    ThreeDSecure,
)
from floorwalker.events.limits import DEFAULT_LIMITS
from floorwalker.events.outcomes import DAY, OUTCOMES, SOURCES
from floorwalker.events.reason_codes import REASON_CODES
from floorwalker.events.types import COMMON_FIELDS, EVENT_TYPES

PAGE = (Path(__file__).parents[3] / "docs" / "events.md").read_text("utf-8")
GROUPS: dict[str, type[msgspec.Struct]] = {
    "address": Address,
    "lines": OrderLine,
    "discounts": Discount,
    "card": CardFacts,
    "three_d_secure": ThreeDSecure,
    "dispute": Dispute,
    "device_facts": DeviceFacts,
    "signals": ClientSignals,
    "network": NetworkFacts,
    "identity": Identity,
}


def rows(heading: str) -> dict[str, str]:
    """The rows of a section's tables: first cell, in code style, to the row."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"^\| `([^`]+)` \|(.*)\|$", section, re.MULTILINE)
    assert len(found) == len(dict(found)), "a row stands twice"
    return dict(found)


def test_every_type_is_documented_with_what_it_needs() -> None:
    table = rows("Types")
    assert list(table) == [kind.name for kind in EVENT_TYPES]
    for kind in EVENT_TYPES:
        meaning, needs, may = (cell.strip() for cell in table[kind.name].split(" | "))
        assert meaning == kind.meaning
        assert re.findall(r"`(\w+)`", needs) == [field for need in kind.needs for field in need.split("|")]
        assert re.findall(r"`(\w+)`", may) == list(kind.may)
    for field in COMMON_FIELDS:
        assert f"`{field}`" in PAGE.split("## Types")[1].split("| type |")[0]


def test_every_field_is_documented() -> None:
    expected = {field.name for field in msgspec.structs.fields(Event)}
    for name, record in GROUPS.items():
        expected |= {f"{name}.{field.name}" for field in msgspec.structs.fields(record)}
    assert set(GROUPS.values()) == set(Fact.__subclasses__())
    assert set(rows("Fields")) == expected


def test_every_closed_vocabulary_is_documented_with_its_values() -> None:
    table = rows("Fields")
    checked = 0
    for prefix, record in {"": Event, **{f"{name}.": record for name, record in GROUPS.items()}}.items():
        for field in msgspec.structs.fields(record):
            values = re.findall(r"'(\w+)'", str(field.type)) if "Literal" in str(field.type) else []
            if values:
                unit = table[prefix + field.name].split(" | ")[0]
                assert re.findall(r"`(\w+)`", unit) == values, prefix + field.name
                checked += 1
    assert checked >= 8


def test_columns_are_documented() -> None:
    section = PAGE.split("\n## Columns\n", 1)[1].split("\n## ", 1)[0]
    numbers, texts = section.split("Numbers: ")[1].split("Texts: ")
    assert re.findall(r"`(\w+)`", numbers) == list(NUMBER_FIELDS)
    assert re.findall(r"`(\w+)`", texts) == list(TEXT_FIELDS)


@pytest.mark.parametrize(
    ("heading", "prefix", "meanings"),
    [
        ("Entities", "entity", dict(ENTITY_MEANINGS)),
        ("Abuse types", "abuse", dict(ABUSE_MEANINGS)),
        ("Actions", "action", dict(ACTION_MEANINGS)),
    ],
)
def test_every_name_is_documented_with_its_meaning(heading: str, prefix: str, meanings: dict[str, str]) -> None:
    found = {name.removeprefix(f"{prefix}:"): meaning.strip() for name, meaning in rows(heading).items()}
    assert found == meanings


def test_outcomes_sources_and_reason_codes_are_documented() -> None:
    table = rows("Outcomes and labels")
    expected = {f"outcome:{name}": meaning for name, meaning in OUTCOMES.items()}
    expected |= {f"source:{name}": str(delay // DAY) for name, delay in SOURCES.items()}
    assert {name: cell.strip() for name, cell in table.items()} == expected
    codes = {
        f"{scheme}:{code}": f"{entry.meaning} | {entry.abuse_type or 'nothing'} | {entry.weight:g}"
        for (scheme, code), entry in REASON_CODES.items()
    }
    assert {name: cell.strip() for name, cell in rows("Reason codes").items()} == codes


def test_the_example_and_the_limits_are_those_of_the_code() -> None:
    body = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert body is not None
    event = decode_event(body[1].encode(), now=1_800_000_000_000_000)
    assert event.type == "checkout"
    for number in (DEFAULT_LIMITS.event_bytes, DEFAULT_LIMITS.batch_bytes, DEFAULT_LIMITS.events):
        assert f"{number:,}" in PAGE
    assert f"{DEFAULT_LIMITS.ahead_seconds} seconds ahead" in PAGE
    assert f"deeper than {DEFAULT_LIMITS.depth} levels, with more than {DEFAULT_LIMITS.attributes} attributes" in PAGE


def test_degrees_of_hubs_are_documented() -> None:
    from floorwalker.events.identity.hubs import DEGREE_RULES

    page = (Path(__file__).parents[3] / "docs" / "identity.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \| (\w+) \| (\d+) \| (\d+) % \|$", page, re.MULTILINE) == [
        (entity, rule.window, str(rule.limit), f"{rule.share * 100:.0f}") for entity, rule in DEGREE_RULES.items()
    ]
