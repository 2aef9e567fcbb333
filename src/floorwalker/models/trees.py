"""Trees in flat arrays: one shape for boosted trees and forests, scored and explained without the library that grew
them.

>>> stump = Trees(
...     features=2, feature=np.array([1], np.int32), threshold=np.array([0.5]), children=np.array([-1, -2], np.int32),
...     missing_left=np.array([True]), cover=np.array([4.0]), value=np.array([-1.0, 3.0]),
...     leaf_cover=np.array([3.0, 1.0]), roots=np.array([0], np.int32), link="identity",
... )
>>> rows = np.array([[9.0, 0.0], [9.0, 1.0], [9.0, np.nan]], np.float32)
>>> stump.raw(rows).tolist(), stump.base
([-1.0, 3.0, -1.0], 0.0)
>>> stump.shapley(rows).tolist()
[[0.0, -1.0], [0.0, 3.0], [0.0, -1.0]]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError, UsageError
from floorwalker.models._packed import PackedTrees, pack_trees
from floorwalker.models._packed_kernels import OWNERS, add_packed_paths, sum_asked, sum_packed
from floorwalker.models._sums import fill_exponents, fill_probabilities
from floorwalker.models._tree_kernels import add_paths, sum_leaves
from floorwalker.models._tree_shap import add_shapley

Link = Literal["identity", "logistic"]

_DEEPEST, _MOST_SPLITS = 32, 1 << 19
PIECE = 8_192
"""Rows that are brought to double precision at once."""
ARRAYS = ("feature", "threshold", "children", "missing_left", "cover", "value", "leaf_cover", "roots")
"""Names of the arrays, as `arrays` gives and `from_arrays` takes them."""


@dataclass(frozen=True, eq=False)
class Trees:
    """`T` trees of `N` splits and `L` leaves in all.

    Parameters
    ----------
    features : how many columns a row has.
    feature : int32 [N], the column that a split looks at.
    threshold : float64 [N]; a number at most as large goes left.
    children : int32 [2 N], where left and right lead: a split, or ``~leaf``.
    missing_left : bool [N], whether NaN goes left.
    cover : float64 [N], training rows (or their weight) that came to the split.
    value : float64 [L], what a leaf adds.
    leaf_cover : float64 [L], training rows that came to the leaf.
    roots : int32 [T], the first split of each tree, or ``~leaf`` where it has none.
    link : `logistic` where the sum is log odds, `identity` where it is the answer.

    Errors
    ------
    `ArtefactError` where the arrays are no trees: a child out of range or above its parent, an unknown column.
    """

    features: int
    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    children: NDArray[np.int32]
    missing_left: NDArray[np.bool_]
    cover: NDArray[np.float64]
    value: NDArray[np.float64]
    leaf_cover: NDArray[np.float64]
    roots: NDArray[np.int32]
    link: Link = "logistic"
    expected: NDArray[np.float64] = field(init=False, repr=False)
    """float64 [N], mean of the leaves below each split, by their covers."""
    deepest: int = field(init=False, repr=False)
    """Most splits between a root and a leaf."""

    def __post_init__(self) -> None:
        expected, depths = self._measure()
        object.__setattr__(self, "expected", expected)
        object.__setattr__(self, "deepest", int(depths.max(initial=0)))

    def __len__(self) -> int:
        return len(self.roots)

    @cached_property
    def packed(self) -> PackedTrees | None:
        """The same trees as rows in single precision walk them; None where they are too wide or too deep for that."""
        # All rows take as many steps as the deepest leaf of a tree wants: in very deep ones most would wait.
        if self.deepest > _DEEPEST or len(self.feature) > _MOST_SPLITS:
            return None
        return pack_trees(
            self.features, self.feature, self.threshold, self.children, self.missing_left, self.value, self.expected,
            self.roots,
        )  # fmt: skip

    def _measure(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Check the arrays; the expected value and the depth of each split, leaves counted from 1."""
        splits, leaves = len(self.feature), len(self.value)
        sizes = {
            "threshold": splits, "children": 2 * splits, "missing_left": splits, "cover": splits, "leaf_cover": leaves,
        }  # fmt: skip
        for name, size in sizes.items():
            if len(getattr(self, name)) != size:
                raise ArtefactError(f"{len(getattr(self, name))} numbers of {name}", allowed=str(size))
        pairs = self.children.reshape(splits, 2)
        # A child after its parent: no walk can run in a circle.
        parent = np.arange(splits)[:, None]
        if not ((pairs < splits) & (pairs >= -leaves) & ((pairs < 0) | (pairs > parent))).all():
            raise ArtefactError("a split leads to no later split and to no leaf", fix="train the model again")
        if splits and not (self.feature.min() >= 0 and self.feature.max() < self.features):
            raise ArtefactError("a split looks at a column that is not there", allowed=f"0 to {self.features - 1}")
        if not ((self.roots < splits) & (self.roots >= -leaves)).all():
            raise ArtefactError("a tree begins at no split and no leaf", fix="train the model again")
        if not np.isfinite(self.value).all() or np.isnan(self.threshold).any():
            raise ArtefactError("leaves or thresholds that are no numbers", fix="train the model again")
        expected, depth = np.zeros(splits), np.ones(splits, np.int64)
        for split in range(splits - 1, -1, -1):
            means, sizes_here = [], []
            for child in pairs[split]:
                means.append(expected[child] if child >= 0 else self.value[~child])
                sizes_here.append(self.cover[child] if child >= 0 else self.leaf_cover[~child])
                depth[split] = max(depth[split], 1 + depth[child] if child >= 0 else 1)
            total = sizes_here[0] + sizes_here[1]
            share = sizes_here[0] / total if total > 0 else 0.5
            expected[split] = share * means[0] + (1 - share) * means[1]
        return expected, depth

    @property
    def base(self) -> float:
        """The answer before anything is known of a row: what Shapley values and path contributions start from."""
        return float(sum(self.expected[root] if root >= 0 else self.value[~root] for root in self.roots))

    def raw(self, rows: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """The sum of the leaves: float64 [n].

        Parameters
        ----------
        rows : float32 or float64 [n, d]; NaN where missing.
        """
        return _sums_of(self, self.packed, None, 1, rows)[:, 0]

    def score(self, rows: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """The answer through the link, a probability where it is logistic: float64 [n]."""
        total = self.raw(rows)
        if self.link == "identity":
            return total
        return logistic(total)

    def paths(self, rows: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """What each column changed along each row's own paths: float64 [n, d]; rows add up to `raw` less `base`.

        Cheap (a walk), and unfair to columns that are asked early or late: Saabas, "Interpreting random forests", 2014.
        """
        given = np.zeros(rows.shape)
        if rows.dtype == np.float32 and self.packed is not None:
            add_packed_paths(_flat(rows, self.features), self.features, *self.packed, given)
            return given
        for start, taken in pieces_of(rows, self.features):
            add_paths(
                taken, self.feature, self.threshold, self.children, self.missing_left, self.value, self.expected,
                self.roots, given[start : start + len(taken)],
            )  # fmt: skip
        return given

    def shapley(self, rows: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Shapley values of each column: float64 [n, d]; rows add up to `raw` less `base`.

        Path-dependent TreeSHAP (Lundberg et al. 2018, algorithm 2): what is not known of a row is taken from the
        training rows that came the same way.
        """
        if len(self.feature) and not (self.cover.min() > 0 and self.leaf_cover.min() > 0):
            raise UsageError("leaves that no training row came to", fix="train the model again, keeping counts")
        given = np.zeros(rows.shape)
        for start, taken in pieces_of(rows, self.features):
            add_shapley(
                taken, self.feature, self.threshold, self.children, self.missing_left, self.value, self.cover,
                self.leaf_cover, self.roots, self.deepest, given[start : start + len(taken)],
            )  # fmt: skip
        return given

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, with `features` and `link` (1 for logistic) as arrays of one number."""
        named: dict[str, NDArray[Any]] = {name: getattr(self, name) for name in ARRAYS}
        return named | {"features": np.array([self.features]), "link": np.array([int(self.link == "logistic")])}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Trees:
        """What `arrays` gave."""
        try:
            given = {name: arrays[name] for name in (*ARRAYS, "features", "link")}
        except KeyError as missing:
            raise ArtefactError(f"no array {missing} of trees", allowed=", ".join(ARRAYS)) from missing
        kinds = {"feature": np.int32, "children": np.int32, "roots": np.int32, "missing_left": np.bool_}
        taken: dict[str, Any] = {
            name: np.ascontiguousarray(given[name], kinds.get(name, np.float64)) for name in ARRAYS
        }
        logistic = bool(given["link"][0])
        return cls(features=int(given["features"][0]), link="logistic" if logistic else "identity", **taken)


def pieces_of(rows: NDArray[np.floating[Any]], features: int) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """The rows in double precision, in pieces, so that five million of them are never copied at once."""
    if rows.ndim != 2 or rows.shape[1] != features:
        raise UsageError(f"rows of shape {rows.shape}", allowed=f"[n, {features}]")
    for start in range(0, len(rows), PIECE):
        yield start, np.ascontiguousarray(rows[start : start + PIECE], np.float64)


def _flat(rows: NDArray[np.floating[Any]], features: int) -> NDArray[np.float32]:
    """Rows in single precision behind one another, as kernels over packed trees read them."""
    if rows.ndim != 2 or rows.shape[1] != features:
        raise UsageError(f"rows of shape {rows.shape}", allowed=f"[n, {features}]")
    return np.ascontiguousarray(rows, np.float32).reshape(-1)


def _sums_of(
    trees: Trees,
    packed: PackedTrees | None,
    owners: NDArray[np.int32] | None,
    columns: int,
    rows: NDArray[np.floating[Any]],
) -> NDArray[np.float64]:
    """Sums of the leaves, float64 [n, columns]; tree t adds to the column ``owners[t]``, all to the first without.

    `packed` are the same trees and owners once more, where they can be packed.
    """
    total = np.zeros((len(rows), columns))
    if rows.dtype == np.float32 and packed is not None:
        sum_packed(_flat(rows, trees.features), trees.features, *packed, total)
        return total
    if owners is None:
        owners = np.zeros(len(trees.roots), np.int32)
    for start, taken in pieces_of(rows, trees.features):
        sum_leaves(
            taken, trees.feature, trees.threshold, trees.children, trees.missing_left, trees.value, trees.roots, owners,
            total[start : start + len(taken)],
        )  # fmt: skip
    return total


def logistic(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of log odds, without overflow."""
    # For one event each step of NumPy takes as long as a kernel with all of them. Only NumPy's exponential is NumPy's.
    answer = np.empty(log_odds.shape)
    flat = answer.reshape(-1)
    fill_exponents(log_odds.reshape(-1), flat)
    np.exp(flat, out=flat)
    fill_probabilities(flat)
    return answer


class TreesTogether:
    """Several models over the same columns, walked in one call: nine labels of one event cost one call, not nine.

    Parameters
    ----------
    several : models of the same features and link.
    """

    def __init__(self, several: Sequence[Trees]) -> None:
        self._joined = join_trees(several)
        self._counts = [len(one) for one in several]
        self._owners = np.repeat(np.arange(len(several), dtype=np.int32), self._counts)
        self.starts = np.cumsum([0, *self._counts], dtype=np.int64)
        """int64 [K + 1], where the trees of each model begin."""

    @property
    def features(self) -> int:
        """How many columns a row has."""
        return self._joined.features

    @property
    def link(self) -> Link:
        """What becomes of the sums, see `Trees`."""
        return self._joined.link

    @cached_property
    def packed(self) -> PackedTrees | None:
        """As `Trees.packed`; a tree's owner is the place of its model."""
        packed = self._joined.packed
        if packed is None:
            return None
        trees = packed.trees.copy()
        trees[OWNERS] = self._owners
        return packed._replace(trees=trees)

    def raw(self, rows: NDArray[np.floating[Any]], asked: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Each model's sum of leaves: float64 [n, K], equal to the last bit to what each gives by itself.

        Parameters
        ----------
        asked : bool [n, K], which models are asked about a row: what others would say is not told. All without it.
        """
        if asked is None or self.packed is None or rows.dtype != np.float32:
            return _sums_of(self._joined, self.packed, self._owners, len(self._counts), rows)
        total = np.zeros((len(rows), len(self._counts)))
        sum_asked(_flat(rows, self.features), self.features, *self.packed, self.starts, asked, total)
        return total

    def score(self, rows: NDArray[np.floating[Any]], asked: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """As `raw`, through the link: float64 [n, K]."""
        return self.through_link(self.raw(rows, asked))

    def through_link(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Answers of sums of leaves."""
        return sums if self.link == "identity" else logistic(sums)


def join_trees(several: Sequence[Trees]) -> Trees:
    """The trees of several models behind one another.

    Errors
    ------
    `UsageError` where there are none, or their columns or links differ.
    """
    if not several or len({(one.features, one.link) for one in several}) != 1:
        raise UsageError("trees of different columns or links, or none", allowed="models of the same features")
    if len(several) == 1:
        return several[0]
    children, roots, splits, leaves = [], [], 0, 0
    for one in several:
        children.append(np.where(one.children >= 0, one.children + splits, one.children - leaves))
        roots.append(np.where(one.roots >= 0, one.roots + splits, one.roots - leaves))
        splits, leaves = splits + len(one.feature), leaves + len(one.value)

    def join(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(one, name) for one in several])

    return replace(
        several[0],
        feature=join("feature"),
        threshold=join("threshold"),
        children=np.concatenate(children).astype(np.int32),
        missing_left=join("missing_left"),
        cover=join("cover"),
        value=join("value"),
        leaf_cover=join("leaf_cover"),
        roots=np.concatenate(roots).astype(np.int32),
    )


def mean_of(several: Sequence[Trees]) -> Trees:
    """One set of trees whose sum is the mean of the sums of several: as one model over seeds.

    Errors
    ------
    `UsageError` where there are none, or their columns or links differ.
    """
    joined = join_trees(several)
    return joined if len(several) == 1 else replace(joined, value=joined.value / len(several))
