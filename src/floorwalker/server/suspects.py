"""Whom a team should look at first: the subjects of a day's decisions, in the order of their suspicion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import islice, pairwise
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, func, select

from floorwalker.fusion.accounts import DAY, left_after, suspect_days
from floorwalker.policy.decision import Decision
from floorwalker.server.problems import FieldFault, ProblemError
from floorwalker.server.replies import SuspectReply
from floorwalker.store.ledger.suspected import Name, Suspected, are_named
from floorwalker.store.ledger.tables import decisions

LOOK_BACK_DAYS = 14
"""Of a suspicion so old, a 128th is left."""
_AT_ONCE = 500
"""Subjects that one statement names."""
_FIRST_DAY = date(1970, 1, 1)


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
    """How suspicious an entity is today by these decisions, those of the last `LOOK_BACK_DAYS`, as
    `floorwalker.fusion.accounts.suspect_days` has it for a single account.

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
    first = (now // DAY - LOOK_BACK_DAYS) * DAY
    known = [(each, order) for each, order in decided if each.at >= first]
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

    A decision about an order is as suspicious as the most suspicious one of the same subject about it, up to that day.
    Only decisions with a suspicion are gone through, and what was decided about orders of the same subjects, and then
    the day's decisions about as many of the subjects as are asked for.

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
    suspected = Suspected(connection, day - LOOK_BACK_DAYS, day)
    ordered = _order(suspected, shop)
    while part := list(islice(ordered, _AT_ONCE)):
        today = _days(connection, [who for who, _ in part], day)
        origins = _origins(suspected, list(today))
        for who, suspicion in part:
            if who in today and who in origins:
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


def _order(suspected: Suspected, shop: str | None) -> Iterator[tuple[Name, float]]:
    """Everybody who was suspected until the last day, whether or not they came then, with what is left of it."""
    orders: dict[str, int] = {"": 0}
    rows = [
        ((row.shop, row.subject), orders.setdefault(row.order_id, len(orders)), row.day, row.suspicion)
        for row in suspected.worst(shop)
    ]
    rows += [
        ((row.shop, row.subject), orders[row.order_id], row.day, 0.0)
        for row in suspected.orders(shop)
        if row.order_id in orders
    ]
    people: dict[Name, int] = {}
    numbers = [people.setdefault(who, len(people)) for who, *_ in rows]
    names = list(people)
    # On the last day everybody has an event without a suspicion, so that what is left by then is found.
    days = suspect_days(
        [*numbers, *range(len(names))],
        [*(day * DAY for _, _, day, _ in rows), *[suspected.last * DAY] * len(names)],
        [*(suspicion for *_, suspicion in rows), *[0.0] * len(names)],
        order=[*(order for _, order, _, _ in rows), *[0] * len(names)],
    )
    left = (days.day == suspected.last) & (days.suspicion > 0)
    who, suspicion = days.who[left], days.suspicion[left]
    # Only those who are asked for are put in order by their names: a list of so many, sorted at once, would keep
    # decisions waiting until it is done.
    order = np.argsort(-suspicion, kind="stable")
    starts = np.flatnonzero(np.diff(suspicion[order])) + 1
    for first, end in pairwise([0, *starts.tolist(), len(order)]):
        for name in sorted(names[place] for place in who[order[first:end]].tolist()):
            yield name, float(suspicion[order[first]])


def _days(connection: Connection, of: Sequence[Name], day: int) -> Mapping[Name, Row[Any]]:
    """Of those who were decided about on the day: the highest risk, of which kind, and how many decisions."""
    if not of:
        return {}
    each = [decisions.c.shop, decisions.c.subject]
    gravest = [decisions.c.risk.desc(), decisions.c.sequence.desc()]
    ranked = (
        select(
            *each,
            decisions.c.abuse_type.label("kind"),
            decisions.c.risk.label("highest"),
            func.count().over(partition_by=each).label("events"),
            func.row_number().over(partition_by=each, order_by=gravest).label("place"),
        )
        .where(decisions.c.decided_at >= day * DAY, decisions.c.decided_at < (day + 1) * DAY, *are_named(of))
        .subquery()
    )
    rows = connection.execute(select(ranked).where(ranked.c.place == 1))
    return {(row.shop, row.subject): row for row in rows}


def _origins(suspected: Suspected, of: Sequence[Name]) -> Mapping[Name, str]:
    """The decisions of which most is left; of equals the latest."""
    if not of:
        return {}
    days: dict[tuple[Name, str], list[int]] = defaultdict(list)
    for row in suspected.orders_of(of):
        days[(row.shop, row.subject), row.order_id].append(row.day)
    found: dict[Name, tuple[float, int, int, str]] = {}
    for row in suspected.worst_of(of):
        who = row.shop, row.subject
        # What comes with an order is as fresh as the last that was done about it.
        last = max(days.get((who, row.order_id), [row.day]))
        mine = left_after(row.suspicion, suspected.last - last), row.day, row.sequence, row.id
        found[who] = max(mine, found.get(who, mine))
    return {who: name for who, (*_, name) in found.items()}
