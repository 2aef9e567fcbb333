"""What only fitting needs: scikit-learn's linear models, and folds that keep groups together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content.grams import Rows
from floorwalker.errors import MissingExtraError


def need_training_extra() -> None:
    """Return where scikit-learn is installed; `MissingExtraError` naming the extra where it is not."""
    if find_spec("sklearn") is None:
        raise MissingExtraError("scikit-learn", "train")


def split_folds(groups: Sequence[Hashable], folds: int, random: np.random.Generator) -> NDArray[np.int64]:
    """The fold of each row, groups whole, folds of nearly equal size in rows.

    >>> split_folds(["a", "a", "b", "c"], 2, np.random.default_rng(0)).tolist()
    [0, 0, 1, 1]
    """
    numbers: dict[Hashable, int] = {}
    group = np.array([numbers.setdefault(one, len(numbers)) for one in groups], np.int64)
    sizes = np.bincount(group, minlength=len(numbers))
    order = random.permutation(len(numbers))
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold_of = np.zeros(len(numbers), np.int64)
    filled = np.zeros(folds, np.int64)
    for one in order.tolist():
        fold_of[one] = filled.argmin()
        filled[fold_of[one]] += sizes[one]
    answer: NDArray[np.int64] = fold_of[group]
    return answer


def as_sparse(rows: Rows) -> Any:
    """The rows as a SciPy matrix."""
    from scipy.sparse import csr_matrix

    return csr_matrix((rows.values.astype(np.float64), rows.columns, rows.starts), shape=(len(rows), rows.width))


def fit_logistic(
    rows: NDArray[Any], labels: NDArray[np.int64], *, strength: float, balanced: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logistic regression, L2 penalty: weights [heads, width], intercepts [heads]; one head for two classes."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, class_weight="balanced" if balanced else None, max_iter=1000)
    model.fit(rows, labels)
    return model.coef_, model.intercept_


def fit_margin(
    rows: Any, target: NDArray[np.bool_], *, strength: float, balanced: bool
) -> tuple[NDArray[np.float64], float]:
    """A linear support vector machine (squared hinge, L2) of one class against the others: weights and intercept."""
    from sklearn.svm import LinearSVC

    model = LinearSVC(
        C=strength, class_weight="balanced" if balanced else None, max_iter=1000, tol=0.01, random_state=0
    )
    model.fit(rows, target)
    return model.coef_[0], float(model.intercept_[0])


def fit_kernel_margin(
    near: NDArray[Any], target: NDArray[np.bool_], *, strength: float, balanced: bool
) -> tuple[NDArray[np.float64], float]:
    """A support vector machine (hinge) of one class against the others, from how near each row is to each: the weight
    of each row, most of them 0 where classes are far apart, and the intercept."""
    from sklearn.svm import SVC

    model = SVC(C=strength, kernel="precomputed", class_weight="balanced" if balanced else None)
    model.fit(near.astype(np.float64), target)
    weights = np.zeros(len(near))
    weights[model.support_] = model.dual_coef_[0]
    return weights, float(model.intercept_[0])
