"""Reads LightGBM's text format into flat arrays, without LightGBM.

Numerical splits with any way of taking missing values but `zero_as_missing`; binary, cross-entropy and regression
objectives; one output. What is not read is refused by name, never taken for something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError
from floorwalker.models.trees import Link, Trees

_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_ZERO = float(np.float32(1e-35))
_MISSING_SHIFT, _MISSING_NONE, _MISSING_ZERO = 2, 0, 1
LINKS: Mapping[str, Link] = {
    "binary": "logistic", "cross_entropy": "logistic", "xentropy": "logistic", "regression": "identity",
    "regression_l1": "identity", "huber": "identity", "custom": "identity", "none": "identity",
}  # fmt: skip
"""Objectives that are read, and the link of each."""


def read_lightgbm(text: str) -> tuple[Trees, tuple[str, ...]]:
    """The trees of a model file, and the names of their columns.

    Parameters
    ----------
    text : what ``Booster.model_to_string()`` gives, or the file that ``save_model`` wrote.

    Errors
    ------
    `ArtefactError` where it is no such text, is cut off, or holds categorical splits, linear leaves, several outputs,
    `zero_as_missing`, or another objective.
    """
    if not text.startswith("tree\n") or "\nend of trees" not in text:
        raise ArtefactError("no LightGBM text, or one that is cut off", allowed="`tree` … `end of trees`")
    head, *blocks = text.partition("\nend of trees")[0].split("\nTree=")
    facts = dict(_pairs(head))
    names = tuple(facts.get("feature_names", "").split())
    if facts.get("num_tree_per_iteration") != "1" or facts.get("num_class") != "1":
        raise ArtefactError("LightGBM trees of several outputs", allowed="one output; one model for each label")
    objective, *settings = (facts.get("objective") or "none").split()
    if objective not in LINKS or "sqrt" in settings:
        raise ArtefactError(f"LightGBM objective {facts.get('objective')!r}", allowed=", ".join(LINKS))
    sigmoid = next((float(one.partition(":")[2]) for one in settings if one.startswith("sigmoid:")), 1.0)
    # A random forest's sum is averaged; the factor of a sigmoid goes into the leaves, so that the link has none.
    factor = sigmoid / len(blocks) if blocks and "average_output" in head.splitlines() else sigmoid
    try:
        return _join([dict(_pairs(block)) for block in blocks], int(facts["max_feature_idx"]) + 1, factor,
                     LINKS[objective]), names  # fmt: skip
    except (KeyError, ValueError, IndexError) as broken:
        raise ArtefactError(f"LightGBM text that cannot be read: {broken!r}", fix="train the model again") from broken


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals:
            yield name, value


def _join(trees: list[dict[str, str]], features: int, factor: float, link: Link) -> Trees:
    """The trees behind one another: splits and leaves of each are numbered on from those before it."""
    parts: dict[str, list[NDArray[np.float64]]] = {
        name: [] for name in ("feature", "threshold", "children", "missing_left", "cover", "value", "leaf_cover")
    }
    roots, splits, leaves = [], 0, 0
    for tree in trees:
        if tree.get("num_cat", "0") != "0" or tree.get("is_linear", "0") != "0":
            raise ArtefactError("LightGBM trees with categorical splits or linear leaves", allowed="numerical splits")
        count = int(tree["num_leaves"])

        def column(name: str, size: int, tree: dict[str, str] = tree) -> NDArray[np.float64]:
            values = np.array(tree.get(name, "").split(), np.float64)
            if len(values) != size:
                raise ArtefactError(f"{len(values)} numbers of {name}", allowed=str(size), fix="train the model again")
            return values

        parts["value"].append(column("leaf_value", count) * factor)
        if count == 1:
            roots.append(~leaves)
            parts["leaf_cover"].append(np.ones(1))
            leaves += 1
            continue
        kinds, threshold = column("decision_type", count - 1).astype(np.int64), column("threshold", count - 1)
        # LightGBM takes numbers this near to 0 as 0, which lies above a threshold just below it.
        threshold = np.where(threshold == -_ZERO, np.nextafter(threshold, -np.inf), threshold)
        if (kinds & _CATEGORICAL).any():
            raise ArtefactError("LightGBM trees with categorical splits", allowed="numerical splits")
        missing = (kinds >> _MISSING_SHIFT) & 3
        if (missing == _MISSING_ZERO).any():
            raise ArtefactError("LightGBM trees trained with zero_as_missing", allowed="missing values as NaN")
        left, right = column("left_child", count - 1), column("right_child", count - 1)
        both = np.stack([left, right], axis=1).ravel()
        parts["children"].append(np.where(both >= 0, both + splits, both - leaves))
        # Where training saw no missing value, NaN is taken as 0.
        goes_left = np.where(missing == _MISSING_NONE, threshold >= 0.0, (kinds & _DEFAULT_LEFT) > 0)
        parts["missing_left"].append(goes_left.astype(np.float64))
        parts["feature"].append(column("split_feature", count - 1))
        parts["threshold"].append(threshold)
        parts["cover"].append(column("internal_count", count - 1))
        parts["leaf_cover"].append(column("leaf_count", count))
        roots.append(splits)
        splits, leaves = splits + count - 1, leaves + count

    def joined(name: str) -> NDArray[np.float64]:
        return np.concatenate(parts[name]) if parts[name] else np.zeros(0)

    return Trees(
        features=features,
        feature=joined("feature").astype(np.int32),
        threshold=joined("threshold"),
        children=joined("children").astype(np.int32),
        missing_left=joined("missing_left") > 0,
        cover=joined("cover"),
        value=joined("value"),
        leaf_cover=joined("leaf_cover"),
        roots=np.array(roots, np.int32),
        link=link,
    )
