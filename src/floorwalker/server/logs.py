"""Logs as JSON lines on standard error: what happened to the server, never what a customer or a key is called."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "logger", "kind", "place", "port", "host", "folder", "seconds", "events",
        "records", "mode", "durability", "rules", "features", "detector", "version", "text", "reason", "snapshots",
        "status", "database", "bytes", "sequence", "model", "stages",
    }
)  # fmt: skip
"""Names that a line may carry; another is dropped, so that no careless call can log a body or a key."""


def keep_allowed(_: Any, __: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Drop every name that is not in `ALLOWED`.

    >>> keep_allowed(None, "", {"event": "started", "email": "ann@example.com"})
    {'event': 'started'}
    """
    return {name: value for name, value in line.items() if name in ALLOWED}


def configure_logs(*, as_json: bool = True) -> None:
    """Set up structlog and silence the libraries' own loggers below warning."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_allowed,
            structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s")
    # Their messages may quote what a client sent.
    for name in ("uvicorn.error", "uvicorn.access", "uvicorn", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
