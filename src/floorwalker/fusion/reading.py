"""How models of the hot path read events: each column's source is found once by its name, then columns are filled and
trees walked in one call.

The columns are those of `fusion_columns`, to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.batch import NUMBER_PLACES, EventBatch
from floorwalker.events.rows import number_rows
from floorwalker.features.live import FeatureBatch
from floorwalker.fusion import _columns_kernel as source
from floorwalker.fusion._columns_kernel import fill_and_sum, fill_columns
from floorwalker.fusion.columns import EVENT_TYPE
from floorwalker.kernels import silent
from floorwalker.models.trees import Link, Trees, TreesTogether

_fill, _fill_and_sum = silent(fill_columns), silent(fill_and_sum)
_FIRST = np.zeros(1, np.int64)
_NOBODY = np.zeros(0, np.int64)
_NOTHING = np.zeros(0, np.float32)
_NEAR = 1e-6


def asked_rows(asked: NDArray[np.bool_], types: NDArray[np.int16]) -> NDArray[np.int64]:
    """Places of the events whose type is asked for: int64, rising.

    Parameters
    ----------
    asked : bool [event types + 1], the last for unknown types.

    >>> asked_rows(np.array([True, False]), np.array([0, 1, 0], np.int16)).tolist()
    [0, 2]
    """
    if len(types) == 1:
        return _FIRST if asked[types[0]] else _NOBODY
    return np.flatnonzero(asked[types])


def sum_of_rank(ranks: NDArray[np.float64], least: float, link: Link) -> float:
    """A sum of leaves up to which the rank of the score is at least this: perhaps not the highest, but certainly.

    Parameters
    ----------
    ranks : float64 [2, k], as `StackedFusion.ranks`.

    >>> round(sum_of_rank(np.array([[0.1, 0.25, 1.0], [0.6, 0.1, 0.01]]), 0.1, "logistic"), 3)
    -1.099
    """
    edges, shares = ranks
    rare = np.flatnonzero(~(shares >= least))
    if link != "logistic" or (len(rare) and rare[0] == 0):
        return -math.inf
    if not len(rare):
        return math.inf
    # Between two edges the rank lies between theirs. A little less, for scores are rounded.
    edge = min(float(edges[rare[0] - 1]) * (1 - _NEAR), 1 - _NEAR)
    return math.log(edge / (1 - edge)) if edge > 0 else -math.inf


class Read(NamedTuple):
    """Columns and sums of some events.

    Parameters
    ----------
    columns : float32 [m, d].
    sums : float64 [m, K], of each model the sum of the leaves.
    speaks : whether a sum lies above what is unheard.
    """

    columns: NDArray[np.float32]
    sums: NDArray[np.float64]
    speaks: bool


class ColumnReader:
    """Reads events for models over the same columns.

    Parameters
    ----------
    names : of the columns, those of `column_names`; one that nobody gives is missing in all events.
    models : of the same link.
    unheard : of each model the sum of leaves up to which it says nothing.
    further : name of a column that is given beside the features.
    """

    def __init__(
        self, names: Sequence[str], models: Sequence[Trees], unheard: Sequence[float], *, further: str = ""
    ) -> None:
        self._names, self._further = tuple(names), further
        self._together = TreesTogether(models)
        self._unheard = np.array(unheard, np.float64)
        self._found: dict[bool, tuple[tuple[str, ...], NDArray[np.int64]]] = {}

    def read(
        self,
        rows: NDArray[np.int64],
        batch: EventBatch,
        features: FeatureBatch,
        further: NDArray[np.float32] | None = None,
    ) -> Read:
        """Columns and sums of the events at these places.

        Parameters
        ----------
        further : float32 [n], the column `further`; missing without it.
        """
        sources = self._sources(features.names, further is not None)
        columns = np.empty((len(rows), len(sources)), np.float32)
        values = np.ascontiguousarray(features.values)
        given = (
            rows, sources, values, number_rows(batch), batch.type, _NOTHING if further is None else further,
        )  # fmt: skip
        packed = self._together.packed
        if packed is None:
            _fill(*given, columns)
            sums = self._together.raw(columns)
            return Read(columns, sums, bool((sums > self._unheard).any()))
        sums = np.empty((len(rows), len(self._unheard)))
        return Read(columns, sums, _fill_and_sum(*given, *packed, self._unheard, columns, sums))

    def scores(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums through the link: what `Trees.score` gives."""
        return self._together.through_link(sums)

    def _sources(self, names: tuple[str, ...], has_further: bool) -> NDArray[np.int64]:
        known = self._found.get(has_further)
        if known is None or known[0] is not names:
            places = {name: place for place, name in enumerate(names)}
            known = self._found[has_further] = (
                names,
                np.array([self._source(name, places, has_further) for name in self._names], np.int64),
            )
        return known[1]

    def _source(self, name: str, places: dict[str, int], has_further: bool) -> int:
        if name == self._further:
            return source.FURTHER if has_further else source.ABSENT
        if name in places:
            return places[name]
        if name == EVENT_TYPE:
            return source.EVENT_TYPE
        return source.NUMBERS - NUMBER_PLACES[name] if name in NUMBER_PLACES else source.ABSENT
