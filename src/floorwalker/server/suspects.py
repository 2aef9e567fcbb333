"""Whom a team should look at first: the subjects of a day's decisions, in the order of their suspicion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import islice, pairwise
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, Connection, Row, Select, func, literal_column, select

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
_DAY_OF = (decisions.c.decided_at // literal_column(str(DAY), BigInteger)).label("day")

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


def suspicion_left(decided: Iterable[Decision], *, now: int) -> float:
    """What is left of the most suspicious of these decisions: each counts half as much every
    `floorwalker.fusion.accounts.HALVED` UTC days.

    Parameters
    ----------
    now : µs UTC.

    >>> said = dict(id="d", event_id="e", shop="s", subject="account:a", expires_at=0, action="allow", intended="allow",
    ...             mode="shadow", risk=0, level="low", policy_version="1")
    >>> first, second = Decision(at=0, suspicion=0.8, **said), Decision(at=2 * DAY, suspicion=0.3, **said)
    >>> suspicion_left([first, second], now=2 * DAY)
    0.4
    """
    return round(
        max((left_after(each.suspicion, max(now // DAY - each.at // DAY, 0)) for each in decided), default=0.0), 6
    )


def find_suspects(connection: Connection, *, day: int, limit: int, shop: str | None = None) -> list[SuspectReply]:
    """Subjects of the decisions of a day with any suspicion on that day or left of `LOOK_BACK_DAYS` before.

    Only decisions with a suspicion are gone through, and then the day's decisions about as many of the subjects as are
    asked for.

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
    query = (
        select(decisions.c.shop, decisions.c.subject, _DAY_OF, func.max(decisions.c.suspicion).label("suspicion"))
        .where(*_suspected(day))
        .group_by(decisions.c.shop, decisions.c.subject, _DAY_OF)
    )
    if shop is not None:
        # Put so that no index of shops is taken for it: SQLite would go through all the shop's decisions of two weeks.
        query = query.where(decisions.c.shop.concat("") == shop)
    rows = connection.execute(query).all()
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


def _suspected(day: int) -> list[Any]:
    # As the partial index has it.
    return [
        decisions.c.suspicion.is_not(None),
        decisions.c.subject.is_not(None),
        decisions.c.decided_at >= (day - LOOK_BACK_DAYS) * DAY,
        decisions.c.decided_at < (day + 1) * DAY,
    ]


def _named(query: Select[Any], of: Sequence[Who]) -> Select[Any]:
    # Pairs would be exact, but SQLite finds them in no index: the few that are not meant are passed over.
    return query.where(
        decisions.c.shop.in_(sorted({shop for shop, _ in of})), decisions.c.subject.in_([subject for _, subject in of])
    )


def _days(connection: Connection, of: Sequence[Who], day: int) -> Mapping[Who, Row[Any]]:
    """Of those who were decided about on the day: the highest risk, of which kind, and how many decisions."""
    if not of:
        return {}
    each = [decisions.c.shop, decisions.c.subject]
    gravest = [decisions.c.risk.desc(), decisions.c.sequence.desc()]
    ranked = _named(
        select(
            *each,
            decisions.c.abuse_type.label("kind"),
            decisions.c.risk.label("highest"),
            func.count().over(partition_by=each).label("events"),
            func.row_number().over(partition_by=each, order_by=gravest).label("place"),
        ).where(decisions.c.decided_at >= day * DAY, decisions.c.decided_at < (day + 1) * DAY),
        of,
    ).subquery()
    rows = connection.execute(select(ranked).where(ranked.c.place == 1))
    return {(row.shop, row.subject): row for row in rows}


def _origins(connection: Connection, of: Sequence[Who], day: int) -> Mapping[Who, str]:
    """The decisions of which most is left; of equals the latest."""
    if not of:
        return {}
    each = [decisions.c.shop, decisions.c.subject]
    worst = [decisions.c.suspicion.desc(), decisions.c.sequence.desc()]
    ranked = _named(
        select(
            *each,
            _DAY_OF,
            decisions.c.id,
            decisions.c.suspicion,
            func.row_number().over(partition_by=[*each, _DAY_OF.element], order_by=worst).label("place"),
        ).where(*_suspected(day)),
        of,
    ).subquery()
    found: dict[Who, tuple[float, str]] = {}
    for row in connection.execute(select(ranked).where(ranked.c.place == 1).order_by(ranked.c.day.desc())):
        left = left_after(row.suspicion, day - row.day)
        if left > found.get((row.shop, row.subject), (0.0, ""))[0]:
            found[row.shop, row.subject] = left, row.id
    return {who: name for who, (_, name) in found.items()}
