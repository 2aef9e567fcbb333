"""What a campaign goes for: items, sellers, promotions that it can see in the shop like everybody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import World


class Targets:
    """Draws items and promotions as somebody finds them who looks around in the shop.

    Parameters
    ----------
    world : the shop.
    rng : the campaign's.
    """

    def __init__(self, world: World, rng: Generator) -> None:
        self.world = world
        self.rng = rng
        self._edges: dict[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = {}

    def item(self, kind: str = "any") -> int:
        """The number of an item, drawn by how wanted it is.

        Parameters
        ----------
        kind : `any`, `scarce`, `digital`, `dear` (the upper third of prices), `cheap` (the lower third).
        """
        places, edges = self._table(kind)
        return int(places[np.searchsorted(edges, self.rng.random() * edges[-1])])

    def items(self, count: int, kind: str = "any") -> tuple[int, ...]:
        """Several."""
        return tuple(self.item(kind) for _ in range(count))

    def anything(self, count: int) -> tuple[int, ...]:
        """Items from the whole catalogue, whether anybody wants them or not."""
        return tuple(int(place) for place in self.rng.integers(len(self.world.items.id), size=count))

    def of_seller(self, item: int, count: int) -> tuple[int, ...]:
        """Items of the same seller as this one, those that sell first."""
        items = self.world.items
        places = np.flatnonzero(np.asarray(items.seller) == items.seller[item])
        weight = np.asarray(items.weight, np.float64)[places]
        chosen = self.rng.choice(places, min(count, len(places)), replace=False, p=weight / weight.sum())
        return tuple(int(place) for place in chosen)

    def name(self, item: int) -> str:
        """What events call an item."""
        return str(self.world.items.id[item])

    def code(self, at: int, *, kinds: Sequence[str] = ()) -> str | None:
        """A coupon's code that is valid at a time."""
        found = self.promotion(at, at + 1, kinds)
        return str(found.coupons[int(self.rng.integers(len(found.coupons)))]) if found else None

    def is_valid(self, code: str, at: int) -> bool:
        """Whether a coupon can be used at a time."""
        return any(code in one.coupons and one.starts_at <= at < one.ends_at for one in self.world.promotions)

    def promotion(self, low: int, high: int, kinds: Sequence[str] = ()) -> Any:
        """A promotion that is open at some time between `low` and `high`; None where there is none."""
        found = [
            one
            for one in self.world.promotions
            if one.starts_at < high and one.ends_at > low and one.coupons and (not kinds or one.kind in kinds)
        ]
        return found[int(self.rng.integers(len(found)))] if found else None

    def _table(self, kind: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        if kind not in self._edges:
            items = self.world.items
            price = np.asarray(items.price_minor)
            wanted = {
                "any": np.ones(len(price), np.bool_),
                "scarce": np.asarray(items.scarce, np.bool_),
                "digital": np.asarray(items.digital, np.bool_),
                "dear": price >= np.quantile(price, 0.67),
                "cheap": price <= np.quantile(price, 0.33),
            }[kind]
            places = np.flatnonzero(wanted) if wanted.any() else np.arange(len(price))
            self._edges[kind] = places, np.cumsum(np.asarray(items.weight, np.float64)[places])
        return self._edges[kind]
