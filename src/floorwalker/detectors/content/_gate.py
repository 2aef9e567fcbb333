"""Harmless or not, by boosted trees over all that the views say, style, and what else the caller brought.

A linear stack adds views up. Trees see that few stars beside praise, or a short text that one view knows, mean
something else together than apart. They are kept only where they win on answers that no view had learned from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content._stacking import measure_answers
from floorwalker.errors import MissingExtraError
from floorwalker.models.trees import Trees, mean_of
from floorwalker.models.trees_lightgbm import read_lightgbm

LEAST_TEXTS = 2_000
"""Fewer texts do not feed trees; they are not tried."""
ROUNDS, MODELS = 120, 3
SETTINGS: dict[str, Any] = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 8, "min_data_in_leaf": 40, "feature_fraction": 0.4,
    "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0, "max_bin": 63, "num_threads": 1, "verbosity": -1,
    "deterministic": True, "force_row_wise": True,
}  # fmt: skip
"""Small trees: the views have done the work. Set on validation answers of ViSpamReviews' learning part."""
CUTS = 101
"""Quantiles tried as the threshold."""


@dataclass(frozen=True, eq=False)
class Gate:
    """Trees whose answer is one half where the objective is best served.

    Parameters
    ----------
    texts : LightGBM's text of each model.
    threshold : log odds from which on a text is flagged.
    """

    texts: tuple[str, ...]
    threshold: float
    trees: Trees

    @classmethod
    def read(cls, texts: tuple[str, ...], threshold: float) -> Gate:
        """The gate of these models; `ArtefactError` where a text is damaged."""
        return cls(texts, threshold, mean_of([read_lightgbm(text)[0] for text in texts]))

    def score(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n] in [0, 1]; above one half is flagged."""
        odds = self.trees.raw(rows.astype(np.float64)) - self.threshold
        answer: NDArray[np.float32] = (1.0 / (1.0 + np.exp(-np.clip(odds, -60, 60)))).astype(np.float32)
        return answer


def fit_gate(
    rows: NDArray[np.float32],
    harmful: NDArray[np.bool_],
    fold: NDArray[np.int64],
    *,
    objective: Literal["accuracy", "macro_f1"],
    seed: int,
) -> tuple[Gate, float]:
    """A gate learned from all rows, and its figure by cross-validation.

    Parameters
    ----------
    rows : float32 [n, d], answers of views that had not learned from the text, and dense rows.
    fold : int64 [n], of the cross-validation; trees and thresholds of a fold's figure come from the others.
    """
    odds = np.zeros(len(rows))
    for part in np.unique(fold):
        inside = fold != part
        odds[~inside] = mean_of([read_lightgbm(text)[0] for text in _grow(rows[inside], harmful[inside], seed)]).raw(
            rows[~inside].astype(np.float64)
        )
    said = np.zeros(len(rows), np.bool_)
    for part in np.unique(fold):
        inside = fold != part
        said[~inside] = odds[~inside] >= _best_cut(odds[inside], harmful[inside], objective)
    figure = measure_answers(harmful.astype(np.int64), said.astype(np.int64), 2, objective)
    gate = Gate.read(tuple(_grow(rows, harmful, seed)), _best_cut(odds, harmful, objective))
    return gate, round(figure, 5)


def _grow(rows: NDArray[np.float32], harmful: NDArray[np.bool_], seed: int) -> list[str]:
    try:
        import lightgbm
    except ModuleNotFoundError as missing:
        raise MissingExtraError("lightgbm", "train") from missing
    given = lightgbm.Dataset(rows, harmful.astype(np.float64), params={"max_bin": SETTINGS["max_bin"], "verbosity": -1})
    return [
        lightgbm.train({**SETTINGS, "seed": seed * 101 + model}, given, ROUNDS).model_to_string()
        for model in range(MODELS)
    ]


def _best_cut(
    odds: NDArray[np.float64], harmful: NDArray[np.bool_], objective: Literal["accuracy", "macro_f1"]
) -> float:
    truth = harmful.astype(np.int64)
    cuts = np.unique(np.quantile(odds, np.linspace(0, 1, CUTS)))
    return float(max(cuts, key=lambda cut: measure_answers(truth, (odds >= cut).astype(np.int64), 2, objective)))
