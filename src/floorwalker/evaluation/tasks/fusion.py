"""Two ways to fuse the same signals, on one simulated shop: stacked trees and a network with gates; the best is kept.

Both learn from the same rows, labels (outcomes observed before the test part) and weights; they differ in nothing but
the model. Which is the better is read off the validation part, and where seeds differ as much as the two do, nothing is
exchanged; the test part only shows whether it holds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.evaluation.extras import need_evaluation_extra
from floorwalker.evaluation.tasks._shop_run import recorded_shop
from floorwalker.evaluation.tasks._shop_thresholds import event_threshold
from floorwalker.evaluation.tasks.shop import FIRST_DAY, LATEST, _Parts
from floorwalker.fusion.columns import column_names
from floorwalker.fusion.gated import GatedFusion
from floorwalker.fusion.stacked import StackedFusion
from floorwalker.learning.shop.fusing import fuse_rows, relevant_types, score_all
from floorwalker.learning.shop.gated import OWN, fuse_rows_gated, score_gated
from floorwalker.learning.shop.signals import Signals
from floorwalker.learning.shop.training import Trained, train_shop
from floorwalker.metrics import average_precision

EVENTS = 500_000
FLAGGED = 0.0175
"""Share of honest validation events at or above the threshold."""
SCENARIO = 5200
"""The scenario's seed is this plus the first of the models': used by nothing else."""

Scorer = Callable[[int, int, Sequence[str]], NDArray[np.float32]]


def run(
    *,
    data: Path | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    events: int | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Train both on one scenario, with several seeds of the fusion; the detectors are the first seed's.

    Parameters
    ----------
    data : not needed.
    seeds : of the fusions; the first is the scenario's as well.
    events : of the scenario; FLOORWALKER_FUSION_EVENTS, or half a million, without it.
    progress : told what is being done.
    """
    need_evaluation_extra()
    size = events or int(os.environ.get("FLOORWALKER_FUSION_EVENTS", EVENTS))
    from floorwalker.simulation.shop.scenario import Scenario

    scenario = Scenario(events=size, seed=SCENARIO + seeds[0], first_day=FIRST_DAY)
    progress(f"simulating and recording {size:,} events")
    folder, recording = recorded_shop(scenario)
    part = _Parts(scenario, folder, recording, progress)
    trained: Trained | None = None
    found: dict[str, list[dict[str, Any]]] = {"stacked": [], "gated": [], "trees_alone": []}
    for seed in seeds:
        plan = replace(part.plan(seed), threads=1, choose=False)
        known = (trained.signals, trained.guessed) if trained is not None else (None, None)
        told = train_shop(recording, part.labels, None, plan, signals=known[0], guessed=known[1], progress=progress)
        trained = trained or told
        signals = trained.signals
        progress(f"seed {seed}: gated fusion")
        gated = fuse_rows_gated(
            recording, told.known, signals, plan, learned_until=part.edges[0], guessed=trained.guessed
        )
        relevant = relevant_types(recording, told.known, part.edges[0])

        names = [modality.name for modality in signals.modalities]
        found["stacked"].append(_judge(part, partial(_by_trees, part, signals, told.fusion), names))
        found["gated"].append(_judge(part, partial(_by_gates, part, signals, gated, relevant), names))
        progress(f"seed {seed}: trees on features alone")
        own = np.arange(len(column_names(recording.names)))
        alone = fuse_rows(
            recording, told.known, signals, replace(plan, drop_out=0.0), learned_until=part.edges[0],
            guessed=trained.guessed, columns=own,
        )  # fmt: skip
        found["trees_alone"].append(_judge(part, partial(_by_trees, part, signals, alone), []))
    kept = choose_fusion(*([each["validation"]["recall"] for each in found[name]] for name in ("stacked", "gated")))
    differences = [
        one["test"]["recall"] - other["test"]["recall"]
        for one, other in zip(found["stacked"], found["gated"], strict=True)
    ]
    return {
        "data": {
            "source": "floorwalker simulate", "events": len(recording), "scenario_seed": scenario.seed,
            "harmful_events": {"validation": _count_harmful(part, *part.edges),
                               "test": _count_harmful(part, part.edges[1], len(recording))},
        },
        "split": "the simulator's: train, validation, test in time order; outcomes observed before the test begins; "
        "thresholds by the honest events of validation; the choice between the two by validation",
        "seeds": list(seeds),
        "metrics": {
            "stacked": _spread(found["stacked"]), "gated": _spread(found["gated"]), "kept": kept,
            "stacked_minus_gated": {"mean": float(np.mean(differences)), "sd": float(np.std(differences))},
        },
        "baselines": {f"{OWN}_alone": _spread(found["trees_alone"])},
        "bars": {},
        "notes": [
            "recall: share of harmful events flagged where "
            f"{FLAGGED:.2%} of the honest validation events are; fpr: of the honest test events at that threshold",
            "without: recall on the test part where one modality is missing, at the threshold found with all",
            "both learn from the same rows, labels and weights; the detectors are the first seed's",
        ],
    }  # fmt: skip


def choose_fusion(stacked: Sequence[float], gated: Sequence[float]) -> str:
    """Which of the two serves, by the validation recall of each seed: the network takes the place of the trees, which
    serve, where it leads by more than seeds differ.

    >>> choose_fusion([0.55, 0.57], [0.56, 0.57]), choose_fusion([0.55, 0.57], [0.65, 0.67])
    ('stacked', 'gated')
    """
    spread = max(float(np.std(stacked)), float(np.std(gated)))
    return "gated" if float(np.mean(gated)) - float(np.mean(stacked)) > spread else "stacked"


def _count_harmful(part: _Parts, start: int, stop: int) -> int:
    return int((part.truth["phase"][start:stop] == "harmful").sum())


def _by_trees(
    part: _Parts, signals: Signals, fusion: StackedFusion, start: int, stop: int, without: Sequence[str]
) -> NDArray[np.float32]:
    scores: NDArray[np.float32] = score_all(part.recording, signals, fusion, start, stop, without=without).sum(axis=1)
    return scores


def _by_gates(
    part: _Parts, signals: Signals, fusion: GatedFusion, relevant: NDArray[np.bool_], start: int, stop: int,
    without: Sequence[str],
) -> NDArray[np.float32]:  # fmt: skip
    return score_gated(part.recording, signals, fusion, relevant, start, stop, without=without)


def _judge(part: _Parts, score: Scorer, modalities: Sequence[str]) -> dict[str, Any]:
    (first, second), end = part.edges, len(part.recording)
    validation = part.judged(score(first, second, ())[:, None], first, second)
    threshold = event_threshold(validation.latest(LATEST), FLAGGED)
    test = part.judged(score(second, end, ())[:, None], second, end)
    flagged = test.score >= threshold
    known = test.harmful | test.honest
    found: dict[str, Any] = {
        "validation": {"recall": float((validation.score >= threshold)[validation.harmful].mean())},
        "test": {
            "recall": float(flagged[test.harmful].mean()),
            "fpr": float(flagged[test.honest].mean()),
            "average_precision": float(average_precision(test.harmful[known], test.score[known])),
        },
    }
    if modalities:
        found["without"] = {
            name: float((score(second, end, (name,)) >= threshold)[test.harmful].mean()) for name in modalities
        }
    return found


def _spread(several: Sequence[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for name, value in several[0].items():
        values = [each[name] for each in several]
        if isinstance(value, dict):
            merged[name] = _spread(values)
        else:
            merged[name] = {"mean": float(np.mean(values)), "sd": float(np.std(values))}
    return merged
