"""What commands share: JSON on standard output, everything for people on standard error or the terminal."""

from __future__ import annotations

import json
import math
import sys
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


def print_json(document: dict[str, Any]) -> None:
    """One JSON document; not-a-number and infinities become null, as JSON knows neither."""
    json.dump(_finite(document), sys.stdout, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write("\n")


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def note(text: str) -> None:
    """A line for the person at the terminal."""
    print(text, file=sys.stderr)


def print_table(document: dict[str, Any]) -> None:
    """An evaluation's figures as a table for people: bar, baselines, split."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    table = Table(title=f"{document['task']} ({document['seconds']:.0f} s)", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("bar", justify="right")
    for key, value in _flat(document["metrics"]):
        bar = document["bars"].get(key, {})
        wanted = " ".join(f"{'≥' if side == 'min' else '≤'} {limit}" for side, limit in bar.items())
        table.add_row(escape(key), escape(_shown(value)), wanted)
    for key, value in _flat(document["baselines"]):
        table.add_row(f"[dim]baseline {escape(key)}[/dim]", escape(_shown(value)), "")
    console.print(table)
    console.print(escape(f"split: {document['split']}"), soft_wrap=True)
    for text in document["notes"]:
        console.print(escape(f"note: {text}"), soft_wrap=True)


def report_document(document: dict[str, Any], *, as_json: bool, check: bool) -> None:
    """Print a document and name the bars that it misses; with `check` a miss ends in exit code 1."""
    from floorwalker.evaluation.document import missed_bars

    if as_json:
        print_json(document)
    else:
        print_table(document)
    missed = missed_bars(document)
    for sentence in missed:
        note(f"missed: {sentence}")
    if check and missed:
        raise typer.Exit(1)


def _flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, dict) and not ("mean" in value and "sd" in value):
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", value))
    return rows


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['mean']:.3f} ± {value['sd']:.3f}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)
