"""``floorwalker rules``: what it prints and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from floorwalker.cli import app
from floorwalker.detectors.rules import RuleError

RULE = """\
abuse_type: scraping
severity: 0.5
events: [page_view]
reason: "{session_events_1m}"
condition: session_events_1m > 100
cases:
  fires:
    - {why: many, given: {session_events_1m: 101}}
  does_not:
    - {why: few, given: {session_events_1m: 100}}
  evades:
    - {why: slow, given: {session_events_1m: 5}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.yaml").write_text(RULE, "utf-8")
    return tmp_path


def run(*arguments: str) -> tuple[int, str, BaseException | None]:
    result = CliRunner().invoke(app, ["rules", *arguments])
    return result.exit_code, result.stdout, result.exception


def test_without_a_folder_the_starter_set_is_checked_and_tested() -> None:
    code, output, _ = run("check", "--json")
    assert code == 0
    assert json.loads(output)["rules"] == 41
    code, output, _ = run("test", "--json")
    assert code == 0
    assert json.loads(output)["failures"] == []


def test_right_rules_pass(folder: Path) -> None:
    code, output, _ = run("check", str(folder), "--json")
    facts = json.loads(output)
    assert code == 0
    assert {key: facts[key] for key in ("rules", "shadow", "comparisons", "faults")} == {
        "rules": 1, "shadow": 0, "comparisons": 1, "faults": [],
    }  # fmt: skip


def test_faults_are_reported_for_people_and_machines(folder: Path) -> None:
    (folder / "b.yaml").write_text(RULE.replace("> 100", "> 'x'"), "utf-8")
    code, output, error = run("check", str(folder))
    assert code == 1
    assert isinstance(error, RuleError)
    code, output, _ = run("check", str(folder), "--json")
    assert code == 1
    assert json.loads(output) == {
        "faults": [
            {"file": "b.yaml", "line": 5, "column": 12, "message": "a text where a number belongs: 'x'"}
        ]
    }  # fmt: skip


def test_a_case_that_fails_is_named(folder: Path) -> None:
    (folder / "a.yaml").write_text(RULE.replace("> 100", "> 200"), "utf-8")
    code, output, _ = run("test", str(folder), "--json")
    assert code == 1
    assert json.loads(output)["failures"] == [
        {"file": "a.yaml", "line": 8, "message": "fires, but the rule did not fire: many"}
    ]


def test_a_list_of_the_installation_is_named_on_the_command_line(folder: Path) -> None:
    text = RULE.replace("session_events_1m > 100", "session_events_1m > 100 AND NOT in_list('friends', ip)")
    text = text.replace("{session_events_1m: ", "{ip: x, session_events_1m: ")
    (folder / "a.yaml").write_text(text, "utf-8")
    assert run("test", str(folder))[0] == 1
    assert run("test", str(folder), "--list", "friends")[0] == 0
