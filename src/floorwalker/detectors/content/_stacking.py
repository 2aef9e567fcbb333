"""Puts the answers of several views together, and chooses which, on answers that no view had learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

OFFSETS = (-1.2, -0.8, -0.5, -0.3, -0.15, 0.0, 0.15, 0.3, 0.5, 0.8, 1.2)


SURE = 1e-7
"""The least chance that a loss is counted with."""

STRENGTH = {"accuracy": 0.2, "macro_f1": 0.05}
"""Of the logistic regression over the views. The first was compared with 0.05 on out-of-fold answers inside three
learning parts of Ott's hotels (log loss .241 against .244), the second with nothing."""

MARGIN = 0.002
"""A larger set of views must be this much better than a smaller one."""
FEW_TO_CHOOSE = 100
"""Texts of the rarest class below which no single view of n-grams is chosen."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Logistic regression over the heads of the views `names`, with an offset a class.

    Parameters
    ----------
    weights : float64 [classes, heads], in units of the heads themselves.
    intercepts : float64 [classes], offsets included.
    """

    names: tuple[str, ...]
    weights: NDArray[np.float64]
    intercepts: NDArray[np.float64]

    def probabilities(self, heads: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """float32 [n, classes]."""
        rows = np.hstack([heads[name] for name in self.names]).astype(np.float64)
        return softmax(rows @ self.weights.T + self.intercepts)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned."""
        return {"weights": self.weights, "intercepts": self.intercepts}

    @classmethod
    def restore(cls, names: tuple[str, ...], arrays: Mapping[str, NDArray[Any]]) -> Stack:
        """What `state` gave."""
        return cls(names, arrays["weights"], arrays["intercepts"])


def softmax(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rows to chances that sum to 1."""
    powers = np.exp(rows - rows.max(1, keepdims=True))
    answer: NDArray[np.float32] = (powers / powers.sum(1, keepdims=True)).astype(np.float32)
    return answer


def measure_answers(
    truth: NDArray[np.int64], answers: NDArray[np.int64], classes: int, objective: Literal["accuracy", "macro_f1"]
) -> float:
    """Accuracy, or the mean F1 over classes.

    >>> measure_answers(np.array([0, 0, 1]), np.array([0, 0, 0]), 2, "macro_f1")
    0.4
    """
    if objective == "accuracy":
        return float((truth == answers).mean())
    table = np.bincount(truth * classes + answers, minlength=classes * classes).reshape(classes, classes)
    both = table.sum(0) + table.sum(1)
    return float(np.mean(2 * np.diag(table) / np.maximum(both, 1)))


def choose_stack(
    held: Mapping[str, NDArray[np.float32]],
    codes: NDArray[np.int64],
    classes: int,
    fold: NDArray[np.int64],
    *,
    objective: Literal["accuracy", "macro_f1"],
) -> tuple[str, Stack, dict[str, float]]:
    """The simplest of the best sets of views by cross-validation over `held`, fitted on all; the figure of each set.

    Of a class with fewer than `FEW_TO_CHOOSE` texts too little is known to choose: then all views of n-grams speak.

    Parameters
    ----------
    held : answers of each view, float32 [n, heads], each from a fit without that text.
    """
    encoders = ("minilm", "minilm_layers", "e5", "tuned")
    meaning = {*encoders, "layers_kernel", "meaning", "extra"}
    sets: dict[str, tuple[str, ...]] = {name: (name,) for name in held}
    grams = tuple(name for name in held if name not in meaning)
    if len(grams) > 1:
        sets["grams"] = grams
    for name in encoders:
        if grams and name in held:
            sets[f"grams and {name}"] = (*grams, name)
    if len(held) > len(grams) and len(held) > 1:
        sets["all"] = tuple(held)
    figures, losses = {}, {}
    for name, members in sets.items():
        rows = np.hstack([held[one] for one in members]).astype(np.float64)
        chances = np.zeros((len(codes), classes), np.float32)
        for part in np.unique(fold):
            inside = fold != part
            fitted = _fit(members, rows[inside], codes[inside], classes, objective)
            chances[~inside] = softmax(rows[~inside] @ fitted.weights.T + fitted.intercepts)
        figures[name] = round(measure_answers(codes, chances.argmax(1).astype(np.int64), classes, objective), 5)
        losses[name] = -np.log(np.maximum(chances[np.arange(len(codes)), codes], SURE))
    # Of sets without encoders the simplest of the best; one with encoders must be better than that by a standard error
    # (Breiman et al. 1984), for what subjects mean carries over less than how texts are written.
    plain = [name for name in sorted(sets, key=lambda one: len(sets[one])) if not meaning & set(sets[name])]
    ranked = plain or list(sets)
    best = max(figures[name] for name in ranked)
    chosen = next(name for name in ranked if figures[name] >= best - MARGIN)
    if "grams" in sets and np.bincount(codes, minlength=classes).min() < FEW_TO_CHOOSE:
        # The best of several views on a handful of texts is the luckiest one.
        chosen, best = "grams", figures["grams"]
    if objective == "accuracy":
        # The loss of the same texts without and with tells a gain that a count of errors would need more texts for.
        rival = min(sets, key=lambda name: float(losses[name].mean()))
        gain = losses[chosen] - losses[rival]
        wins = gain.mean() > gain.std() / np.sqrt(len(gain)) and figures[rival] >= best
    else:
        rival = max(figures, key=lambda name: figures[name])
        wins = figures[rival] > best + np.sqrt(best * (1 - best) / len(codes))
    if wins and meaning & set(sets[rival]):
        chosen = rival
    rows = np.hstack([held[one] for one in sets[chosen]]).astype(np.float64)
    return chosen, _fit(sets[chosen], rows, codes, classes, objective), figures


def measure_binary(
    names: tuple[str, ...],
    held: Mapping[str, NDArray[np.float32]],
    codes: NDArray[np.int64],
    classes: int,
    fold: NDArray[np.int64],
    *,
    objective: Literal["accuracy", "macro_f1"],
) -> float:
    """How well a linear stack of these views tells the first class from all others, by cross-validation over `held`."""
    rows, harmful = np.hstack([held[one] for one in names]).astype(np.float64), (codes > 0).astype(np.int64)
    answers = np.zeros(len(codes), np.int64)
    for part in np.unique(fold):
        inside = fold != part
        fitted = _fit(names, rows[inside], harmful[inside], 2, objective)
        answers[~inside] = (rows[~inside] @ fitted.weights.T + fitted.intercepts).argmax(1)
    return round(measure_answers(harmful, answers, 2, objective), 5)


def _fit(
    names: tuple[str, ...],
    rows: NDArray[np.float64],
    codes: NDArray[np.int64],
    classes: int,
    objective: Literal["accuracy", "macro_f1"],
) -> Stack:
    from floorwalker.detectors.content._training import fit_logistic

    mean, deviation = rows.mean(0), rows.std(0)
    deviation[deviation < 1e-9] = 1
    weights, intercepts = fit_logistic((rows - mean) / deviation, codes, strength=STRENGTH[objective], balanced=False)
    if classes == 2:
        weights, intercepts = np.vstack([np.zeros_like(weights), weights]), np.array([0.0, intercepts[0]])
    weights = weights / deviation
    intercepts = intercepts - weights @ mean
    if objective == "macro_f1":
        intercepts = intercepts + _find_offsets(rows @ weights.T + intercepts, codes, classes)
    return Stack(names, weights, intercepts)


def _find_offsets(rows: NDArray[np.float64], codes: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    # One class at a time, twice around: the mean of F1 is no smooth function, and its plateaus are wide.
    offsets = np.zeros(classes)
    for _ in range(2):
        for one in range(1, classes):
            tried = []
            for step in OFFSETS:
                moved = offsets.copy()
                moved[one] += step
                tried.append((measure_answers(codes, (rows + moved).argmax(1), classes, "macro_f1"), -abs(step), step))
            offsets[one] += max(tried)[2]
    return offsets
