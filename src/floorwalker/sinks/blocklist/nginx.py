"""nginx: `deny` directives to include in a http, server or location block (module
`ngx_http_access_module`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from floorwalker.sinks.blocklist._base import BlockEntry, checked_network, entry_comment, heading

TITLE = "nginx"


def write(entries: Sequence[BlockEntry], made_at: datetime) -> str:
    """One `deny` for each entry, each below a comment with its evidence."""
    lines = [
        f"# {heading(len(entries), made_at)}",
        "# include it in a server block and run: nginx -t && nginx -s reload",
    ]
    for entry in entries:
        lines += [f"# {entry_comment(entry)}", f"deny {checked_network(entry)};"]
    return "\n".join(lines) + "\n"
