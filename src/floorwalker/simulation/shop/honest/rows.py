"""Events of the crowd before they have their fields: one row an event, in columns of numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

_INTEGERS = ("visit", "person", "at", "act", "item", "order", "card", "code", "count", "other", "group")
_FLOATS = ("value",)


@dataclass
class Rows:
    """Collects rows; see `stack`.

    Columns
    -------
    visit : in the shard's table of visits, -1 for what the shop, a bank or a carrier does.
    person : in the shard's people. at : microseconds. act : of `acts.Act`.
    item : number in the catalogue, order : in the shard's table of orders, card : place in the person's cards; -1 none.
    code : what it means depends on the act: a result, a reason, a promotion. count : pieces, pages. value : the share
    of an amount, a rating, seconds. other : place of another person, an inviter or a recipient. group : of a purchase
    together.
    """

    parts: list[dict[str, NDArray[Any]]] = field(default_factory=list)

    def add(self, *, visit: NDArray[Any], person: NDArray[Any], at: NDArray[Any], act: Any, **columns: Any) -> None:
        """Some rows; columns that are not given say nothing."""
        size = len(at)
        if not size:
            return
        given = {"visit": visit, "person": person, "at": np.asarray(at).astype(np.int64), "act": act, **columns}
        part = {}
        for name in _INTEGERS:
            value = np.asarray(given.get(name, -1), dtype=np.int64)
            part[name] = np.broadcast_to(value, size)
        for name in _FLOATS:
            part[name] = np.broadcast_to(np.asarray(given.get(name, np.nan), dtype=np.float64), size)
        self.parts.append(part)

    def stack(self, keep: tuple[int, int]) -> dict[str, NDArray[Any]]:
        """All rows between two times (the second excluded), in the order of time."""
        columns = {name: np.concatenate([part[name] for part in self.parts]) for name in _INTEGERS + _FLOATS}
        inside = np.flatnonzero((columns["at"] >= keep[0]) & (columns["at"] < keep[1]))
        by = inside[np.argsort(columns["at"][inside], kind="stable")]
        return {name: column[by] for name, column in columns.items()}
