"""How much a single number, a small tree, a bag of words and a full model tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.metrics import roc_auc

FOLDS = 5
"""Parts that campaigns and accounts are dealt into; a part is judged by what the others taught."""
WORDS = r"(?u)\w+|[^\w\s]"
FEWEST = 50
"""Positives below which a figure says nothing."""


def direction_free_auc(truth: NDArray[np.bool_], values: NDArray[np.floating[Any]], *, learned: bool = False) -> float:
    """The better of "more is worse" and "less is worse", missing values taken as lowest, as highest, or left out.

    Parameters
    ----------
    learned : the values are rates of abuse, learned on other events, so more is worse and nothing else: a campaign's
        own share is missing from the rates that it is judged by, which turns them against it.
    """
    values = np.asarray(values, np.float64)
    absent = np.isnan(values)

    def of(truth: NDArray[np.bool_], values: NDArray[np.floating[Any]]) -> float:
        found = roc_auc(truth, values)
        return found if learned else max(found, 1.0 - found)

    candidates = [values]
    if absent.any():
        present = values[~absent]
        low, high = (present.min() - 1, present.max() + 1) if len(present) else (0.0, 1.0)
        candidates = [np.where(absent, low, values), np.where(absent, high, values)]
    best = 0.5
    for candidate in candidates:
        best = max(best, of(truth, candidate))
    kept = truth[~absent]
    if absent.any() and min(kept.sum(), (~kept).sum()) >= FEWEST:
        best = max(best, of(kept, values[~absent]))
    return best


def single_aucs(
    truth: NDArray[np.bool_], columns: Mapping[str, NDArray[Any]], fold: NDArray[np.int64] | None = None
) -> dict[str, float]:
    """The direction-free AUC of each column, the highest first; of learned rates (`rate/NAME`) that of their own.

    What is usual (`usual/NAME`) is learned, too, but may point either way.

    Parameters
    ----------
    fold : int64 [n], which others each row's learned rates come from. Rates are compared within folds only: the others
        of one fold know a little more abuse than those of another, so that even a value that every event of a type has
        would tell the folds apart, and with them a family that has one campaign. None where nothing was learned.
    """
    found = {}
    for name, values in columns.items():
        if _is_constant(values):
            continue
        learned = name.startswith("rate/")
        if fold is None or not name.startswith(("rate/", "usual/")):
            found[name] = direction_free_auc(truth, values, learned=learned)
        else:
            found[name] = within_folds(truth, values, fold, learned=learned)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def within_folds(
    truth: NDArray[np.bool_], values: NDArray[np.floating[Any]], fold: NDArray[np.int64], *, learned: bool = True
) -> float:
    """AUC of a learned rate, each positive beside the negatives of its own fold; folds count by their positives.

    Parameters
    ----------
    learned : more is worse; otherwise the better of both ways, the same in all folds.
    """
    areas, weights = [], []
    for held in np.unique(fold):
        here = fold == held
        if _both(truth[here]):
            areas.append(
                direction_free_auc(truth[here], values[here], learned=True)
                if learned
                else roc_auc(truth[here], np.asarray(values[here], np.float64))
            )
            weights.append(int(truth[here].sum()))
    mean = float(np.average(areas, weights=weights)) if areas else 0.5
    return mean if learned else max(mean, 1.0 - mean)


def tree_auc(matrix: NDArray[np.float32], truth: NDArray[np.bool_], groups: NDArray[np.int64], *, seed: int) -> float:
    """Out-of-fold AUC of a decision tree of depth 3; a campaign or an account stands in one fold only."""
    from sklearn.tree import DecisionTreeClassifier

    scores = np.zeros(len(truth))
    for held in range(FOLDS):
        here = groups % FOLDS == held
        if not _both(truth[~here]) or not here.any():
            continue
        tree = DecisionTreeClassifier(max_depth=3, min_samples_leaf=20, class_weight="balanced", random_state=seed)
        tree.fit(matrix[~here], truth[~here])
        scores[here] = tree.predict_proba(matrix[here])[:, 1]
    return roc_auc(truth, scores)


def full_model_auc(
    matrix: NDArray[np.float32],
    truth: NDArray[np.bool_],
    learn: NDArray[np.bool_],
    judge: NDArray[np.bool_],
    *,
    seed: int,
) -> float:
    """AUC on the rows `judge` of boosted trees learned on the rows `learn`."""
    return roc_auc(truth[judge], full_model_scores(matrix, truth, learn, seed=seed)[judge])


def full_model_scores(
    matrix: NDArray[np.float32], truth: NDArray[np.bool_], learn: NDArray[np.bool_], *, seed: int
) -> NDArray[np.float64]:
    """Boosted trees learned on the rows `learn`, scoring all rows: float64 [n], the mean of three drawings."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    # Bins cannot be laid through a column that the learning rows never have.
    known = ~np.isnan(matrix[learn]).all(axis=0)
    scores = np.zeros(len(matrix))
    for drawing in range(3):
        model = HistGradientBoostingClassifier(
            max_iter=600, learning_rate=0.04, max_leaf_nodes=31, min_samples_leaf=40, l2_regularization=5.0,
            max_features=0.4, class_weight="balanced", early_stopping=True, validation_fraction=0.1,
            n_iter_no_change=25, random_state=3 * seed + drawing,
        )  # fmt: skip
        model.fit(matrix[learn][:, known], truth[learn])
        scores += model.decision_function(matrix[:, known])
    return scores / 3


def text_auc(texts: list[str], truth: NDArray[np.bool_], groups: NDArray[np.int64], *, seed: int) -> float:
    """Out-of-fold AUC of a logistic regression on a bag of words; a campaign or an account stands in one fold only."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    if min(truth.sum(), (~truth).sum()) < FEWEST:
        return float("nan")
    counted = TfidfVectorizer(min_df=3, max_features=30_000, token_pattern=WORDS)
    bag = counted.fit_transform(texts)
    scores = np.zeros(len(truth))
    for held in range(FOLDS):
        here = groups % FOLDS == held
        model = LogisticRegression(C=1.0, max_iter=500, class_weight="balanced", random_state=seed)
        model.fit(bag[~here], truth[~here])
        scores[here] = model.decision_function(bag[here])
    return roc_auc(truth, scores)


def _both(truth: NDArray[np.bool_]) -> bool:
    return bool(truth.any() and not truth.all())


def _is_constant(values: NDArray[Any]) -> bool:
    present = values[~np.isnan(values)]
    return len(present) in (0, len(values)) and (not len(present) or bool((present == present[0]).all()))
