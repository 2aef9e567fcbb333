"""Small SQLite tables with known contents for the contract tests."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from floorwalker.sources.feeds._base import FeedExample
from floorwalker.sources.feeds.database import DatabaseFeed

_NOW = 1_760_000_000_000_000


def make_examples(folder: Path) -> list[FeedExample]:
    """By a number that counts up, and by a time that several rows share, with an overlap."""
    path = folder / "shop.db"
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE TABLE logins (n INTEGER PRIMARY KEY, id TEXT, type TEXT, at BIGINT, account TEXT)")
        connection.execute(
            "CREATE TABLE changes (id TEXT PRIMARY KEY, changed TEXT, type TEXT, at BIGINT, account TEXT)"
        )
        for number in range(29):
            at = "no time" if number == 11 else _NOW - number
            row = (number, f"l-{number}", "login_failed", at, f"a-{number % 4}")
            connection.execute("INSERT INTO logins VALUES (?, ?, ?, ?, ?)", row)
            changed = f"2025-10-01 08:{number // 9:02}:00"
            row = (f"c-{number}", changed, "logout", _NOW - number, f"a-{number % 4}")  # type: ignore[assignment]
            connection.execute("INSERT INTO changes VALUES (?, ?, ?, ?, ?)", row)
    connection.close()
    url = f"sqlite:///{path}"
    return [
        FeedExample(
            "by number",
            lambda batch: DatabaseFeed(url, "logins", "n", clock=lambda: _NOW, batch=batch, overlap=3),
            frozenset(f"l-{number}" for number in range(29) if number != 11),
            1,
        ),
        FeedExample(
            "by time",
            lambda batch: DatabaseFeed(url, "changes", "changed", clock=lambda: _NOW, batch=batch),
            frozenset(f"c-{number}" for number in range(29)),
            0,
        ),
        FeedExample(
            "query",
            lambda batch: DatabaseFeed(
                url, "SELECT * FROM logins WHERE n >= 20", "n", key=[], clock=lambda: _NOW, batch=batch
            ),
            frozenset(f"l-{number}" for number in range(20, 29)),
            0,
        ),
    ]
