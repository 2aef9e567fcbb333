"""The loop between a feed and whoever takes the events."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from floorwalker.events.event import Event
from floorwalker.sources.feeds._base import Clock, Feed
from floorwalker.sources.feeds._checkpoints import CheckpointFile
from floorwalker.sources.feeds._dead_letters import DeadLetters


@dataclass
class Pumped:
    """What has passed so far.

    Parameters
    ----------
    records, events, refused, skipped : how many; see `Delivery`.
    refused_fields : field at fault -> how many.
    dropped : field -> values left out of their events.
    """

    records: int = 0
    events: int = 0
    refused: int = 0
    skipped: int = 0
    refused_fields: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)


def pump(
    feed: Feed,
    deliver: Callable[[Sequence[Event]], None],
    *,
    checkpoints: CheckpointFile,
    dead_letters: DeadLetters,
    clock: Clock,
    follow_seconds: float | None = None,
    stop: threading.Event | None = None,
    progress: Callable[[Pumped], None] | None = None,
) -> Pumped:
    """Carry a feed's events to `deliver`, at least once each.

    The order is what makes the promise: dead letters are on disk, then `deliver` has returned, then the checkpoint is
    on disk, then the feed is told. A crash anywhere brings a delivery again, with the same ids; whoever takes the
    events drops those it has seen.

    Parameters
    ----------
    deliver : takes events and returns once they are safe; what it raises ends the loop before the checkpoint moves.
    follow_seconds : ask again after so long when there is nothing new; None ends the loop there.
    stop : set it to end the loop after the delivery at hand.
    progress : is called after each delivery.
    """
    stop = stop or threading.Event()
    passed = Pumped()
    checkpoint = checkpoints.load()
    while not stop.is_set():
        for delivery in feed.read(checkpoint):
            dead_letters.write(feed.identity, delivery.refused, now=clock())
            if delivery.events:
                deliver(delivery.events)
            if checkpoint is None or delivery.checkpoint != checkpoint:
                checkpoints.save(delivery.checkpoint)
                feed.confirm(delivery.checkpoint)
            checkpoint = delivery.checkpoint
            passed.records += delivery.records
            passed.events += len(delivery.events)
            passed.refused += len(delivery.refused)
            passed.skipped += delivery.skipped
            passed.refused_fields.update(one.field for one in delivery.refused)
            passed.dropped.update(delivery.dropped)
            if progress is not None:
                progress(passed)
            if stop.is_set():
                break
        if follow_seconds is None or stop.wait(follow_seconds):
            break
    return passed
