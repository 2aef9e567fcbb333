"""A scan's findings in the terminal: warnings first, the flagged visitors, and where the report lies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import polars as pl
from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from floorwalker.scan.phrases import printable, say_bytes, say_count, say_moment, say_share
from floorwalker.scan.result import TIERS, ScanResult
from floorwalker.scan.summary import headline, summarise

DEFAULT_TOP = 20
WIDE = 110
"""Columns from which a user agent is shown beside its address."""

NARROW = 72
"""Columns below which the category gives way to the reason."""

_MARKS: Mapping[str, tuple[str, str]] = {
    "proven": ("●", "bold red"),
    "strong pattern": ("◐", "yellow"),
    "only unusual": ("○", "cyan"),
}
_PLAIN = str.maketrans({"●": "*", "◐": "+", "○": "o", "–": "-", "…": "~", "→": ">", "·": "-", "▲": "!"})
_AGENT_LIMIT = 60
_CLEANED_SHOWN = 8
_SWARMS_SHOWN = 5


class _Writer:
    """Texts that are never markup and always fit the terminal's encoding."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding

    def can_show(self, text: str) -> bool:
        try:
            text.encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    def plain(self, text: str, limit: int | None = None) -> str:
        clean = printable(text, limit)
        if not self.can_show(clean):
            clean = clean.translate(_PLAIN).encode("ascii", "backslashreplace").decode()
        return clean

    def text(self, text: str, style: str = "", limit: int | None = None) -> Text:
        return Text(self.plain(text, limit), style=style)


def render_table(
    result: ScanResult,
    *,
    top: int = DEFAULT_TOP,
    width: int = 80,
    encoding: str = "utf-8",
) -> RenderableType:
    """The findings as a Rich renderable.

    Texts from the log are shown with control characters written out and are never read as Rich markup: they are the
    attacker's.

    Parameters
    ----------
    result : what a scan found, already masked where it shall be.
    top : flagged visitors shown, strongest first.
    width : columns of the terminal; from 110 the user agents are shown, below 72 the categories are not.
    encoding : of the terminal; what it cannot show is written as ASCII.
    """
    write = _Writer(encoding)
    summary = summarise(result)
    parts: list[RenderableType] = [write.text(f"▲ {warning}", "bold yellow") for warning in result.warnings]
    if parts:
        parts.append(Text())
    parts += [write.text(headline(result, summary), "bold"), write.text(_source_line(result), "dim")]
    flagged = result.flagged.head(top) if top > 0 else result.flagged.head(0)
    if flagged.height:
        parts.append(_flagged_table(flagged, write, width))
        rest = int(result.visitors["flagged"].sum()) - flagged.height
        if rest > 0:
            parts.append(write.text(f"… and {say_count(rest)} more, weaker ones", "dim"))
    parts += _swarm_lines(result, write)
    parts += _machine_lines(result, write)
    parts += _cleaned_lines(result, write)
    if not result.blocklist_allowed and result.blocklist_refusal:
        parts.append(write.text(f"No blocklist: {result.blocklist_refusal}", "yellow"))
    return Group(*parts)


def print_table(result: ScanResult, console: Console, *, top: int = DEFAULT_TOP, report: Path | None = None) -> None:
    """Print the findings; without a terminal there are neither colours nor control codes."""
    encoding = console.encoding or "utf-8"
    console.print(
        render_table(result, top=top, width=console.width, encoding=encoding),
        markup=False,
        highlight=False,
        emoji=False,
    )
    if report is not None:
        # Soft wrap keeps the path in one piece, so that it can be clicked or copied.
        line = Text("\nReport: ", "bold").append(_Writer(encoding).plain(str(report)), "default")
        console.print(line, soft_wrap=True)


def _source_line(result: ScanResult) -> str:
    source = result.source
    learned = (
        f"learned from {say_count(len(result.training_days), 'day')}" if result.training_days else "from a saved state"
    )
    cut = (
        f"cut-off {result.threshold:.3f} for a false-alarm budget of {say_share(result.budget, 1.0)}"
        if math.isfinite(result.threshold)
        else "too few visitors to call any unusual"
    )
    return (
        f"{', '.join(source.files[:3])}{' …' if len(source.files) > 3 else ''}: {source.format}, "
        f"{say_count(source.lines, 'line')}, {say_bytes(source.size_bytes)}, {say_moment(source.first_at)} to "
        f"{say_moment(source.last_at)}; {result.detector}, {cut}, {learned}"
    )


def _visitor_name(row: Mapping[str, object]) -> str:
    names = [str(row[part]) for part in ("client", "session") if row.get(part)]
    return " ".join(names) or f"visitor {row['visitor']}"


def _flagged_table(flagged: pl.DataFrame, write: _Writer, width: int) -> Table:
    wide, narrow = width >= WIDE, width < NARROW
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False, show_edge=False, padding=(0, 1), safe_box=True)
    cut: Literal["ellipsis", "crop"] = "ellipsis" if write.can_show("…") else "crop"
    days = flagged["day"].n_unique() > 1
    table.add_column("Evidence", no_wrap=True)
    # An address is worth two lines rather than an ellipsis.
    table.add_column("Visitor", max_width=40 if wide else 20, overflow="fold")
    if wide:
        table.add_column("User agent", no_wrap=True, max_width=36, overflow=cut)
    if not narrow:
        table.add_column("Kind", no_wrap=True)
    if days:
        table.add_column("Day", no_wrap=True)
    table.add_column("Score", justify="right", no_wrap=True)
    table.add_column("Why", ratio=1, min_width=10)
    for row in flagged.iter_rows(named=True):
        mark, style = _MARKS.get(row["tier"] or "", ("○", ""))
        tier = "unusual" if row["tier"] == TIERS[2] else (row["tier"] or "").split(" ")[0]
        reasons = row["reasons"] or []
        cells = [
            write.text(f"{mark} {tier}", style),
            write.text(_visitor_name(row), limit=60),
            *([write.text(row["user_agent"] or "–", "dim", _AGENT_LIMIT)] if wide else []),
            *([] if narrow else [write.text(row["category"] or "–")]),
            *([write.text(str(row["day"]))] if days else []),
            Text(f"{row['score']:.2f}"),
            write.text(reasons[0] if reasons else "–", limit=240),
        ]
        table.add_row(*cells)
    return table


def _swarm_lines(result: ScanResult, write: _Writer) -> list[RenderableType]:
    swarms = result.swarms.filter(pl.col("flagged")).sort("score", descending=True)
    if not swarms.height:
        return []
    lines: list[RenderableType] = [Text(), write.text(f"Swarms ({say_count(swarms.height)})", "bold")]
    for row in swarms.head(_SWARMS_SHOWN).iter_rows(named=True):
        why = (row["reasons"] or [""])[0]
        facts = (
            f"{say_count(row['clients'], 'address', 'addresses')} of {say_count(row['networks'], 'network')}, "
            f"{say_count(row['requests'], 'request')}, {row['routes']}"
        )
        agent = printable(row["user_agent"] or "no user agent", _AGENT_LIMIT)
        lines.append(Padding(write.text(f"{agent}: {why or facts}", limit=320), (0, 0, 0, 2), expand=False))
    if swarms.height > _SWARMS_SHOWN:
        lines.append(write.text(f"  … and {say_count(swarms.height - _SWARMS_SHOWN)} more", "dim"))
    return lines


def _machine_lines(result: ScanResult, write: _Writer) -> list[RenderableType]:
    machines = result.machines
    if not machines.height:
        return []
    kinds = (
        machines.filter(~pl.col("impostor"))
        .group_by("kind")
        .agg(pl.len().alias("visitors"), pl.col("requests").sum())
        .sort(["requests", "kind"], descending=[True, False])
    )
    lines: list[RenderableType] = [Text(), Text("Machines set apart", "bold")]
    told = ", ".join(
        f"{kind} {say_count(visitors)} ({say_count(requests, 'request')})"
        for kind, visitors, requests in kinds.iter_rows()
    )
    if told:
        lines.append(Padding(write.text(told), (0, 0, 0, 2), expand=False))
    impostors = machines.filter(pl.col("impostor"))
    if impostors.height:
        claimed = impostors["name"].drop_nulls().value_counts(sort=True)["name"].head(5).to_list()
        shown = ", ".join(printable(name, 40) for name in claimed)
        visitors = say_count(impostors.height, "visitor")
        verb = "claims to be one and is" if impostors.height == 1 else "claim to be one and are"
        lines.append(Padding(write.text(f"{visitors} {verb} not: {shown}", "red"), (0, 0, 0, 2), expand=False))
    return lines


def _cleaned_lines(result: ScanResult, write: _Writer) -> list[RenderableType]:
    cleaned = [part for part in result.cleaned if part.count]
    if not cleaned:
        return []
    lines: list[RenderableType] = [Text(), Text("Set aside", "bold")]
    for part in cleaned[:_CLEANED_SHOWN]:
        unit = part.unit.removesuffix("s") if part.count == 1 else part.unit
        line = write.text(f"{say_count(part.count)} {unit}: {part.reason}", limit=120)
        if part.sample:
            line.append("  " + write.plain(part.sample[0], 70), "dim")
        lines.append(Padding(line, (0, 0, 0, 2), expand=False))
    return lines
