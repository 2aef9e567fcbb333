"""``floorwalker backtest``: rules over history, before they decide anything."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from floorwalker.cli._output import Json, print_json
from floorwalker.cli.serve import FOLDER, Folder, need_serving

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


def backtest(
    rules: Annotated[Path, typer.Argument(metavar="RULES", help="Folder of *.yaml rules, or one rule's file.")],
    folder: Folder = FOLDER,
    since: Annotated[
        datetime | None, typer.Option(formats=FORMATS, help="First day that counts, UTC; everything without it.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=FORMATS, help="First day that does not count any more, UTC.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what rules would have hit in the journalled history, and how often they would have been right.

    Features are those of each event's own time. Works beside a running server, whose decisions it does not touch.
    """
    need_serving()
    from floorwalker.server.backtesting import backtest as run
    from floorwalker.server.installation import Installation

    now = time.time_ns() // 1000
    started = time.perf_counter()
    found = run(
        Installation(folder),
        rules,
        since=_micros(since) if since else 0,
        until=_micros(until) if until else 1 << 62,
        now=now,
    )
    document: dict[str, Any] = {**found, "seconds": round(time.perf_counter() - started, 3)}
    if as_json:
        print_json(document)
    else:
        _print(document)


def _micros(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp()) * 1_000_000


def _print(document: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    title = f"{document['events']:,} events, {document['labels']:,} labels, {document['seconds']:.1f} s"
    table = Table(title=title, title_justify="left")
    table.add_column("rule", overflow="fold", min_width=30)
    for name in ("hits", "who", "value", "precision", "alone"):
        table.add_column(name, justify="right", no_wrap=True)
    firing = {name: found for name, found in document["rules"].items() if found["hits"]}
    for name, found in firing.items():
        precision = "no label"
        if found["labelled"]:
            low, high = found["precision_interval"]
            precision = f"{found['precision']:.0%} of {found['labelled']:,} ({low:.0%} to {high:.0%})"
        table.add_row(
            escape(name), f"{found['hits']:,}", f"{found['subjects']:,}", f"{found['value_minor'] / 100:,.0f}",
            precision, f"{found['alone']:,}",
        )  # fmt: skip
    console.print(table)
    silent = len(document["rules"]) - len(firing)
    if silent:
        console.print(f"{silent} of {len(document['rules'])} rules never fired")
    if document["decisions"]:
        changes = ", ".join(
            f"{count:,} from {change.replace(' -> ', ' to ')}" for change, count in document["changes"].items()
        )
        console.print(f"of {document['decisions']:,} decisions it would change {changes or 'none'}", soft_wrap=True)
