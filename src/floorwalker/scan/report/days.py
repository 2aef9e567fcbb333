"""Detections per day, activity (promotion) days marked beside ordinary ones."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from floorwalker.scan.phrases import MONTHS, say_count, say_number, say_share
from floorwalker.scan.report.markup import escape, table
from floorwalker.scan.result import CATEGORIES, ScanResult

WIDTH, LEFT, RIGHT = 760, 8, 752
FLAGGED_TOP, FLAGGED_BASE = 46, 136
CROWD_TOP, CROWD_BASE = 166, 206
HEIGHT = 230
WIDEST_BAR = 56


def short_day(day: date) -> str:
    """A day as an axis shows it.

    >>> short_day(date(2021, 11, 1))
    '1 Nov'
    """
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def compare_days(days: pl.DataFrame) -> str:
    """A sentence on detections on activity days against ordinary ones; empty where there is nothing to compare."""
    judged = days.filter(pl.col("judged"))
    active, plain = judged.filter(pl.col("activity")), judged.filter(~pl.col("activity"))
    if not judged.height:
        return "No day was judged."
    if not active.height:
        return (
            f"No promotion day stood out by its traffic to offers among the {say_count(judged.height, 'judged day')}."
            if judged.height > 1
            else "One day was judged, and nothing marks it as a promotion day."
        )
    named = ", ".join(short_day(day) for day in active["day"].to_list()[:6])
    told = f"Promotion {'day' if active.height == 1 else 'days'} by traffic to offers: {named}. "
    if not plain.height:
        return told + "No ordinary day was judged beside it."
    on_active, on_plain = _mean(active["flagged"]), _mean(plain["flagged"])
    ratio = f", {say_number(round(on_active / on_plain, 1))} times as many" if on_plain else ""
    shares = (
        say_share(int(active["flagged"].sum()), int(active["visitors"].sum())),
        say_share(int(plain["flagged"].sum()), int(plain["visitors"].sum())),
    )
    return told + (
        f"On average {say_number(round(on_active, 1))} flagged a promotion day ({shares[0]} of its visitors) against "
        f"{say_number(round(on_plain, 1))} an ordinary day ({shares[1]}){ratio}."
    )


def _mean(column: pl.Series) -> float:
    return float(np.mean(column.to_numpy()))


def days_chart(days: pl.DataFrame) -> str:
    """Two rows of bars over the days: flagged visitors above, all visitors below."""
    if not days.height:
        return ""
    rows = days.sort("day").to_dicts()
    slot = (RIGHT - LEFT) / len(rows)
    bar = min(slot * 0.7, WIDEST_BAR)
    most_flagged = max(1, *(row["flagged"] for row in rows))
    most_visitors = max(1, *(row["visitors"] for row in rows))
    labels_every = max(1, int(np.ceil(52 / slot)))
    parts = [
        f'<text class="chart-title" x="{LEFT}" y="12">flagged visitors</text>',
        f'<text class="chart-title" x="{LEFT}" y="{CROWD_TOP - 10}">visitors</text>',
    ]
    for place, row in enumerate(rows):
        middle = LEFT + (place + 0.5) * slot
        parts.append(_bars(row, middle, bar, slot, most_flagged, most_visitors, numbers=slot > 30))
        if place % labels_every == 0:
            text = escape(short_day(row["day"]))
            parts.append(f'<text class="tick" x="{middle:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{text}</text>')
    axes = f'<path class="axis" d="M{LEFT} {FLAGGED_BASE}H{RIGHT}M{LEFT} {CROWD_BASE}H{RIGHT}"/>'
    hatch = (
        '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<path class="hatch" d="M0 0V6"/></pattern></defs>'
    )
    legend = (
        '<ul class="legend"><li><i class="swatch promo"></i>promotion day</li>'
        '<li><i class="swatch plain"></i>ordinary day</li>'
        '<li><i class="swatch quiet"></i>learned from, not judged</li></ul>'
    )
    return (
        f'{legend}<div class="frame"><svg class="days" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="flagged visitors and visitors per day">{hatch}{"".join(parts)}{axes}</svg></div>'
    )


def _bars(
    row: dict[str, Any], middle: float, bar: float, slot: float, most_flagged: int, most_visitors: int, *, numbers: bool
) -> str:
    kind = "promo" if row["activity"] else "plain"
    tall = row["flagged"] / most_flagged * (FLAGGED_BASE - FLAGGED_TOP)
    crowd = row["visitors"] / most_visitors * (CROWD_BASE - CROWD_TOP)
    left = middle - bar / 2
    told = (
        f"{row['day']}: {say_count(row['flagged'])} flagged of {say_count(row['visitors'], 'visitor')} "
        f"({say_share(row['flagged'], row['visitors'])})"
        if row["judged"]
        else f"{row['day']}: {say_count(row['visitors'], 'visitor')}, not judged"
    )
    parts = [f"<g><title>{escape(told + (', promotion day' if row['activity'] else ''))}</title>"]
    if row["activity"]:
        parts.append(
            f'<rect class="band" x="{middle - slot / 2:.1f}" y="20" width="{slot:.1f}" height="{CROWD_BASE - 20}"/>'
        )
        if numbers:
            parts.append(f'<text class="promo-text" x="{middle:.1f}" y="30" text-anchor="middle">★ promotion</text>')
    if row["judged"]:
        top = FLAGGED_BASE - tall
        parts.append(f'<rect class="bar {kind}" x="{left:.1f}" y="{top:.1f}" width="{bar:.1f}" height="{tall:.1f}"/>')
        if row["activity"]:
            parts.append(
                f'<rect fill="url(#hatch)" x="{left:.1f}" y="{top:.1f}" width="{bar:.1f}" height="{tall:.1f}"/>'
            )
        if numbers:
            text = f'<text class="count" x="{middle:.1f}" y="{top - 4:.1f}" '
            parts.append(text + f'text-anchor="middle">{say_count(row["flagged"])}</text>')
    faint = kind if row["judged"] else "quiet"
    parts.append(
        f'<rect class="crowd {faint}" x="{left:.1f}" y="{CROWD_BASE - crowd:.1f}" width="{bar:.1f}" '
        f'height="{crowd:.1f}"/>'
        f'<rect class="hit" x="{middle - slot / 2:.1f}" y="16" width="{slot:.1f}" height="{CROWD_BASE - 16}"/></g>'
    )
    return "".join(parts)


def days_table(result: ScanResult) -> str:
    """The same numbers as a table, with the categories of each day's visitors."""
    heads = [("day", ""), ("requests", "num"), ("visitors", "num"), ("flagged", "num"), ("share", "num")]
    heads += [(name, "num") for name in CATEGORIES] + [("note", "")]
    rows = []
    for row in result.days.sort("day").iter_rows(named=True):
        judged = row["judged"]
        notes = [
            *(["promotion"] if row["activity"] else []),
            *(["learned from"] if row["in_training"] else []),
            *([] if judged else ["not judged"]),
        ]
        rows.append(
            [
                f"{row['day']}",
                say_count(row["requests"]),
                say_count(row["visitors"]),
                say_count(row["flagged"]) if judged else "–",
                say_share(row["flagged"], row["visitors"]) if judged else "–",
                *(say_count(row[f"{name}_visitors"]) if judged else "–" for name in CATEGORIES),
                ", ".join(notes),
            ]
        )
    return table(heads, rows, caption="numbers of each day")
