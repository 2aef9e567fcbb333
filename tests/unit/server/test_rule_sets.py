from __future__ import annotations

from pathlib import Path

import pytest

from floorwalker.detectors.rules import ListEntry, Lists, RuleError, RuleTable, default_schema
from floorwalker.detectors.rules.live import LiveRules
from floorwalker.server.installation import Installation
from floorwalker.server.rule_sets import RuleSets, load_rules, read_rules, sign_rules

RULE = """\
abuse_type: scraping
severity: 0.9
events: any
reason: "an address that somebody put on a list"
condition: ip = '203.0.113.200'
"""
SCHEMA = default_schema()


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / "rules" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_a_shops_rules_join_the_starter_rules_and_replace_those_of_the_same_path(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    starter = read_rules(installation)
    first = next(iter(starter))
    write(tmp_path, "scraping/of_the_shop.yaml", RULE)
    write(tmp_path, first, RULE)
    write(tmp_path, ".hidden/half.yaml", "no rule")
    texts = read_rules(installation)
    assert set(texts) - set(starter) == {"scraping/of_the_shop.yaml"}
    assert texts[first] == RULE


def test_faults_of_files_and_of_rules_come_together(tmp_path: Path) -> None:
    write(tmp_path, "scraping/short.yml", RULE)
    write(tmp_path, "scraping/unknown.yaml", RULE.replace("ip =", "ipp ="))
    path = write(tmp_path, "scraping/latin.yaml", RULE)
    path.write_bytes(b"# caf\xe9\n")
    with pytest.raises(RuleError) as raised:
        load_rules(Installation(tmp_path), schema=SCHEMA)
    assert {fault.file for fault in raised.value.faults} == {
        "scraping/short.yml", "scraping/unknown.yaml", "scraping/latin.yaml",
    }  # fmt: skip
    with pytest.raises(RuleError):
        read_rules(Installation(tmp_path))


def test_a_set_that_is_kept_makes_the_same_table_again(tmp_path: Path) -> None:
    table = RuleTable.load({"scraping/a.yaml": RULE}, schema=SCHEMA)
    sets = RuleSets(tmp_path / "rule-sets")
    sets.keep(table)
    sets.keep(table)
    again = sets.load(table.version, schema=SCHEMA)
    assert again is not None
    assert (again.version, dict(again.sources)) == (table.version, dict(table.sources))
    assert sets.load("0" * 16, schema=SCHEMA) is None
    assert sets.find("../../secrets") is None


def test_a_set_that_was_changed_on_the_disk_is_not_taken_for_the_one_that_decided(tmp_path: Path) -> None:
    sets = RuleSets(tmp_path)
    table = RuleTable.load({"scraping/a.yaml": RULE}, schema=SCHEMA)
    other = RuleTable.load({"scraping/a.yaml": RULE.replace("0.9", "0.1")}, schema=SCHEMA)
    sets.keep(table)
    sets.keep(other)
    place, elsewhere = (tmp_path / f"{each.version}.json.zst" for each in (table, other))
    place.write_bytes(elsewhere.read_bytes())
    assert sets.load(table.version, schema=SCHEMA) is None
    place.write_bytes(elsewhere.read_bytes()[:-7])
    assert sets.find(table.version) is None


def test_the_signature_changes_with_every_file_and_with_nothing_else(tmp_path: Path) -> None:
    assert sign_rules(tmp_path / "rules") == ()
    path = write(tmp_path, "scraping/a.yaml", RULE)
    first = sign_rules(tmp_path / "rules")
    write(tmp_path, "scraping/notes.txt", "not a rule")
    assert sign_rules(tmp_path / "rules") == first
    path.write_text(RULE + "# \n", "utf-8")
    second = sign_rules(tmp_path / "rules")
    assert second != first
    write(tmp_path, "scraping/b.yml", RULE)
    assert sign_rules(tmp_path / "rules") != second


def test_which_set_was_adopted_last_is_remembered(tmp_path: Path) -> None:
    sets = RuleSets(tmp_path / "rule-sets")
    assert sets.adopted() == ""
    sets.note_adopted("0123456789abcdef")
    assert sets.adopted() == "0123456789abcdef"


def test_a_table_that_is_put_in_place_takes_the_lists_of_now() -> None:
    asks = RULE.replace("ip = '203.0.113.200'", "in_list('deny', account)")
    first = RuleTable.load({"scraping/a.yaml": RULE}, schema=SCHEMA)
    second = RuleTable.load({"scraping/a.yaml": asks}, schema=SCHEMA)
    assert (first.asks_lists, second.asks_lists) == (False, True)
    live = LiveRules(first)
    lists = Lists([ListEntry(name="deny", field="account", value="a-1")])
    live.replace_lists(lists)
    assert live.adopt(second).lists is lists
    assert live.current.version == second.version
