"""Which feed a text names, and where its notes stand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floorwalker.errors import UsageError
from floorwalker.registry import nearest_name
from floorwalker.sources.feeds._base import Clock, Feed

if TYPE_CHECKING:
    from floorwalker.sources.mapping import Mapping as FieldMapping

KINDS = ("files", "access_logs", "database", "kafka")


@dataclass(frozen=True)
class FeedOptions:
    """What a feed needs beside its source; which options belong to which feed is checked.

    Parameters
    ----------
    mapping : of `files` and `database`.
    follow : keep reading what comes.
    batch : records in a delivery.
    shop, log_format, trusted_proxies, session : of `access_logs`.
    table, column, row_key, overlap : of `database`.
    group, start, settings : of `kafka`; `settings` are librdkafka's own.
    """

    mapping: FieldMapping | None = None
    follow: bool = False
    batch: int = 1000
    shop: str = ""
    log_format: str = ""
    trusted_proxies: Sequence[str] = ()
    session: str = ""
    table: str = ""
    column: str = ""
    row_key: Sequence[str] | None = None
    overlap: float = 0.0
    group: str = ""
    start: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


_BELONGS: dict[str, tuple[str, ...]] = {
    "mapping": ("files", "database"),
    "shop": ("access_logs",),
    "log_format": ("access_logs",),
    "trusted_proxies": ("access_logs",),
    "session": ("access_logs",),
    "table": ("database",),
    "column": ("database",),
    "row_key": ("database",),
    "overlap": ("database",),
    "group": ("kafka",),
    "start": ("kafka",),
    "settings": ("kafka",),
}


def recognise(sources: Sequence[str]) -> str:
    """Which feed reads these sources.

    >>> recognise(["orders-*.csv"]), recognise(["sqlite:///shop.db"]), recognise(["kafka://broker:9092/orders"])
    ('files', 'database', 'kafka')
    """
    schemes = {source.partition("://")[0] if "://" in source else "" for source in sources}
    if schemes == {""}:
        return "files"
    if len(sources) != 1:
        raise UsageError("several sources of which one is a URL", allowed="one database, one broker, or files")
    return "kafka" if schemes == {"kafka"} else "database"


def open_feed(kind: str, sources: Sequence[str], options: FeedOptions, *, clock: Clock) -> Feed:
    """The feed of a kind over its sources.

    Parameters
    ----------
    kind : one of `KINDS`.
    sources : files and patterns; or one log; or one URL of SQLAlchemy; or `kafka://host:port,…/topic,…`.

    Errors
    ------
    `UsageError` for options that are another feed's or are missing, and what the feeds themselves raise.
    """
    if kind not in KINDS:
        close = nearest_name(kind, list(KINDS))
        raise UsageError(f"no feed {kind!r}", allowed=", ".join(KINDS), fix=f"did you mean {close!r}?" if close else "")
    default = FeedOptions()
    strange = sorted(
        name
        for name, kinds in _BELONGS.items()
        if kind not in kinds and getattr(options, name) != getattr(default, name)
    )
    if strange:
        names = ", ".join("--" + name.replace("_", "-") for name in strange)
        raise UsageError(f"{names} given with a source of the kind {kind}", fix="leave out, or name the kind with --as")
    if kind == "files":
        from floorwalker.sources.feeds.files import FilesFeed

        return FilesFeed(
            list(sources), clock=clock, mapping=options.mapping, batch=options.batch, follow=options.follow
        )
    if len(sources) != 1:
        raise UsageError(f"{len(sources)} sources of the kind {kind}", allowed="one a command")
    (source,) = sources
    if kind == "access_logs":
        from floorwalker.sources.feeds.access_logs import AccessLogsFeed

        return AccessLogsFeed(
            source, clock=clock, log_format=options.log_format or None, trusted_proxies=options.trusted_proxies,
            session=options.session or None, batch=options.batch, shop=options.shop or "default",
        )  # fmt: skip
    if kind == "kafka":
        return _open_kafka(source, options, clock)
    if not options.table or not options.column:
        raise UsageError(
            "a database without a table and its column that grows",
            fix="give --table (or a query) and --column, as --table orders --column updated_at",
        )
    from floorwalker.sources.feeds.database import DatabaseFeed

    return DatabaseFeed(
        source, options.table, options.column, clock=clock, key=options.row_key, mapping=options.mapping,
        overlap=options.overlap, batch=options.batch,
    )  # fmt: skip


def _open_kafka(source: str, options: FeedOptions, clock: Clock) -> Feed:
    servers, _, topics = source.removeprefix("kafka://").partition("/")
    if not servers or not topics:
        raise UsageError("a broker without a topic", allowed="kafka://host:port/topic, more of both with commas")
    from floorwalker.sources.feeds.kafka import KafkaFeed

    return KafkaFeed(
        servers, topics.split(","), clock=clock, group=options.group or "floorwalker",
        start=options.start or "earliest", batch=options.batch, options=options.settings,
    )  # fmt: skip


def notes_folder(state: Path, kind: str, feed: Feed, url: str) -> Path:
    """Where checkpoint and dead letters of one feed into one server stand."""
    told = f"{feed.identity}\x00{url.rstrip('/')}".encode("utf-8", "surrogateescape")
    return state / f"{kind}-{hashlib.blake2b(told, digest_size=6).hexdigest()}"
