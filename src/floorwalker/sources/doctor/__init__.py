"""What the data of a shop holds, lacks, and therefore can and cannot detect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from floorwalker.errors import InputError
from floorwalker.sources.doctor._profile import Profile
from floorwalker.sources.doctor._report import make_report
from floorwalker.sources.feeds import Feed

__all__ = ["Profile", "examine", "make_report"]


def examine(feed: Feed, *, now: int, progress: Callable[[int], None] | None = None) -> dict[str, Any]:
    """Read a feed once, from its start, and report on it.

    Parameters
    ----------
    feed : any source of events.
    now : the time that the feed's clock gives, microseconds since 1970-01-01 UTC.
    progress : is called with the number of records read so far.

    Errors
    ------
    `InputError` where there is no record at all.
    """
    profile = Profile(now)
    records = skipped = 0
    dropped: dict[str, int] = {}
    for delivery in feed.read():
        profile.add(delivery.events)
        profile.refuse(delivery.refused)
        records += delivery.records
        skipped += delivery.skipped
        for name, count in delivery.dropped.items():
            dropped[name] = dropped.get(name, 0) + count
        if progress is not None:
            progress(records)
    if not records:
        raise InputError(f"{feed.identity} holds no record", allowed="at least one event")
    report = make_report(profile)
    return {"source": feed.identity, **report, "records": records, "skipped": skipped, "dropped": dropped}
