"""Put the report together and write it."""

from __future__ import annotations

from pathlib import Path

from floorwalker.scan.masking import mask_result, new_mask_key
from floorwalker.scan.phrases import say_count, say_days
from floorwalker.scan.report.days import compare_days, days_chart, days_table
from floorwalker.scan.report.density import density_panels
from floorwalker.scan.report.markup import content_hash, escape, script_json, section
from floorwalker.scan.report.sections import (
    breakdown,
    cleaned_part,
    machines_part,
    making_part,
    routes_part,
    swarms_part,
    tier_tiles,
    totals,
    warnings_box,
)
from floorwalker.scan.report.suspects import MOST_ROWS, map_data, suspects_data
from floorwalker.scan.result import ScanResult
from floorwalker.scan.summary import CATEGORY_NOTES, headline, summarise

_HERE = Path(__file__).parent


def write_report(
    result: ScanResult, path: Path, *, mask: bool, mask_key: bytes | None = None, table_file: str = ""
) -> None:
    """Write the report: one HTML file that asks the network for nothing.

    Parameters
    ----------
    result : what a scan found.
    path : where to write; an existing file is replaced.
    mask : mask addresses and session ids. Where several outputs shall agree in their tags, mask the result once
        (`scan.masking.mask_result`) and hand it to each with the same key, or give the key here.
    mask_key : 16 to 64 secret bytes; None makes a fresh key.
    table_file : name of the file that holds every flagged row, to be named where the page's table is cut.
    """
    shown = mask_result(result, mask_key or new_mask_key()) if mask else result
    path.write_text(render_report(shown, masked=mask, table_file=table_file), encoding="utf-8")


def render_report(result: ScanResult, *, masked: bool = False, table_file: str = "") -> str:
    """The page as text.

    Whatever came from the log is the attacker's: it enters the page escaped, or as JSON that the script reads and
    shows as text. Should an escape ever be missing, the page's content security policy lets no script run but ours,
    and nothing load.
    """
    style = (_HERE / "report.css").read_text("utf-8")
    script = (_HERE / "report.js").read_text("utf-8")
    policy = (
        f"default-src 'none'; script-src {content_hash(script)}; style-src {content_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    title = f"Floorwalker: offers {say_days(result.judged_days)}".strip()
    data = script_json({"suspects": suspects_data(result), "map": map_data(result)})
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">\n'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title>\n<style>{style}</style></head>\n'
        f"<body>{_body(result, masked=masked, table_file=table_file)}\n"
        f'<script type="application/json" id="data">{data}</script>\n'
        f"<script>{script}</script></body></html>\n"
    )


def _body(result: ScanResult, *, masked: bool, table_file: str) -> str:
    summary = summarise(result)
    parts = [
        ("flagged", "Flagged"),
        ("swarms", "Swarms"),
        ("days", "Days"),
        *([("map", "Map")] if len(result.embedding_rows) else []),
        ("features", "Features"),
        ("routes", "Routes"),
        ("machines", "Machines"),
        ("cleaned", "Set aside"),
        ("making", "How it was made"),
    ]
    links = "".join(f'<a href="#{anchor}">{name}</a>' for anchor, name in parts)
    badge = '<span class="badge">addresses masked</span>' if masked else ""
    return (
        f'<header><div class="brand"><b>Floorwalker</b><span>scan report</span>{badge}</div>'
        f'<nav aria-label="parts">{links}</nav></header>'
        f"<main>{warnings_box(result)}"
        f'<div class="headline"><h1>{escape(headline(result, summary))}</h1>{tier_tiles(summary)}</div>'
        f"{totals(result, summary)}{_flagged(result, table_file)}"
        + section(
            "swarms",
            "Swarms",
            swarms_part(result),
            "Visitors with few visits each that share user agent, route and rhythm.",
        )
        + section(
            "days",
            "Detections per day",
            _days(result),
            escape(compare_days(result.days)),
        )
        + _map(result)
        + section(
            "features",
            "How the kinds of visitor differ",
            density_panels(result),
            f"Density of each feature over all {say_count(result.visitors.height)} judged visitor-days, each curve "
            "scaled to its own peak. Ticks under the axis are flagged visitors.",
        )
        + section(
            "routes",
            "Busiest routes",
            routes_part(result),
            "URLs of one type count as one route; <code>{}</code> varies.",
        )
        + section(
            "machines",
            "Machines set apart",
            machines_part(result),
            "Known machines are neither judged nor learned from.",
        )
        + section("cleaned", "What was set aside", cleaned_part(result))
        + section("making", "How it was made", making_part(result, masked=masked))
        + "</main>"
    )


def _days(result: ScanResult) -> str:
    # One bar beside nothing tells nothing.
    chart = days_chart(result.days) if result.days.height > 1 else ""
    return f"{chart}<details><summary>The numbers</summary>{days_table(result)}</details>"


def _flagged(result: ScanResult, table_file: str) -> str:
    count = int(result.visitors["flagged"].sum()) if result.visitors.height else 0
    if not count:
        empty = (
            '<p class="empty">Nobody was flagged. That is a result: the cut-off comes from the false-alarm '
            "budget, not from a fixed share of visitors.</p>"
        )
        return section("flagged", "Flagged visitors", empty)
    cut = ""
    if count > MOST_ROWS:
        where = (
            f"; all of them are in <code>{escape(table_file)}</code>"
            if table_file
            else "; the CSV output holds all of them"
        )
        held = f"The table holds the {say_count(MOST_ROWS)} strongest of {say_count(count)} rows"
        cut = f'<p class="note">{held}{where}.</p>'
    controls = (
        '<form class="controls" role="search"><label class="search">Search<input type="search" id="search" '
        'placeholder="address, user agent, reason …" autocomplete="off" spellcheck="false"></label>'
        '<label>Evidence<select id="tier"><option value="">all</option></select></label>'
        '<label>Kind<select id="category"><option value="">all</option></select></label>'
        '<label>Reason<select id="pattern"><option value="">all</option></select></label>'
        '<button type="reset" id="clear">Clear</button></form>'
    )
    board = (
        '<p class="found" id="found" role="status" aria-live="polite"></p>'
        '<div class="frame" tabindex="0" role="region" aria-label="flagged visitors">'
        '<table class="suspects"><thead><tr id="heads"></tr>'
        '</thead><tbody id="rows"></tbody></table></div>'
        '<button type="button" id="more" class="more" hidden>Show more</button>'
        "<noscript><p>The table, its filters and the map need JavaScript; the CSV holds the same rows.</p></noscript>"
    )
    return section(
        "flagged",
        "Flagged visitors",
        breakdown(summarise(result)) + cut + controls + board,
        "Strongest evidence first.",
    )


def _map(result: ScanResult) -> str:
    if not len(result.embedding_rows):
        return ""
    notes = ", ".join(f"<b>{name}</b> {note}" for name, note in CATEGORY_NOTES.items())
    body = (
        '<div class="map-tools"><ul class="legend" id="map-legend"></ul>'
        '<span class="zoom"><button type="button" id="zoom-in" '
        'aria-label="zoom in">+</button><button type="button" id="zoom-out" aria-label="zoom out">−</button>'
        '<button type="button" id="zoom-reset">Reset</button></span></div>'
        '<div class="map"><svg id="map-points" viewBox="0 0 1000 640" role="img" '
        'aria-label="t-SNE map of visitors by category"></svg>'
        '<div id="tip" class="tip" hidden></div></div>'
    )
    placed, judged = len(result.embedding_rows), result.visitors.height
    sample = f"all {say_count(judged)}" if placed >= judged else f"{say_count(placed)} of {say_count(judged)}"
    lead = (
        f"t-SNE of {sample} judged visitor-days: alike visitors lie together; distances between islands "
        f"and the axes mean nothing. Flagged ones are outlined. {notes}."
    )
    return section("map", "Map of the visitors", body, lead)
