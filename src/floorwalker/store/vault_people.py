"""Whose values a token stands for, and proof that a person's key has left the vault's files."""

from __future__ import annotations

import mmap
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from floorwalker.store._sqlite import name_sqlite_error, prepare_connection
from floorwalker.store.errors import StoreError

OWN_FIELDS = ("account", "email", "phone")
"""Fields by which a value belongs to its subject; in all others it may be somebody else's, as in the text of a page."""


def find_people(path: Path, shop: str, tokens: Sequence[str]) -> dict[str, set[str]]:
    """A shop's subjects whose own values these tokens are, each with those of them that it has.

    The vault is only read.
    """
    people: dict[str, set[str]] = {}
    query = "select distinct subject from raw_values where shop = ? and token = ? and field in (?, ?, ?)"
    with _reading(path) as connection:
        for token in tokens:
            for (subject,) in connection.execute(query, (shop, token, *OWN_FIELDS)):
                people.setdefault(subject, set()).add(token)
            if connection.execute("select 1 from people where shop = ? and subject = ?", (shop, token)).fetchone():
                people.setdefault(token, set()).add(token)
    return people


def find_tokens(path: Path, shop: str, subjects: Iterable[str]) -> list[str]:
    """The tokens whose values the vault keeps under these subjects of a shop, each once."""
    found: dict[str, None] = {}
    with _reading(path) as connection:
        for subject in subjects:
            rows = connection.execute(
                "select distinct token from raw_values where shop = ? and subject = ?", (shop, subject)
            )
            found.update((token, None) for (token,) in rows)
    return list(found)


def read_wrapped_keys(path: Path, shop: str, subjects: Iterable[str]) -> list[bytes]:
    """The keys of these people of a shop as they stand in the file, encrypted under the master key."""
    with _reading(path) as connection:
        found = [
            connection.execute(
                "select wrapped_key from people where shop = ? and subject = ?", (shop, subject)
            ).fetchone()
            for subject in subjects
        ]
    return [row[0] for row in found if row is not None]


def drop_values(path: Path, shop: str, tokens: Iterable[str]) -> int:
    """Delete the values of these tokens under whatever subject of a shop, as an address that somebody else's text held.

    Returns their number. `Vault.erase` must follow: it empties the write-ahead log.
    """
    with _open(path) as connection, connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("BEGIN IMMEDIATE")
        count = sum(
            connection.execute("delete from raw_values where shop = ? and token = ?", (shop, token)).rowcount
            for token in tokens
        )
        connection.execute("update about set erasures = erasures + 1")
    return count


def find_in_files(path: Path, needles: Sequence[bytes]) -> list[Path]:
    """The vault's files that hold one of these byte strings: the database, its write-ahead log, its journal.

    No connection of this process may be open meanwhile: closing a file drops the locks that SQLite has on it.
    """
    found = []
    for each in (path, *(path.with_name(path.name + ending) for ending in ("-wal", "-journal"))):
        try:
            with each.open("rb") as file, closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as data:
                if any(data.find(needle) >= 0 for needle in needles):
                    found.append(each)
        except (FileNotFoundError, ValueError):
            # Not there, or empty: nothing is in it.
            continue
    return found


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(path, timeout=5.0)) as connection:
            prepare_connection(connection)
            yield connection
    except sqlite3.Error as error:
        kind: StoreError | None = name_sqlite_error(error, f"the vault {path}: {error}", path)
        if kind is None:
            raise
        raise kind from error


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with _open(path) as connection:
        connection.execute("PRAGMA query_only = ON")
        yield connection
