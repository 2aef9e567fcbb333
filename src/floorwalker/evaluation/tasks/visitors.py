"""Do bots among people stand out, without labels? On the web bot data set of Iliou et al. (2021), phase 1.

Sessions are visitors. Fifty people with six bots of one kind are drawn forty times; each draw is scaled, fitted
(trimmed, as the scan does) and scored without labels, by the scan's default detector on the scan's default features.
Only the sessions of the report half count in the figures (see `_visitors_protocol`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly import RobustScaling, fit_trimmed, list_detectors, load_detector
from floorwalker.errors import UsageError
from floorwalker.evaluation.tasks._visitors_data import (
    HUMAN,
    KINDS,
    Part,
    Sessions,
    label_sessions,
    read_requests,
)
from floorwalker.evaluation.tasks._visitors_protocol import Crowd, Scorer, choose_half, measure
from floorwalker.evaluation.tasks._visitors_supervised import supervised_figures
from floorwalker.features.visitors import FEATURES, NINE, select_features
from floorwalker.metrics import roc_auc
from floorwalker.scan.reading import BEACON_KIND, PAGE_KIND
from floorwalker.settings import ScanSettings

BARS = {"moderate_auc": {"min": 0.90}, "advanced_auc": {"min": 0.70}}
"""Mean ROC AUC to reach, one default for both."""

PAPER_GROUPS = {feature.group for feature in FEATURES if feature.name in NINE}
BASELINE_DETECTORS = ("isolation_forest", "lof", "dbscan", "histogram")
DRAWS = 40
DRAWN_BOTS = 6
LOGARITHMIC = {feature.name: feature.logarithmic for feature in FEATURES}


def run(
    *, data: Path | None, seeds: Sequence[int] = (0,), draws: int = DRAWS, merge: Literal["bilstm", "none"] = "bilstm"
) -> dict[str, Any]:
    """Measure the default, its variants and the baselines.

    Parameters
    ----------
    data : folder that holds `iliou_webbot`.
    seeds : of the draws and the detectors; figures are means over them, intervals are the first seed's.
    draws : draws of bots a seed.

    merge : how routes are made; `none` takes every path as its own.

    Returns `metrics` (keys `moderate_auc`, `advanced_auc`), `baselines`, `split`, `bars`. Raises `InputError` where
    data is missing.
    """
    if data is None:
        raise UsageError(
            "visitors are judged on public data that was not named", fix="give --data or set FLOORWALKER_DATA"
        )
    settings = ScanSettings()
    requests = read_requests(data, merge=merge)
    parts: dict[Part, Sessions] = {
        part: label_sessions(data, requests, part) for part in ("everything", "pages", "all_as_pages")
    }
    sessions = parts["everything"]
    chosen = choose_half(sessions.identity, sessions.label)
    names = features_of(settings.feature_groups)

    def figures(part: Part, features: Sequence[str], detector: str, protocol: str) -> dict[str, dict[str, float]]:
        measured = parts[part]
        scorer = product_scorer(detector, features, settings)
        answer = {}
        for kind, label in KINDS.items():
            crowd = make_crowd(measured.label, chosen, label, protocol)
            found = [
                measure(measured.matrix(features), crowd, scorer, draws=draws, seed=seed).as_dict() for seed in seeds
            ]
            means = {key: round(float(np.mean([one[key] for one in found])), 4) for key in ("mean", "sd")}
            answer[f"{kind}_auc"] = {**found[0], **means}
        return answer

    default = settings.detector
    nine = list(NINE)
    metrics: dict[str, Any] = {
        **figures("everything", names, default, "report"),
        "report_half_alone": figures("everything", names, default, "report_alone"),
        "page_requests": figures("pages", names, default, "report"),
        "choose_half_alone": figures("everything", names, default, "choose_alone"),
        "without_group": {
            group: figures("everything", features_of(set(settings.feature_groups) - {group}), default, "report")
            for group in settings.feature_groups
            if group not in PAPER_GROUPS
        },
        "other_detectors": {
            name: figures("everything", names, name, "report") for name in list_detectors() if name != default
        },
    }
    baselines: dict[str, Any] = {
        "nine_features_all_requests": {
            name: figures("all_as_pages", nine, name, "report") for name in BASELINE_DETECTORS
        },
        "nine_features_page_requests": {name: figures("pages", nine, name, "report") for name in BASELINE_DETECTORS},
        "flat_number_of_visits": flat_baseline(sessions, chosen),
        "supervised_official_split": supervised_figures(sessions, chosen, names, seed=seeds[0]),
        "supervised_official_split_nine": supervised_figures(parts["all_as_pages"], chosen, nine, seed=seeds[0]),
    }
    return {
        "metrics": metrics,
        "baselines": baselines,
        "split": {
            "detector": default,
            "groups": list(settings.feature_groups),
            "features": names,
            "routes": merge,
            "draws": draws,
            "bots_in_a_draw": DRAWN_BOTS,
            "counted": "sessions of the report half; people of the choose half only fill the crowd",
            "halves": {
                label: {
                    "choose": int((chosen & (sessions.label == label)).sum()),
                    "report": int((~chosen & (sessions.label == label)).sum()),
                }
                for label in (HUMAN, *KINDS.values())
            },
            "beacon_share": round(requests.share_of(BEACON_KIND), 4),
            "page_share": round(requests.share_of(PAGE_KIND), 4),
        },
        "bars": BARS,
    }


def features_of(groups: Iterable[str]) -> list[str]:
    """Names of the features of these groups, in the table's order."""
    return [feature.name for feature in select_features(groups)]


def make_crowd(label: NDArray[np.str_], chosen: NDArray[np.bool_], kind: str, protocol: str) -> Crowd:
    """Who is in the draws and who counts.

    `report`: all fifty people and six bots of the report half; figures count the report half's people.
    `report_alone`, `choose_alone`: the people of one half and three of its bots, nobody else.
    """
    half = chosen if protocol == "choose_alone" else ~chosen
    alone = protocol.endswith("_alone")
    people = (label == HUMAN) & half if alone else label == HUMAN
    return Crowd(
        humans=np.flatnonzero(people),
        bots=np.flatnonzero((label == kind) & half),
        drawn=DRAWN_BOTS // 2 if alone else DRAWN_BOTS,
        counted=half,
    )


def product_scorer(detector: str, features: Sequence[str], settings: ScanSettings) -> Scorer:
    """Scale, fit trimmed and score as the scan does, on the rows of one draw."""
    logarithmic = [LOGARITHMIC[name] for name in features]
    detector_class = load_detector(detector)

    def score(rows: NDArray[np.float64], seed: int) -> NDArray[np.float32]:
        scaled = RobustScaling.fit(rows, logarithmic=logarithmic).apply(rows)
        fitted = fit_trimmed(
            lambda: detector_class(seed=seed),  # type: ignore[call-arg]
            scaled,
            trim=settings.trim,
            rounds=settings.trim_rounds,
        )
        return fitted.score(scaled)

    return score


def flat_baseline(sessions: Sessions, chosen: NDArray[np.bool_]) -> dict[str, float]:
    """ROC AUC of simply counting page requests, over the whole report half: more visits, more suspect."""
    visits = sessions.features["visits"]
    answer = {}
    for kind, label in KINDS.items():
        rows = ~chosen & ((sessions.label == HUMAN) | (sessions.label == label))
        answer[f"{kind}_auc"] = round(roc_auc(sessions.label[rows] != HUMAN, visits[rows]), 4)
    return answer
