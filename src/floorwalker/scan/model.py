"""What a scan learns from the training days and judges the others with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly import Detector, load_detector
from floorwalker.detectors.anomaly._scaling import RobustScaling
from floorwalker.detectors.anomaly._trimmed import fit_trimmed
from floorwalker.errors import ArtefactError
from floorwalker.features.visitors import FEATURES, Feature, select_features
from floorwalker.scan.cutoff import budget_for, score_cutoff, tail_cutoff
from floorwalker.scan.patterns import Evidence, Pattern, load_patterns
from floorwalker.settings import ScanSettings

Values = NDArray[np.float64]
EvidenceMaker = Callable[[Mapping[str, float], bool], Evidence]
"""Medians and whether browsers fetch assets, to the evidence of the training rows."""

FEWEST_ROWS = 20
"""Ordinary visitor-days below which nothing can be called unusual for this site."""


@dataclass
class VisitorModel:
    """Scaling, outlier detector and cut-offs of one site.

    Parameters
    ----------
    features : what the detector sees, in order.
    scaling : of those features.
    detector : fitted, or None where the training days held too few visitors.
    threshold : cut-off on the detector's score.
    pattern_cutoffs : reason code to the least strength that is flagged.
    medians : feature name to the site's median, for every feature there is.
    site_fetches_assets : whether browsers are seen to fetch assets on this site.
    """

    features: tuple[Feature, ...]
    scaling: RobustScaling
    detector: Detector | None
    detector_name: str
    threshold: float
    pattern_cutoffs: dict[str, float]
    medians: dict[str, float]
    site_fetches_assets: bool
    rows: int = 0
    groups: tuple[str, ...] = ()

    @classmethod
    def fit(
        cls, features: Mapping[str, Values], evidence_of: EvidenceMaker, settings: ScanSettings, *, days: int
    ) -> VisitorModel:
        """Learn from the ordinary visitor-days of the training days, abusers among them.

        Parameters
        ----------
        features : name to float64 [n], every feature, of visitors that are no recognised machines.
        evidence_of : makes the patterns' evidence once the medians are known.
        settings : detector, groups, budget, trimming.
        days : how many days these visitor-days are of.
        """
        chosen = select_features(settings.feature_groups)
        matrix = np.column_stack([features[feature.name] for feature in chosen])
        count = len(matrix)
        logarithmic = np.array([feature.logarithmic for feature in chosen])
        medians = {feature.name: _median(features[feature.name]) for feature in FEATURES}
        fetches = count > 0 and float(np.mean(features["assets_per_page"] > 0.5)) >= 0.3
        model = cls(
            features=chosen,
            scaling=RobustScaling.fit(matrix, logarithmic=logarithmic) if count else _no_scaling(logarithmic),
            detector=None,
            detector_name=settings.detector,
            threshold=float("inf"),
            pattern_cutoffs={},
            medians=medians,
            site_fetches_assets=fetches,
            rows=count,
            groups=settings.feature_groups,
        )
        evidence = evidence_of(medians, fetches)
        suspect = np.zeros(count, bool)
        for pattern in load_patterns():
            strength = pattern.strength(evidence)
            cut = pattern_cutoff(pattern, strength, settings.false_alarm_budget)
            model.pattern_cutoffs[pattern.code] = cut
            suspect |= strength >= cut
        # Whoever a pattern names already would only teach the detector that such behaviour is usual.
        scaled = model.scaling.apply(matrix[~suspect])
        if len(scaled) >= FEWEST_ROWS:
            model.detector = fit_trimmed(
                detector_maker(settings.detector), scaled, trim=settings.trim, rounds=settings.trim_rounds
            )
            budget = budget_for(days, settings.false_alarm_budget)
            model.threshold = score_cutoff(model.detector.score(scaled), budget)
        return model

    def score(self, deviations: NDArray[np.float32]) -> NDArray[np.float32]:
        """How unusual each visitor-day is, float32 [n] in [0, 1]; 0 for all where the training days were too few.

        Parameters
        ----------
        deviations : float32 [n, d], as `deviations` gives them.
        """
        if self.detector is None:
            return np.zeros(len(deviations), np.float32)
        return self.detector.score(deviations)

    def deviations(self, features: Mapping[str, Values]) -> NDArray[np.float32]:
        """Spreads from the site's median of every feature that the detector sees, float32 [n, d]."""
        return self.scaling.apply(np.column_stack([features[feature.name] for feature in self.features]))

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Arrays from which `from_state` restores an equal model."""
        facts = {
            "features": [feature.name for feature in self.features],
            "groups": list(self.groups),
            "detector": self.detector_name,
            "threshold": self.threshold if np.isfinite(self.threshold) else None,
            "pattern_cutoffs": self.pattern_cutoffs,
            "medians": self.medians,
            "site_fetches_assets": self.site_fetches_assets,
            "rows": self.rows,
        }
        arrays: dict[str, NDArray[np.generic]] = {
            "facts": np.frombuffer(json.dumps(facts).encode(), np.uint8),
            **{f"scaling.{name}": values for name, values in self.scaling.state().items()},
        }
        if self.detector is not None:
            arrays |= {f"detector.{name}": values for name, values in self.detector.state().items()}
        return arrays

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[np.generic]]) -> VisitorModel:
        """The model whose `state` this is; damaged arrays raise `ArtefactError`."""
        try:
            facts = json.loads(arrays["facts"].tobytes())
            by_name = {feature.name: feature for feature in FEATURES}
            inner = _under("detector.", arrays)
            threshold = facts["threshold"]
            return cls(
                features=tuple(by_name[name] for name in facts["features"]),
                scaling=RobustScaling.from_state(_under("scaling.", arrays)),
                detector=_class_of(facts["detector"]).from_state(inner) if inner else None,
                detector_name=facts["detector"],
                threshold=float("inf") if threshold is None else float(threshold),
                pattern_cutoffs={str(code): float(cut) for code, cut in facts["pattern_cutoffs"].items()},
                medians={str(name): float(value) for name, value in facts["medians"].items()},
                site_fetches_assets=bool(facts["site_fetches_assets"]),
                rows=int(facts["rows"]),
                groups=tuple(facts["groups"]),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise ArtefactError(
                f"the saved visitor model is damaged or of another version ({error})", fix="train again with --save"
            ) from error


def detector_maker(names: str) -> Callable[[], Detector]:
    """What makes an unfitted detector: one by its name, several joined by commas as an ensemble of them.

    An unknown name, or an ensemble among several, raises `UsageError`.

    >>> detector_maker("knn, histogram")().capabilities.name
    'Ensemble'
    """
    members = _split(names)
    if len(members) == 1:
        return load_detector(members[0])
    for member in members:
        load_detector(member)
    together: Callable[[], Detector] = partial(cast("Any", load_detector("ensemble")), members=members)
    together()  # refuses members that it cannot ask
    return together


def _split(names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip())) or (names,)


def _class_of(names: str) -> type[Detector]:
    members = _split(names)
    return load_detector(members[0] if len(members) == 1 else "ensemble")


def pattern_cutoff(pattern: Pattern, strength: Values, budget: float) -> float:
    """The strength from which a pattern is flagged: its floor, or higher where the site's own visitors reach it.

    Parameters
    ----------
    strength : float64 [n], the pattern's strength in those visitors.
    budget : share of honest visitors that may be flagged by chance.
    """
    if not pattern.adaptive or len(strength) == 0:
        return pattern.floor
    return max(pattern.floor, tail_cutoff(strength, budget))


def _median(values: Values) -> float:
    return float(np.median(values)) if len(values) else 0.0


def _no_scaling(logarithmic: NDArray[np.bool_]) -> RobustScaling:
    return RobustScaling(logarithmic, np.zeros(len(logarithmic)), np.ones(len(logarithmic)))


def _under(prefix: str, arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}
