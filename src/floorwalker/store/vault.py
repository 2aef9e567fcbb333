"""Raw personal values, each sealed under a key of its person; dropping the key erases the person everywhere."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from floorwalker.store._files import make_folder
from floorwalker.store._master_key import KEY_BYTES, load_master_key
from floorwalker.store._rewrapping import FindShops, Who, finish_rotation, opens, upgrade
from floorwalker.store._sealing import PersonalValue, SealedValue, StoredValue, bind, seal, unseal
from floorwalker.store._sqlite import name_sqlite_error, prepare_connection
from floorwalker.store.errors import ClosedError, DamagedError, NewerVersionError, StoreError, name_storage_error

__all__ = ["PersonalValue", "SealedValue", "StoredValue", "Vault"]

VERSION = 2
"""2: people are told apart by shop and subject; in 1 they were by subject alone."""
DAY = 86_400_000_000
_MOST_CACHED = 200_000
"""Entries of each cache, which is emptied when it is full."""
_ABOUT = "create table about (version integer not null, proof blob not null, erasures integer not null);"
_TABLES = """
create table people (
    shop text not null, subject text not null, wrapped_key blob not null, made_at integer not null,
    primary key (shop, subject)
) without rowid;
create table raw_values (
    shop text not null, subject text not null, field text not null, token text not null, sealed blob not null,
    first_seen integer not null, last_seen integer not null, primary key (shop, subject, field, token)
) without rowid;
create index raw_values_token on raw_values (token);
create index raw_values_field on raw_values (field, last_seen)
"""


class Vault:
    """Keep raw personal values so that only who holds the master key reads them, and erasing is certain.

    Each person (a subject of a shop) has a random 256-bit key, kept encrypted under the master key; each value is
    sealed with AES-256-GCM under its person's key, bound to shop, subject, field and token. Sealed values may lie in
    journals and backups: `erase` deletes the person's key and values, overwrites their place in the file, and empties
    the write-ahead log, so copies elsewhere stay closed for good. Backups of this file keep keys alive: keep them
    shortly.

    `seal` may be called while another thread is in any other method.

    Parameters
    ----------
    path : the SQLite file; several processes may use it at once.
    master_key_path : 64 hexadecimal digits, mode 0600; made on first use. Back it up apart from the vault.
    clock : gives µs UTC.
    busy_seconds : how long a call waits for another one's lock.
    find_shops : for a vault of version 1, which did not know of shops: the shop of each of these tokens, those that are
        unknown left out. It is then turned into version 2, once; without this it is refused unless it is empty.
    pause : called before each value that is sealed or kept, as to let others have the core.

    >>> import tempfile
    >>> from types import SimpleNamespace
    >>> folder = Path(tempfile.mkdtemp())
    >>> vault = Vault(folder / "vault.sqlite", folder / "master.key", clock=lambda: 0)
    >>> value = SimpleNamespace(field="email", token="em_1", raw="ann@example.com", subject="a-17", shop="north")
    >>> vault.put([value])
    1
    >>> (vault.reveal(["em_1"]), vault.erase("north", "a-17"), vault.reveal(["em_1"]))
    ({'em_1': 'ann@example.com'}, 1, {})
    """

    def __init__(
        self,
        path: Path,
        master_key_path: Path,
        *,
        clock: Callable[[], int],
        busy_seconds: float = 5.0,
        find_shops: FindShops | None = None,
        pause: Callable[[], object] | None = None,
    ) -> None:
        self.path = path
        self._key_path = master_key_path
        self._clock = clock
        self._lock = threading.RLock()
        self._seal_lock = threading.Lock()
        self._people: dict[Who, AESGCM] = {}
        self._kept: dict[tuple[str, str, str, str], int] = {}
        self._find_shops = find_shops
        self._pause = pause or (lambda: None)
        self._erasures = -1
        self._connection: sqlite3.Connection | None = None
        self._sealing: sqlite3.Connection | None = None
        try:
            make_folder(path.parent)
            # SQLite gives its log the same mode as the file, which from its first byte is its owner's only.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)
        except OSError as error:
            raise name_storage_error(error, "open", path) from error
        try:
            with self._named_errors():
                self._connection = self._connect(busy_seconds)
                self._master = self._open(self._connection)
                self._erasures = self._count_erasures(self._connection)
                self._sealing = self._connect(busy_seconds)
                # Folding the log into the file takes several syncs: left to the connection that nobody waits for.
                self._sealing.execute("PRAGMA wal_autocheckpoint = 0")
        except BaseException:
            self.close()
            raise

    def _connect(self, busy_seconds: float) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=busy_seconds, check_same_thread=False)
        prepare_connection(connection)
        connection.execute("PRAGMA secure_delete = ON")
        return connection

    def _open(self, connection: sqlite3.Connection) -> AESGCM:
        with _transaction(connection):
            is_new = not connection.execute("select 1 from sqlite_master where name = 'about'").fetchone()
            master = AESGCM(load_master_key(self._key_path, may_make=is_new))
            if is_new:
                for statement in (_ABOUT + _TABLES).split(";"):
                    connection.execute(statement)
                self._proof = seal(master, b"", b"proof")
                connection.execute("insert into about values (?, ?, 0)", (VERSION, self._proof))
                return master
            version, self._proof = connection.execute("select version, proof from about").fetchone()
        if version > VERSION:
            raise NewerVersionError(f"{self.path} is of vault version {version}", allowed=f"up to {VERSION}")
        if not opens(master, self._proof):
            master = finish_rotation(self._key_path, self._proof) or master
        if not opens(master, self._proof):
            raise DamagedError(
                f"the master key {self._key_path} is not the one that {self.path} was made with", path=self._key_path,
                fix="restore the key that belongs to it",
            )  # fmt: skip
        if version < VERSION:
            with _transaction(connection):
                if connection.execute("select version from about").fetchone()[0] < VERSION:
                    upgrade(connection, self.path, master, _TABLES, self._find_shops)
                    connection.execute("update about set version = ?, erasures = erasures + 1", (VERSION,))
            self._empty_log(connection)
        return master

    def seal(self, values: Iterable[PersonalValue]) -> list[SealedValue]:
        """Seal values for the journal or for `keep`, making keys for new people.

        The new keys are durable when this returns, in one transaction for all of them. Values that were kept already
        on this day are left out.
        """
        now = self._clock()
        with self._seal_lock, self._named_errors():
            connection = self._usable(self._sealing)
            erasures = self._count_erasures(connection)
            if erasures != self._erasures or len(self._people) > _MOST_CACHED:
                # This process or another one erased someone: what is cached may name keys that are gone.
                self._people, self._kept, self._erasures = {}, {}, erasures
            fresh: dict[tuple[str, str, str, str], str] = {}
            for value in values:
                key = (value.shop, value.subject, value.field, value.token)
                if self._kept.get(key) != now // DAY:
                    fresh[key] = value.raw
            self._find_people(connection, {key[:2] for key in fresh} - self._people.keys(), now)
            sealed = []
            for key, raw in fresh.items():
                self._pause()
                data = seal(self._people[key[:2]], raw.encode("utf-8"), bind("value", *key))
                sealed.append(SealedValue(*key, data, now))
            return sealed

    def _find_people(self, connection: sqlite3.Connection, people: set[Who], now: int) -> None:
        found = {who: self._person_key(connection, who) for who in people}
        if None in found.values():
            with _transaction(connection):
                if connection.execute("select proof from about").fetchone()[0] != self._proof:
                    # A key made under the old one could never be opened again.
                    raise StoreError(f"the master key of {self.path} was exchanged meanwhile", fix="open it anew")
                for who, key in found.items():
                    if key is None:
                        self._pause()
                        made = secrets.token_bytes(KEY_BYTES)
                        row = (*who, seal(self._master, made, bind("key", *who)), now)
                        is_ours = connection.execute("insert or ignore into people values (?, ?, ?, ?)", row).rowcount
                        # Another process may have been quicker; its key then is the one.
                        found[who] = AESGCM(made) if is_ours else self._person_key(connection, who)
        self._people.update({who: key for who, key in found.items() if key is not None})

    def keep(self, values: Iterable[SealedValue]) -> int:
        """Put sealed values in the vault, in one transaction, durable on return; returns how many were new.

        Repeating it does no harm. Values whose person has been erased since they were sealed are dropped.
        """
        with self._lock, self._named_errors():
            connection = self._usable(self._connection)
            added = 0
            kept: dict[tuple[str, str, str, str], int] = {}
            with _transaction(connection):
                erasures = self._count_erasures(connection)
                # Keys that are cached are those in the file, unless somebody was erased since.
                people = self._people if erasures == self._erasures else {}
                for value in values:
                    self._pause()
                    added += self._keep_one(connection, value, people.get(value.key[:2]))
                    kept[value.key] = value.seen_at // DAY
            with self._seal_lock:
                if len(self._kept) + len(kept) > _MOST_CACHED:
                    self._kept.clear()
                if self._erasures == erasures:
                    self._kept.update(kept)
            return added

    def _keep_one(self, connection: sqlite3.Connection, value: SealedValue, person: AESGCM | None) -> int:
        known = connection.execute(
            "update raw_values set first_seen = min(first_seen, ?1), last_seen = max(last_seen, ?1)"
            " where shop = ?2 and subject = ?3 and field = ?4 and token = ?5",
            (value.seen_at, *value.key),
        ).rowcount
        if known:
            return 0
        try:
            person = person or self._person_key(connection, (value.shop, value.subject))
            if person is None:
                return 0
            unseal(person, value.sealed, bind("value", *value.key))
        except InvalidTag:
            # Sealed under a key that was erased since: nobody can open it, and nobody should.
            return 0
        row = (*value.key, value.sealed, value.seen_at, value.seen_at)
        connection.execute("insert into raw_values values (?, ?, ?, ?, ?, ?, ?)", row)
        return 1

    def put(self, values: Iterable[PersonalValue]) -> int:
        """`seal` and `keep` at once; returns how many were new."""
        return self.keep(self.seal(values))

    def reveal(self, tokens: Sequence[str]) -> dict[str, str]:
        """The raw values behind these tokens; those that were erased or never kept are left out."""
        found: dict[str, str] = {}
        with self._lock, self._named_errors():
            connection = self._usable(self._connection)
            for token in tokens:
                query = "select shop, subject, field, sealed from raw_values where token = ?"
                for *whose, field, sealed in connection.execute(query + " order by last_seen desc limit 1", (token,)):
                    found[token] = self._open_value(connection, (whose[0], whose[1], field, token), sealed)
        return found

    def export(self, shop: str, subject: str) -> list[StoredValue]:
        """Everything kept of a shop's person, opened; an empty list for one who is not known."""
        with self._lock, self._named_errors():
            connection = self._usable(self._connection)
            rows = connection.execute(
                "select field, token, sealed, first_seen, last_seen from raw_values where shop = ? and subject = ?"
                " order by field, first_seen, token",
                (shop, subject),
            ).fetchall()
            return [
                StoredValue(
                    field, token, self._open_value(connection, (shop, subject, field, token), sealed), first, last
                )
                for field, token, sealed, first, last in rows
            ]

    def erase(self, shop: str, subject: str) -> int:
        """Delete a shop's person's key and values beyond recovery from this file; returns the number of values."""
        with self._lock, self._named_errors():
            connection = self._usable(self._connection)
            with _transaction(connection):
                where = (shop, subject)
                count = connection.execute("delete from raw_values where shop = ? and subject = ?", where).rowcount
                connection.execute("delete from people where shop = ? and subject = ?", where)
                connection.execute("update about set erasures = erasures + 1")
            self._empty_log(connection)
            return count

    def sweep(self, keep: Mapping[str, int]) -> int:
        """Delete values last seen too long ago, and the keys of people of whom nothing is left.

        Parameters
        ----------
        keep : µs that a value of each field, and of those inside it, is kept after it was last seen; fields not named
            are kept.

        Returns the number of values deleted.
        """
        now = self._clock()
        with self._lock, self._named_errors():
            connection = self._usable(self._connection)
            with _transaction(connection):
                count = sum(
                    connection.execute(
                        "delete from raw_values where last_seen < ?2"
                        " and (field = ?1 or substr(field, 1, length(?1) + 1) = ?1 || '.')",
                        (field, now - kept),
                    ).rowcount
                    for field, kept in keep.items()
                )
                if count:
                    connection.execute(
                        "delete from people where (shop, subject) not in (select shop, subject from raw_values)"
                    )
                    connection.execute("update about set erasures = erasures + 1")
            if count:
                self._empty_log(connection)
            return count

    def erasures(self) -> int:
        """How often persons or values were deleted: once it has grown, what was remembered of the vault is outdated."""
        with self._lock, self._named_errors():
            return self._count_erasures(self._usable(self._connection))

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock, self._seal_lock:
            for connection in (self._sealing, self._connection):
                if connection is not None:
                    connection.close()
            self._sealing = self._connection = None

    def __enter__(self) -> Vault:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _person_key(self, connection: sqlite3.Connection, who: Who) -> AESGCM | None:
        row = connection.execute("select wrapped_key from people where shop = ? and subject = ?", who).fetchone()
        if row is None:
            return None
        return AESGCM(self._unsealed(self._master, row[0], bind("key", *who), f"the key of {who[1]!r}"))

    def _open_value(self, connection: sqlite3.Connection, key: tuple[str, str, str, str], sealed: bytes) -> str:
        person = self._person_key(connection, key[:2])
        what = f"the value of {key[2]!r} of {key[1]!r}"
        if person is None:
            raise DamagedError(f"{what} in {self.path} has no key", path=self.path, fix="restore the vault's file")
        return self._unsealed(person, sealed, bind("value", *key), what).decode("utf-8")

    def _unsealed(self, key: AESGCM, sealed: bytes, bound: bytes, what: str) -> bytes:
        try:
            return unseal(key, sealed, bound)
        except InvalidTag:
            raise DamagedError(
                f"{what} in {self.path} is damaged", path=self.path, fix="restore the vault's file"
            ) from None

    @staticmethod
    def _count_erasures(connection: sqlite3.Connection) -> int:
        return int(connection.execute("select erasures from about").fetchone()[0])

    def _usable(self, connection: sqlite3.Connection | None) -> sqlite3.Connection:
        if connection is None:
            raise ClosedError(f"the vault {self.path} is closed")
        return connection

    @staticmethod
    def _empty_log(connection: sqlite3.Connection) -> None:
        # A reader in another process can hold the log; it is then emptied by the next erasure or the last close.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            kind: StoreError | None = name_sqlite_error(error, f"the vault {self.path}: {error}", self.path)
            if kind is None:
                raise
            raise kind from error


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
