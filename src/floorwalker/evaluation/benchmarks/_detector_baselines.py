"""What a user would take instead of the detectors, timed on the same rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
TREES = 200
HIDDEN = 64
NEIGHBOURS = 25


def pyod_forest(learned: Rows, seed: int) -> Callable[[Rows], object]:
    """PyOD's Isolation Forest of 200 trees: `decision_function` of the rows."""
    from pyod.models.iforest import IForest

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        forest = IForest(n_estimators=TREES, random_state=seed).fit(np.nan_to_num(learned))
    return lambda rows: forest.decision_function(np.nan_to_num(rows))


def scikit_forest(learned: Rows, seed: int) -> Callable[[Rows], object]:
    """scikit-learn's random forest of 200 trees: `predict_proba` of the rows."""
    from sklearn.ensemble import RandomForestClassifier

    labels = np.random.default_rng(seed).random(len(learned)) < 0.05
    forest = RandomForestClassifier(TREES, max_depth=8, random_state=seed, n_jobs=1).fit(np.nan_to_num(learned), labels)
    return lambda rows: forest.predict_proba(np.nan_to_num(rows))


def river_trees(learned: Rows, seed: int) -> Callable[[Rows], object]:
    """River's half-space trees: each row is scored, then learned."""
    from river.anomaly import HalfSpaceTrees

    names = [f"f{place}" for place in range(learned.shape[1])]
    trees: Any = HalfSpaceTrees(n_trees=25, height=8, seed=seed)

    def answer(rows: Rows) -> object:
        scores = []
        for row in np.nan_to_num(rows).tolist():
            event = dict(zip(names, row, strict=True))
            scores.append(trees.score_one(event))
            trees.learn_one(event)
        return scores

    answer(learned[:300])
    return answer


def torch_lstm(width: int, seed: int) -> Callable[[Rows], object]:
    """PyTorch eager: one step of an `LSTMCell` with 64 cells an event, the state of each looked up in a dictionary."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        cell, head = torch.nn.LSTMCell(width, HIDDEN), torch.nn.Linear(HIDDEN, 9)
    nothing = torch.zeros(1, HIDDEN), torch.zeros(1, HIDDEN)
    states: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def answer(rows: Rows) -> object:
        given = torch.from_numpy(np.nan_to_num(rows))
        scores: list[torch.Tensor] = []
        with torch.no_grad():
            # One event after the other: the next may be of the same account.
            for place in range(len(given)):
                owner = len(scores) % 97
                state = cell(given[place : place + 1], states.get(owner, nothing))
                states[owner] = state
                scores.append(torch.sigmoid(head(state[0])))
        return scores

    return answer


def pyg_loop(width: int, seed: int) -> Callable[[Rows], object]:
    """PyTorch Geometric in a plain loop: two SAGE layers over an event's 25 neighbours, one graph an event."""
    import torch
    from torch_geometric.nn import SAGEConv

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        first, second = SAGEConv(width, HIDDEN), SAGEConv(HIDDEN, 9)
    edges = torch.stack([torch.arange(1, NEIGHBOURS + 1), torch.zeros(NEIGHBOURS, dtype=torch.int64)])
    around = torch.randn(NEIGHBOURS, width, generator=torch.Generator().manual_seed(seed))

    def answer(rows: Rows) -> object:
        given = torch.from_numpy(np.nan_to_num(rows))
        with torch.no_grad():
            return [
                second(first(torch.cat([given[place : place + 1], around]), edges).relu(), edges)[0]
                for place in range(len(given))
            ]

    return answer
