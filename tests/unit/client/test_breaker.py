"""The breaker by its own clock."""

from __future__ import annotations

import pytest
from floorwalker_client import Breaker, BreakerOpenError, UsageError


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(name="clock")
def make_clock() -> _Clock:
    return _Clock()


@pytest.fixture(name="breaker")
def make_breaker(clock: _Clock) -> Breaker:
    return Breaker(failures=3, rest=2.0, longest_rest=5.0, clock=clock)


def _is_admitted(breaker: Breaker) -> bool:
    try:
        breaker.admit()
    except BreakerOpenError:
        return False
    return True


def test_it_opens_after_failures_in_a_row_only(breaker: Breaker) -> None:
    for _ in range(10):
        breaker.fail()
        breaker.fail()
        breaker.succeed()
    assert _is_admitted(breaker)
    for _ in range(3):
        breaker.fail()
    assert not _is_admitted(breaker)
    assert breaker.refused == 1


def test_one_trial_after_each_rest_and_rests_grow(breaker: Breaker, clock: _Clock) -> None:
    for _ in range(3):
        breaker.fail()
    for rest in (2.0, 4.0, 5.0, 5.0):
        clock.now += rest - 0.1
        assert not _is_admitted(breaker)
        clock.now += 0.2
        assert [_is_admitted(breaker) for _ in range(5)] == [True, False, False, False, False]
        breaker.fail()
    clock.now += 5.1
    assert _is_admitted(breaker)
    breaker.succeed()
    assert not breaker.is_open
    breaker.fail()
    assert _is_admitted(breaker)  # all is forgotten


def test_calls_that_were_under_way_do_not_lengthen_the_rest(breaker: Breaker, clock: _Clock) -> None:
    for _ in range(40):
        breaker.fail()
    clock.now += 2.1
    assert _is_admitted(breaker)


def test_a_trial_that_never_reports_blocks_nothing(breaker: Breaker, clock: _Clock) -> None:
    for _ in range(3):
        breaker.fail()
    clock.now += 2.1
    assert _is_admitted(breaker)
    clock.now += 2.1
    assert _is_admitted(breaker)


@pytest.mark.parametrize("settings", [{"failures": 0}, {"rest": 0.0}, {"rest": 9.0, "longest_rest": 1.0}])
def test_settings_that_make_no_breaker(settings: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="allowed"):
        Breaker(**settings)  # type: ignore[arg-type]
