"""JSON lines of nginx (`log_format … escape=json`) under the key names that are usual for them."""

from __future__ import annotations

from collections.abc import Sequence

from floorwalker.sources.access_log._program import JsonShape, Layout
from floorwalker.sources.access_log.formats._base import LogFormat

_KEYS: tuple[tuple[str, str], ...] = (
    *((name, "time") for name in ("time_iso8601", "time_local", "@timestamp", "timestamp", "time", "datetime", "date")),
    *((name, "time") for name in ("msec", "time_msec", "time_msec_epoch", "ts", "epoch")),
    *((name, "client") for name in ("remote_addr", "client_ip", "clientip", "client", "remote_ip", "ip", "source_ip")),
    *((name, "request") for name in ("request", "request_line")),
    *((name, "method") for name in ("request_method", "method", "verb", "http_method")),
    *((name, "target") for name in ("request_uri", "uri", "url", "request_path", "path")),
    *((name, "query") for name in ("args", "query_string", "query")),
    *((name, "status") for name in ("status", "response_status", "status_code", "response", "response_code")),
    *((name, "size") for name in ("body_bytes_sent", "bytes_sent", "bytes", "size", "response_size")),
    *((name, "header:referer") for name in ("http_referer", "http_referrer", "referer", "referrer")),
    *((name, "header:user-agent") for name in ("http_user_agent", "user_agent", "useragent", "agent", "ua")),
    *((name, "header:host") for name in ("host", "http_host", "server_name", "vhost", "virtual_host", "domain")),
    *((name, "header:cookie") for name in ("http_cookie", "cookie")),
    *((name, "header:x-forwarded-for") for name in ("http_x_forwarded_for", "x_forwarded_for", "xff", "forwarded_for")),
    ("http_cf_connecting_ip", "header:cf-connecting-ip"),
    ("http_x_real_ip", "header:x-real-ip"),
    *((name, "session") for name in ("session_id", "sessionid", "session")),
)


def _layouts(_head: Sequence[bytes]) -> list[Layout]:
    return [Layout(JsonShape(_KEYS))]


FORMAT = LogFormat(
    title="nginx JSON lines",
    examples=(
        '{"time_iso8601":"2024-07-02T22:23:00+00:00","remote_addr":"192.0.2.7","request":"GET /cart?id=7 HTTP/1.1",'
        '"status":"200","body_bytes_sent":"512","http_referer":"","http_user_agent":"Mozilla/5.0 (X11)"}',
        '{"msec":"1719958980.125","remote_addr":"192.0.2.7","request_method":"GET","request_uri":"/cart",'
        '"status":200,"bytes_sent":512,"http_user_agent":"Mozilla/5.0","host":"shop.example"}',
    ),
    layouts=_layouts,
)
