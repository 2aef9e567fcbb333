"""Small access logs with known contents for the contract tests."""

from __future__ import annotations

import os
from pathlib import Path

from floorwalker.sources.feeds._base import FeedExample
from floorwalker.sources.feeds._making import derived_id
from floorwalker.sources.feeds._rotation import log_fingerprint
from floorwalker.sources.feeds.access_logs import AccessLogsFeed

_NOW = 1_760_000_000_000_000


def log_line(number: int) -> bytes:
    """One combined line, a second after the one before it."""
    clock = f"{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}"
    client = f"203.0.113.{number % 20}"
    return f'{client} - - [01/Oct/2025:{clock} +0000] "GET /p/{number} HTTP/1.1" 200 9 "-" "UA"\n'.encode()


def make_examples(folder: Path) -> list[FeedExample]:
    """A log with junk in it."""
    path = folder / "access.log"
    lines = [log_line(number) for number in range(40)]
    lines[7:7] = [b"\x16\x03 no request\n", b"\n"]
    path.write_bytes(b"".join(lines))
    os.utime(path, ns=(_NOW * 1000, _NOW * 1000))
    mark = log_fingerprint(path).encode()
    ids, offset = set(), 0
    for line in lines:
        if b"GET" in line:
            ids.add(derived_id(b"access.log", mark, str(offset).encode()))
        offset += len(line)
    return [
        FeedExample(
            "access log", lambda batch: AccessLogsFeed(path, clock=lambda: _NOW, batch=batch), frozenset(ids), 1
        )
    ]
