"""The record of an address to be blocked, and what every format of blocklist must take care of."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime

from floorwalker.errors import UsageError

_UNSAFE = re.compile(r"[^ !#$%&'()*+,\-./0-9:;<=>?@A-Z\[\]^_a-z{|}~]+")
_LONGEST = 240


@dataclass(frozen=True)
class BlockEntry:
    """One address to be blocked.

    Parameters
    ----------
    network : an IPv4 address, or an IPv6 network such as `2001:db8::/64`.
    tier : how good the evidence is, e.g. `proven`.
    evidence : a sentence for the person who reads the file.
    reason_code : stable id of the strongest reason.
    expires_at : when the entry should go, with a time zone.
    """

    network: str
    tier: str
    evidence: str
    reason_code: str
    expires_at: datetime


def checked_network(entry: BlockEntry) -> str:
    """The entry's network, written in the one canonical way; anything that is none raises `UsageError`.

    The text goes into a server's configuration, so it is parsed here once more, whoever made the entry.
    """
    try:
        network = ipaddress.ip_network(entry.network)
    except ValueError as error:
        raise UsageError(f"blocklist entry {entry.network!r} is no address or network") from error
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def comment_text(text: str) -> str:
    r"""A text that is safe in a comment of any configuration file.

    Evidence may quote what an attacker sent. Line breaks would end the comment, and a backslash at the end of
    a line lets Apache read on in the next one; so everything but printable ASCII becomes a space, and
    backslashes, quotes and backticks with it.

    >>> comment_text("claims to be X\n} deny all; \\")
    'claims to be X } deny all;'
    """
    return _UNSAFE.sub(" ", text)[:_LONGEST].strip()


def heading(count: int, made_at: datetime) -> str:
    """What stands at the head of a file: who made it, when, and how much it holds."""
    held = "1 entry" if count == 1 else f"{count} entries"
    return f"Floorwalker blocklist of {made_at.isoformat(timespec='seconds')}: {held}"


def entry_comment(entry: BlockEntry) -> str:
    """Tier, expiry and evidence of an entry, safe in a comment."""
    until = entry.expires_at.isoformat(timespec="seconds")
    return comment_text(f"{entry.tier}, until {until}, {entry.reason_code}: {entry.evidence}")
