"""How much of what a sender may send."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DecodeLimits:
    """Caps on what is taken in.

    Parameters
    ----------
    event_bytes : bytes of one event's JSON text.
    batch_bytes : bytes of a body with many events.
    events : events in one body.
    depth : objects and arrays inside one another, the event itself counted.
    attributes : names in `attributes`, those of every level counted.
    attribute_length : characters of a name or a text in `attributes`.
    ahead_seconds : how far the sender's clock may be ahead of ours; an event of the future would close windows that
        honest events still fall into.
    earliest : microseconds since 1970-01-01 UTC before which no shop had events; seconds or milliseconds given as
        microseconds fall before it.
    """

    event_bytes: int = 262_144
    batch_bytes: int = 33_554_432
    events: int = 10_000
    depth: int = 8
    attributes: int = 100
    attribute_length: int = 2_000
    ahead_seconds: int = 600
    earliest: int = 946_684_800_000_000


DEFAULT_LIMITS = DecodeLimits()
