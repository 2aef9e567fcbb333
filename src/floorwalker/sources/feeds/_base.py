"""What every feed is and hands out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from floorwalker.errors import InputError, UsageError
from floorwalker.events.event import Event

Clock = Callable[[], int]
"""Answers the time in int64 microseconds since 1970-01-01 UTC."""


@dataclass(frozen=True)
class Checkpoint:
    """How far a feed has been read: every record before it was handed out, in this delivery or an earlier one.

    Parameters
    ----------
    feed : `Feed.identity` of the feed that gave it.
    position : the feed's own notes, made of JSON values only.

    >>> Checkpoint.decode(Checkpoint("files", {"row": 7}).encode()).position["row"]
    7
    """

    feed: str
    position: Mapping[str, Any]

    def encode(self) -> bytes:
        """JSON text."""
        return msgspec.json.encode({"version": 1, "feed": self.feed, "position": dict(self.position)}, order="sorted")

    @classmethod
    def decode(cls, text: bytes) -> Checkpoint:
        """What `encode` wrote; anything else raises `InputError`."""
        try:
            values = msgspec.json.decode(text, type=dict[str, Any])
            if values["version"] != 1:
                raise InputError(f"a checkpoint of version {values['version']}", allowed="version 1")
            return cls(str(values["feed"]), dict(values["position"]))
        except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            raise InputError("a checkpoint that is no checkpoint", fix="delete it to read from the start") from error


@dataclass(frozen=True)
class Refused:
    """A poison record: one that became no event.

    Parameters
    ----------
    place : where it stands, for a person: `orders.csv, line 17`.
    field : the field at fault, or `record` where it is the whole.
    reason : what is wrong, in one line; never a value of a text.
    record : the record as text, for whoever mends it.
    """

    place: str
    field: str
    reason: str
    record: str


@dataclass(frozen=True)
class Delivery:
    """What one step of a feed brought.

    Parameters
    ----------
    events : decoded events, in the feed's order, with `received_at` by the feed's clock.
    refused : records that became no event.
    checkpoint : from where reading goes on once this delivery is safe.
    records : records read; one may make several events, or several make one.
    skipped : records that the mapping leaves out on purpose.
    dropped : field -> values that were unusable and, as the mapping says, left out of their events.
    """

    events: list[Event]
    refused: list[Refused]
    checkpoint: Checkpoint
    records: int
    skipped: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FeedExample:
    """A small feed for the contract tests.

    Parameters
    ----------
    make : opens the feed anew over the same records; the argument is how many records a delivery may hold.
    events : ids of the events that it must bring.
    refused : how many records it must refuse.
    """

    name: str
    make: Callable[[int], Feed]
    events: frozenset[str]
    refused: int


class Feed(ABC):
    """A source of events that can go on from any of its checkpoints."""

    needs_server: ClassVar[str] = ""
    """Why the contract tests cannot make examples of this feed alone; empty where they can."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """What is read, in one line; a checkpoint of another identity is refused."""

    @abstractmethod
    def read(self, after: Checkpoint | None = None) -> Iterator[Delivery]:
        """Deliveries from a checkpoint (or the start) to what is there now; call again later for what came since.

        Errors
        ------
        `UsageError` where the checkpoint is another feed's; `InputError` where the source cannot be read at all.
        """

    def confirm(self, checkpoint: Checkpoint) -> None:
        """Everything up to here is safe; a feed may tell its source."""
        del checkpoint

    def close(self) -> None:
        """Give up files and connections."""
        return

    @classmethod
    def examples(cls, folder: Path) -> list[FeedExample]:
        """Small feeds with known contents, made in an empty folder; empty where `needs_server` says why."""
        del folder
        return []

    def position(self, after: Checkpoint | None) -> dict[str, Any]:
        """A copy of the notes in a checkpoint of this feed; empty without one."""
        if after is None:
            return {}
        if after.feed != self.identity:
            raise UsageError(
                f"the checkpoint belongs to {after.feed!r}",
                allowed=repr(self.identity),
                fix="give each source a checkpoint file of its own",
            )
        return msgspec.json.decode(msgspec.json.encode(dict(after.position)), type=dict[str, Any])
