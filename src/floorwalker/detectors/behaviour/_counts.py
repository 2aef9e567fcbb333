"""What came so far, without its order: how often each code and each pair of codes came, and what came just now.

A linear model of it learns from some hundred sequences what an LSTM needs thousands for. Of the order of events it
knows which followed which, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour._counts_kernel import lay_counts, weigh_counts
from floorwalker.detectors.behaviour.sequences import Field, Sequences
from floorwalker.detectors.behaviour.weights import offsets_of
from floorwalker.errors import ArtefactError, MissingExtraError

PAIRS = 8_192
"""Weights that the pairs of successive codes of the first field share, by a hash."""
STRENGTHS = (0.01, 0.1, 1.0, 10.0)
"""Inverse penalties that are tried."""
USUAL_STRENGTH = 1.0
"""Where there is nothing to choose one by."""
MOST_EVENTS = 20_000
"""Events that are learned from; of more, so many are drawn."""
MOST_VALUES = 20_000_000
"""Numbers of the table that is learned from: late events of long sequences have seen many different things."""
FEWEST = 2
"""Of either class, below which a label is not learned but its share."""
_lay: Callable[..., tuple[Any, Any, Any]] = lay_counts
_weigh: Callable[..., None] = weigh_counts


@dataclass(frozen=True, eq=False)
class CountWeights:
    """Weights of `C` counts (codes of all fields, then `PAIRS`) for `K` labels.

    Parameters
    ----------
    often : float32 [C, K], times the root of how often it came so far.
    now : float32 [C, K], where it came with this event.
    bias : float32 [K].
    """

    often: NDArray[np.float32]
    now: NDArray[np.float32]
    bias: NDArray[np.float32]

    def run(self, sequences: Sequences) -> NDArray[np.float32]:
        """Logits of each label as of each event, the event included: float32 [events, K]."""
        logits = np.empty((len(sequences.tokens), len(self.bias)), np.float32)
        _weigh(
            sequences.tokens, sequences.starts, offsets_of(sequences.fields), self.often, self.now, self.bias, PAIRS,
            logits,
        )  # fmt: skip
        return logits

    def state(self) -> dict[str, NDArray[Any]]:
        """All weights by name."""
        return {"counts_often": self.often, "counts_now": self.now, "counts_bias": self.bias}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]], of: tuple[Field, ...], labels: int) -> CountWeights:
        """The weights that `state` was taken from; `ArtefactError` where they do not fit these fields and labels."""
        counts = sum(field.size for field in of) + PAIRS
        found = []
        for name, shape in (("often", (counts, labels)), ("now", (counts, labels)), ("bias", (labels,))):
            array = state.get(f"counts_{name}", np.empty(0, np.float32))
            if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
                raise ArtefactError(
                    f"{name} of the counts has shape {array.shape} and type {array.dtype}",
                    allowed=f"finite float32 of shape {shape}",
                    fix="train it again",
                )
            found.append(np.ascontiguousarray(array))
        return cls(*found)


def fit_counts(
    sequences: Sequences,
    labels: NDArray[np.float32],
    *,
    asked: NDArray[np.bool_],
    border: int,
    seed: int = 0,
) -> tuple[CountWeights, CountWeights]:
    """Logistic regressions: learned before the border, with the penalty that is best behind it; and again from all.

    Parameters
    ----------
    sequences : n of them.
    labels : float32 [events, K], NaN where unknown.
    asked : bool [events], whose labels are learned.
    border : the event from which on the penalty is chosen; the number of events where there are none to choose by.
    seed : of the drawing.

    Returns
    -------
    The weights without what lies behind the border, and with it.

    Errors
    ------
    `MissingExtraError` without scikit-learn.
    """
    from scipy.sparse import csr_matrix

    counts = sum(field.size for field in sequences.fields) + PAIRS
    rows = np.flatnonzero(asked)
    met = (rows - sequences.starts[sequences.owners[rows]] + 1) * (len(sequences.fields) + 1)
    most = min(MOST_EVENTS, int(MOST_VALUES / max(np.minimum(met, counts).mean(), 1))) if len(rows) else 0
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    wanted = np.zeros(len(asked), np.bool_)
    wanted[rows] = True
    laid = _lay(sequences.tokens, sequences.starts, offsets_of(sequences.fields), wanted, counts, PAIRS)
    table = csr_matrix(laid, shape=(len(rows), 2 * counts))
    earlier, whole = [], []
    for label in labels[rows].T:
        known = ~np.isnan(label)
        before, behind = known & (rows < border), known & (rows >= border)
        tried = {strength: _learn(table[before], label[before], strength) for strength in STRENGTHS}
        best = USUAL_STRENGTH
        if behind.any():
            best = min(STRENGTHS, key=lambda strength: _loss(table[behind], label[behind], tried[strength]))
        earlier.append(tried[best])
        whole.append(_learn(table[known], label[known], best) if behind.any() else tried[best])
    return _as_weights(earlier, counts), _as_weights(whole, counts)


def import_regression() -> Any:
    """scikit-learn's logistic regression; `MissingExtraError` where it is not installed."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ModuleNotFoundError as missing:
        raise MissingExtraError("scikit-learn", "train") from missing
    return LogisticRegression


def _learn(table: Any, target: NDArray[np.float32], strength: float) -> NDArray[np.float64]:
    """Weights of the columns, then the constant: float64 [columns + 1]."""
    positives = float(target.sum())
    negatives = len(target) - positives
    if min(positives, negatives) < FEWEST:
        return np.append(np.zeros(table.shape[1]), np.log((positives + 0.5) / (negatives + 0.5)))
    model = import_regression()(C=strength, max_iter=300).fit(table, target)
    return np.append(model.coef_[0], model.intercept_[0])


def _loss(table: Any, target: NDArray[np.float32], weights: NDArray[np.float64]) -> float:
    logits = table @ weights[:-1] + weights[-1]
    return float((np.logaddexp(0.0, logits) - target * logits).mean())


def _as_weights(found: list[NDArray[np.float64]], counts: int) -> CountWeights:
    every = np.stack(found, axis=1).astype(np.float32)
    parts = every[:counts], every[counts:-1], every[-1]
    return CountWeights(*(np.ascontiguousarray(part) for part in parts))
