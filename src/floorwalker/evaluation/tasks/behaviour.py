"""What the order of events tells beyond the events: the LSTM beside trees over counts, on the simulated shop.

Learned on the train days with the truth, stopped and put together on the validation days, judged on the test days; all
events of an adversary count, the preparing ones too. A bag of events holds how often an account and a session did what
so far; a bag with facts also has every fact that the LSTM reads of the present event.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.detectors.behaviour.model import BehaviourModel
from floorwalker.detectors.behaviour.streams import STREAMS, make_stream
from floorwalker.detectors.behaviour.tokens import ShopTokens
from floorwalker.detectors.behaviour.training import train_behaviour
from floorwalker.evaluation.extras import need_evaluation_extra
from floorwalker.evaluation.tasks._shop_run import cache_folder, fingerprint, iterate_frames, read_truth, simulated_shop
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.learning.shop.recording import Recording, is_recorded, open_recording, record_frames
from floorwalker.simulation.shop.scenario import Scenario

EVENTS = 300_000
OTHERS = 40_000
"""Events without abuse that the trees learn from, beside all with."""
FEWEST = 20
"""Test events of a type below which its figures are left out of the means."""


def run(*, data: Path | None = None, seeds: Sequence[int] = (0, 1, 2), events: int = EVENTS) -> dict[str, Any]:
    """Train and judge with each seed.

    Parameters
    ----------
    data : not needed.
    seeds : of the models; the shop is the same.
    events : of the scenario.
    """
    need_evaluation_extra()
    scenario = Scenario(events=events, seed=300)
    history, labels, edges = _gather(scenario)
    validation, test = edges
    bags = _bags(history)
    found: dict[str, list[dict[str, float]]] = {}
    by_type: dict[str, list[float]] = {}
    for seed in seeds:
        model = _learn(history, labels, edges, seed)
        scores = model.score_history(history)
        figures, each = _judge(scores[test:], labels[test:])
        found.setdefault("lstm", []).append(figures)
        for name, value in each.items():
            by_type.setdefault(name, []).append(value)
        surprise = scores[test:, -1]
        known = ~np.isnan(surprise)
        abusive: NDArray[np.bool_] = np.asarray(labels[test:].any(axis=1))
        found.setdefault("surprise", []).append(
            {"roc_auc": _auc(abusive[known], surprise[known]), "average_precision": float("nan")}
        )
        for name, columns in (("bag_of_events", bags[0]), ("bag_with_facts", bags[1])):
            trees = _trees(columns, labels, validation, test, seed)
            found.setdefault(name, []).append(_judge(trees, labels[test:])[0])
        if seed == seeds[0]:
            mixed = np.random.default_rng(seed).permutation(test)
            nothing = _learn(history, np.concatenate([labels[mixed], labels[test:]]), edges, seed)
            found["shuffled"] = [_judge(nothing.score_history(history)[test:], labels[test:])[0]]
    metrics: dict[str, Any] = {
        name: {figure: _spread([run[figure] for run in runs]) for figure in ("roc_auc", "average_precision")}
        for name, runs in found.items() if name in {"lstm", "shuffled"}
    }  # fmt: skip
    metrics["surprise"] = {"roc_auc": _spread([run["roc_auc"] for run in found["surprise"]])}
    metrics["roc_auc_by_type"] = {name: _spread(values) for name, values in by_type.items()}
    metrics["test_events_by_type"] = {
        name: int(labels[test:, place].sum()) for place, name in enumerate(ABUSE_TYPES)
    }  # fmt: skip
    return {
        "data": {"source": "floorwalker simulate", "events": len(history), "scenario": fingerprint(scenario)},
        "split": "by days: train, validation, test of the simulator; campaigns never cross",
        "seeds": list(seeds),
        "metrics": metrics,
        "baselines": {
            name: {figure: _spread([run[figure] for run in found[name]]) for figure in ("roc_auc", "average_precision")}
            for name in ("bag_of_events", "bag_with_facts")
        },
        "bars": {},
        "notes": [
            "roc_auc, average_precision: means over the abuse types, of single events against all other events",
            "bag_of_events: LightGBM over how often the account and the session did what so far",
            "bag_with_facts: the same with all facts of the present event that the LSTM reads",
            "shuffled: the LSTM learned from labels in random order",
        ],
    }  # fmt: skip


def _gather(scenario: Scenario) -> tuple[ShopTokens, NDArray[np.float32], tuple[int, int]]:
    """Tokens, labels by truth, and where validation and test begin."""
    folder = simulated_shop(scenario)
    kept = cache_folder() / "recordings" / fingerprint(scenario)
    recording: Recording
    if is_recorded(kept):
        recording = open_recording(kept)
    else:
        recording = record_frames(iterate_frames(folder), kept)
    truth = read_truth(folder, scenario)
    named = pl.DataFrame({"id": recording.named()["id"]}).join(truth, on="id", how="left", maintain_order="left")
    labels = np.stack([(named["abuse_type"] == name).fill_null(value=False).to_numpy() for name in ABUSE_TYPES], axis=1)
    history = ShopTokens.join([ShopTokens.of(batch, features) for _, batch, features in recording.batches()])
    first, second = (int(np.searchsorted(history.at, edge)) for edge in scenario.split_edges)
    return history, labels.astype(np.float32), (first, second)


def _learn(history: ShopTokens, labels: NDArray[np.float32], edges: tuple[int, int], seed: int) -> BehaviourModel:
    past = slice(0, edges[1])
    return train_behaviour(history.take(past), labels[past], validation_from=edges[0], seed=seed)


def _bags(history: ShopTokens) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How often account and session did what so far, the event included, float32 [n, 2 types + 1]; and with facts."""
    kinds = history.tokens[:, 0].astype(np.int64)
    known = np.unique(kinds)
    columns, facts = [], [history.tokens.astype(np.float32)]
    for name in STREAMS:
        stream = make_stream(history, name)
        counts = np.full((len(history), len(known)), np.nan, np.float32)
        did = (kinds[stream.rows, None] == known).astype(np.float32)
        sums = np.cumsum(did, axis=0, dtype=np.float64)
        first = stream.sequences.starts[:-1][stream.sequences.owners]
        counts[stream.rows] = sums - sums[first] + did[first]
        columns.append(counts)
        linked = np.full((len(history), 3), np.nan, np.float32)
        linked[stream.rows] = stream.sequences.tokens[:, -3:]
        facts.append(linked)
    bag = np.column_stack([kinds.astype(np.float32), *columns])
    return bag, np.column_stack([bag, *facts])


def _trees(
    columns: NDArray[np.float32], labels: NDArray[np.float32], validation: int, test: int, seed: int
) -> NDArray[np.float32]:
    """LightGBM, one model a type; rounds chosen on the validation part."""
    import lightgbm

    rng = np.random.default_rng(seed)
    others = np.flatnonzero(~labels[:validation].any(axis=1))
    drawn = rng.choice(others, min(OTHERS, len(others)), replace=False)
    rows = np.sort(np.concatenate([np.flatnonzero(labels[:validation].any(axis=1)), drawn]))
    scores = np.zeros((len(labels) - test, len(ABUSE_TYPES)), np.float32)
    for place in range(len(ABUSE_TYPES)):
        if not labels[rows, place].any() or not labels[validation:test, place].any():
            continue
        learned = lightgbm.Dataset(columns[rows], labels[rows, place])
        checked = lightgbm.Dataset(columns[validation:test], labels[validation:test, place], reference=learned)
        model = lightgbm.train(
            {
                "objective": "binary", "learning_rate": 0.05, "num_leaves": 31, "seed": seed, "verbose": -1,
                "num_threads": 1, "metric": "average_precision",
            },
            learned, 120, [checked], callbacks=[lightgbm.early_stopping(20, verbose=False)],
        )  # fmt: skip
        scores[:, place] = np.asarray(model.predict(columns[test:], num_iteration=model.best_iteration))
    return scores


def _judge(scores: NDArray[np.float32], labels: NDArray[np.float32]) -> tuple[dict[str, float], dict[str, float]]:
    """Means over the types, and the area under the curve of each; events without an opinion count as least likely."""
    from sklearn.metrics import average_precision_score

    areas, precisions = {}, []
    for place, name in enumerate(ABUSE_TYPES):
        if labels[:, place].sum() >= FEWEST:
            said = np.nan_to_num(scores[:, place], nan=0.0)
            areas[name] = _auc(labels[:, place] > 0, said)
            precisions.append(float(average_precision_score(labels[:, place], said)))
    means = {"roc_auc": float(np.mean([*areas.values()])), "average_precision": float(np.mean(precisions))}
    return means, areas


def _auc(truth: NDArray[np.bool_], scores: NDArray[np.float32]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, scores))


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "sd": float(np.std(values))}
