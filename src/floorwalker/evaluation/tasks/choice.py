"""How the scan's default detector and feature groups were chosen: never on what is reported.

Generated logs of the `choose` half (its own site families and visitor families) and, where the public data is there,
the
half of the labelled sessions that is for choosing. Every detector is tried on every set of groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly import RobustScaling, fit_trimmed, list_detectors, load_detector
from floorwalker.evaluation.tasks._visitors_data import KINDS, label_sessions, read_requests
from floorwalker.evaluation.tasks._visitors_protocol import choose_half, measure
from floorwalker.evaluation.tasks.scan import scan_generated, scenario
from floorwalker.evaluation.tasks.visitors import features_of, make_crowd, product_scorer
from floorwalker.features.visitors import GROUPS, select_features
from floorwalker.metrics import average_precision, roc_auc
from floorwalker.settings import ScanSettings
from floorwalker.simulation.access_log import generate
from floorwalker.simulation.sites import list_families

NINE = ("visits", "time", "pages")
SESSIONS = (*NINE, "cadence", "beacon_cadence", "navigation")
CANDIDATES: dict[str, tuple[str, ...]] = {
    "nine": NINE,
    "nine_browser": (*NINE, "browser"),
    "nine_purpose": (*NINE, "purpose"),
    "nine_rhythm": (*NINE, "rhythm"),
    "nine_cadence_navigation": SESSIONS,
    "default": ScanSettings().feature_groups,
    "everything": GROUPS,
}
SITES = 4
HUNTERS = 60
DRAWS = 20

Log = tuple[dict[str, NDArray[np.float64]], NDArray[np.bool_]]


def run(*, data: Path | None, seeds: Sequence[int]) -> dict[str, Any]:
    """ROC AUC and average precision of each candidate on the data for choosing.

    Parameters
    ----------
    data : folder of the public data sets, or None to choose by generated logs alone.
    seeds : the first seeds the generated logs and the draws.
    """
    families = (list_families("training") + list_families("validation"))[:: max(1, 20 // SITES)][:SITES]
    logs = [_judged_log(family, seeds[0]) for family in families]
    table: dict[str, dict[str, dict[str, float]]] = {}
    for groups_name, groups in CANDIDATES.items():
        table[groups_name] = {name: _on_logs(name, groups, logs) for name in list_detectors()}
    if data is not None:
        _add_sessions(table, data, seeds[0])
    default = table["default"][ScanSettings().detector]
    return {
        "data": f"generated logs of {len(logs)} shops ({', '.join(families)}), {HUNTERS} abusers a day; "
        "the choosing half of the labelled sessions",
        "split": "choose families of sites and visitors; choose half of iliou_webbot phase 1",
        "seeds": [seeds[0]],
        "metrics": {"default": default, "detector": ScanSettings().detector, "table": table},
        "baselines": {"nine_isolation_forest": table["nine"]["isolation_forest"]},
        "bars": {},
        "notes": [
            "chosen: high on both kinds of data, fast, and scoring without scikit-learn; nothing here is reported"
        ],
    }


def _judged_log(family: str, seed: int) -> Log:
    judged = scan_generated(generate(scenario(family, seed, "choose", hunters=HUNTERS)))
    return judged.outcome.judgement.features, judged.judged["abusive"].to_numpy()


def _on_logs(detector: str, groups: tuple[str, ...], logs: Sequence[Log]) -> dict[str, float]:
    settings = ScanSettings()
    chosen = select_features(groups)
    logarithmic = np.array([feature.logarithmic for feature in chosen])
    areas, precisions = [], []
    for features, abusive in logs:
        rows = np.column_stack([features[feature.name] for feature in chosen])
        scaled = RobustScaling.fit(rows, logarithmic=logarithmic).apply(rows)
        fitted = fit_trimmed(load_detector(detector), scaled, trim=settings.trim, rounds=settings.trim_rounds)
        score = fitted.score(scaled)
        areas.append(roc_auc(abusive, score))
        precisions.append(average_precision(abusive, score))
    return {"logs_roc_auc": float(np.mean(areas)), "logs_average_precision": float(np.mean(precisions))}


def _add_sessions(table: dict[str, dict[str, dict[str, float]]], data: Path, seed: int) -> None:
    sessions = label_sessions(data, read_requests(data), "everything")
    chosen = choose_half(sessions.identity, sessions.label)
    for groups_name, groups in CANDIDATES.items():
        # A session has no days before it.
        names = features_of(group for group in groups if group != "history")
        for detector, figures in table[groups_name].items():
            scorer = product_scorer(detector, names, ScanSettings())
            for kind, label in KINDS.items():
                crowd = make_crowd(sessions.label, chosen, label, "choose_alone")
                found = measure(sessions.matrix(names), crowd, scorer, draws=DRAWS, seed=seed)
                figures[f"sessions_{kind}_auc"] = found.as_dict()["mean"]
