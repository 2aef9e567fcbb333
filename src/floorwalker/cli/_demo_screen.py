"""What the live demonstration shows: decisions as they arrive, and the truth beside them at the end."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from floorwalker.cli._demo_shop import Traced

MOST_OF_A_CAMPAIGN = 3
"""Decisions about one campaign that are shown; the others are counted."""
_COLOURS = {"observe": "dim", "throttle": "yellow", "challenge": "yellow"}


class LiveScreen:
    """Shows each campaign's first decisions and each new reason, in two lines each.

    Parameters
    ----------
    console : where to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: Counter[int] = Counter()
        self._codes: set[tuple[int, str]] = set()
        self._kept_back = 0
        self._observed = 0
        self._hour = -1

    def show(self, one: Traced, decision: dict[str, Any]) -> None:
        """A decision other than `allow` arrived."""
        cause = decision["reasons"][0]
        key = (one.campaign, cause["code"])
        if decision["intended"] == "observe":
            self._observed += 1
            return
        if key in self._codes or self._shown[one.campaign] >= MOST_OF_A_CAMPAIGN:
            self._kept_back += 1
            return
        self._codes.add(key)
        self._shown[one.campaign] += one.campaign >= 0
        clock = time.strftime("%a %H:%M:%S", time.gmtime(one.event.at / 1e6))
        action = decision["intended"].replace("_", " ")
        colour = _COLOURS.get(decision["intended"], "red")
        honest = one.campaign < 0
        truth = f"[green]honest, {one.segment}[/green]" if honest else f"[red]{one.adversary}, {one.skill}[/red]"
        self._console.print(
            f"  [dim]{clock}[/dim]  {one.event.type:<16} [bold {colour}]{action:<17}[/bold {colour}] "
            f"risk {decision['risk']:>3}   truth: {truth}",
            highlight=False,
        )
        reason = f"{escape(cause['text'])} [dim]({cause['code']})[/dim]"
        self._console.print(Padding(reason, (0, 0, 0, 16)), highlight=False)

    def tick(self, one: Traced, questions: int) -> None:
        """Another question was answered: a line every six hours of the shop's time."""
        hour = one.event.at // 3_600_000_000 // 6
        if hour != self._hour:
            self._hour = hour
            clock = time.strftime("%a %H:%M", time.gmtime(one.event.at / 1e6))
            self._console.print(f"[dim]── {clock} ── {questions:,} questions asked[/dim]", highlight=False)

    def finish(self, summary: dict[str, Any]) -> None:
        """The end: what was asked, and the truth beside it."""
        more = f"{self._kept_back:,} more decisions like these, and {self._observed:,} times `observe`"
        self._console.print(f"  [dim]… {more}[/dim]", highlight=False)
        print_summary(summary, self._console)


class NoScreen:
    """Shows nothing."""

    def show(self, one: Traced, decision: dict[str, Any]) -> None:
        """A decision arrived."""

    def tick(self, one: Traced, questions: int) -> None:
        """Another question was answered."""


def print_summary(summary: dict[str, Any], console: Console) -> None:
    """What the demonstration showed, beside the truth."""
    table = Table(title="The truth beside the decisions", title_justify="left", box=SIMPLE_HEAD)
    for name in ("adversary", "skill"):
        table.add_column(name, no_wrap=True)
    for name in ("asked", "recognised", "accounts met", "noticed at"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in summary["campaigns"]:
        noticed = f"question {one['noticed_at']:,}" if one["noticed_at"] else "never"
        table.add_row(
            one["adversary"], one["skill"], f"{one['asked']:,}", f"{one['recognised']:,}",
            f"{one['actors_met']:,} of {one['actors']:,}", noticed,
        )  # fmt: skip
    honest = summary["honest"]
    table.add_section()
    table.add_row(
        "[green]honest people[/green]", "", f"{honest['asked']:,}", f"{honest['met']:,}",
        f"{honest['touched']:,} of {honest['people']:,}", "",
    )  # fmt: skip
    console.print()
    console.print(table)
    if honest["kinds"]:
        who = ", ".join(f"{count} {kind}" for kind, count in honest["kinds"].items())
        console.print(f"Honest people who would have been slowed down, challenged or worse: {who}.", highlight=False)
    console.print(
        f"{summary['questions']:,} questions in the request path, half of them answered within "
        f"{summary['median_ms']} ms, 99 of 100 within {summary['p99_ms']} ms; "
        f"{summary['told_per_second']:,} past events told in a second.",
        highlight=False,
    )
    console.print(
        "Recognised means slowed down, challenged or worse. A new installation answers `allow` until `--mode enforce`: "
        "what is shown is what it recorded that it would have done.",
        highlight=False,
    )
