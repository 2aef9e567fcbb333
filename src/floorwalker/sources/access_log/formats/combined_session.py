"""Combined lines with a session id between referrer and user agent, with or without the client's address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from floorwalker.sources.access_log._program import Layout
from floorwalker.sources.access_log._templates import nginx_template
from floorwalker.sources.access_log.formats._base import LogFormat

_TAIL = '[$time_local] "$request" $status $body_bytes_sent "$http_referer" $session_id "$http_user_agent"'


def _layouts(_head: Sequence[bytes]) -> list[Layout]:
    anonymous = replace(nginx_template("- - " + _TAIL), note="without the client's address")
    return [nginx_template("$remote_addr - $remote_user " + _TAIL), anonymous]


FORMAT = LogFormat(
    title="combined log format with a session id before the user agent",
    examples=(
        '192.0.2.7 - - [25/Oct/2019:09:14:56 +0000] "POST /x HTTP/1.1" 200 449 "-" k3v8slnn "Mozilla/5.0"',
        '- - [25/Oct/2019:09:14:56 +0000] "POST /x HTTP/1.1" 200 449 "https://shop.example/" k3v8slnn "Mozilla/5.0"',
    ),
    layouts=_layouts,
)
