"""The parts of the page that are plain HTML: findings in short, swarms, routes, machines, cleaning, making."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from floorwalker.scan.phrases import say_bytes, say_count, say_days, say_duration, say_moment, say_share, say_value
from floorwalker.scan.report.density import feature_label, feature_meaning
from floorwalker.scan.report.markup import escape, table
from floorwalker.scan.result import CATEGORIES, TIERS, ScanResult
from floorwalker.scan.summary import CATEGORY_NOTES, TIER_NOTES, Summary

ROUTES_SHOWN = 30
MACHINES_SHOWN = 300
SWARMS_SHOWN = 200
SWARMS_OPEN = 8
TIER_MARKS = ("●", "◐", "○")


def warnings_box(result: ScanResult) -> str:
    """What may make the rest wrong, before the rest."""
    warnings = list(result.warnings)
    if not result.blocklist_allowed and result.blocklist_refusal and result.blocklist_refusal not in warnings:
        warnings.append(f"No blocklist was made: {result.blocklist_refusal}")
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(text, 1000)}</li>" for text in warnings)
    return f'<div class="warnings" role="note" aria-label="warnings"><h2>Read this first</h2><ul>{items}</ul></div>'


def tier_tiles(summary: Summary) -> str:
    """Flagged visitors by how good the evidence is, as buttons that filter the table."""
    tiles = []
    for place, tier in enumerate(TIERS):
        tiles.append(
            f'<button type="button" class="tile t-{place}" data-filter="tier" data-value="{place}">'
            f'<span class="big"><span class="mark" aria-hidden="true">{TIER_MARKS[place]}</span>'
            f"{say_count(summary.tiers[tier])}</span><b>{tier}</b><small>{escape(TIER_NOTES[tier])}</small></button>"
        )
    return f'<div class="tiles">{"".join(tiles)}</div>'


def totals(result: ScanResult, summary: Summary) -> str:
    """Numbers of the whole scan, small."""
    source = result.source
    buyers = result.flagged.filter(pl.col("checkouts") > 0)["visitor"].n_unique()
    facts = [
        (
            "requests",
            say_count(source.requests),
            f"{say_bytes(source.size_bytes)} in {say_count(source.lines, 'line')}",
        ),
        ("visitors judged", say_count(summary.visitors), f"{say_count(len(result.judged_days), 'day')}"),
        ("flagged", say_count(summary.flagged), f"{say_share(summary.flagged, summary.visitors)} of the visitors"),
        ("flagged that bought", say_count(buyers), "completed a checkout: look twice"),
        (
            "swarms",
            say_count(summary.swarms),
            f"{say_count(summary.swarm_clients, 'address', 'addresses')} with few visits",
        ),
        (
            "machines set apart",
            say_count(summary.machines),
            f"{say_count(summary.impostors, 'impostor')} among the suspects",
        ),
    ]
    cards = "".join(f"<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>" for name, value, note in facts)
    return f'<dl class="totals">{cards}</dl>'


def breakdown(summary: Summary) -> str:
    """What the flagged visitors do: reason codes and categories, as bars that filter the table."""
    if not summary.flagged:
        return ""
    most = max(summary.patterns.values(), default=1)
    patterns = "".join(
        _bar_button("pattern", code, code.partition(".")[2].replace("_", " ") or code, number, most, title=code)
        for code, number in list(summary.patterns.items())[:12]
    )
    most = max(summary.categories.values(), default=1)
    kinds = "".join(
        _bar_button(
            "category", str(place), name, summary.categories[name], most, title=CATEGORY_NOTES[name], style=f"c-{name}"
        )
        for place, name in enumerate(CATEGORIES)
        if summary.categories[name]
    )
    first = f"<div><h3>By strongest reason</h3>{patterns}</div>" if patterns else ""
    return f'<div class="columns">{first}<div><h3>By kind of visitor</h3>{kinds}</div></div>'


def _bar_button(field: str, value: str, label: str, number: int, most: int, *, title: str, style: str = "") -> str:
    width = max(1, round(100 * number / most))
    return (
        f'<button type="button" class="bar-row {style}" data-filter="{field}" data-value="{escape(value)}" '
        f'title="{escape(title)}">'
        f'<span>{escape(label, 60)}</span><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="fill" width="{width}" height="10"/></svg><b>{say_count(number)}</b></button>'
    )


def swarms_part(result: ScanResult) -> str:
    """Cohorts of sparse visitors that act as one; flagged ones first."""
    swarms = result.swarms.sort(["flagged", "score", "clients"], descending=True)
    if not swarms.height:
        return '<p class="empty">No cohort of visitors with few visits acted as one.</p>'
    rows = [_swarm_row(row) for row in swarms.head(SWARMS_SHOWN).iter_rows(named=True)]
    heads = [("verdict", ""), ("size", "size"), ("when", "when"), ("what they share", "wide"), ("why", "wide")]
    first = table(heads, rows[:SWARMS_OPEN], caption="swarms")
    if len(rows) <= SWARMS_OPEN:
        return first
    rest = table(heads, rows[SWARMS_OPEN:], caption="further swarms")
    unseen = swarms.height - len(rows)
    cut = f'<p class="note">{say_count(unseen)} weaker ones are not shown.</p>' if unseen else ""
    return f"{first}<details><summary>{say_count(len(rows) - SWARMS_OPEN)} more</summary>{rest}{cut}</details>"


def _swarm_row(row: dict[str, Any]) -> list[str]:
    first, last = row["first_at"], row["last_at"]
    until = say_moment(last)
    if first is not None and last is not None and first.date() == last.date():
        until = last.strftime("%H:%M:%S")
    agent = escape(row["user_agent"] or "no user agent", 160)
    facts = f"of {say_count(row['networks'], 'network')}, {say_count(row['requests'], 'request')}"
    return [
        f'<b class="flag">swarm</b><br><small>score {row["score"]:.2f}</small>'
        if row["flagged"]
        else f'<span class="quiet">not flagged</span><br><small>score {row["score"]:.2f}</small>',
        f"<b>{say_count(row['clients'], 'address', 'addresses')}</b><br><small>{facts}</small>",
        f"{first.strftime('%Y-%m-%d %H:%M:%S') if first else '–'}<br><small>to {until}</small>",
        f"<code>{escape(row['routes'] or '–', 240)}</code><br><small>{agent}</small>",
        escape("; ".join(row["reasons"] or []) or "–", 900),
    ]


def routes_part(result: ScanResult) -> str:
    """The busiest routes with what they are for."""
    routes = result.routes.sort(["requests", "route"], descending=[True, False])
    if not routes.height:
        return '<p class="empty">No route was seen.</p>'
    most = max(1, int(routes["requests"][0]))
    total = max(1, int(routes["requests"].sum()))
    heads = [("route", "wide"), ("role", ""), ("requests", "num"), ("share", "num"), ("", "spark"), ("visitors", "num")]
    heads += [("URLs in one", "num"), ("example", "wide")]
    rows = [
        [
            f"<code>{escape(row['route'], 160)}</code>",
            f'<span class="role">{escape(row["role"] or "other", 40)}</span>',
            say_count(row["requests"]),
            say_share(row["requests"], total),
            f'<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="fill" '
            f'width="{max(0.5, 100 * row["requests"] / most):.1f}" height="8"/></svg>',
            say_count(row["visitors"]),
            say_count(row["urls"]),
            f"<code>{escape(row['example'] or '', 160)}</code>",
        ]
        for row in routes.head(ROUTES_SHOWN).iter_rows(named=True)
    ]
    rest = routes.height - ROUTES_SHOWN
    note = f'<p class="note">{say_count(rest)} routes with fewer requests are not shown.</p>' if rest > 0 else ""
    return table(heads, rows, caption="busiest routes") + note


def machines_part(result: ScanResult) -> str:
    """Machines that are no suspects, by kind; impostors first, because those are."""
    machines = result.machines
    if not machines.height:
        return '<p class="empty">No machine was recognised.</p>'
    impostors = machines.filter(pl.col("impostor")).sort("requests", descending=True)
    honest = machines.filter(~pl.col("impostor")).sort("requests", descending=True)
    parts = []
    if impostors.height:
        parts.append(
            f"<h3>Impostors</h3><p>{say_count(impostors.height, 'visitor')} only "
            f"{'claims' if impostors.height == 1 else 'claim'} to be such a machine; they are among the "
            "suspects above.</p>" + _machine_rows(impostors, "impostors")
        )
    kinds = (
        honest.group_by("kind")
        .agg(
            pl.len().alias("visitors"),
            pl.col("requests").sum(),
            pl.col("name").drop_nulls().unique(maintain_order=True),
        )
        .sort(["requests", "kind"], descending=[True, False])
    )
    if kinds.height:
        summary = [
            [
                escape(row["kind"], 60),
                say_count(row["visitors"]),
                say_count(row["requests"]),
                ", ".join(escape(name, 40) for name in row["name"][:8]) + (" …" if len(row["name"]) > 8 else ""),
            ]
            for row in kinds.iter_rows(named=True)
        ]
        heads = [("kind", ""), ("visitors", "num"), ("requests", "num"), ("names", "wide")]
        parts.append("<h3>By kind</h3>" + table(heads, summary, caption="machines by kind"))
        shown = (
            f"the {MACHINES_SHOWN} busiest of {say_count(honest.height)}" if honest.height > MACHINES_SHOWN else "each"
        )
        parts.append(
            f"<details><summary>Show {shown} with the evidence</summary>{_machine_rows(honest, 'machines')}</details>"
        )
    return "".join(parts)


def _machine_rows(machines: pl.DataFrame, caption: str) -> str:
    heads = [("name", ""), ("kind", ""), ("address", ""), ("requests", "num"), ("verdict", ""), ("evidence", "wide")]
    heads += [("user agent", "wide")]
    judged = "verdict" in machines.columns
    rows = [
        [
            f"<b>{escape(row['name'] or '–', 60)}</b>",
            escape(row["kind"] or "–", 60),
            f"<code>{escape(row['client'] or '–', 80)}</code>",
            say_count(row["requests"]),
            '<b class="flag">impostor</b>'
            if row["impostor"]
            else escape((row["verdict"] if judged else "") or "set apart", 40),
            escape(row["evidence"] or "–", 300),
            f"<code>{escape(row['user_agent'] or 'none', 160)}</code>",
        ]
        for row in machines.head(MACHINES_SHOWN).iter_rows(named=True)
    ]
    return table(heads, rows, caption=caption)


def cleaned_part(result: ScanResult) -> str:
    """What was set aside before judging, by reason, with samples."""
    cleaned = [part for part in result.cleaned if part.count]
    if not cleaned:
        return '<p class="empty">Nothing was set aside.</p>'
    rows = []
    for part in cleaned:
        whole = result.source.lines if part.unit == "lines" else 0
        sample = "".join(f"<li><code>{escape(text, 240)}</code></li>" for text in part.sample)
        rows.append(
            [
                escape(part.reason, 120),
                f"{say_count(part.count)} {escape(part.unit.removesuffix('s') if part.count == 1 else part.unit)}",
                say_share(part.count, whole),
                f"<details><summary>{say_count(len(part.sample), 'example')}</summary><ul>{sample}</ul></details>"
                if sample
                else "–",
            ]
        )
    heads = [("reason", ""), ("count", "num"), ("share", "num"), ("sample", "wide")]
    return table(heads, rows, caption="what was set aside")


def making_part(result: ScanResult, *, masked: bool) -> str:
    """How the findings were made, so that they can be made again."""
    source = result.source
    learned = (
        f"{say_count(len(result.training_days), 'day')} {say_days(result.training_days)}"
        if result.training_days
        else "the state saved by an earlier run"
    )
    facts = [
        (
            "files",
            ", ".join(escape(name, 200) for name in source.files[:12]) + (" …" if len(source.files) > 12 else ""),
        ),
        ("format", f"<b>{escape(source.format)}</b>. {escape(source.format_note, 400)}"),
        ("log", f"{say_moment(source.first_at)} to {say_moment(source.last_at)}"),
        ("judged", escape(say_days(result.judged_days).removeprefix("on ") or "no day")),
        ("learned from", escape(learned)),
        ("detector", f"<b>{escape(result.detector)}</b> on {say_count(len(result.features), 'feature')}"),
        (
            "cut-off",
            f"a score of {result.threshold:.3f}, chosen so that it flags {say_share(result.budget, 1.0)} of honest "
            "visitors by chance"
            if math.isfinite(result.threshold)
            else "none: too few visitors to learn what is usual, so that only named patterns are flagged",
        ),
        ("addresses", "masked; a tag tells two visitors of one network apart" if masked else "shown in full"),
    ]
    listed = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    heads = [("feature", ""), ("site's median", "num"), ("meaning", "wide")]
    rows = [
        [
            escape(feature_label(name)),
            escape(say_value(result.medians.get(name), result.feature_units.get(name, ""))),
            escape(feature_meaning(name)) or "–",
        ]
        for name in result.features
    ]
    listing = table(heads, rows, caption="features")
    features = f"<details><summary>The {say_count(len(rows), 'feature')}</summary>{listing}</details>"
    return f'<dl class="facts">{listed}</dl>{_stages(result)}{features}'


def _stages(result: ScanResult) -> str:
    if not result.seconds:
        return ""
    longest = max(max(result.seconds.values()), 1e-9)
    total = sum(result.seconds.values())
    rows = [
        [
            escape(stage, 60),
            say_duration(seconds),
            f'<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="fill" '
            f'width="{max(0.5, 100 * seconds / longest):.1f}" height="8"/></svg>',
        ]
        for stage, seconds in result.seconds.items()
    ]
    body = table([("stage", ""), ("time", "num"), ("", "spark")], rows, caption="seconds per stage", kind="narrow")
    return f"<h3>{say_duration(total)} in all</h3>{body}"
