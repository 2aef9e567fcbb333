"""The common log format (NCSA): no referrer, no user agent."""

from __future__ import annotations

from collections.abc import Sequence

from floorwalker.sources.access_log._program import Layout
from floorwalker.sources.access_log._templates import apache_template
from floorwalker.sources.access_log.formats._base import LogFormat


def _layouts(_head: Sequence[bytes]) -> list[Layout]:
    return [apache_template('%h %l %u %t "%r" %>s %b')]


FORMAT = LogFormat(
    title="common log format (nginx, Apache)",
    examples=('192.0.2.7 - - [22/Jan/2019:03:56:14 +0330] "GET /cart HTTP/1.1" 200 512',),
    layouts=_layouts,
)
