"""Apache 2.4: `Require not ip` lines in a `RequireAll` block (module `mod_authz_host`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from floorwalker.sinks.blocklist._base import BlockEntry, checked_network, entry_comment, heading

TITLE = "Apache 2.4"


def write(entries: Sequence[BlockEntry], made_at: datetime) -> str:
    """A `RequireAll` block that grants everybody but the entries; comments stand on lines of their own, as
    Apache demands."""
    lines = [
        f"# {heading(len(entries), made_at)}",
        "# include it in a Directory or Location block and run: apachectl configtest && apachectl graceful",
        "<RequireAll>",
        "    Require all granted",
    ]
    for entry in entries:
        lines += [f"    # {entry_comment(entry)}", f"    Require not ip {checked_network(entry)}"]
    return "\n".join([*lines, "</RequireAll>"]) + "\n"
