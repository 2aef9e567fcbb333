from __future__ import annotations

from collections.abc import Iterable

from floorwalker.events.identity import PersonalValue
from floorwalker.server import personal
from floorwalker.server.personal import PersonalQueue
from floorwalker.store.errors import LockedError


def value(number: int) -> PersonalValue:
    return PersonalValue("email", f"em1_{number}", f"u{number}@example.com", f"account:{number}", "default")


class Vault:
    def __init__(self) -> None:
        self.kept: list[str] = []
        self.is_locked = False

    def put(self, values: Iterable[PersonalValue]) -> int:
        if self.is_locked:
            raise LockedError("the vault is locked")
        taken = [each.token for each in values]
        self.kept += taken
        return len(taken)


def test_what_was_handed_over_is_kept_at_the_end_and_doubles_once() -> None:
    vault, faults = Vault(), []
    queue = PersonalQueue(vault.put, lambda place, text: faults.append(text), seconds=60)
    queue.start()
    queue.add([value(1), value(2), value(1)])
    queue.stop()
    assert vault.kept == ["em1_1", "em1_2"]
    assert (len(queue), faults) == (0, [])


def test_a_locked_vault_is_tried_again_in_order() -> None:
    vault, faults = Vault(), []
    queue = PersonalQueue(vault.put, lambda place, text: faults.append(place))
    vault.is_locked = True
    queue.add([value(1), value(2)])
    queue.stop()
    assert (faults, len(queue)) == (["vault"], 2)
    vault.is_locked = False
    queue.stop()
    assert vault.kept == ["em1_1", "em1_2"]


def test_what_is_dropped_is_said(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(personal, "MOST_WAITING", 3)
    vault, faults = Vault(), []
    queue = PersonalQueue(vault.put, lambda place, text: faults.append(text))
    queue.add([value(number) for number in range(5)])
    assert len(queue) == 3
    assert "2 raw values were dropped" in faults[0]
    queue.stop()
    assert vault.kept == ["em1_2", "em1_3", "em1_4"]


def test_a_value_is_put_once_a_day_and_again_when_it_was_forgotten() -> None:
    vault, now = Vault(), [0]
    queue = PersonalQueue(vault.put, lambda place, text: None, lambda: now[0])

    def give() -> list[str]:
        before = len(vault.kept)
        queue.add([value(1), value(2)])
        queue.stop()
        return vault.kept[before:]

    assert give() == ["em1_1", "em1_2"]
    now[0] += 86_399_999_999
    assert give() == []
    now[0] += 1
    assert give() == ["em1_1", "em1_2"]
    queue.forget_given()
    assert give() == ["em1_1", "em1_2"]
    # The same value of another person is another value.
    queue.add([PersonalValue("email", "em1_1", "u1@example.com", "account:9", "default")])
    queue.stop()
    assert vault.kept[-1] == "em1_1"
