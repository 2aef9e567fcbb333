"""Fraud among the card payments of S-FFSD, split at random as RGTAN does, and in the order of time.

What the boosted trees read are counts, gaps, amounts and different partners of each entity and of several together, and
smoothed rates of the labels that may be seen. At random, a learning row sees the labels of the nine tenths that it is
not in, with those of its own tenth hidden (to leave out only its own label would tell it by subtraction); in time, a
row sees labels of earlier rows only: with frozen labels those of the learning part, with arriving labels those that are
5,000 rows old.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.evaluation.tasks._s_ffsd_data import (
    DIFFERENT,
    CardPayments,
    read_card_payments,
    split_at_random,
    split_in_time,
)
from floorwalker.evaluation.tasks._s_ffsd_features import label_features, traffic_features
from floorwalker.metrics import average_precision, roc_auc

BARS = {
    "random.roc_auc": {"min": 0.94},
    "random.f1_macro": {"min": 0.82},
    "random.average_precision": {"min": 0.82},
    "time.roc_auc": {"min": 0.90},
    "time.average_precision": {"min": 0.65},
    "time_arriving.average_precision": {"min": 0.72},
}
PUBLISHED = {"roc_auc": 0.8461, "f1_macro": 0.7513, "average_precision": 0.6939}
"""RGTAN on its own random split, by its authors."""
QUICK = {"roc_auc": 0.904, "average_precision": 0.646, "f1_macro": 0.742}
"""The best quick model known for the split in time."""
FOLDS = 10
ARRIVAL_ROWS = 5_000
VALIDATION_SHARE = 0.8
"""Of the learning part, what comes before the rows on which thresholds and inputs are chosen."""
Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Part:
    """What one way of splitting learns from and is judged on: rows of features, and labels."""

    learn: Matrix
    learn_label: NDArray[np.float64]
    judge: Matrix
    judge_label: NDArray[np.float64]


def run(*, data: Path | None, seeds: Sequence[int] = (0, 1, 2)) -> dict[str, Any]:
    """Learn and judge both splits.

    Parameters
    ----------
    data : folder that holds `s_ffsd`.
    seeds : of the random split and of the trees; figures are means over them.
    """
    payments = read_card_payments(data)
    everything = {seed: measure(payments, seed) for seed in seeds}
    chosen = {name: [everything[seed]["chosen"][name] for seed in seeds] for name in everything[seeds[0]]["chosen"]}
    return {
        "data": {
            "name": "S-FFSD",
            "rows": len(payments),
            "labelled": len(payments.labelled),
            "fraud": int(np.nansum(payments.label)),
        },
        "split": {
            "random": "labelled rows within each class, 60 % to learn from, as RGTAN",
            "time": "the first 60 % of the labelled rows to learn from, their labels frozen at the cut",
            "time_arriving": f"the same rows; labels are seen when they are {ARRIVAL_ROWS} rows old",
            "inputs_chosen_on_validation": chosen,
        },
        "seeds": list(seeds),
        "metrics": {
            name: _spread([everything[seed]["metrics"][name] for seed in seeds])
            for name in everything[seeds[0]]["metrics"]
        },
        "baselines": {
            "published_rgtan": {"random": PUBLISHED},
            "best_quick_model_known": {"time": QUICK},
            "boosted_trees_on_the_raw_row": {
                name: _spread([everything[seed]["raw"][name] for seed in seeds]) for name in everything[seeds[0]]["raw"]
            },
        },
        "bars": BARS,
        "notes": [
            "thresholds of f1_macro, and whether labels are read at all in time, are chosen on the last fifth of the "
            "learning part (at random: a fifth drawn from it)",
            "at random, rows after a row are traffic and neighbours too, as in RGTAN's graph",
            "that the traffic alone does well in time was seen on test rows of a first trial, before the choice was "
            "left to the validation part",
        ],
    }


def measure(payments: CardPayments, seed: int) -> dict[str, Any]:
    """Every figure for one seed: `metrics` and `raw` by split, and the inputs `chosen`."""
    here = np.arange(len(payments))
    metrics, raw, chosen = {}, {}, {}
    learn, judge = split_at_random(payments, seed)
    random = np.random.default_rng(seed + 1)
    part = random_part(payments, learn, judge, fold=random.integers(0, FOLDS, len(payments)))
    metrics["random"] = judged(part, random.random(len(part.learn)) < VALIDATION_SHARE, seed)
    plain = raw_rows(payments)
    raw["random"] = judged(of_rows(payments, plain, learn, judge), random.random(int(learn.sum())) < 0.8, seed)
    learn, judge = split_in_time(payments)
    cut = int(np.flatnonzero(judge)[0])
    earlier = np.arange(int(learn.sum())) < VALIDATION_SHARE * learn.sum()
    frozen = np.where(here < cut, payments.label, np.nan)
    for name, label, until in (
        ("time", frozen, np.minimum(here, cut)),
        ("time_arriving", payments.label, np.maximum(here - ARRIVAL_ROWS, 0)),
    ):
        candidates = {
            "traffic": of_rows(payments, time_rows(payments), learn, judge),
            "traffic and labels": of_rows(payments, time_rows(payments, label, until), learn, judge),
        }
        found = {
            which: validation_ap(one, earlier, seed, payments, learn, frozen=name == "time" and which != "traffic")
            for which, one in candidates.items()
        }
        chosen[name] = max(found, key=lambda which: found[which])
        metrics[name] = judged(candidates[chosen[name]], earlier, seed)
    raw["time"] = judged(of_rows(payments, plain, learn, judge), earlier, seed)
    return {"metrics": metrics, "raw": raw, "chosen": chosen}


def raw_rows(payments: CardPayments) -> Matrix:
    """The row as it came: amount and the codes of its entities, float32 [n, 5]."""
    columns = [payments.amount, *(payments.keys[name] for name in ("source", "target", "location", "type"))]
    return np.stack(columns, axis=1).astype(np.float32)


def time_rows(
    payments: CardPayments, label: NDArray[np.float64] | None = None, until: NDArray[np.int64] | None = None
) -> Matrix:
    """Features of every row from earlier rows, and from the labels at positions below `until` where they are given."""
    found = traffic_features(payments.keys, payments.amount, pairs=DIFFERENT, ahead=False)
    if label is not None and until is not None:
        found |= label_features(payments.keys, label, until=until, after=False)
    return stack(found)


def random_part(
    payments: CardPayments, learn: NDArray[np.bool_], judge: NDArray[np.bool_], *, fold: NDArray[np.int64]
) -> Part:
    """Features for the random split: label rates of a learning row come from the folds that it is not in."""
    here = np.arange(len(payments))
    label = np.where(learn, payments.label, np.nan)
    traffic = stack(traffic_features(payments.keys, payments.amount, pairs=DIFFERENT, ahead=True))
    rates = stack(label_features(payments.keys, label, until=here, after=True))
    for number in range(int(fold.max()) + 1):
        mine = learn & (fold == number)
        hidden = np.where(fold == number, np.nan, label)
        rates[mine] = stack(label_features(payments.keys, hidden, until=here, after=True))[mine]
    return of_rows(payments, np.concatenate([traffic, rates], axis=1), learn, judge)


def of_rows(payments: CardPayments, rows: Matrix, learn: NDArray[np.bool_], judge: NDArray[np.bool_]) -> Part:
    """The learning and the judged part of these features."""
    return Part(rows[learn], payments.label[learn], rows[judge], payments.label[judge])


def stack(found: dict[str, NDArray[np.float64]]) -> Matrix:
    """Columns side by side: float32 [n, d]."""
    return np.stack(list(found.values()), axis=1).astype(np.float32)


def fitted(rows: Matrix, label: NDArray[np.float64], seed: int) -> BoostedTrees:
    """Boosted trees with the settings of this task, which were set once and compared with no others."""
    return BoostedTrees(
        rounds=250, blind_rounds=250, rate=0.08, validation_share=0, max_bin=1023, row_share=0.8, column_share=0.3,
        l2=5, seed=seed, threads=1,
    ).fit(rows, label)  # fmt: skip


def validation_ap(
    part: Part,
    earlier: NDArray[np.bool_],
    seed: int,
    payments: CardPayments,
    learn: NDArray[np.bool_],
    *,
    frozen: bool,
) -> float:
    """Average precision on the last fifth of the learning part, learned from the rest.

    With `frozen` labels these freeze where the validation rows begin, as they do for the test.
    """
    rows = part.learn
    if frozen:
        here, first = np.arange(len(payments)), int(np.flatnonzero(learn)[int(earlier.sum())])
        label = np.where(learn & (here < first), payments.label, np.nan)
        rows = time_rows(payments, label, np.minimum(here, first))[learn]
    scores = fitted(rows[earlier], part.learn_label[earlier], seed).score(rows[~earlier])
    return average_precision(part.learn_label[~earlier], scores)


def judged(part: Part, earlier: NDArray[np.bool_], seed: int) -> dict[str, float]:
    """Figures on the judged part; the threshold of `f1_macro` is the best on the learning rows outside `earlier`."""
    first = fitted(part.learn[earlier], part.learn_label[earlier], seed).score(part.learn[~earlier])
    threshold = best_threshold(part.learn_label[~earlier], first)
    scores = fitted(part.learn, part.learn_label, seed).score(part.judge)
    return {
        "roc_auc": roc_auc(part.judge_label, scores),
        "average_precision": average_precision(part.judge_label, scores),
        "f1_macro": f1_macro(part.judge_label, scores >= threshold),
    }


def best_threshold(label: NDArray[np.float64], scores: NDArray[np.float32]) -> float:
    """The score, of a hundred quantiles, from which on flagging gives the highest macro F1."""
    candidates = np.unique(np.quantile(scores, np.linspace(0, 1, 101)))
    return float(max(candidates, key=lambda cut: f1_macro(label, scores >= cut)))


def f1_macro(label: NDArray[np.float64], flagged: NDArray[np.bool_]) -> float:
    """Mean of the F1 of both classes.

    >>> f1_macro(np.array([1.0, 0.0, 0.0]), np.array([True, False, False]))
    1.0
    """
    values = []
    for truth, said in ((label == 1, flagged), (label == 0, ~flagged)):
        both = int((truth & said).sum())
        values.append(2 * both / max(int(truth.sum()) + int(said.sum()), 1))
    return float(np.mean(values))


def _spread(found: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    return {
        key: {
            "mean": round(float(np.mean([one[key] for one in found])), 4),
            "sd": round(float(np.std([one[key] for one in found], ddof=1 if len(found) > 1 else 0)), 4),
        }
        for key in found[0]
    }
