"""Boosted trees of the graph tasks: rounds chosen on validation, then learned again with its labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import MissingExtraError

Matrix = NDArray[np.float32]
Mask = NDArray[np.bool_]

SETTINGS: dict[str, Any] = {
    "objective": "binary", "learning_rate": 0.04, "num_leaves": 12, "min_data_in_leaf": 50, "feature_fraction": 0.15,
    "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0, "max_bin": 255, "verbosity": -1, "num_threads": 1,
}  # fmt: skip
PATIENCE = 60


def need_lightgbm() -> Any:
    """LightGBM, or `MissingExtraError`."""
    try:
        import lightgbm
    except ImportError as missing:
        raise MissingExtraError("lightgbm", "train") from missing
    return lightgbm


def choose_rounds(
    rows: Matrix, labels: Mask, held_rows: Matrix, held_labels: Mask, *, metric: str, seed: int, **settings: Any
) -> tuple[int, Any]:
    """The number of rounds at which the held rows are told best, and the model of that many."""
    lightgbm = need_lightgbm()
    training = lightgbm.Dataset(rows, labels)
    held = lightgbm.Dataset(held_rows, held_labels, reference=training)
    booster = lightgbm.train(
        {**SETTINGS, **settings, "metric": metric, "seed": seed},
        training,
        1500,
        valid_sets=[held],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    return int(booster.best_iteration), booster


def fit_and_score(
    rows: Matrix, labels: Mask, asked: Matrix, *, rounds: int, seed: int, models: int = 3, **settings: Any
) -> NDArray[np.float64]:
    """Mean probability of some models that differ in their draws: float64 [k] for the asked rows."""
    lightgbm = need_lightgbm()
    training = lightgbm.Dataset(rows, labels, free_raw_data=False)
    total = np.zeros(len(asked))
    for model in range(models):
        options = {**SETTINGS, **settings, "seed": seed * 101 + model}
        booster = lightgbm.train(options, training, max(rounds, 1))
        total += np.asarray(booster.predict(asked), np.float64)
    return total / models
