"""Accounts in the order in which a team should look at them: today's worst, and what is left of earlier days."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from floorwalker.errors import UsageError
from floorwalker.fusion.accounts import DAY, suspect_days

EVENTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 12 * DAY), st.floats(0, 1, width=32)), max_size=40)


@given(EVENTS, st.sampled_from([0.5, 2.0, 7.0]))
def test_each_day_is_the_worst_of_all_that_was_with_what_is_left_of_it(
    events: list[tuple[int, int, float]], halved: float
) -> None:
    columns = list(zip(*events, strict=True)) if events else [(), (), ()]
    days = suspect_days(*columns, halved=halved)
    told = {(who, day): value for who, day, value in zip(*(each.tolist() for each in days), strict=True)}
    assert sorted(told) == list(told) == sorted({(who, at // DAY) for who, at, _ in events})
    for (who, day), value in told.items():
        left = [
            suspicion * 2.0 ** (-(day - at // DAY) / halved)
            for other, at, suspicion in events
            if other == who and at // DAY <= day
        ]
        assert value == pytest.approx(max(left), rel=1e-5, abs=1e-30)


ABOUT_ORDERS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 12 * DAY), st.floats(0, 1, width=32), st.integers(0, 3)), max_size=40
)


@given(ABOUT_ORDERS)
def test_an_event_is_as_suspicious_as_its_order_was_by_then(events: list[tuple[int, int, float, int]]) -> None:
    who, at, suspicion, order = zip(*events, strict=True) if events else ((), (), (), ())
    raised = [
        max(
            (
                other
                for she, then, other, its in events
                if she == he and its == mine and mine and then // DAY <= when // DAY
            ),
            default=own,
        )
        for he, when, own, mine in events
    ]
    found, wanted = suspect_days(who, at, suspicion, order=order), suspect_days(who, at, raised)
    for each, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(each, other)


@given(ABOUT_ORDERS, st.integers(0, 12))
def test_what_comes_later_changes_no_day_before(events: list[tuple[int, int, float, int]], last: int) -> None:
    told = []
    for some in (events, [each for each in events if each[1] // DAY <= last]):
        who, at, suspicion, order = zip(*some, strict=True) if some else ((), (), (), ())
        days = suspect_days(who, at, suspicion, order=order)
        told.append({row for row in zip(*(each.tolist() for each in days), strict=True) if row[1] <= last})
    assert told[0] == told[1]


def test_somebody_elses_order_makes_nobody_suspicious() -> None:
    days = suspect_days([1, 2], [0, DAY], [0.9, 0.1], order=[5, 5])
    assert days.suspicion.tolist() == pytest.approx([0.9, 0.1])


def test_orders_leave_what_was_given_as_it_is() -> None:
    suspicion = np.array([0.9, 0.0], np.float32)
    days = suspect_days([2, 2], [0, 9 * DAY], suspicion, order=[5, 5])
    assert days.suspicion.tolist() == pytest.approx([0.9, 0.9])
    assert suspicion.tolist() == pytest.approx([0.9, 0.0])


def test_nothing_is_left_of_earlier_days_where_they_are_forgotten() -> None:
    days = suspect_days([1, 1, 1], [DAY * 3, 0, DAY - 1], [0.1, 0.9, 0.2], halved=0)
    assert days.day.tolist() == [0, 3]
    np.testing.assert_allclose(days.suspicion, [0.9, 0.1], rtol=1e-6)


def test_nobody_came() -> None:
    assert [len(each) for each in suspect_days([], [], [])] == [0, 0, 0]


@pytest.mark.parametrize(
    ("who", "at", "suspicion", "halved"),
    [([1], [0, 1], [0.1], 2.0), ([1], [0], [0.1, 0.2], 2.0), ([1], [0], [np.nan], 2.0), ([1], [0], [0.1], -1.0),
     ([1], [0], [0.1], np.nan), ([[1]], [[0]], [[0.1]], 2.0)],
)  # fmt: skip
def test_what_does_not_fit_is_refused(who: object, at: object, suspicion: object, halved: float) -> None:
    with pytest.raises(UsageError, match=r"one for each event|from 0 days on"):
        suspect_days(who, at, suspicion, halved=halved)


def test_an_order_for_each_event_is_asked_for() -> None:
    with pytest.raises(UsageError, match=r"\(2,\) orders.*one for each event"):
        suspect_days([1], [0], [0.1], order=[1, 2])
