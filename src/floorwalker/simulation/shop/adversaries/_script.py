"""How a script looks beside a person: the least that its goal needs, at its own pace, with a client that shows it.

A script is a recording: somebody went through the shop once, and the requests that matter are sent again and again.
So its visit is made of a person's, by leaving out what the goal does not need, cutting the pauses, and putting the
signals of a machine in place of those of a hand.
"""

from __future__ import annotations

import msgspec
from numpy.random import Generator

from floorwalker.events.event import ClientSignals, Event
from floorwalker.simulation.shop.diary import Entry
from floorwalker.simulation.shop.scenario import SECOND

IDLE: frozenset[str] = frozenset({"search", "client_signals", "logout", "livestream"})
"""Types that a script leaves out unless they are its goal."""
_PAUSES = {"machine": 0.25 * SECOND, "scripted": 3.5 * SECOND}
_VIEWS = {"machine": 1, "scripted": 3}
"""Page views that are left of a visit."""


def rush(
    entries: list[Entry], rng: Generator, *, pace: str, device: str, keep: frozenset[str] = frozenset(), end_at: int
) -> list[Entry]:
    """A person's visit as a script repeats it.

    Parameters
    ----------
    entries : of one visit and what followed from it, in the order of their times.
    rng : of the campaign.
    pace : `machine` or `scripted`.
    device : kind of device that the script runs on, as the market calls it.
    keep : types in `IDLE` that are the goal.
    end_at : when the person's visit ended; what is later (parcels, refunds) keeps its time.
    """
    kept: list[Entry] = []
    views = _VIEWS[pace]
    if "page_view" in keep:
        views = 1 << 30
    at = entries[0].event.at if entries else 0
    for entry in entries:
        event = entry.event
        if event.at > end_at:
            kept.append(entry)
            continue
        if event.type in IDLE and event.type not in keep:
            continue
        if event.type == "page_view":
            if views == 0:
                continue
            views -= 1
        signals = machine_signals(rng, device) if event.signals is not None else None
        entry.event = msgspec.structs.replace(event, at=at, signals=signals)
        kept.append(entry)
        at += pause(rng, pace)
    return kept


def pause(rng: Generator, pace: str) -> int:
    """Microseconds until the next request: even for machines, uneven for scripts that pretend."""
    mean = _PAUSES[pace]
    return int(mean * (rng.uniform(0.8, 1.2) if pace == "machine" else rng.lognormal(0.0, 0.5)))


def machine_signals(rng: Generator, device: str) -> ClientSignals:
    """What the collector sees of a client that nobody holds."""
    if device == "headless":
        return ClientSignals(
            webdriver=True, headless=True, tampered=False, trap_filled=bool(rng.random() < 0.2), pointer_moves=0,
            touches=0, key_presses=0, pastes=0, scrolls=0, dwell_ms=int(rng.integers(50, 400)), form_ms=40,
        )  # fmt: skip
    return ClientSignals(
        webdriver=bool(rng.random() < 0.15),
        headless=False,
        tampered=bool(rng.random() < 0.2),
        trap_filled=False,
        pointer_moves=int(rng.integers(0, 6)),
        pointer_straightness=round(float(rng.uniform(0.93, 1.0)), 3),
        touches=int(rng.integers(0, 3)),
        key_presses=0,
        pastes=int(rng.integers(1, 4)),
        scrolls=0,
        dwell_ms=int(rng.integers(300, 4_000)),
        form_ms=int(rng.integers(150, 900)),
    )


def without_account(event: Event) -> Event:
    """The same event by somebody who has not logged in."""
    return msgspec.structs.replace(event, account=None)
