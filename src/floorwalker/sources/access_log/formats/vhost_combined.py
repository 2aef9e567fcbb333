"""The combined log format behind the virtual host: Apache's `vhost_combined`, with or without a port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from floorwalker.sources.access_log._program import Layout
from floorwalker.sources.access_log._templates import apache_template
from floorwalker.sources.access_log.formats._base import LogFormat
from floorwalker.sources.access_log.formats.combined import COMBINED, names_addresses, with_more_behind


def _layouts(head: Sequence[bytes]) -> list[Layout]:
    # `%v:%p` is read as one field: host names lose their port later, and addresses in brackets hold colons.
    plain = with_more_behind(apache_template("%v " + COMBINED))
    forwarded = with_more_behind(
        apache_template("%v " + COMBINED + ' "%{X-Forwarded-For}i"'),
        "with a quoted field behind, read as the forwarded addresses",
    )
    common = replace(apache_template('%v %h %l %u %t "%r" %>s %b'), note="without referrer and user agent")
    return [plain, forwarded, common] if names_addresses(head) else [plain, common]


FORMAT = LogFormat(
    title="combined log format behind the virtual host (Apache vhost_combined)",
    examples=(
        'shop.example:443 192.0.2.7 - - [22/Jan/2019:03:56:14 +0330] "GET /cart HTTP/1.1" 200 512 "-" "Mozilla/5.0"',
        'shop.example 192.0.2.7 - - [22/Jan/2019:03:56:14 +0330] "GET / HTTP/1.1" 200 5 "-" "Mozilla/5.0" 0.003',
        'shop.example 192.0.2.7 - - [22/Jan/2019:03:56:14 +0330] "GET / HTTP/1.1" 200 5',
    ),
    layouts=_layouts,
    rank=1,
)
