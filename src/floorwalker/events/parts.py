"""The several values of one event: its coupons, and the items and sellers of its lines.

A batch has one key a kind of entity and event, and nearly all events need no more. Those that do, say the rest here.

>>> from floorwalker.events.entities import EntityKeyer
>>> from floorwalker.events.event import Event
>>> builder = PartsBuilder(EntityKeyer(bytes(16)))
>>> builder.add(0, Event(id="e-1", type="coupon_redeem", at=7, coupons=("TEN", "SHIPPING", "TEN")))
>>> parts = builder.build()
>>> len(parts), parts.row.tolist(), len(set(parts.key.tolist()))
(2, [0, 0], 2)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.entities import ENTITIES, EntityKeyer
from floorwalker.events.event import Event

PART_ENTITIES: tuple[str, ...] = ("coupon", "item", "seller")
"""Kinds of entity of which one event may name several."""

PART_NUMBERS: tuple[str, ...] = ("quantity", "amount_minor", "list_price_minor", "discount_minor")
"""Numbers that each value has for itself."""

Names = tuple[str | None, str | None, str | None]
"""Of a coupon, an item and a seller, in the order of `PART_ENTITIES`."""

COUPON, ITEM, SELLER = (ENTITIES.index(name) for name in PART_ENTITIES)

_NAN = float("nan")


@dataclass(frozen=True)
class Parts:
    """`m` values of events that name several, or that have lines.

    Where an event and a kind of entity stand here, all its different values do, the first one included, each once.

    Parameters
    ----------
    row : int32 [m], rising: the event's place in its batch.
    entity : int8 [m], place in `ENTITIES`: coupon, item or seller, in this order within an event.
    key : uint64 [m], never 0: placeholders and hubs are left out.
    numbers : float64 [4, m], in the order of `PART_NUMBERS`: what the lines of this item or seller add up to, the
        amount in the base currency; of a coupon the event's own. NaN where it is missing.
    """

    row: NDArray[np.int32]
    entity: NDArray[np.int8]
    key: NDArray[np.uint64]
    numbers: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: NDArray[np.intp], events: int) -> Parts:
        """The parts of the events at these positions of a batch of `events`, numbered anew in this order."""
        if not len(self.row) or not len(rows):
            return NO_PARTS
        starts = self.starts(events)
        first, counts = starts[rows], starts[rows + 1] - starts[rows]
        new = np.repeat(np.arange(len(rows), dtype=np.int32), counts)
        old = np.repeat(first - (np.cumsum(counts) - counts), counts) + np.arange(len(new))
        return Parts(new, self.entity[old], self.key[old], self.numbers[:, old])

    def further(self, keys: Mapping[str, NDArray[np.uint64]]) -> NDArray[np.bool_]:
        """bool [m]: whether the batch's own keys, which hold the first value, leave this one out."""
        known = np.zeros(len(self), np.uint64)
        for entity, name in zip((COUPON, ITEM, SELLER), PART_ENTITIES, strict=True):
            mine = self.entity == entity
            known[mine] = keys[name][self.row[mine]]
        further: NDArray[np.bool_] = known != self.key
        return further

    def starts(self, events: int) -> NDArray[np.int64]:
        """int64 [events + 1]: where the parts of each event begin; the last entry is where they end."""
        starts = np.zeros(events + 1, np.int64)
        np.cumsum(np.bincount(self.row, minlength=events), out=starts[1:])
        return starts


NO_PARTS = Parts(
    np.zeros(0, np.int32), np.zeros(0, np.int8), np.zeros(0, np.uint64), np.zeros((len(PART_NUMBERS), 0), np.float64)
)
"""What nearly every batch has."""


class PartsBuilder:
    """Gathers the parts of a batch, event by event.

    Only events with lines or with more than one coupon have any, so only those need to be given.

    Parameters
    ----------
    keyer : makes the keys.
    """

    def __init__(self, keyer: EntityKeyer) -> None:
        self._keyer = keyer
        self._rows: list[int] = []
        self._entities: list[int] = []
        self._keys: list[int] = []
        self._numbers: list[Sequence[float]] = []

    def add(self, row: int, event: Event) -> None:
        """The parts of one event; `row` is its place in the batch, and rows rise."""
        hubs = event.identity.hubs if event.identity is not None else ()
        if len(event.coupons) > 1 and "coupon" not in hubs:
            self._add_coupons(row, event)
        if event.lines:
            if "item" not in hubs:
                self._add_lines(row, event, ITEM, event.item, [line.item for line in event.lines])
            if "seller" not in hubs and (event.seller is not None or any(line.seller for line in event.lines)):
                self._add_lines(row, event, SELLER, event.seller, [line.seller for line in event.lines])

    def build(self) -> Parts:
        """What was gathered, as columns."""
        if not self._rows:
            return NO_PARTS
        return Parts(
            np.array(self._rows, np.int32),
            np.array(self._entities, np.int8),
            np.array(self._keys, np.uint64),
            np.array(self._numbers, np.float64).T.copy(),
        )

    def _put(self, row: int, entity: int, key: int, numbers: Sequence[float]) -> None:
        self._rows.append(row)
        self._entities.append(entity)
        self._keys.append(key)
        self._numbers.append(numbers)

    def _add_coupons(self, row: int, event: Event) -> None:
        key, shop = self._keyer.key, event.shop
        keys = dict.fromkeys(found for code in event.coupons if (found := key(shop, "coupon", code)))
        if len(keys) < 2:
            return
        base = _base_amount(event)
        own = [event.quantity, event.amount_minor if base is None else base, event.list_price_minor]
        numbers = [_NAN if value is None else float(value) for value in (*own, event.discount_minor)]
        for found in keys:
            self._put(row, COUPON, found, numbers)

    def _add_lines(self, row: int, event: Event, entity: int, own: str | None, names: list[str | None]) -> None:
        key, shop, kind = self._keyer.key, event.shop, ENTITIES[entity]
        sums: dict[int, list[float]] = {}
        if own is not None and own not in names and None not in names:
            # The event names one that none of its lines has.
            found = key(shop, kind, own)
            if found:
                sums[found] = [_NAN if event.quantity is None else float(event.quantity), _NAN, _NAN, _NAN]
        for name, line in zip(names, event.lines, strict=True):
            name = name or own
            found = key(shop, kind, name) if name is not None else 0
            if not found:
                continue
            pieces = 1.0 if line.quantity is None else float(line.quantity)
            mine = sums.get(found)
            prices = (line.price_minor, line.list_price_minor, line.discount_minor)
            if mine is None:
                sums[found] = [pieces, *[_NAN if price is None else pieces * price for price in prices]]
                continue
            _join(mine, 0, pieces)
            for place, price in enumerate(prices, start=1):
                if price is not None:
                    _join(mine, place, pieces * price)
        base, plain = _base_amount(event), event.amount_minor
        for found, numbers in sums.items():
            if base is not None and plain:
                numbers[1] = numbers[1] * base / plain
            self._put(row, entity, found, numbers)


def _join(sums: list[float], place: int, value: float) -> None:
    """Add to a sum that is NaN until something has been added."""
    sums[place] = value if sums[place] != sums[place] else sums[place] + value


def _base_amount(event: Event) -> int | None:
    return event.identity.amount_base_minor if event.identity is not None else None


def further_names(event: Event) -> tuple[Names, ...]:
    """What an event names beyond its first coupon, item and seller; empty for nearly all.

    Parameters
    ----------
    event : where it names fewer of one kind than of another, the first of that kind stands again.

    >>> further_names(Event(id="e-1", type="order", at=7, item="i-1", coupons=("TEN", "SHIPPING", "TEN")))
    (('SHIPPING', 'i-1', None),)
    """
    lines = event.lines
    items = _names_of(event.item, [line.item for line in lines])
    sellers = _names_of(event.seller, [line.seller for line in lines])
    coupons: list[str | None] = list(dict.fromkeys(event.coupons))
    several = (coupons, items, sellers)
    firsts = [names[0] if names else None for names in several]
    return tuple(
        (
            coupons[place] if place < len(coupons) else firsts[0],
            items[place] if place < len(items) else firsts[1],
            sellers[place] if place < len(sellers) else firsts[2],
        )
        for place in range(1, max(map(len, several)))
    )


def _names_of(own: str | None, of_lines: Sequence[str | None]) -> list[str | None]:
    """Different names, the one that stands in the batch first: the event's own, else the first line's."""
    first = own or (of_lines[0] if of_lines else None)
    return list(dict.fromkeys((first, *filter(None, of_lines))))
