"""The checks that every feed of events must pass, over the examples it gives.

Each check takes a `FeedExample` and raises `AssertionError` with what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from floorwalker.errors import UsageError
from floorwalker.events.event import Event
from floorwalker.sources.feeds import Checkpoint, Delivery, FeedExample

BATCHES = (1, 2, 5, 1000)
"""Sizes of a delivery that the checks try."""


def _read(example: FeedExample, batch: int, after: Checkpoint | None = None) -> list[Delivery]:
    feed = example.make(batch)
    try:
        return list(feed.read(after))
    finally:
        feed.close()


def _events(deliveries: list[Delivery]) -> dict[str, Event]:
    return {event.id: event for delivery in deliveries for event in delivery.events}


def check_contents(example: FeedExample) -> None:
    """Every record comes, whatever the size of a delivery; poison is refused with its place and stops nothing."""
    for batch in BATCHES:
        deliveries = _read(example, batch)
        found = _events(deliveries)
        assert found.keys() == example.events, (
            f"{example.name}, {batch} a delivery: missing {sorted(example.events - found.keys())[:3]}, "
            f"not expected {sorted(found.keys() - example.events)[:3]}"
        )
        refused = [one for delivery in deliveries for one in delivery.refused]
        assert len(refused) == example.refused, f"{example.name}: {len(refused)} refused, not {example.refused}"
        for one in refused:
            assert one.place, f"{example.name}: a refused record without its place"
            assert one.field, f"{example.name}: a refused record without its field"
            assert one.reason, f"{example.name}: a refused record without its reason"


def check_stable_ids(example: FeedExample) -> None:
    """Reading twice, in other portions, gives equal events with equal ids."""
    first, second = _events(_read(example, 3)), _events(_read(example, 7))
    assert first == second, f"{example.name}: a second reading gives other events"


def check_restart(example: FeedExample) -> None:
    """From any checkpoint, in any portions, everything that was not handed out before it comes."""
    whole = _events(_read(example, 1000))
    for batch, again in ((1, 1000), (4, 3)):
        before: set[str] = set()
        for place, delivery in enumerate(_read(example, batch)):
            before.update(event.id for event in delivery.events)
            saved = Checkpoint.decode(delivery.checkpoint.encode())
            assert saved == delivery.checkpoint, f"{example.name}: a checkpoint does not survive being written"
            if batch == 1 and place % 3:
                continue
            rest = _events(_read(example, again, saved))
            lost = whole.keys() - before - rest.keys()
            assert not lost, f"{example.name}: {len(lost)} events are lost after a restart behind delivery {place}"
            assert all(whole[name] == event for name, event in rest.items()), f"{example.name}: other events"


def check_end(example: FeedExample) -> None:
    """Behind the last checkpoint there is nothing more to refuse, and no event that was not handed out before."""
    deliveries = _read(example, 1000)
    rest = _read(example, 1000, deliveries[-1].checkpoint)
    assert not [one for delivery in rest for one in delivery.refused], f"{example.name}: poison comes again for ever"
    assert _events(rest).keys() <= _events(deliveries).keys(), f"{example.name}: events appear out of nowhere"


def check_foreign_checkpoint(example: FeedExample) -> None:
    """A checkpoint of another source is refused, for its positions mean something else there."""
    foreign = Checkpoint("somebody else's", dict(_read(example, 3)[-1].checkpoint.position))
    message = ""
    try:
        _read(example, 3, foreign)
    except UsageError as error:
        message = str(error)
    assert "somebody else's" in message, f"{example.name}: a foreign checkpoint is not refused"


def check_counts(example: FeedExample) -> None:
    """Counts are reported, and do not depend on the size of a delivery."""
    counts = {
        (
            sum(delivery.records for delivery in deliveries),
            sum(delivery.skipped for delivery in deliveries),
            sum(len(delivery.events) for delivery in deliveries),
        )
        for deliveries in (_read(example, 1), _read(example, 1000))
    }
    assert len(counts) == 1, f"{example.name}: counts {sorted(counts)} depend on the size of a delivery"
    ((records, _, events),) = counts
    assert records > 0, f"{example.name}: no record was counted"
    assert events >= len(example.events), f"{example.name}: fewer events counted than there are"


CHECKS: tuple[Callable[[FeedExample], None], ...] = (
    check_contents,
    check_stable_ids,
    check_restart,
    check_end,
    check_foreign_checkpoint,
    check_counts,
)
