"""Plain text: one address or network a line and nothing else, for ipset, nftables, firewalls and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from floorwalker.sinks.blocklist._base import BlockEntry, checked_network

TITLE = "plain addresses"


def write(entries: Sequence[BlockEntry], made_at: datetime) -> str:
    """The networks alone; what is known about them stays in the report. An empty list is an empty file."""
    return "".join(f"{checked_network(entry)}\n" for entry in entries)
