"""What labels given by hand say of each detector: paper B's tables 3 and 4, weighted to the whole log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.table import Table
from rich.text import Text

from floorwalker.errors import InputError
from floorwalker.metrics import Interval
from floorwalker.scan.labels import Labels
from floorwalker.scan.phrases import say_count

ROUTES_TEXTS: Mapping[str, str] = {"bilstm": "merged by the BiLSTM", "none": "not merged"}
"""How routes were made, in words; another name stands for itself."""

_Z = 1.959963984540054

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """What one detector said of every judged visitor.

    Parameters
    ----------
    keys : as `scan.labelling.visitor_keys` makes them.
    scores : float [n], higher is more suspect.
    flagged : bool [n], at the detector's own cut-off.
    """

    keys: list[str]
    scores: NDArray[np.float32]
    flagged: NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """How a detector fares against the labels; every figure is weighted by how many visitors a label stands for.

    Parameters
    ----------
    detector, routes : which detector, on which routes.
    labelled : labels that met a visitor.
    unmatched : labels whose visitor this scan does not hold.
    abusive : labelled visitors that abuse the shop.
    base_rate : their weighted share, which is the precision of flagging everybody.
    flagged : labelled visitors that the detector flagged.
    precision, recall : with 95 % Wilson intervals at the weights' effective sample size.
    f1, roc_auc, average_precision : NaN where the labels leave them undefined.
    """

    detector: str
    routes: str
    labelled: int
    unmatched: int
    abusive: int
    base_rate: float
    flagged: int
    precision: Interval
    recall: Interval
    f1: float
    roc_auc: float
    average_precision: float


def weighted_share(hits: NDArray[np.bool_], weights: Floats) -> Interval:
    """A weighted share with a Wilson interval at Kish's effective sample size (sum w)^2 / sum w^2.

    >>> found = weighted_share(np.arange(50) < 45, np.ones(50))
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.9, 0.786, 0.957)
    """
    total = float(weights.sum())
    if total <= 0:
        return Interval(float("nan"), 0.0, 1.0)
    share = float(weights[hits].sum()) / total
    trials = total**2 / float((weights**2).sum())
    denominator = 1 + _Z * _Z / trials
    middle = (share + _Z * _Z / (2 * trials)) / denominator
    half = _Z * float(np.sqrt(share * (1 - share) / trials + _Z * _Z / (4 * trials * trials))) / denominator
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def _cumulate(abusive: NDArray[np.bool_], scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weighted true and false positives at each distinct score, from the highest down."""
    if not len(scores):
        return np.zeros(0), np.zeros(0)
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    good = np.cumsum(np.where(abusive, weights, 0.0)[order])[last]
    bad = np.cumsum(np.where(abusive, 0.0, weights)[order])[last]
    return good, bad


def weighted_roc_auc(abusive: NDArray[np.bool_], scores: Floats, weights: Floats) -> float:
    """Chance that a drawn abuser scores above a drawn honest visitor, both drawn by weight; ties count half.

    >>> weighted_roc_auc(np.array([False, False, True, True]), np.array([0.1, 0.5, 0.5, 0.9]), np.ones(4))
    0.875
    """
    good, bad = _cumulate(abusive, scores, weights)
    if not len(good) or good[-1] == 0 or bad[-1] == 0:
        return float("nan")
    area = np.trapezoid(np.concatenate([[0.0], good]), np.concatenate([[0.0], bad]))
    return float(area / (good[-1] * bad[-1]))


def weighted_average_precision(abusive: NDArray[np.bool_], scores: Floats, weights: Floats) -> float:
    """Precision averaged over the recall gained at each distinct score, both weighted.

    >>> labels = np.array([True, False, True, False])
    >>> round(weighted_average_precision(labels, np.array([0.9, 0.8, 0.7, 0.1]), np.ones(4)), 4)
    0.8333
    """
    good, bad = _cumulate(abusive, scores, weights)
    if not len(good) or good[-1] == 0:
        return float("nan")
    gained = np.diff(good, prepend=0.0) / good[-1]
    return float((gained * good / (good + bad)).sum())


def judge(runs: Mapping[str, Mapping[str, Scored]], labels: Labels) -> list[Judged]:
    """Hold each detector against the labels.

    Parameters
    ----------
    runs : how routes were made (`bilstm`, `none`) to detector to what it said.
    labels : as `read_labels` gives them.

    Raises
    ------
    InputError : no label meets a visitor: the labels are of another log, or visitors are keyed in another way.
    """
    answers = [
        _judge_one(detector, routes, scored, labels)
        for routes, by_name in runs.items()
        for detector, scored in by_name.items()
    ]
    if answers and not any(answer.labelled for answer in answers):
        raise InputError(
            f"none of the {say_count(len(labels.keys), 'label')} belongs to a visitor of this scan",
            fix="scan the log that the sheet was drawn from, with the same --visitor and days",
        )
    return answers


def _judge_one(detector: str, routes: str, scored: Scored, labels: Labels) -> Judged:
    places = {key: place for place, key in enumerate(scored.keys)}
    found = np.array([places.get(key, -1) for key in labels.keys], np.int64)
    known = found >= 0
    abusive, weights = labels.abusive[known], labels.weights[known]
    scores = np.asarray(scored.scores, np.float64)[found[known]]
    flagged = np.asarray(scored.flagged, bool)[found[known]]
    precision = weighted_share(abusive[flagged], weights[flagged])
    recall = weighted_share(flagged[abusive], weights[abusive])
    both = precision.value + recall.value
    return Judged(
        detector=detector,
        routes=routes,
        labelled=int(known.sum()),
        unmatched=int((~known).sum()),
        abusive=int(abusive.sum()),
        base_rate=weighted_share(abusive, weights).value,
        flagged=int(flagged.sum()),
        precision=precision,
        recall=recall,
        f1=2 * precision.value * recall.value / both if both > 0 else (0.0 if both == 0 else float("nan")),
        roc_auc=weighted_roc_auc(abusive, scores, weights),
        average_precision=weighted_average_precision(abusive, scores, weights),
    )


def judged_json(judged: list[Judged]) -> list[dict[str, Any]]:
    """The figures as JSON values, NaN as null."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(part) for name, part in value.items()}
        return None if isinstance(value, float) and not np.isfinite(value) else value

    return [plain(asdict(row)) for row in judged]


def judged_table(judged: list[Judged]) -> Table:
    """The figures for a terminal: a row for each detector, first on one kind of routes and then on the other."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("Detector", min_width=12)
    for name in ("Precision", "Recall", "F1", "ROC AUC", "AP"):
        table.add_column(name, justify="right", no_wrap=True)
    routes = ""
    for row in judged:
        if row.routes != routes:
            routes = row.routes
            table.add_row(Text(f"routes {ROUTES_TEXTS.get(routes, routes)}", style="bold"))
        table.add_row(
            Text(row.detector.replace("_", " ")),
            _range(row.precision),
            _range(row.recall),
            _figure(row.f1),
            _figure(row.roc_auc),
            _figure(row.average_precision),
        )
    if judged:
        first = judged[0]
        told = f"{say_count(first.labelled, 'label')}, {say_count(first.abusive)} abusive"
        told += f" ({say_count(first.unmatched)} of visitors that this scan does not hold)" if first.unmatched else ""
        told += f". Flagging everybody would have a precision of {_figure(first.base_rate)}."
        table.caption = Text(f"{told} Intervals are 95 %, figures weighted to the whole log.")
        table.caption_justify = "left"
    return table


def _figure(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "–"


def _range(interval: Interval) -> str:
    return f"{interval.value:.3f} ({interval.low:.2f}–{interval.high:.2f})" if np.isfinite(interval.value) else "–"
