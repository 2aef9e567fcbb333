"""``floorwalker doctor``: what a shop's data holds, lacks, and therefore can and cannot detect."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from floorwalker.cli._output import Json, print_json

if TYPE_CHECKING:
    from rich.console import Console

_LEVELS = {"yes": "[green]yes[/green]", "partly": "[yellow]partly[/yellow]", "no": "[red]no[/red]"}


def doctor(
    events: Annotated[list[str], typer.Argument(help="Files or globs: JSON lines, CSV, Parquet, packed or not.")],
    mapping: Annotated[
        str | None,
        typer.Option(help="TOML or YAML file that says which column is which field, or the name of a ready mapping."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what data holds, lacks, and therefore can and cannot detect."""
    from floorwalker.sources.doctor import examine
    from floorwalker.sources.feeds.files import FilesFeed
    from floorwalker.sources.mapping import load_mapping

    now = time.time_ns() // 1000
    chosen = load_mapping(mapping) if mapping else None
    paths: list[str | Path] = list(events)
    feed = FilesFeed(paths, clock=lambda: now, mapping=chosen, batch=16_384, keep_received=True)
    try:
        report = _examine_with_progress(examine, feed, now)
    finally:
        feed.close()
    if as_json:
        print_json(report)
    else:
        from rich.console import Console

        print_report(report, Console())


def _examine_with_progress(examine: Any, feed: Any, now: int) -> dict[str, Any]:
    if not sys.stderr.isatty():
        return dict(examine(feed, now=now))
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} records"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        return dict(examine(feed, now=now, progress=lambda count: bar.update(task, completed=count)))


def print_report(report: dict[str, Any], console: Console) -> None:
    """The report for a person: what to look at first, then what can be detected, then the fields."""
    from rich.markup import escape

    times = report["time"]
    span = f", {times['first']} to {times['last']}, {times['days_spanned']:,} days" if times else ""
    console.print(f"[bold]{report['events']:,} events[/bold] from {report['records']:,} records{span}", soft_wrap=True)
    left_out = [f"{report['refused']['count']:,} refused", f"{report['skipped']:,} left out by the mapping"]
    console.print(", ".join(left_out), soft_wrap=True)
    if report["warnings"]:
        console.print("\n[bold]Look at this first[/bold]")
        for text in report["warnings"]:
            console.print(f"  • {escape(text)}", soft_wrap=True)
    _print_verdicts(console, "Kinds of abuse that this data can show", report["abuse_types"])
    _print_verdicts(console, "Detectors that can work on it", report["detectors"])
    if (rules := report["starter_rules"]) is not None:
        console.print(f"\n{rules['can_fire']} of the {rules['count']} starter rules can fire", soft_wrap=True)
    _print_types(console, report)
    _print_fields(console, report)
    _print_hubs(console, report)
    if report["never_filled"]:
        console.print(f"\nnever filled: {', '.join(report['never_filled'])}", soft_wrap=True)


def _print_verdicts(console: Console, title: str, verdicts: list[dict[str, Any]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for name in ("", "possible", "what is missing, or thin"):
        table.add_column(name)
    for one in verdicts:
        missing = one["missing"]
        more = f"\n… and {len(missing) - 3} more" if len(missing) > 3 else ""
        table.add_row(one["name"], _LEVELS[one["level"]], escape("\n".join(missing[:3]) + more))
    console.print()
    console.print(table)


def _print_types(console: Console, report: dict[str, Any]) -> None:
    from rich.markup import escape

    total = max(report["events"], 1)
    shown = [f"{name} {count:,} ({count / total:.0%})" for name, count in _by_count(report["types"])]
    console.print(f"\n[bold]Types:[/bold] {', '.join(shown)}", soft_wrap=True)
    mix = [_mixed(one) for one in report["currencies"][:8]]
    if mix:
        console.print(f"[bold]Amounts (minor units):[/bold] {escape('; '.join(mix))}", soft_wrap=True)
    duplicates = report["duplicates"]
    console.print(
        f"[bold]Duplicates:[/bold] same id {duplicates['same_id_share']:.2%}, "
        f"same content {duplicates['same_content_share']:.2%}"
    )


def _mixed(one: dict[str, Any]) -> str:
    median = f", median {one['median_minor']:,}" if "median_minor" in one else ""
    return f"{one['currency'] or 'none'} {one['share']:.1%}{median}"


def _by_count(types: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(types.items(), key=lambda item: -item[1])


def _print_fields(console: Console, report: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="Fields", title_justify="left")
    table.add_column("field")
    for name in ("missing", "placeholder", "abnormal", "distinct"):
        table.add_column(name, justify="right")
    table.add_column("most frequent")
    for one in report["fields"]:
        top = one.get("most_frequent")
        abnormal = one.get("abnormal_share")
        distinct = one.get("distinct")
        table.add_row(
            one["field"],
            f"{one['missing_share']:.1%}",
            f"{one['placeholder_share']:.1%}" if one["placeholder_share"] else "",
            f"{abnormal:.2%}" if abnormal else "",
            "" if distinct is None else f"{'' if one['distinct_is_exact'] else '~'}{distinct:,}",
            escape(f"{top['value'][:40]} ({top['share']:.1%})") if top else "",
        )
    console.print()
    console.print(table)


def _print_hubs(console: Console, report: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    rows = [(one["entity"], hub) for one in report["hubs"] for hub in one["hubs"]]
    if not rows:
        return
    table = Table(title="Hubs: values that many accounts share", title_justify="left")
    table.add_column("entity")
    table.add_column("value")
    table.add_column("accounts", justify="right")
    table.add_column("of all accounts", justify="right")
    for entity, hub in rows:
        table.add_row(entity, escape(hub["value"] or "?"), f"{hub['accounts']:,}", f"{hub['account_share']:.1%}")
    console.print()
    console.print(table)
