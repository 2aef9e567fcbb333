"""The visitors task's report as the table of the documentation, so that no number there is typed by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from floorwalker.errors import InputError

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
NINE_TITLES = {
    "nine_features_all_requests": "paper B's nine alone, all requests",
    "nine_features_page_requests": "paper B's nine alone, page requests",
}


def to_markdown(report: Mapping[str, Any]) -> str:
    """Two tables, without and with labels, from what `visitors.run` returned."""
    metrics, baselines, split = report["metrics"], report["baselines"], report["split"]
    groups = " + ".join(f"`{group}`" for group in split["groups"])
    lines = ["| mean ROC AUC on the report half | moderate | advanced |", "|---|---|---|"]
    lines.append(_row(f"**default: `{split['detector']}` on {groups}**", metrics, bold=True))
    lines.append(_row("the same, report half alone", metrics["report_half_alone"]))
    lines.append(_row("the same on page requests alone (no asset, no beacon is read)", metrics["page_requests"]))
    lines += [_row(f"without `{group}`", figures) for group, figures in metrics["without_group"].items()]
    lines += [_row(f"`{name}` instead", figures) for name, figures in metrics["other_detectors"].items()]
    for key, title in NINE_TITLES.items():
        lines += [_row(f"{title}: `{name}`", figures) for name, figures in baselines[key].items()]
    flat = baselines["flat_number_of_visits"]
    lines.append(f"| number of visits alone | {_short(flat['moderate_auc'])} | {_short(flat['advanced_auc'])} |")
    lines += ["", "| ROC AUC with labels, random forest | tested on moderate | tested on advanced |", "|---|---|---|"]
    for key, title in (
        ("supervised_official_split", "default features"),
        ("supervised_official_split_nine", "nine features, all requests"),
    ):
        for setting, words in (("same_kind", "the same kind"), ("other_kind", "the other kind")):
            found = baselines[key][setting]["random_forest"]
            cells = " | ".join(_short(found[kind]) for kind in ("moderate", "advanced"))
            lines.append(f"| {title}, trained on {words} | {cells} |")
    return "\n".join(lines) + "\n"


def write_tables(report: Mapping[str, Any], page: Path) -> None:
    """Replace what stands between the two marks of a page; raises `InputError` where it has none."""
    text = page.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise InputError(f"{page} has no place for the tables", allowed=f"{BEGIN} … {END}")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    page.write_text(f"{head}{BEGIN}\n{to_markdown(report)}{END}{tail}", encoding="utf-8")


def _row(title: str, figures: Mapping[str, Mapping[str, float]], *, bold: bool = False) -> str:
    mark = "**" if bold else ""
    cells = [
        f"{mark}{_short(one['mean'])}{mark} [{one['low']:.2f}–{one['high']:.2f}]"
        for one in (figures["moderate_auc"], figures["advanced_auc"])
    ]
    return f"| {title} | {' | '.join(cells)} |"


def _short(value: float) -> str:
    return f"{value:.3f}"
