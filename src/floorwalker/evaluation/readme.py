"""The README's results table, made from the documents that evaluations print; nobody types a number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from floorwalker.errors import InputError
from floorwalker.evaluation.document import figure

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


@dataclass(frozen=True)
class Row:
    """A line of the table: document and key of the figure, what it says, and the baseline beside it.

    `baseline` is the dotted key of a figure among the document's baselines, or empty; `percent` shows shares as
    percent.
    """

    document: str
    key: str
    says: str
    baseline: str = ""
    baseline_says: str = ""
    percent: bool = False


ROWS = (
    Row("scan", "clean_flag_rate", "honest visitors flagged, no abusers", percent=True),
    Row("scan", "surge_flag_rate", "honest visitors flagged, promotion crowd five times the usual", percent=True),
    Row("scan", "hunter_count_ratio.pooled", "hunters doubled: flagged hunters times"),
    Row("scan", "precision_50", "precision of the first 50", "most_requests.precision_50", "most requests first"),
    Row(
        "scan", "recall_gain_routes", "recall gained by BiLSTM routes at precision 0.8, nine features",
        "detector_only_no_merging.recall_at_precision", "recall without merging",
    ),
    Row("scan", "blocklist_violations", "blocklist entries that must never be there"),
    Row("scan", "zanbil.operations_flagged", "operations machines and crawlers flagged on a real shop's log"),
    Row(
        "visitors", "moderate_auc", "ROC AUC, people against moderate bots, no labels",
        "nine_features_all_requests.isolation_forest.moderate_auc", "nine features",
    ),
    Row(
        "visitors", "advanced_auc", "ROC AUC, people against advanced bots, no labels",
        "nine_features_all_requests.isolation_forest.advanced_auc", "nine features",
    ),
    Row("visitors", "page_requests.advanced_auc", "the same on page requests alone, without heartbeats"),
    Row("routes", "v_measure", "V-measure on unseen site families"),
    Row("routes", "best_other_v_measure", "V-measure of the best of regular expressions, prefix trie and Drain3"),
    Row("routes", "pair_f1", "pairwise F1 on unseen site families"),
    Row("routes", "zanbil_v_measure", "V-measure on 300 lines of a real shop, grouped by hand"),
    Row("routes", "guard_violations", "state-changing endpoints merged with another"),
    Row("bench_scan", "speedup_goaccess", "times as fast as GoAccess, without report"),
    Row("bench_scan", "speedup_goaccess_report", "times as fast as GoAccess, with the full report"),
    Row("bench_scan", "peak_memory_mb", "peak memory, MiB, on 3 million lines"),
    Row("bench_scan", "scaling_ratio", "growth of seconds per million lines from 1 to 10 million, at worst"),
    Row("bench_scan", "scaling_spread", "seconds per million lines, worst over best"),
)  # fmt: skip


def render_table(documents: Mapping[str, Mapping[str, Any]]) -> str:
    """The table in Markdown.

    Parameters
    ----------
    documents : name (`scan`, `visitors`, `routes`, `bench_scan`) to what the command printed. A document that is not
        there leaves its rows out; a figure that a document lacks raises `InputError`.
    """
    lines = ["| command | figure | measured | bar | baseline |", "|---|---|--:|--:|---|"]
    for row in ROWS:
        document = documents.get(row.document)
        if document is None:
            continue
        value = figure(document["metrics"], row.key)
        if value is None:
            raise InputError(f"{row.document} has no figure {row.key}", fix="run the command again")
        spread = _spread(document["metrics"], row)
        bar = document["bars"].get(row.key) or document["bars"].get(row.key.rpartition(".")[0], {})
        wanted = " ".join(f"{'≥' if side == 'min' else '≤'} {_show(limit, row)}" for side, limit in bar.items())
        beside = figure(document["baselines"], row.baseline) if row.baseline else None
        baseline = f"{row.baseline_says}: {_show(beside, row)}" if beside is not None else ""
        kind = "bench" if row.document.startswith("bench_") else "evaluate"
        name = row.document.removeprefix("bench_")
        lines.append(f"| `{kind} {name}` | {row.says} | {_show(value, row)}{spread} | {wanted} | {baseline} |")
    return "\n".join(lines)


def read_documents(folder: Path) -> dict[str, dict[str, Any]]:
    """The documents of a folder by name."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}


def insert_table(readme: str, table: str) -> str:
    """The README with the table between its two marks; without them `InputError`."""
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise InputError("the README has no place for results", allowed=f"{BEGIN} … {END}")
    return f"{head}{BEGIN}\n{table}\n{END}{tail}"


def _spread(metrics: Mapping[str, Any], row: Row) -> str:
    value: Any = metrics
    for level in row.key.split("."):
        value = value[level]
    if isinstance(value, Mapping) and value.get("sd"):
        return f" ± {_show(float(value['sd']), row)}"
    return ""


def _show(value: float | None, row: Row) -> str:
    if value is None:
        return ""
    if row.percent:
        return f"{100 * value:.2f} %"
    if value == round(value) and abs(value) >= 1:
        return f"{value:.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
