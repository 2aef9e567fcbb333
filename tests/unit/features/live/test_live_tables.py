"""docs/live-features.md says what the declarations say."""

from __future__ import annotations

from pathlib import Path

import pytest

from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import NUMBER_FIELDS, TEXT_FIELDS
from floorwalker.features.live import DEFAULT, Limits, LiveFeatures
from floorwalker.features.live.tables import features_table, rows_table, sharing_list, windows_table

PAGE = Path(__file__).parents[4] / "docs" / "live-features.md"


@pytest.mark.parametrize(
    ("part", "table"),
    [
        ("features", features_table(DEFAULT)),
        ("windows", windows_table()),
        ("rows", rows_table(DEFAULT, Limits())),
        ("sharing", sharing_list(DEFAULT)),
    ],
)
def test_the_page_holds_the_table_made_from_the_declarations(part: str, table: str) -> None:
    text = PAGE.read_text("utf-8")
    written = text.split(f"<!-- {part} -->\n")[1].split(f"\n<!-- /{part} -->")[0]
    assert written == table


def test_every_abuse_type_has_features_that_speak_to_it() -> None:
    spoken = [name for feature in DEFAULT for name in feature.against]
    assert {name: spoken.count(name) >= 5 for name in ABUSE_TYPES} == dict.fromkeys(ABUSE_TYPES, True)
    assert set(spoken) == set(ABUSE_TYPES)


def test_names_can_stand_in_sql_beside_the_fields_of_events() -> None:
    names = LiveFeatures(DEFAULT, seed=0).names
    assert len(names) == len(set(names)) == len(DEFAULT) + 1
    assert all(name.isidentifier() and name == name.lower() for name in names)
    assert not set(names) & {*NUMBER_FIELDS, *TEXT_FIELDS}


def test_at_full_tables_everything_fits_in_four_gigabytes() -> None:
    last = rows_table(DEFAULT, Limits()).splitlines()[-1]
    assert float(last.split("|")[4].replace(",", "")) < 4_000
