"""Grows boosted trees with LightGBM. Only training imports this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import MissingExtraError

FEWEST_POSITIVES = 5
"""Positives of the validation part below which a metric on it says too little to stop by."""
FEW_VALUES = 200_000
"""Numbers of a table below which threads would mostly wait for one another: on a busy machine a hundred times as long
as they work."""


def grow(
    rows: NDArray[np.floating[Any]],
    labels: NDArray[np.float64],
    *,
    weights: NDArray[np.float64],
    held: NDArray[np.bool_],
    names: Sequence[str],
    settings: Mapping[str, Any],
    seeds: Sequence[int],
    rounds: int,
    patience: int,
    blind_rounds: int,
    refit: bool,
) -> list[str]:
    """One model for each seed, as LightGBM text.

    Parameters
    ----------
    rows, labels, weights : [n, d], [n] of 0 and 1, [n].
    held : bool [n], rows that rounds are chosen on; none, or too few positives, means `blind_rounds`.
    settings : LightGBM's own parameters.
    rounds, patience : most rounds, and how many may pass without a better metric.
    refit : learn once more from all rows with the rounds found.
    """
    lightgbm = _lightgbm()
    if not settings["num_threads"] and rows.size < FEW_VALUES:
        settings = {**settings, "num_threads": 1}
    positives, earlier = int(labels[held].sum()), int(labels[~held].sum())
    judged = FEWEST_POSITIVES <= positives < held.sum() and 0 < earlier < (~held).sum()
    learning = ~held if judged else np.ones(len(rows), np.bool_)
    columns = [f"column_{place}" for place in range(len(names))]

    def dataset(chosen: NDArray[np.bool_], reference: Any = None) -> Any:
        every = bool(chosen.all())
        return lightgbm.Dataset(
            rows if every else rows[chosen], labels if every else labels[chosen],
            weight=weights if every else weights[chosen], feature_name=columns, reference=reference,
            params={key: settings[key] for key in ("max_bin", "min_data_in_bin", "num_threads", "verbosity")},
        )  # fmt: skip

    first = dataset(learning)
    chosen_rounds = [min(rounds, blind_rounds)] * len(seeds)
    texts = []
    if judged:
        watched = dataset(held, first)
        for place, seed in enumerate(seeds):
            booster = lightgbm.train(
                {**settings, "seed": seed}, first, rounds, valid_sets=[watched],
                callbacks=[lightgbm.early_stopping(patience, verbose=False)],
            )  # fmt: skip
            chosen_rounds[place] = max(int(booster.best_iteration), 1)
            texts.append(booster.model_to_string(num_iteration=chosen_rounds[place]))
        if not refit:
            return texts
        first = dataset(np.ones(len(rows), np.bool_))
    return [
        lightgbm.train({**settings, "seed": seed}, first, count).model_to_string()
        for seed, count in zip(seeds, chosen_rounds, strict=True)
    ]


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ModuleNotFoundError as missing:
        raise MissingExtraError("lightgbm", "train") from missing
    return lightgbm
