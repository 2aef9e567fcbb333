"""Blocklists in the languages of the servers that enforce them; one file each, found by listing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from floorwalker.registry import list_parts, load_part
from floorwalker.sinks.blocklist._base import BlockEntry, checked_network, comment_text

__all__ = ["BlockEntry", "checked_network", "comment_text", "list_formats", "write_entries"]


def list_formats() -> list[str]:
    """Ids of the formats, in alphabetical order.

    >>> list_formats()
    ['apache', 'crowdsec', 'nginx', 'plain']
    """
    return list_parts(__name__)


def write_entries(entries: Sequence[BlockEntry], format_id: str, *, made_at: datetime) -> str:
    """The text of a blocklist file.

    Parameters
    ----------
    entries : what to block.
    format_id : one of `list_formats()`; another raises `UsageError` with those that exist.
    made_at : the time of making, with a time zone; remaining lifetimes are counted from it.
    """
    write: Callable[[Sequence[BlockEntry], datetime], str] = load_part(__name__, format_id).write
    return write(entries, made_at)
