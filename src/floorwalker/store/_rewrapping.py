"""Changes of a whole vault: another master key, and the form in which people are told apart by shop."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from floorwalker.errors import UsageError
from floorwalker.store._files import replace_file, sync_folder
from floorwalker.store._master_key import KEY_BYTES, load_master_key
from floorwalker.store._sealing import bind, seal, unseal
from floorwalker.store._sqlite import name_sqlite_error, prepare_connection
from floorwalker.store.errors import DamagedError, StoreError, name_storage_error

Who = tuple[str, str]
"""Shop and subject: one person."""
FindShops = Callable[[Sequence[str]], Mapping[str, str]]
DEFAULT_SHOP = "default"
_CHUNK = 1000


def opens(master: AESGCM, proof: bytes) -> bool:
    """Whether a vault with this proof was closed with this key."""
    try:
        unseal(master, proof, b"proof")
    except InvalidTag:
        return False
    return True


def next_key_path(key_path: Path) -> Path:
    """Where a new master key waits while the vault is brought under it."""
    return key_path.with_name(key_path.name + ".next")


def finish_rotation(key_path: Path, proof: bytes) -> AESGCM | None:
    """Put the new master key in its place where a rotation was broken off behind its commit; None where none was."""
    waiting = next_key_path(key_path)
    if not waiting.exists():
        return None
    master = AESGCM(load_master_key(waiting, may_make=False))
    if not opens(master, proof):
        return None
    try:
        waiting.replace(key_path)
        sync_folder(key_path.parent)
    except OSError as error:
        raise name_storage_error(error, "put the new master key in place of", key_path) from error
    return master


def rotate_master(path: Path, key_path: Path, version: int) -> int:
    """Bring a vault under a new master key; returns the number of personal keys.

    The new key is on the disk before anything is changed; all personal keys and the proof change in one transaction;
    then the new key takes the old one's place. A kill before the commit leaves everything as it was, one behind it is
    finished by whoever opens the vault next. Values need not be touched: they are sealed under their persons' keys.
    What was encrypted under the old key is overwritten in the file and leaves its write-ahead log.

    Nobody else may have the vault open: it would go on with the old key. It then fails rather than make a key that the
    new one does not open.

    Parameters
    ----------
    path, key_path : of the vault and of its master key.
    version : of the vault; another is refused.

    Raises `StoreError` where the key does not open the vault, or a file cannot be written.
    """
    fresh = secrets.token_bytes(KEY_BYTES)
    old, new = AESGCM(load_master_key(key_path, may_make=False)), AESGCM(fresh)
    try:
        with closing(sqlite3.connect(path, timeout=5.0)) as connection:
            prepare_connection(connection)
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            found, proof = connection.execute("select version, proof from about").fetchone()
            if found != version:
                raise UsageError(f"{path} is of vault version {found}", fix="start the server once, which upgrades it")
            if not opens(old, proof):
                old = finish_rotation(key_path, proof) or old
            if not opens(old, proof):
                raise DamagedError(
                    f"the master key {key_path} is not the one that {path} was made with", path=key_path,
                    fix="restore the key that belongs to it",
                )  # fmt: skip
            replace_file(next_key_path(key_path), fresh.hex().encode() + b"\n", mode=0o600)
            count = _rewrap(connection, old, new, path)
            connection.execute("update about set proof = ?", (seal(new, b"", b"proof"),))
            connection.execute("COMMIT")
            next_key_path(key_path).replace(key_path)
            sync_folder(key_path.parent)
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise StoreError(
                    "the new master key is in place, but somebody still reads what the old one opened",
                    fix="end whatever reads the vault; its next opening and closing empties the log",
                )
            return count
    except sqlite3.Error as error:
        kind = name_sqlite_error(error, f"the vault {path}: {error}", path)
        if kind is None:
            raise
        raise kind from error
    except OSError as error:
        raise name_storage_error(error, "rotate the master key", key_path) from error


def _rewrap(connection: sqlite3.Connection, old: AESGCM, new: AESGCM, path: Path) -> int:
    count = 0
    last: Who = ("", "")
    query = (
        "select shop, subject, wrapped_key from people where (shop, subject) > (?, ?) order by shop, subject limit ?"
    )
    while rows := connection.execute(query, (*last, _CHUNK)).fetchall():
        changed = []
        for shop, subject, wrapped in rows:
            bound = bind("key", shop, subject)
            try:
                changed.append((seal(new, unseal(old, wrapped, bound), bound), shop, subject))
            except InvalidTag:
                raise DamagedError(
                    f"the key of {subject!r} in {path} is damaged", path=path,
                    fix="nothing was changed; erase this person, or restore the vault's file",
                ) from None  # fmt: skip
        connection.executemany("update people set wrapped_key = ? where shop = ? and subject = ?", changed)
        count += len(rows)
        last = rows[-1][:2]
    return count


def upgrade(
    connection: sqlite3.Connection, path: Path, master: AESGCM, tables: str, find_shops: FindShops | None
) -> None:
    """Turn a vault of version 1 into version 2, inside a transaction: each person of each shop gets a key of their own.

    Parameters
    ----------
    path : of the vault, for messages.
    tables : statements that make the tables of version 2.
    find_shops : the shop of each token. A token belongs to one shop, for it is made of the shop's name; one that is not
        found goes where all others belong, or to the default shop where there are several.
    """
    rows = connection.execute("select subject, field, token, sealed, first_seen, last_seen from raw_values").fetchall()
    if rows and find_shops is None:
        raise StoreError(
            "the vault was made by a version that did not tell shops apart", fix="start floorwalker serve once"
        )
    keys = dict(connection.execute("select subject, wrapped_key from people").fetchall())
    made = dict(connection.execute("select subject, made_at from people").fetchall())
    shops = dict(find_shops(sorted({row[2] for row in rows}))) if rows and find_shops is not None else {}
    known = set(shops.values())
    otherwise = known.pop() if len(known) == 1 else DEFAULT_SHOP
    for name in ("raw_values", "people"):
        connection.execute(f"drop table {name}")
    for statement in tables.split(";"):
        connection.execute(statement)
    people: dict[Who, AESGCM] = {}
    for subject, field, token, sealed, first, last in rows:
        who = (shops.get(token, otherwise), subject)
        try:
            old = AESGCM(unseal(master, keys[subject], bind("key", subject)))
            raw = unseal(old, sealed, bind("value", subject, field, token))
        except (InvalidTag, KeyError):
            raise DamagedError(
                f"a value of {subject!r} in {path} is damaged", path=path, fix="restore the vault's file"
            ) from None
        if who not in people:
            fresh = secrets.token_bytes(KEY_BYTES)
            people[who] = AESGCM(fresh)
            wrapped = seal(master, fresh, bind("key", *who))
            connection.execute("insert into people values (?, ?, ?, ?)", (*who, wrapped, made[subject]))
        again = seal(people[who], raw, bind("value", *who, field, token))
        row = (*who, field, token, again, first, last)
        connection.execute("insert into raw_values values (?, ?, ?, ?, ?, ?, ?)", row)


__all__ = ["FindShops", "Who", "finish_rotation", "next_key_path", "opens", "rotate_master", "upgrade"]
