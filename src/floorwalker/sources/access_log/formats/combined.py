"""The combined log format of nginx and Apache, also with further fields behind the user agent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from floorwalker.sources.access_log._addresses import canonical_address, hops
from floorwalker.sources.access_log._program import Layout, TextShape
from floorwalker.sources.access_log._templates import apache_template
from floorwalker.sources.access_log.formats._base import LogFormat

COMBINED = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'

_TEXT = rb'"((?:[^"\\]|\\.)*)"'
_BEHIND = re.compile(rb'" (?:\d{3}|-) \S+ ' + _TEXT + rb" " + _TEXT + rb" " + _TEXT)


def names_addresses(head: Sequence[bytes]) -> bool:
    """Whether a quoted field right behind the user agent holds forwarded addresses.

    Servers put other things there as well (durations, hosts, a router's name), which must not be taken for visitors.
    """
    values = [found[3].decode("latin-1").strip() for line in head if (found := _BEHIND.search(line))]
    told = [hops(value) for value in values if value not in {"", "-"}]
    # The last hop was written by the nearest proxy; those before it are whatever a stranger sent.
    return bool(values) and 2 * sum(bool(hop) and canonical_address(hop[-1]) is not None for hop in told) >= len(told)


def with_more_behind(layout: Layout, note: str = "") -> Layout:
    """The same layout where anything may follow the last field."""
    if not isinstance(layout.shape, TextShape):
        raise TypeError("only text lines have an end")
    return replace(layout, shape=replace(layout.shape, open_end=True), note=note)


def _layouts(head: Sequence[bytes]) -> list[Layout]:
    plain = with_more_behind(apache_template(COMBINED))
    if not names_addresses(head):
        return [plain]
    forwarded = apache_template(COMBINED + ' "%{X-Forwarded-For}i"')
    return [plain, with_more_behind(forwarded, "with a quoted field behind, read as the forwarded addresses")]


FORMAT = LogFormat(
    title="combined log format (nginx, Apache)",
    examples=(
        '192.0.2.7 - - [22/Jan/2019:03:56:14 +0330] "GET /cart HTTP/1.1" 200 512 "https://shop.example/" "Mozilla/5.0"',
        '192.0.2.7 - - [22/Jan/2019:03:56:14 +0330] "GET / HTTP/1.1" 200 5 "-" "Mozilla/5.0" "198.51.100.4, 192.0.2.7"',
        '192.0.2.7 - ann [22/Jan/2019:03:56:14 +0330] "GET / HTTP/1.1" 200 5 "-" "Mozilla/5.0" 0.003 upstream:8080',
        '192.0.2.7 - - [22/Jan/2019:03:56:14 +0330] "GET / HTTP/1.1" 200 5 "-" "Mozilla/5.0" 41 "a@docker" "-" 3ms',
    ),
    layouts=_layouts,
)
