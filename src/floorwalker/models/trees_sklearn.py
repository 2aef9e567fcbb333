"""Takes over the decision trees and forests of scikit-learn as flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from floorwalker.errors import UsageError
from floorwalker.models.trees import Trees, mean_of


def take_sklearn(estimator: Any) -> Trees:
    """The trees of a fitted ``DecisionTreeClassifier``, ``RandomForestClassifier`` or ``ExtraTreesClassifier``.

    Their answer is the probability of the second class, the mean over the trees; of the only class where training saw
    one, it is 0 or 1. Scikit-learn compares single-precision numbers: give `score` float32 rows for equal answers.

    Errors
    ------
    `UsageError` for anything else, or more than two classes.
    """
    grown: Sequence[Any] = getattr(estimator, "estimators_", None) or [estimator]
    classes: Sequence[Any] = getattr(estimator, "classes_", ())
    if not all(hasattr(tree, "tree_") for tree in grown) or not 1 <= len(classes) <= 2:
        raise UsageError(
            f"{type(estimator).__name__} with {len(classes)} classes",
            allowed="a fitted decision tree or forest with two classes",
        )
    return mean_of([_take_tree(tree.tree_, float(classes[-1] != 0)) for tree in grown])


def _take_tree(tree: Any, only: float) -> Trees:
    """One tree; `only` is the answer where there is one class."""
    value = tree.value[:, 0, 1] if tree.value.shape[2] == 2 else np.full(tree.node_count, only)
    is_leaf = tree.children_left < 0
    # Splits and leaves are numbered apart; scikit-learn numbers a child after its parent, as we do.
    number = np.where(is_leaf, ~(np.cumsum(is_leaf) - 1), np.cumsum(~is_leaf) - 1)
    splits = np.flatnonzero(~is_leaf)
    children = np.stack([number[tree.children_left[splits]], number[tree.children_right[splits]]], axis=1)
    return Trees(
        features=int(tree.n_features),
        feature=tree.feature[splits].astype(np.int32),
        threshold=tree.threshold[splits].astype(np.float64),
        children=children.astype(np.int32).ravel(),
        missing_left=tree.missing_go_to_left[splits].astype(np.bool_),
        cover=tree.weighted_n_node_samples[splits].astype(np.float64),
        value=value[is_leaf].astype(np.float64),
        leaf_cover=tree.weighted_n_node_samples[is_leaf].astype(np.float64),
        roots=np.array([number[0]], np.int32),
        link="identity",
    )
