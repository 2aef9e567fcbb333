"""The page about storage says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from floorwalker.store import _manifest, errors, history, vault
from floorwalker.store.journal import frames, recovery, segments
from floorwalker.store.ledger import database, paging, tables
from floorwalker.store.ledger.retention import AGE_COLUMNS

TEXT = (Path(__file__).parents[3] / "docs" / "storage.md").read_text("utf-8")


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def keys(text: str) -> set[str]:
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def test_every_error_has_its_line() -> None:
    found = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.StoreError)]
    kinds = {kind.__name__ for kind in found}
    assert keys(section("Failures")) == kinds


def test_every_table_has_its_line_and_its_age() -> None:
    text = section("Ledger")
    assert keys(text) == set(tables.metadata.tables)
    for name, column in AGE_COLUMNS.items():
        assert re.search(rf"^\| `{name}` \| .* \| `{column.name}` \|$", text, re.MULTILINE), name


def test_every_table_of_the_vault_is_named() -> None:
    named = re.findall(r"create table (\w+)", vault._ABOUT + vault._TABLES)
    assert len(named) == 3
    for name in named:
        assert f"`{name}`" in section("Vault")


def test_sizes_are_those_of_the_code() -> None:
    journal = section("The journal")
    assert f"Segment header, {segments.SEGMENT_HEADER_BYTES} bytes" in journal
    assert segments.SEGMENT_HEADER.size + 4 == segments.SEGMENT_HEADER_BYTES == 48
    assert f"Frame, {frames.HEADER_BYTES} bytes" in journal
    assert frames.HEADER.size == frames.HEADER_BYTES
    assert f"{frames.LARGEST_RECORD:,}" in journal
    assert f"{frames.UNKNOWN_PENDING:,}" in journal
    assert f"{recovery._WATERMARK.size + 4} in all" in journal
    assert f"`checkpoint` ({history._CHECKPOINT.size + 4} bytes" in section("History")
    assert f"over {sum(database._WAITS):g} s of pauses" in section("Ledger")
    assert f"{len(database._WAITS) + 1} attempts" in section("Ledger")
    assert f"{paging.LARGEST_PAGE:,} rows" in section("Limits")


def test_magic_words_and_versions_are_those_of_the_code() -> None:
    for word in (segments.MAGIC, _manifest.MAGIC):
        assert f"`{word.decode()}`" in TEXT
    assert (segments.SEGMENT_VERSION, frames.FRAME_VERSION, _manifest.VERSION, vault.VERSION) == (1, 1, 1, 2)
    for field in _manifest.Head.__struct_fields__:
        assert f"`{field}`" in section("Snapshots")
