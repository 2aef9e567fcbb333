"""Of decisions of some days: who was suspected, and of which orders.

Each statement is put so that SQLite, which knows no statistics here, finds its rows by the index that is meant: what it
must not go by stands in an expression. PostgreSQL finds the same ones by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, func, literal_column, select

from floorwalker.store.ledger.tables import decisions

DAY = 86_400_000_000
"""Microseconds."""
Name = tuple[str, str]
"""A shop, and a subject or an order of it."""

_SAID, _ABOUT = decisions.alias("said"), decisions.alias("about")


def _day(at: ColumnElement[int]) -> ColumnElement[int]:
    day: ColumnElement[int] = at // literal_column(str(DAY), BigInteger)
    return day


_SAID_DAY, _ABOUT_DAY = _day(_SAID.c.decided_at), _day(_ABOUT.c.decided_at)
_WORST = func.max(_SAID.c.suspicion).label("suspicion")
_HANDS = func.count(_SAID.c.subject.distinct())


@dataclass(frozen=True)
class Suspected:
    """Decisions from one UTC day to another, both included.

    Parameters
    ----------
    connection : of a `Ledger.read`.
    first, last : days since 1970-01-01.
    shop : of this one only, except where names are given.
    """

    connection: Connection
    first: int
    last: int
    shop: str | None = None

    def subjects(self) -> list[Any]:
        """Rows of `shop`, `subject`, `day` and the highest `suspicion`."""
        each = [_SAID.c.shop, _SAID.c.subject]
        query = select(*each, _SAID_DAY.label("day"), _WORST).where(*self._suspected(), each[1].is_not(None))
        return self._rows(query.group_by(*each, _SAID_DAY))

    def orders(self) -> list[Any]:
        """Rows of `shop`, `order_id`, `day` and the highest `suspicion` of an order."""
        each = [_SAID.c.shop, _SAID.c.order_id]
        query = select(*each, _SAID_DAY.label("day"), _WORST).where(*self._suspected(), each[1].is_not(None))
        return self._rows(query.group_by(*each, _SAID_DAY))

    def shared_orders(self, most: int) -> frozenset[Name]:
        """Orders of which more than so many subjects were suspected."""
        return frozenset(tuple(row) for row in self._rows(self._orders().having(most < _HANDS)))

    def about_orders(self, most: int) -> list[Any]:
        """Rows of `shop`, `subject`, `order_id` and `day` for all decisions, suspicious or not, about orders of which
        somebody was suspected, and at most so many subjects were."""
        found = self._orders().having(most >= _HANDS).subquery()
        each = [_ABOUT.c.shop, _ABOUT.c.subject, _ABOUT.c.order_id]
        query = select(*each, _ABOUT_DAY.label("day")).where(
            _ABOUT.c.shop == found.c.shop,
            _ABOUT.c.order_id == found.c.order_id,
            func.coalesce(_ABOUT.c.subject, "") != "",
            _ABOUT_DAY.between(self.first, self.last),
        )
        return self._rows(query.group_by(*each, _ABOUT_DAY))

    def worst_of_subjects(self, subjects: Sequence[Name]) -> list[Any]:
        """Of each day of these subjects the latest of the most suspicious decisions: rows of `shop`, `subject`, `day`,
        `id`, `sequence` and `suspicion`."""
        each = [_SAID.c.shop, _SAID.c.subject]
        worst = [_SAID.c.suspicion.desc(), _SAID.c.sequence.desc()]
        place = func.row_number().over(partition_by=[*each, _SAID_DAY], order_by=worst).label("place")
        ranked = select(*each, *self._told(), place).where(*self._suspected(), *are_named(each, subjects)).subquery()
        return self._rows(select(ranked).where(ranked.c.place == 1))

    def orders_of(self, subjects: Sequence[Name]) -> list[Any]:
        """Rows of `shop`, `subject`, `order_id` and `day` for what these subjects were decided about."""
        each = [_SAID.c.shop, _SAID.c.subject, _SAID.c.order_id]
        query = select(*each, _SAID_DAY.label("day")).where(
            *are_named(each[:2], subjects), func.coalesce(each[2], "") != "", _SAID_DAY.between(self.first, self.last)
        )
        return self._rows(query.group_by(*each, _SAID_DAY))

    def suspicions_of_orders(self, orders: Sequence[Name]) -> list[Any]:
        """Rows of `shop`, `order_id`, `day`, `id`, `sequence` and `suspicion`."""
        each = [_SAID.c.shop, _SAID.c.order_id]
        query = select(*each, *self._told()).where(
            *are_named(each, orders), _SAID.c.suspicion.is_not(None), _SAID_DAY.between(self.first, self.last)
        )
        return self._rows(query)

    def _orders(self) -> Select[Any]:
        each = [_SAID.c.shop, _SAID.c.order_id]
        return select(*each).where(*self._suspected(), each[1].is_not(None)).group_by(*each)

    def _suspected(self) -> list[ColumnElement[bool]]:
        # As the partial indexes have it, and without an index of shops: that would be all of a shop's decisions.
        of_shop = [] if self.shop is None else [_SAID.c.shop.concat("") == self.shop]
        return [
            _SAID.c.suspicion.is_not(None),
            _SAID.c.decided_at >= self.first * DAY,
            _SAID.c.decided_at < (self.last + 1) * DAY,
            *of_shop,
        ]

    @staticmethod
    def _told() -> list[ColumnElement[Any]]:
        return [_SAID_DAY.label("day"), _SAID.c.id, _SAID.c.sequence, _SAID.c.suspicion]

    def _rows(self, query: Select[Any]) -> list[Any]:
        return list(self.connection.execute(query).all())


def are_named(each: Sequence[ColumnElement[str]], names: Iterable[Name]) -> list[ColumnElement[bool]]:
    """That these columns, of a shop and of its subjects or orders, have one of these names; or the subject of one and
    the shop of another, for SQLite finds pairs in no index."""
    shops, others = zip(*names, strict=True)
    return [each[0].in_(sorted(set(shops))), each[1].in_(others)]
