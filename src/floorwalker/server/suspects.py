"""Whom a team should look at first: the subjects of a day's decisions, in the order of their suspicion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import islice, pairwise
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, ColumnElement, Connection, FromClause, Row, func, literal_column, select

from floorwalker.fusion.accounts import DAY, left_after, suspect_days
from floorwalker.policy.decision import Decision
from floorwalker.server.problems import FieldFault, ProblemError
from floorwalker.server.replies import SuspectReply
from floorwalker.store.ledger.tables import decisions

LOOK_BACK_DAYS = 14
"""Of a suspicion so old, a 128th is left."""
_AT_ONCE = 500
"""Subjects that one statement names."""
_FIRST_DAY = date(1970, 1, 1)
_DAY = literal_column(str(DAY), BigInteger)

Who = tuple[str, str]
"""Shop and subject."""


def read_day(given: str | None, *, now: int) -> int:
    """A day as days since 1970-01-01; what is none raises `ProblemError` 422.

    Parameters
    ----------
    given : as YYYY-MM-DD, UTC; None for today.
    now : µs UTC.

    >>> read_day("1970-01-03", now=0), read_day(None, now=2 * DAY + 5)
    (2, 2)
    """
    if given is None:
        return now // DAY
    try:
        found = date.fromisoformat(given)
    except ValueError:
        found = None
    # Weeks and days without hyphens are ISO, too, but not what is asked for.
    if found is None or found.isoformat() != given or found < _FIRST_DAY:
        message = f"day is {given[:40]!r}"
        raise ProblemError(
            422, message, allowed="YYYY-MM-DD, from 1970-01-01 on", faults=[FieldFault(field="day", message=message)]
        )
    return (found - _FIRST_DAY).days


def write_day(day: int) -> str:
    """A day as `read_day` reads it.

    >>> write_day(2)
    '1970-01-03'
    """
    return (_FIRST_DAY + timedelta(days=day)).isoformat()


def suspicion_left(decided: Iterable[tuple[Decision, str | None]], *, now: int) -> float:
    """How suspicious an entity is today by these decisions, as `floorwalker.fusion.accounts.suspect_days` has it.

    Parameters
    ----------
    decided : decisions about it, each with the order that it is about.
    now : µs UTC.

    >>> said = dict(id="d", event_id="e", shop="s", subject="account:a", expires_at=0, action="allow", intended="allow",
    ...             mode="shadow", risk=0, level="low", policy_version="1")
    >>> first, second = Decision(at=0, suspicion=0.8, **said), Decision(at=2 * DAY, suspicion=0.3, **said)
    >>> suspicion_left([(first, "o-1"), (second, None)], now=2 * DAY)
    0.4
    >>> suspicion_left([(first, "o-1"), (second, "o-1")], now=2 * DAY)
    0.8
    """
    known = list(decided)
    orders: dict[str, int] = {}
    # A clock that was set back makes nobody more suspicious, and today there is an event without a suspicion.
    days = suspect_days(
        [0] * (len(known) + 1),
        [*(min(each.at, now) for each, _ in known), now],
        [*(each.suspicion for each, _ in known), 0.0],
        order=[*(orders.setdefault(order, len(orders) + 1) if order else 0 for _, order in known), 0],
    )
    return round(float(days.suspicion[-1]), 6)


def find_suspects(connection: Connection, *, day: int, limit: int, shop: str | None = None) -> list[SuspectReply]:
    """Subjects of the decisions of a day with any suspicion on that day or left of `LOOK_BACK_DAYS` before.

    A decision about an order is as suspicious as the most suspicious one about it, up to that day. Only decisions with
    a suspicion are gone through, and those about the same orders, and then the day's decisions about as many of the
    subjects as are asked for.

    Parameters
    ----------
    connection : of a `Ledger.read`.
    day : days since 1970-01-01, UTC, by when decisions were made.
    limit : at most so many, the most suspicious ones.
    shop : of this one only.

    Returns
    -------
    The most suspicious first; of equals by their names.
    """
    found: list[SuspectReply] = []
    ordered = _order(connection, day, shop)
    while part := list(islice(ordered, _AT_ONCE)):
        today = _days(connection, [who for who, _ in part], day)
        origins = _origins(connection, list(today), day)
        for who, suspicion in part:
            if who in today:
                row = today[who]
                found.append(
                    SuspectReply(
                        shop=who[0], subject=who[1], suspicion=round(suspicion, 6), risk=round(row.highest * 100),
                        abuse_type=row.kind or "", events=row.events, decision_id=origins[who],
                    )
                )  # fmt: skip
                if len(found) == limit:
                    return found
    return found


def _order(connection: Connection, day: int, shop: str | None) -> Iterator[tuple[Who, float]]:
    """Everybody who was suspected on the day or before, whether or not they came that day, with what is left of it."""
    said, about = decisions.alias("said"), decisions.alias("about")
    # Put so that the index of orders alone fits: SQLite would take one of subjects or times in place of it.
    of_order = (
        about.c.shop == said.c.shop,
        about.c.order_id == said.c.order_id,
        said.c.order_id.is_not(None),
        func.coalesce(about.c.subject, "") != "",
        _day_of(about) >= _day_of(said),
        _day_of(about) <= day,
    )
    rows: list[Any] = []
    for whose, where in ((said, (said.c.subject.is_not(None),)), (about, of_order)):
        each = [whose.c.shop, whose.c.subject, _day_of(whose).label("day")]
        query = select(*each, func.max(said.c.suspicion).label("suspicion")).where(*_suspected(said, day), *where)
        if shop is not None:
            # So that no index of shops is taken: SQLite would go through all the shop's decisions of two weeks.
            query = query.where(said.c.shop.concat("") == shop)
        rows += connection.execute(query.group_by(*each[:2], _day_of(whose))).all()
    people: dict[Who, int] = {}
    numbers = [people.setdefault((row.shop, row.subject), len(people)) for row in rows]
    names = list(people)
    # On the day itself everybody has an event without a suspicion, so that what is left by then is found.
    last = suspect_days(
        [*numbers, *range(len(names))],
        [*(row.day * DAY for row in rows), *[day * DAY] * len(names)],
        [*(row.suspicion for row in rows), *[0.0] * len(names)],
    )
    here = last.day == day
    who, left = last.who[here], last.suspicion[here]
    # Only those who are asked for are put in order by their names: a list of so many, sorted at once, would keep
    # decisions waiting until it is done.
    order = np.argsort(-left, kind="stable")
    starts = np.flatnonzero(np.diff(left[order])) + 1
    for first, end in pairwise([0, *starts.tolist(), len(order)]):
        for name in sorted(names[place] for place in who[order[first:end]].tolist()):
            yield name, float(left[order[first]])


def _suspected(table: FromClause, day: int) -> list[ColumnElement[bool]]:
    # As the partial indexes have it.
    return [
        table.c.suspicion.is_not(None),
        table.c.decided_at >= (day - LOOK_BACK_DAYS) * DAY,
        table.c.decided_at < (day + 1) * DAY,
    ]


def _day_of(table: FromClause) -> ColumnElement[int]:
    day: ColumnElement[int] = table.c.decided_at // _DAY
    return day


def _are(whose: FromClause, of: Sequence[Who]) -> list[ColumnElement[bool]]:
    # Pairs would be exact, but SQLite finds them in no index: the few that are not meant are passed over.
    return [whose.c.shop.in_(sorted({shop for shop, _ in of})), whose.c.subject.in_([subject for _, subject in of])]


def _days(connection: Connection, of: Sequence[Who], day: int) -> Mapping[Who, Row[Any]]:
    """Of those who were decided about on the day: the highest risk, of which kind, and how many decisions."""
    if not of:
        return {}
    said = decisions.alias("said")
    each = [said.c.shop, said.c.subject]
    gravest = [said.c.risk.desc(), said.c.sequence.desc()]
    ranked = (
        select(
            *each,
            said.c.abuse_type.label("kind"),
            said.c.risk.label("highest"),
            func.count().over(partition_by=each).label("events"),
            func.row_number().over(partition_by=each, order_by=gravest).label("place"),
        )
        .where(said.c.decided_at >= day * DAY, said.c.decided_at < (day + 1) * DAY, *_are(said, of))
        .subquery()
    )
    rows = connection.execute(select(ranked).where(ranked.c.place == 1))
    return {(row.shop, row.subject): row for row in rows}


def _origins(connection: Connection, of: Sequence[Who], day: int) -> Mapping[Who, str]:
    """The decisions of which most is left; of equals the latest."""
    if not of:
        return {}
    said, about = decisions.alias("said"), decisions.alias("about")
    each = [said.c.shop, said.c.subject, _day_of(said).label("day")]
    worst = [said.c.suspicion.desc(), said.c.sequence.desc()]
    place = func.row_number().over(partition_by=[*each[:2], _day_of(said)], order_by=worst).label("place")
    told = [said.c.id, said.c.sequence, said.c.suspicion]
    ranked = select(*each, *told, place).where(*_suspected(said, day), *_are(said, of)).subquery()
    rows = connection.execute(select(ranked).where(ranked.c.place == 1)).all()
    # Grouped and put so that SQLite begins with the subjects, and finds their few orders one by one.
    each = [about.c.shop, about.c.subject, about.c.order_id]
    lately = _day_of(about).between(day - LOOK_BACK_DAYS, day)
    ordered = (
        select(*each, _day_of(about).label("day"))
        .where(func.coalesce(about.c.order_id, "") != "", lately, *_are(about, of))
        .group_by(*each, _day_of(about))
        .subquery()
    )
    query = select(ordered, *told).where(
        said.c.shop == ordered.c.shop,
        said.c.order_id == ordered.c.order_id,
        said.c.suspicion.is_not(None),
        _day_of(said).between(day - LOOK_BACK_DAYS, ordered.c.day),
    )
    found: dict[Who, tuple[float, int, int, str]] = {}
    for row in [*rows, *connection.execute(query)]:
        mine = left_after(row.suspicion, day - row.day), row.day, row.sequence, row.id
        found[row.shop, row.subject] = max(mine, found.get((row.shop, row.subject), mine))
    return {who: name for who, (*_, name) in found.items()}
