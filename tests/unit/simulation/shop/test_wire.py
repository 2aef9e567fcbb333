"""Which connection an event takes: a visit keeps its own, also when somebody logs in midway."""

import threading
from collections import defaultdict

import pytest

from floorwalker.events.event import Event
from floorwalker.simulation.shop import wire
from floorwalker.simulation.shop.diary import Entry, Truth
from floorwalker.simulation.shop.wire import Asked, Wire


def ways_of(events: list[Event], connections: int = 4) -> dict[str, list[tuple[str, int]]]:
    """By visit, the thread that took each event and when; nothing is sent, for nothing is let happen."""
    taken: dict[str, list[tuple[str, int]]] = defaultdict(list)

    def happens(entry: Entry) -> bool:
        taken[entry.event.session or ""].append((threading.current_thread().name, entry.event.at))
        return False

    sender = Wire("http://127.0.0.1:9", "fw_none", happens, lambda asked: (), connections)
    for event in events:
        sender.send(Asked(Entry(event, Truth()), decide=True))
    sender.finish()
    assert sender.answers.qsize() == len(events)
    return taken


def event(at: int, *, account: str | None = None, session: str | None = None) -> Event:
    return Event(id=f"e{at}", type="page_view", shop="s", at=at, account=account, session=session)


def test_a_visit_that_logs_in_midway_keeps_its_connection() -> None:
    events = [
        event(100 * step + visit, session=f"v{visit}", account=f"a{visit}" if step > 4 else None)
        for step in range(10)
        for visit in range(40)
    ]
    found = ways_of(events)
    assert len({name for visit in found.values() for name, _ in visit}) == 4
    for visit in found.values():
        assert len({name for name, _ in visit}) == 1
        assert [at for _, at in visit] == sorted(at for _, at in visit)


def test_an_account_takes_its_connection_to_its_next_visit() -> None:
    events = [event(1, session="v1"), event(2, session="v1", account="a"), event(3, session="v2", account="a")]
    found = ways_of(events, connections=64)
    assert found["v1"][0][0] == found["v2"][0][0]


def test_who_was_silent_for_long_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "ACTORS", 10)
    sender = Wire("http://127.0.0.1:9", "fw_none", lambda entry: False, lambda asked: (), 2)
    for number in range(100):
        sender.send(Asked(Entry(event(number, session=f"v{number}"), Truth()), decide=False))
    sender.finish()
    assert list(sender._lane_of) == [f"sv{number}" for number in range(90, 100)]
