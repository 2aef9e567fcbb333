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
    Row("transactions", "average_precision", "card payments of the handbook, four weekly folds: average precision"),
    Row("transactions", "roc_auc", "the same: ROC AUC"),
    Row("transactions", "card_precision_100", "the same: precision of the hundred highest cards of a day"),
    Row("s_ffsd", "random.roc_auc", "card payments of S-FFSD, random split: ROC AUC"),
    Row("s_ffsd", "random.f1_macro", "the same: macro F1"),
    Row("s_ffsd", "random.average_precision", "the same: average precision"),
    Row("s_ffsd", "time.roc_auc", "S-FFSD in the order of time, frozen labels: ROC AUC"),
    Row("s_ffsd", "time.average_precision", "the same: average precision"),
    Row("s_ffsd", "time_arriving.average_precision", "the same with labels arriving late: average precision"),
    Row("reviews_graph", "random.roc_auc", "reviews of YelpChi, random split: ROC AUC"),
    Row("reviews_graph", "random.average_precision", "the same: average precision"),
    Row("reviews_graph", "time.roc_auc", "YelpChi in the order of time, past only: ROC AUC"),
    Row("reviews_graph", "time.average_precision", "the same: average precision"),
    Row("workers", "roc_auc", "banned workers of Tolokers, ten official splits: ROC AUC"),
    Row("reviews_text", "ott_accuracy", "deceptive hotel reviews, five folds: accuracy"),
    Row("reviews_text", "vispam_f1_binary", "Vietnamese shop reviews, official split, two classes: macro F1"),
    Row("reviews_text", "vispam_f1_four", "the same, four classes: macro F1"),
    Row("requests", "f1", "requests of CSIC 2010, distinct ones, supervised: F1"),
    Row("requests", "roc_auc", "the same: ROC AUC"),
    Row("requests", "normal_only_roc_auc", "the same, learned from normal requests alone: ROC AUC"),
    Row("rules", "worst_rule.honest_share", "honest customers touched by the worst starter rule", percent=True),
    Row("hardness", "worst_single_feature_auc_expert", "simulated experts: AUC of the most telling single column"),
    Row("hardness", "shallow_tree_auc_expert", "simulated experts: AUC of a tree of depth 3"),
    Row("hardness", "text_bag_of_words_auc", "simulated texts: AUC of a bag of words"),
    Row("hardness", "full_model_auc", "all skills: AUC of boosted trees on everything"),
    Row(
        "shop", "event.recall", "simulated shop, learned from outcomes: harmful events flagged",
        "starter_rules.event_recall", "starter rules",
    ),
    Row("shop", "event.fpr", "the same: honest events flagged", percent=True),
    Row(
        "shop", "customer.recall_at_insult_0_5", "the same: abusers stopped at decision points",
        "trained_on_truth.customer.recall_at_insult_0_5", "learned from the truth",
    ),
    Row("shop", "customer.insult_rate", "the same: honest customers touched there", percent=True),
    Row(
        "shop", "named_points.customer.recall_at_insult_0_5",
        "the same at log-in, coupon, checkout, refund and review alone",
    ),
    Row(
        "shop", "value.recall", "the same: share of the money", "trained_on_truth.value.recall",
        "learned from the truth",
    ),
    Row("shop", "abuse_type.macro_recall", "the same: mean over the abuse types"),
    Row("shop", "abuse_type.min_recall", "the same: the worst abuse type"),
    Row(
        "shop", "review.precision_200", "the first 200 accounts of a day: precision",
        "trained_on_truth.review.precision_200", "learned from the truth",
    ),
    Row("shop", "review.precision_200_by_risk", "the same in the order of the day's highest risk"),
    Row("shop", "review.precision_200_rare", "the same where 0.3 % of the events are malicious"),
    Row("shop", "segment.max_fpr_ratio", "false alarms of the worst segment, times the mean"),
    Row("shop", "segment.promotion_fpr_ratio", "false alarms on promotion days, times the mean"),
    Row("shop", "campaign.loss_before_flag", "median share of a campaign's loss before its first flag"),
    Row("shop", "unseen_family.recall_at_fpr_1_0", "events of families never seen, flagged at 1 % false alarms"),
    Row("shop", "ring.pair_precision", "pairs of accounts put in one ring that belong to one campaign"),
    Row("shop", "gain_over_best_single", "recall gained by fusion over the best modality alone"),
    Row("realism", "within_bound_share", "statistics of the simulated shop within their bounds of real ones"),
    Row("realism", "c2st_auc", "AUC of trees that tell simulated sessions from real ones"),
    Row("bench_simulate", "seconds", "seconds to simulate five million events"),
    Row("bench_features", "events_per_second", "events a second through all live features, one core"),
    Row("bench_features", "speedup_river", "times as fast as River's rolling aggregates"),
    Row("bench_decisions", "closed.decisions_per_second", "decisions a second, 32 connections"),
    Row("bench_decisions", "closed.p99_ms", "99th percentile of their answers, ms"),
    Row("bench_decisions", "open_1000.p99_ms", "99th percentile at 1,000 decisions a second, ms"),
    Row("bench_decisions", "events_per_second", "told events a second"),
    Row("bench_detectors", "single_event_us", "all detectors but text, one event: microseconds"),
    Row("bench_detectors", "batch_events_per_second", "the same in batches of 256: events a second"),
    Row("bench_detectors", "text_ms", "milliseconds for the encoder on a review of 50 tokens"),
    Row("bench_detectors", "decisions.p99_ms", "99th percentile with all detectors at 1,000 decisions a second, ms"),
    Row("bench_recovery", "restart_seconds", "seconds until five million journalled events are served again"),
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
        shown = _show(value, row)
        if any(shown == _show(bar[side], row) and _misses(value, side, bar[side]) for side in bar):
            # Nothing is rounded onto the bar that it misses.
            shown = f"{value:.6g}"
        lines.append(f"| `{kind} {name}` | {row.says} | {shown}{spread} | {wanted} | {baseline} |")
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


def _misses(value: float, side: str, limit: float) -> bool:
    return value < limit if side == "min" else value > limit


def _show(value: float | None, row: Row) -> str:
    if value is None:
        return ""
    if row.percent:
        return f"{100 * value:.2f} %"
    if value == round(value) and abs(value) >= 1:
        return f"{value:.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
