"""Of decisions of some days: who was suspected, and of which orders.

Each statement is put so that SQLite, which knows no statistics here, finds its rows by the index that is meant: what it
must not go by stands in an expression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, func, literal_column, select

from floorwalker.store.ledger.tables import decisions

DAY = 86_400_000_000
"""Microseconds."""
Name = tuple[str, str]
"""A shop, and a subject of it."""


def _day(at: ColumnElement[int]) -> ColumnElement[int]:
    day: ColumnElement[int] = at // literal_column(str(DAY), BigInteger)
    return day


_SHOP, _SUBJECT, _SUSPICION = decisions.c.shop, decisions.c.subject, decisions.c.suspicion
_ORDER = func.coalesce(decisions.c.order_id, "")
_DAY = _day(decisions.c.decided_at)
_EACH = (_SHOP, _SUBJECT, _ORDER, _DAY)
_NAMES = (_SHOP, _SUBJECT, _ORDER.label("order_id"), _DAY.label("day"))


@dataclass(frozen=True)
class Suspected:
    """Decisions from one UTC day to another, both included.

    Parameters
    ----------
    connection : of a `Ledger.read`.
    first, last : days since 1970-01-01.
    """

    connection: Connection
    first: int
    last: int

    def worst(self, shop: str | None = None) -> list[Any]:
        """Rows of `shop`, `subject`, `order_id` ("" of none), `day` and the highest `suspicion` then."""
        query = select(*_NAMES, func.max(_SUSPICION).label("suspicion")).where(*self._suspected(shop))
        return self._rows(query.group_by(*_EACH))

    def orders(self, shop: str | None = None) -> list[Any]:
        """Rows of `shop`, `subject`, `order_id` and `day` for all that was decided about any orders of those who were
        suspected of one."""
        theirs = select(_SHOP, _SUBJECT).where(*self._suspected(shop), _ORDER != "").distinct().subquery()
        query = select(*_NAMES).where(*self._about_orders(), theirs.c.shop == _SHOP, theirs.c.subject == _SUBJECT)
        return self._rows(query.group_by(*_EACH))

    def worst_of(self, subjects: Sequence[Name]) -> list[Any]:
        """Of each day and order of these subjects the latest of the most suspicious decisions: rows as of `worst`, and
        `id` and `sequence`."""
        place = func.row_number().over(partition_by=_EACH, order_by=[_SUSPICION.desc(), decisions.c.sequence.desc()])
        told = [decisions.c.id, decisions.c.sequence, _SUSPICION, place.label("place")]
        ranked = select(*_NAMES, *told).where(*self._suspected(), *are_named(subjects)).subquery()
        return self._rows(select(ranked).where(ranked.c.place == 1))

    def orders_of(self, subjects: Sequence[Name]) -> list[Any]:
        """Rows as of `orders` for these subjects."""
        return self._rows(select(*_NAMES).where(*self._about_orders(), *are_named(subjects)).group_by(*_EACH))

    def _suspected(self, shop: str | None = None) -> list[ColumnElement[bool]]:
        # As the partial index has it, and without an index of shops: that would be all of a shop's decisions.
        of_shop = [] if shop is None else [_SHOP.concat("") == shop]
        return [_SUSPICION.is_not(None), _SUBJECT.is_not(None), *self._lately(), *of_shop]

    def _about_orders(self) -> list[ColumnElement[bool]]:
        # Found by their subjects: an order may be a name for all ("0"), and nobody has so many decisions.
        return [_ORDER != "", *self._lately()]

    def _lately(self) -> list[ColumnElement[bool]]:
        return [decisions.c.decided_at >= self.first * DAY, decisions.c.decided_at < (self.last + 1) * DAY]

    def _rows(self, query: Select[Any]) -> list[Any]:
        return list(self.connection.execute(query).all())


def are_named(subjects: Sequence[Name]) -> list[ColumnElement[bool]]:
    """That decisions are about these subjects, or about the subject of one in the shop of another: SQLite finds pairs
    in no index."""
    shops, names = zip(*subjects, strict=True)
    return [_SHOP.in_(sorted(set(shops))), _SUBJECT.in_(names)]
