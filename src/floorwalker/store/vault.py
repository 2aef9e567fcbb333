"""Raw personal values, each sealed under a key of its person; dropping the key erases the person everywhere."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from floorwalker.store._files import make_folder
from floorwalker.store._master_key import KEY_BYTES, load_master_key
from floorwalker.store._sqlite import name_sqlite_error, prepare_connection
from floorwalker.store.errors import ClosedError, DamagedError, NewerVersionError, StoreError, name_storage_error

VERSION = 1
DAY = 86_400_000_000
_NONCE_BYTES = 12
_MOST_SEEN = 200_000
_SCHEMA = """
create table about (version integer not null, proof blob not null);
create table people (subject text primary key, wrapped_key blob not null, made_at integer not null) without rowid;
create table raw_values (
    subject text not null references people, field text not null, token text not null, sealed blob not null,
    first_seen integer not null, last_seen integer not null, primary key (subject, field, token)
) without rowid;
create index raw_values_token on raw_values (token);
create index raw_values_field on raw_values (field, last_seen);
"""


class PersonalValue(Protocol):
    """A raw value that was replaced by a token."""

    @property
    def field(self) -> str:
        """Which field of the event it stood in."""

    @property
    def token(self) -> str:
        """What stands there instead."""

    @property
    def raw(self) -> str:
        """What stood there."""

    @property
    def subject(self) -> str:
        """Whose it is."""


@dataclass(frozen=True)
class StoredValue:
    """One opened value; times are µs UTC, the later one exact to a day."""

    field: str
    token: str
    raw: str
    first_seen: int
    last_seen: int


class Vault:
    """Keep raw personal values so that only who holds the master key reads them, and erasing is certain.

    Each person (subject) has a random 256-bit key, kept encrypted under the master key; each value is sealed with
    AES-256-GCM under its person's key, bound to subject, field and token. `erase` deletes the person's key and values,
    overwrites their place in the file, and empties the write-ahead log: copies of sealed values elsewhere stay closed
    for good. Backups of this file keep keys alive: keep them for a short time.

    Parameters
    ----------
    path : the SQLite file; several processes may use it at once.
    master_key_path : 64 hexadecimal digits, mode 0600; made on first use. Back it up apart from the vault.
    clock : gives µs UTC.

    >>> import tempfile
    >>> from types import SimpleNamespace
    >>> folder = Path(tempfile.mkdtemp())
    >>> vault = Vault(folder / "vault.sqlite", folder / "master.key", clock=lambda: 0)
    >>> vault.put([SimpleNamespace(field="email", token="em_1", raw="ann@example.com", subject="a-17")])
    1
    >>> (vault.reveal(["em_1"]), vault.erase("a-17"), vault.reveal(["em_1"]))
    ({'em_1': 'ann@example.com'}, 1, {})
    """

    def __init__(
        self, path: Path, master_key_path: Path, *, clock: Callable[[], int], busy_seconds: float = 5.0
    ) -> None:
        self.path = path
        self._key_path = master_key_path
        self._clock = clock
        self._lock = threading.RLock()
        self._seen: dict[tuple[str, str, str], int] = {}
        self._data_version = -1
        self._connection: sqlite3.Connection | None = None
        try:
            make_folder(path.parent)
        except OSError as error:
            raise name_storage_error(error, "make", path.parent) from error
        with self._named_errors():
            connection = sqlite3.connect(path, timeout=busy_seconds, check_same_thread=False)
            self._connection = connection
            try:
                path.chmod(0o600)
                prepare_connection(connection)
                connection.execute("PRAGMA secure_delete = ON")
                self._master = self._open(connection)
            except BaseException:
                self.close()
                raise

    def _open(self, connection: sqlite3.Connection) -> AESGCM:
        with self._transaction(connection):
            is_new = not connection.execute("select 1 from sqlite_master where name = 'about'").fetchone()
            master = AESGCM(load_master_key(self._key_path, may_make=is_new))
            if is_new:
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute("insert into about values (?, ?)", (VERSION, _seal(master, b"", b"proof")))
                return master
            version, proof = connection.execute("select version, proof from about").fetchone()
        if version != VERSION:
            raise NewerVersionError(f"{self.path} is of vault version {version}", allowed=f"up to {VERSION}")
        try:
            _unseal(master, proof, b"proof")
        except InvalidTag:
            raise DamagedError(
                f"the master key {self._key_path} is not the one that {self.path} was made with", path=self._key_path,
                fix="restore the key that belongs to it",
            ) from None  # fmt: skip
        return master

    def put(self, values: Iterable[PersonalValue]) -> int:
        """Seal and keep values, in one transaction; returns how many were new.

        A value known already only has its last day noted. Durable when this returns.
        """
        now = self._clock()
        with self._lock, self._named_errors():
            connection = self._usable()
            self._forget_seen_if_changed(connection)
            fresh = {
                (value.subject, value.field, value.token): value.raw
                for value in values
                if self._seen.get((value.subject, value.field, value.token)) != now // DAY
            }
            if not fresh:
                return 0
            with self._transaction(connection):
                added = sum(self._put_one(connection, key, raw, now) for key, raw in fresh.items())
            if len(self._seen) + len(fresh) > _MOST_SEEN:
                self._seen.clear()
            self._seen.update(dict.fromkeys(fresh, now // DAY))
            return added

    def _put_one(self, connection: sqlite3.Connection, key: tuple[str, str, str], raw: str, now: int) -> int:
        known = connection.execute(
            "update raw_values set last_seen = max(last_seen, ?) where subject = ? and field = ? and token = ?",
            (now, *key),
        ).rowcount
        if known:
            return 0
        # The key is read here and never kept: another process may have erased this person a moment ago.
        person = self._person_key(connection, key[0])
        if person is None:
            fresh_key = secrets.token_bytes(KEY_BYTES)
            wrapped = _seal(self._master, fresh_key, _bound("key", key[0]))
            connection.execute("insert into people values (?, ?, ?)", (key[0], wrapped, now))
            person = AESGCM(fresh_key)
        sealed = _seal(person, raw.encode("utf-8"), _bound("value", *key))
        connection.execute("insert into raw_values values (?, ?, ?, ?, ?, ?)", (*key, sealed, now, now))
        return 1

    def reveal(self, tokens: Sequence[str]) -> dict[str, str]:
        """The raw values behind these tokens; those that were erased or never kept are left out."""
        found: dict[str, str] = {}
        with self._lock, self._named_errors():
            connection = self._usable()
            for token in tokens:
                query = "select subject, field, sealed from raw_values where token = ? order by last_seen desc limit 1"
                for subject, field, sealed in connection.execute(query, (token,)):
                    found[token] = self._open_value(connection, (subject, field, token), sealed)
        return found

    def export(self, subject: str) -> list[StoredValue]:
        """Everything kept of a person, opened; an empty list for one who is not known."""
        with self._lock, self._named_errors():
            connection = self._usable()
            rows = connection.execute(
                "select field, token, sealed, first_seen, last_seen from raw_values where subject = ?"
                " order by field, first_seen, token",
                (subject,),
            ).fetchall()
            return [
                StoredValue(field, token, self._open_value(connection, (subject, field, token), sealed), first, last)
                for field, token, sealed, first, last in rows
            ]

    def erase(self, subject: str) -> int:
        """Delete a person's key and values beyond recovery from this file; returns the number of values."""
        with self._lock, self._named_errors():
            connection = self._usable()
            with self._transaction(connection):
                count = connection.execute("delete from raw_values where subject = ?", (subject,)).rowcount
                connection.execute("delete from people where subject = ?", (subject,))
            self._seen.clear()
            self._empty_log(connection)
            return count

    def sweep(self, keep: Mapping[str, int]) -> int:
        """Delete values last seen too long ago, and the keys of people of whom nothing is left.

        Parameters
        ----------
        keep : µs that a value of each field is kept after it was last seen; fields not named are kept.

        Returns the number of values deleted.
        """
        now = self._clock()
        with self._lock, self._named_errors():
            connection = self._usable()
            with self._transaction(connection):
                count = sum(
                    connection.execute(
                        "delete from raw_values where field = ? and last_seen < ?", (field, now - kept)
                    ).rowcount
                    for field, kept in keep.items()
                )
                if count:
                    connection.execute("delete from people where subject not in (select subject from raw_values)")
            if count:
                self._seen.clear()
                self._empty_log(connection)
            return count

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def __enter__(self) -> Vault:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _person_key(self, connection: sqlite3.Connection, subject: str) -> AESGCM | None:
        row = connection.execute("select wrapped_key from people where subject = ?", (subject,)).fetchone()
        if row is None:
            return None
        return AESGCM(self._unsealed(self._master, row[0], _bound("key", subject), f"the key of {subject!r}"))

    def _open_value(self, connection: sqlite3.Connection, key: tuple[str, str, str], sealed: bytes) -> str:
        person = self._person_key(connection, key[0])
        what = f"the value of {key[1]!r} of {key[0]!r}"
        if person is None:
            raise DamagedError(f"{what} in {self.path} has no key", path=self.path, fix="restore the vault's file")
        return self._unsealed(person, sealed, _bound("value", *key), what).decode("utf-8")

    def _unsealed(self, key: AESGCM, sealed: bytes, bound: bytes, what: str) -> bytes:
        try:
            return _unseal(key, sealed, bound)
        except InvalidTag:
            raise DamagedError(
                f"{what} in {self.path} is damaged", path=self.path, fix="restore the vault's file"
            ) from None

    def _usable(self) -> sqlite3.Connection:
        if self._connection is None:
            raise ClosedError(f"the vault {self.path} is closed")
        return self._connection

    def _forget_seen_if_changed(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._data_version:
            self._seen.clear()
            self._data_version = version

    @staticmethod
    def _empty_log(connection: sqlite3.Connection) -> None:
        # A reader in another process can hold the log; it is then emptied by the next erasure or the last close.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            kind: StoreError | None = name_sqlite_error(error, f"the vault {self.path}: {error}", self.path)
            if kind is None:
                raise
            raise kind from error


def _bound(*parts: str) -> bytes:
    """What a sealed value is bound to; lengths keep two lists of parts from looking the same."""
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)


def _seal(key: AESGCM, value: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + key.encrypt(nonce, value, bound)


def _unseal(key: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
