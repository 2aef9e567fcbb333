"""``floorwalker rules``: check and test the rules that analysts write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from floorwalker.cli._output import Json, note, print_json
from floorwalker.errors import MissingExtraError

if TYPE_CHECKING:
    from floorwalker.detectors.rules import RuleTable, Schema

rules_app = typer.Typer(help="Check and test the rules of a folder.", no_args_is_help=True)

Folder = Annotated[Path | None, typer.Argument(help="Folder of *.yaml rules; the starter set without it.")]
ListName = Annotated[
    list[str] | None, typer.Option("--list", help="A list that rules may ask beside allow, deny and watch.")
]


@rules_app.command()
def check(folder: Folder = None, list_name: ListName = None, as_json: Json = False) -> None:
    """Read every rule and report every fault of every file; exit code 1 where there is one."""
    table, _ = _load(folder, list_name, as_json)
    if as_json:
        print_json({**_facts(table), "faults": []})
    else:
        facts = _facts(table)
        note(f"{facts['rules']} rules, {facts['shadow']} of them shadow, {facts['comparisons']} distinct comparisons")


@rules_app.command(name="test")
def run_tests(folder: Folder = None, list_name: ListName = None, as_json: Json = False) -> None:
    """Run every rule's own cases; exit code 1 where one fails or a kind of case is missing."""
    table, schema = _load(folder, list_name, as_json)
    from floorwalker.detectors.rules import run_cases

    failures = run_cases(table, schema)
    cases = sum(len(rule.cases) for rule in table.rules)
    if as_json:
        rows = [{"file": one.file, "line": one.line, "message": one.message} for one in failures]
        print_json({**_facts(table), "cases": cases, "failures": rows})
    else:
        for failure in failures:
            note(str(failure))
        note(f"{cases} cases of {len(table)} rules, {len(failures)} failures")
    if failures:
        raise typer.Exit(1)


def _load(folder: Path | None, list_names: list[str] | None, as_json: bool) -> tuple[RuleTable, Schema]:
    try:
        from floorwalker.detectors.rules import LIST_NAMES, STARTER, Lists, RuleError, RuleTable, default_schema
    except ImportError as error:
        raise MissingExtraError(error.name or "sqlglot", "serve") from error
    schema = default_schema()
    lists = Lists(names=(*LIST_NAMES, *(list_names or ())))
    try:
        return RuleTable.load(folder or STARTER, schema=schema, lists=lists), schema
    except RuleError as error:
        if not as_json:
            raise
        faults = [
            {"file": one.file, "line": one.line, "column": one.column, "message": one.message} for one in error.faults
        ]
        print_json({"faults": faults})
        raise typer.Exit(error.exit_code) from error


def _facts(table: RuleTable) -> dict[str, object]:
    return {
        "version": table.version,
        "rules": len(table),
        "shadow": sum(rule.mode == "shadow" for rule in table.rules),
        "comparisons": table.comparisons,
    }
