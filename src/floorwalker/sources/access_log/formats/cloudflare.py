"""Cloudflare's Logpush of HTTP requests."""

from __future__ import annotations

from collections.abc import Sequence

from floorwalker.sources.access_log._program import JsonShape, Layout
from floorwalker.sources.access_log.formats._base import LogFormat

_KEYS = (
    ("EdgeStartTimestamp", "time"),
    ("EdgeEndTimestamp", "time"),
    ("ClientIP", "client"),
    ("ClientRequestHost", "host"),
    ("ClientRequestMethod", "method"),
    ("ClientRequestURI", "target"),
    ("ClientRequestPath", "path"),
    ("ClientRequestUserAgent", "header:user-agent"),
    ("ClientRequestReferer", "header:referer"),
    ("EdgeResponseStatus", "status"),
    ("OriginResponseStatus", "status"),
    ("EdgeResponseBytes", "size"),
    ("Cookies", "header:cookie"),
    ("RequestHeaders>x-forwarded-for", "header:x-forwarded-for"),
    ("RequestHeaders>cookie", "header:cookie"),
)


def _layouts(_head: Sequence[bytes]) -> list[Layout]:
    return [Layout(JsonShape(_KEYS))]


FORMAT = LogFormat(
    title="Cloudflare Logpush",
    examples=(
        '{"ClientIP":"192.0.2.7","ClientRequestHost":"shop.example","ClientRequestMethod":"GET","ClientRequestURI":'
        '"/cart?id=7","ClientRequestUserAgent":"Mozilla/5.0 (X11)","ClientRequestReferer":"","EdgeResponseBytes":512,'
        '"EdgeResponseStatus":200,"EdgeStartTimestamp":1719958980125309000,"RayID":"x"}',
        '{"ClientIP":"2001:db8::7","ClientRequestHost":"shop.example","ClientRequestMethod":"GET","ClientRequestURI":'
        '"/","EdgeResponseBytes":5,"EdgeResponseStatus":200,"EdgeStartTimestamp":"2024-07-02T22:23:00Z"}',
        '{"ClientIP":"2001:db8::7","ClientRequestHost":"shop.example","ClientRequestMethod":"GET","ClientRequestURI":'
        '"/","EdgeResponseBytes":5,"EdgeResponseStatus":200,"EdgeStartTimestamp":1719958980}',
    ),
    layouts=_layouts,
    rank=1,
)
