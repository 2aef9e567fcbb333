"""The combined log format of nginx and Apache, also with further fields behind the user agent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from floorwalker.sources.access_log._program import Layout, TextShape
from floorwalker.sources.access_log._templates import apache_template
from floorwalker.sources.access_log.formats._base import LogFormat

COMBINED = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'


def with_more_behind(layout: Layout, note: str = "") -> Layout:
    """The same layout where anything may follow the last field."""
    if not isinstance(layout.shape, TextShape):
        raise TypeError("only text lines have an end")
    return replace(layout, shape=replace(layout.shape, open_end=True), note=note)


def _layouts(_head: Sequence[bytes]) -> list[Layout]:
    forwarded = apache_template(COMBINED + ' "%{X-Forwarded-For}i"')
    return [
        with_more_behind(apache_template(COMBINED)),
        with_more_behind(forwarded, "with a quoted field behind, read as the forwarded addresses"),
    ]


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
