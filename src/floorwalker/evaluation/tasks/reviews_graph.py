"""Which reviews does the site filter? YelpChi on CARE-GNN's nodes, by the graph of users, products, stars and months.

Trees read each review's history, its neighbours' means and the rates of known labels among them. The number of rounds
is chosen on the validation part; then the same trees are learned again with its labels, the baseline likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.evaluation.tasks._graph_trees import choose_rounds, fit_and_score
from floorwalker.evaluation.tasks._reviews_columns import Nodes, build_nodes, label_columns
from floorwalker.evaluation.tasks._reviews_data import Reviews, read_reviews
from floorwalker.metrics import average_precision, roc_auc

BARS = {
    "random.roc_auc": {"min": 0.86},
    "random.average_precision": {"min": 0.53},
    "time.roc_auc": {"min": 0.75},
    "time.average_precision": {"min": 0.36},
}
SHARES = (0.4, 0.6)
"""Where training and validation end."""
LABEL_DAYS = 30
"""Days after which a review's label is taken as known, in the time-ordered rows."""
METRIC = "average_precision"

Mask = NDArray[np.bool_]
Scores = NDArray[np.float64]
Figures = dict[str, float]


def run(*, data: Path | None, seeds: Sequence[int] = (0, 1, 2)) -> dict[str, Any]:
    """Measure the trees on the graph and the flat baseline, in random and in time order.

    Parameters
    ----------
    data : folder that holds `yelpchi`.
    seeds : of the splits and the models; fewer than three are filled up to three.
    """
    if data is None:
        raise UsageError("reviews-graph is judged on public data that was not named", fix="give --data")
    chosen = tuple(seeds) if len(seeds) >= 3 else tuple(seeds[0] + step for step in range(3))
    reviews = read_reviews(data, seed=chosen[0])
    found: dict[str, list[Figures]] = {}
    for is_past in (False, True):
        nodes = build_nodes(reviews, past=is_past)
        for seed in chosen:
            for name, figures in (measure_time if is_past else measure_random)(nodes, seed).items():
                found.setdefault(name, []).append(figures)
    rows = {name: summarise(figures) for name, figures in found.items()}
    flat = {name.removeprefix("flat_"): row for name, row in rows.items() if name.startswith("flat_")}
    return {
        "data": {"name": "yelpchi", "nodes": int(reviews.is_node.sum()), "reviews": len(reviews)},
        "split": "random 40/20/40 by seed; by day, the first 40 % train, the next 20 % validate, the last 40 % test",
        "seeds": list(chosen),
        "metrics": {name: row for name, row in rows.items() if not name.startswith("flat_")},
        "baselines": {"flat_boosted_trees": flat},
        "bars": BARS,
        "notes": [
            "rounds are chosen on validation; the final models, the baseline's too, then learn from training and "
            "validation labels; random_training_labels: without the latter",
            f"time: every column reads earlier days alone, a label {LABEL_DAYS} days after its review, in the test "
            "part, too; time_frozen: no label after the test part begins",
            "reviews of products that are no nodes count as unlabelled history; their labels are never read",
        ],
    }


def measure_random(nodes: Nodes, seed: int) -> dict[str, Figures]:
    """Figures of one random split."""
    labels = nodes.reviews.filtered
    order = np.random.default_rng([seed, 22]).permutation(len(labels))
    first, second = (int(share * len(labels)) for share in SHARES)
    training, held, test = (np.zeros(len(labels), np.bool_) for _ in range(3))
    training[order[:first]], held[order[first:second]], test[order[second:]] = True, True, True
    both = training | held

    def columns(known: Mask) -> NDArray[np.float32]:
        return np.hstack([nodes.flat, nodes.around, label_columns(nodes, known, seed=seed)])

    early = columns(training)
    rounds, _ = choose_rounds(early[training], labels[training], early[held], labels[held], metric=METRIC, seed=seed)
    early_scores = fit_and_score(early[training], labels[training], early[test], rounds=rounds, seed=seed)
    late = columns(both)
    scores = fit_and_score(late[both], labels[both], late[test], rounds=grown(rounds), seed=seed)
    return {
        "random": figures_of(labels[test], scores),
        "random_training_labels": figures_of(labels[test], early_scores),
        "flat_random": measure_flat(nodes, training, held, test, seed),
    }


def split_by_time(day: NDArray[np.int64]) -> tuple[Mask, Mask, Mask]:
    """Training, validation and test by day; no day is cut in two."""
    ordered = np.sort(day)
    first, second = (ordered[int(share * len(day))] for share in SHARES)
    return day < first, (day >= first) & (day < second), day >= second


def measure_time(nodes: Nodes, seed: int) -> dict[str, Figures]:
    """Figures of the time-ordered split: labels arriving, and labels frozen where the test part begins."""
    training, held, test = split_by_time(nodes.reviews.day)
    labels = nodes.reviews.filtered
    everything = np.ones(len(labels), np.bool_)
    prior = float(labels[training].mean())
    told = label_columns(nodes, everything, delay=LABEL_DAYS, prior=prior)
    arriving = np.hstack([nodes.flat, nodes.around, told])
    rounds, _ = choose_rounds(
        arriving[training], labels[training], arriving[held], labels[held], metric=METRIC, seed=seed
    )
    both = training | held
    scores = fit_and_score(arriving[both], labels[both], arriving[test], rounds=grown(rounds), seed=seed)
    return {
        "time": figures_of(labels[test], scores),
        "time_frozen": measure_frozen(nodes, training, held, test, seed),
        "flat_time": measure_flat(nodes, training, held, test, seed),
    }


def measure_frozen(nodes: Nodes, training: Mask, held: Mask, test: Mask, seed: int, *, copies: int = 2) -> Figures:
    """No label is known after the test part begins.

    Then the last known label is the older the later a review comes. Training rows are made the same: each has its
    labels end as long before it as some review of the asked part has them.
    """
    labels, day = nodes.reviews.filtered, nodes.reviews.day
    plain = np.hstack([nodes.flat, nodes.around])
    random = np.random.default_rng([seed, 23])
    prior = float(labels[training].mean())

    def learn(known: Mask, asked: Mask, fit: Callable[..., Any]) -> Any:
        ages = day[asked] - day[asked].min()
        rows = []
        for _ in range(copies):
            delay = np.zeros(len(day), np.int64)
            delay[known] = random.choice(ages, int(known.sum()))
            rows.append(np.hstack([plain, label_columns(nodes, known, delay=delay, prior=prior)])[known])
        wanted = np.hstack([plain, label_columns(nodes, known, prior=prior)])[asked]
        return fit(np.vstack(rows), np.tile(labels[known], copies), wanted)

    settings: dict[str, Any] = {"min_data_in_leaf": 50 * copies, "learning_rate": 0.08}
    rounds = learn(
        training, held,
        lambda rows, truth, wanted: choose_rounds(
            rows, truth, wanted, labels[held], metric=METRIC, seed=seed, **settings
        )[0],
    )  # fmt: skip
    scores = learn(
        training | held, test,
        lambda rows, truth, wanted: fit_and_score(rows, truth, wanted, rounds=grown(rounds), seed=seed, **settings),
    )  # fmt: skip
    return figures_of(labels[test], scores)


def measure_flat(nodes: Nodes, training: Mask, held: Mask, test: Mask, seed: int) -> Figures:
    """The same trees on the history alone, without the graph."""
    labels, both = nodes.reviews.filtered, training | held
    rows = nodes.flat
    rounds, _ = choose_rounds(rows[training], labels[training], rows[held], labels[held], metric=METRIC, seed=seed)
    scores = fit_and_score(rows[both], labels[both], rows[test], rounds=grown(rounds), seed=seed)
    return figures_of(labels[test], scores)


def grown(rounds: int) -> int:
    """Rounds for half as many rows again: a fifth more."""
    return int(1.2 * rounds)


def figures_of(truth: Mask, scores: Scores) -> Figures:
    """ROC AUC and average precision."""
    return {"roc_auc": roc_auc(truth, scores), "average_precision": average_precision(truth, scores)}


def summarise(figures: Sequence[Figures]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation over seeds of each figure."""
    return {
        key: {
            "mean": round(float(np.mean([one[key] for one in figures])), 4),
            "sd": round(float(np.std([one[key] for one in figures], ddof=1)) if len(figures) > 1 else 0.0, 4),
        }
        for key in figures[0]
    }


__all__ = ["BARS", "Reviews", "run"]
