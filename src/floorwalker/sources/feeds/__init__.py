"""Feeds: where events come from beside HTTP. A feed is one file of this folder; its name is its id.

Every feed hands out deliveries (events, refused records, a checkpoint) and can go on from any checkpoint it gave:
each record comes at least once, and an event that comes twice has the same id both times.

>>> list_feeds()
['access_logs', 'database', 'files', 'kafka']
"""

from __future__ import annotations

from floorwalker.registry import list_parts, load_part
from floorwalker.sources.feeds._base import Checkpoint, Delivery, Feed, FeedExample, Refused
from floorwalker.sources.feeds._checkpoints import CheckpointFile
from floorwalker.sources.feeds._dead_letters import DeadLetters
from floorwalker.sources.feeds._opening import FeedOptions, notes_folder, open_feed, recognise
from floorwalker.sources.feeds._pump import Pumped, pump
from floorwalker.sources.feeds._sending import EventSender, StoppedError, UnreachableError

__all__ = [
    "Checkpoint",
    "CheckpointFile",
    "DeadLetters",
    "Delivery",
    "EventSender",
    "Feed",
    "FeedExample",
    "FeedOptions",
    "Pumped",
    "Refused",
    "StoppedError",
    "UnreachableError",
    "list_feeds",
    "load_feed",
    "notes_folder",
    "open_feed",
    "pump",
    "recognise",
]


def list_feeds() -> list[str]:
    """Ids of the feeds that exist."""
    return list_parts(__name__)


def load_feed(name: str) -> type[Feed]:
    """The class of the feed of this id; an unknown one raises `UsageError`."""
    feed: type[Feed] = load_part(__name__, name).FEED
    return feed
