"""Whom to look at, out of the decisions of both databases."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, inspect, select, text

from floorwalker.fusion.accounts import DAY, suspect_days
from floorwalker.server.replies import SuspectReply
from floorwalker.server.suspects import LOOK_BACK_DAYS, find_suspects
from floorwalker.store.ledger import Ledger, put, sqlite_url
from floorwalker.store.ledger.suspected import Suspected
from floorwalker.store.ledger.tables import decisions

OpenLedger = Callable[[], Ledger]
TODAY = 20_000
NUMBERS = itertools.count()
NEW_INDEXES = {"ix_decisions_shop_subject_decided_at", "ix_decisions_suspected_orders"}


def decision(who: str | None, suspicion: float | None, *, days_ago: int = 0, **fields: Any) -> dict[str, Any]:
    number = next(NUMBERS)
    at = (TODAY - days_ago) * DAY + number * 1000
    return {
        "id": f"dc_{number}", "sequence": number, "shop": "north", "event_id": f"e-{number}", "event_type": "order",
        "subject": who and f"account:{who}", "at": at, "decided_at": at, "action": "allow", "mode": "shadow",
        "abuse_type": None, "risk": 0.0, "level": "low", "policy_version": "1", "reasons_json": "[]",
        "suspicion": suspicion, "order_id": None, **fields,
    }  # fmt: skip


def ask(ledger: Ledger, *rows: dict[str, Any], day: int = TODAY, limit: int = 200, shop: str | None = None) -> Any:
    if rows:
        ledger.write(lambda connection: put(connection, decisions, list(rows)))
    return ledger.read(lambda connection: find_suspects(connection, day=day, limit=limit, shop=shop))


def test_the_most_suspicious_come_first_with_what_is_left_of_earlier_days(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    caught = decision("caught", 0.8, days_ago=2, risk=0.9)
    doubtful = decision("doubtful", 0.5, risk=0.7, abuse_type="payment_fraud")
    found = ask(
        ledger,
        caught, decision("caught", None),
        decision("doubtful", 0.3, risk=0.8, abuse_type="scraping"), doubtful, decision("doubtful", None),
        decision("calm", None), decision(None, 0.9),
        # Suspected, but not here today; and suspected too long ago.
        decision("gone", 0.9, days_ago=1),
        decision("forgotten", 1.0, days_ago=LOOK_BACK_DAYS + 1), decision("forgotten", None),
        # What comes tomorrow is not known today.
        decision("calm", 1.0, days_ago=-1),
    )  # fmt: skip
    assert found == [
        SuspectReply(
            shop="north", subject="account:doubtful", suspicion=0.5, risk=80, abuse_type="scraping", events=3,
            decision_id=doubtful["id"],
        ),
        SuspectReply(
            shop="north", subject="account:caught", suspicion=0.4, risk=0, abuse_type="", events=1,
            decision_id=caught["id"],
        ),
    ]  # fmt: skip
    assert [each.subject for each in ask(ledger, limit=1)] == ["account:doubtful"]
    yesterday = ask(ledger, day=TODAY - 1)
    assert [(each.subject, each.suspicion) for each in yesterday] == [("account:gone", 0.9)]


def test_what_is_done_about_an_order_is_as_suspicious_as_the_order_was(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    ordered = decision("a", 0.9, days_ago=9, order_id="o-1")
    earlier, returned = (decision("d", 0.7, days_ago=ago, order_id="o-4") for ago in (5, 2))
    late = decision("e", 0.6, order_id="o-5")
    found = ask(
        ledger,
        ordered, decision("a", 0.3, days_ago=8, order_id="o-1"), decision("a", None, order_id="o-1"),
        # Whose parcel left yesterday is here today with half of it, less a bit.
        decision("b", 0.8, days_ago=9, order_id="o-2"), decision("b", None, days_ago=1, order_id="o-2"),
        decision("b", None),
        # Another shop's order, one of too long ago, somebody else's: nothing is left.
        decision("c", 0.9, days_ago=8, order_id="o-3"), decision("c", None, order_id="o-3", shop="south"),
        decision("f", 0.9, days_ago=LOOK_BACK_DAYS + 1, order_id="o-6"), decision("f", None, order_id="o-6"),
        decision("g", None, order_id="o-1"),
        # Of two equal ones the later is named; what is suspected later that day counts, what comes tomorrow does not.
        earlier, returned, decision("d", None, order_id="o-4"),
        decision("e", None, order_id="o-5"), late, decision("e", 1.0, days_ago=-1, order_id="o-5"),
        # Of another order two weeks' halvings are left.
        decision("h", 0.8, days_ago=14, order_id="o-7"), decision("h", None, order_id="o-8"),
        decision("h", 0.8, days_ago=14, order_id=""), decision("h", None, order_id=""),
    )  # fmt: skip
    assert [(each.subject[-1], each.suspicion, each.events) for each in found] == [
        ("a", 0.9, 1), ("d", 0.7, 1), ("e", 0.6, 2), ("b", pytest.approx(0.8 * 0.5**0.5, abs=1e-6), 1),
        ("h", 0.8 / 2**7, 2),
    ]  # fmt: skip
    assert [each.decision_id for each in found[:3]] == [ordered["id"], returned["id"], late["id"]]
    assert [each.subject for each in ask(ledger, shop="south")] == []
    assert [each.subject[-1] for each in ask(ledger, shop="north", limit=2)] == ["a", "d"]


TOLD = st.lists(
    st.tuples(
        st.sampled_from([None, "a", "b", "c"]),
        st.integers(-1, LOOK_BACK_DAYS + 1),
        st.sampled_from([None, 0.3, 0.5, 0.9]),
        st.sampled_from([None, "o-1", "o-2"]),
        st.sampled_from(["north", "south"]),
    ),
    max_size=40,
)


@given(TOLD, st.integers(-1, 1), st.sampled_from([None, "north"]))
@settings(max_examples=40, deadline=None)
def test_the_list_is_in_the_order_that_evaluation_measures(
    tmp_path_factory: pytest.TempPathFactory,
    told: list[tuple[str | None, int, float | None, str | None, str]],
    since: int,
    shop: str | None,
) -> None:
    rows = [decision(who, said, days_ago=ago, order_id=order, shop=of) for who, ago, said, order, of in told]
    day = TODAY + since
    with Ledger(sqlite_url(tmp_path_factory.mktemp("ledger") / "ledger.sqlite"), survives_power_cut=False) as ledger:
        found = ask(ledger, *rows, day=day, shop=shop)
    known = [
        row
        for row in rows
        if row["subject"] and day - LOOK_BACK_DAYS <= row["at"] // DAY <= day and shop in (None, row["shop"])
    ]
    people = {name: number for number, name in enumerate(sorted({(row["shop"], row["subject"]) for row in known}))}
    days = suspect_days(
        [people[row["shop"], row["subject"]] for row in known],
        [row["at"] for row in known],
        [row["suspicion"] or 0.0 for row in known],
        order=[{None: 0, "o-1": 1, "o-2": 2}[row["order_id"]] for row in known],
    )
    wanted = {
        list(people)[who]: pytest.approx(suspicion, abs=1e-6)
        for who, then, suspicion in zip(*(each.tolist() for each in days), strict=True)
        if then == day and suspicion > 0
    }
    assert {(each.shop, each.subject): each.suspicion for each in found} == wanted
    assert [each.suspicion for each in found] == sorted((each.suspicion for each in found), reverse=True)
    # The decision that is named is theirs, and explains what is left of it.
    named = {row["id"]: row for row in known}
    for each in found:
        origin = named[each.decision_id]
        assert (origin["shop"], origin["subject"]) == (each.shop, each.subject)
        after = {0} | {
            day - row["at"] // DAY
            for row in known
            if row["subject"] == origin["subject"] and row["shop"] == origin["shop"]
            and row["order_id"] and row["order_id"] == origin["order_id"] and row["at"] // DAY >= origin["at"] // DAY
        } | {day - origin["at"] // DAY}  # fmt: skip
        assert any(each.suspicion == pytest.approx(origin["suspicion"] * 0.5 ** (ago / 2), abs=1e-6) for ago in after)


def test_many_decisions_about_one_order_are_gone_through_once(open_ledger: OpenLedger) -> None:
    """Of an account and an order of it only the worst decision of each day is read."""
    ledger = open_ledger()
    rows = [decision("a", 0.5 + number / 10_000, days_ago=1, order_id="o-1") for number in range(500)]
    found = ask(ledger, *rows, *(decision("a", None, order_id="o-1") for _ in range(500)))
    assert [(each.suspicion, each.events, each.decision_id) for each in found] == [(0.5499, 500, rows[-1]["id"])]
    suspected = ledger.read(lambda connection: _sizes(Suspected(connection, TODAY - 1, TODAY)))
    assert suspected == (1, 2, 1, 2)


def _sizes(suspected: Suspected) -> tuple[int, ...]:
    of = [("north", "account:a")]
    return tuple(map(len, (suspected.worst(), suspected.orders(), suspected.worst_of(of), suspected.orders_of(of))))


def test_shops_are_told_apart(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    found = ask(
        ledger,
        decision("a", 0.3), decision("b", 0.9, days_ago=4), decision("b", None),
        decision("a", 0.7, shop="south", risk=0.5), decision("b", None, shop="south", risk=0.9),
    )  # fmt: skip
    assert [(each.shop, each.subject, each.suspicion, each.events) for each in found] == [
        ("south", "account:a", 0.7, 1), ("north", "account:a", 0.3, 1), ("north", "account:b", 0.225, 1)
    ]  # fmt: skip
    assert [each.shop for each in ask(ledger, shop="south")] == ["south"]
    assert ask(ledger, shop="elsewhere") == []


def test_many_who_are_not_here_hide_nobody(open_ledger: OpenLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("floorwalker.server.suspects._AT_ONCE", 7)
    rows = [decision(f"a-{number:02}", 0.9 - number / 100, days_ago=1) for number in range(40)]
    found = ask(open_ledger(), *rows, *(decision(f"a-{number:02}", None) for number in range(1, 40, 3)), limit=10)
    assert [each.subject for each in found] == [f"account:a-{number:02}" for number in range(1, 31, 3)]
    assert [each.decision_id for each in found] == [rows[number]["id"] for number in range(1, 31, 3)]
    assert [each.suspicion for each in found] == sorted((each.suspicion for each in found), reverse=True)


def test_equals_stand_by_their_names_whatever_came_first(
    open_ledger: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("floorwalker.server.suspects._AT_ONCE", 2)
    rows = [decision(name, 0.8, days_ago=2 * (name in "ec")) for name in "fbedac"]
    found = ask(open_ledger(), *rows, decision("c", None), decision("e", 0.4), decision("g", 0.4, shop="east"))
    assert [(each.subject[-1], each.suspicion) for each in found] == [
        ("a", 0.8), ("b", 0.8), ("d", 0.8), ("f", 0.8), ("g", 0.4), ("c", 0.4), ("e", 0.4)
    ]  # fmt: skip


def test_the_query_reads_no_row_of_calm_decisions_for_the_order(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    if not ledger.is_sqlite:
        pytest.skip("PostgreSQL looks at so few rows without an index")
    plan: list[list[str]] = []

    def explain(connection: Connection) -> None:
        from sqlalchemy import event

        @event.listens_for(connection, "before_cursor_execute")
        def note(_: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
            cursor.execute(f"explain query plan {statement}", parameters)
            plan.append([row[3] for row in cursor.fetchall() if "INDEX" in row[3]])

        for shop in ("north", None):
            find_suspects(connection, day=TODAY, limit=10, shop=shop)

    ask(ledger, decision("a", 0.5, order_id="o-1"))
    ledger.read(explain)
    suspected, of_subject = (
        "COVERING INDEX ix_decisions_suspected_orders ",
        "INDEX ix_decisions_shop_subject_decided_at ",
    )
    wanted = [(suspected,), (suspected, of_subject), (of_subject,), (of_subject,), (of_subject,)] * 2
    assert len(plan) == len(wanted)
    for lines, indexes in zip(plan, wanted, strict=True):
        assert all(line.startswith("SEARCH") for line in lines), lines
        assert len(lines) == len(indexes), lines
        assert all(index in line for index, line in zip(indexes, lines, strict=True)), lines


def test_a_ledger_of_the_version_before_keeps_its_rows(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    row = decision("a", None)
    ask(ledger, row)

    def go_back(connection: Connection) -> None:
        for name in NEW_INDEXES:
            connection.execute(text(f"drop index {name}"))
        connection.execute(text("alter table decisions drop column suspicion"))
        config = Config()
        config.set_main_option("script_location", "floorwalker.store.ledger:migrations")
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.stamp(config, "0003")

    ledger.write(go_back)
    ledger.close()
    again = open_ledger()
    kept = again.read(lambda connection: connection.execute(select(decisions)).mappings().all())
    assert [dict(each) for each in kept] == [
        {**row, "body": None, "order_id": None, "risks_json": None, "scored_by": None}
    ]
    names = again.read(lambda connection: {each["name"] for each in inspect(connection).get_indexes("decisions")})
    assert names >= NEW_INDEXES
    assert [each.suspicion for each in ask(again, decision("a", 0.6))] == [0.6]
