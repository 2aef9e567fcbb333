"""Addresses of pages without what people typed: values of a query stay only where they were asked for.

>>> clean_url("/search", "q=red+shoes&page=2&token=abc", frozenset({"page"}))
'/search?q=&page=2&token='
>>> clean_referrer("https://ann:pw@mail.example.org/box?id=7#top", "shop.example.com", frozenset())
'https://mail.example.org/box?id='
"""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from floorwalker_client.scrub import is_secret, scrub_text

LONGEST = 2048
MOST_NAMES = 50


def clean_url(path: str, query: str, kept: frozenset[str]) -> str:
    """Path and query; only values of the names in `kept` remain, and never those of a secret's name."""
    cleaned = scrub_text(quote(path, safe="/:@!$&'()*+,;=~-._", errors="replace"))
    if query:
        cleaned += "?" + _clean_query(query, kept)
    return cleaned[:LONGEST]


def clean_referrer(referrer: str, host: str, kept: frozenset[str]) -> str | None:
    """Where somebody came from, without name, password, fragment and the values of its query; None for no address."""
    try:
        parts = urlsplit(referrer)
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https", "android-app") or not name:
        return None
    where = f"{parts.scheme}://{name}" + (f":{port}" if port else "")
    is_own = name == host.partition(":")[0]
    query = "?" + _clean_query(parts.query, kept if is_own else frozenset()) if parts.query else ""
    return scrub_text(where + parts.path)[:LONGEST] + query[: LONGEST // 2]


def _clean_query(query: str, kept: frozenset[str]) -> str:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=10 * MOST_NAMES)
    except ValueError:
        return ""
    shown = [
        (scrub_text(name[:64]), scrub_text(value[:256]) if name in kept and not is_secret(name) else "")
        for name, value in pairs[:MOST_NAMES]
    ]
    return urlencode(shown)
