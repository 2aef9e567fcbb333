"""What one actor does, event by event, and what nobody in the shop can see: who it is and what it costs the shop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from floorwalker.events.event import Event

Phase = Literal["", "preparatory", "harmful"]


@dataclass(frozen=True)
class Truth:
    """The truth about one event.

    Parameters
    ----------
    abuse_type : one of `floorwalker.events.abuse.ABUSE_TYPES`; "" for what is honest, a victim's own events included.
    adversary : id of the adversary, "" for honest ones.
    family : the group that splits are made by; most often the adversary's id.
    skill : `naive`, `skilled`, `advanced` or `expert`; "" for honest ones.
    campaign : its number within the scenario, -1 for honest ones; of a bank's letter that of the order it is about.
    phase : `preparatory` or `harmful`; "" for honest ones.
    loss_minor : what a harmful event costs the shop, its customers or its sellers, minor units.
    segment : the kind of honest customer or hard negative (`campus`, `traveller`), `bank` for a bank's letters, "" for
        adversaries.
    """

    abuse_type: str = ""
    adversary: str = ""
    family: str = ""
    skill: str = ""
    campaign: int = -1
    phase: Phase = ""
    loss_minor: int = 0
    segment: str = ""


@dataclass
class Entry:
    """An event with its truth. `event.id` is given when everything is written, so that ids tell nothing."""

    event: Event
    truth: Truth


@dataclass
class Diary:
    """Collects what an actor does.

    Parameters
    ----------
    truth : of every event unless `write` says otherwise.
    """

    truth: Truth = field(default_factory=Truth)
    entries: list[Entry] = field(default_factory=list)

    def write(self, kind: str, at: float, *, truth: Truth | None = None, **fields: Any) -> Entry:
        """One event of a type at a time (microseconds); `fields` are those of `floorwalker.events.event.Event`.

        >>> diary = Diary(Truth(segment="bargain hunter"))
        >>> diary.write("logout", 5, account="a-1").event.type
        'logout'
        """
        entry = Entry(Event(id="-", type=kind, at=int(at), **fields), truth or self.truth)
        self.entries.append(entry)
        return entry
