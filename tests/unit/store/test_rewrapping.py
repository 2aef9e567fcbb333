"""Another master key, and vaults of before shops were told apart; killed at every point."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from floorwalker.errors import UsageError
from floorwalker.store import _rewrapping
from floorwalker.store._master_key import load_master_key
from floorwalker.store._rewrapping import next_key_path, rotate_master
from floorwalker.store._sealing import bind, seal
from floorwalker.store.errors import DamagedError, StoreError
from floorwalker.store.vault import VERSION, Vault


@dataclass(frozen=True)
class Value:
    field: str
    token: str
    raw: str
    subject: str
    shop: str = "default"


VALUES = [Value("email", f"em_{number}", f"u{number}@example.com", f"account:{number}") for number in range(1_500)]
RAW = {value.token: value.raw for value in VALUES}
NEW = Value("email", "em_x", "new@example.com", "account:new")


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "vault.sqlite", tmp_path / "vault.key"


def opened(place: tuple[Path, Path], **others: Any) -> Vault:
    return Vault(*place, clock=lambda: 7, busy_seconds=0.1, **others)


def files_hold(place: tuple[Path, Path], secret: bytes) -> bool:
    return any(secret in path.read_bytes() for path in place[0].parent.glob("vault.sqlite*"))


def secrets_of(place: tuple[Path, Path]) -> list[bytes]:
    with closing(sqlite3.connect(place[0])) as connection:
        return [
            row[0] for row in connection.execute("select wrapped_key from people union select sealed from raw_values")
        ]


def test_one_subject_in_two_shops_is_two_people(place: tuple[Path, Path]) -> None:
    north = Value("email", "em_n", "ann@example.com", "account:7", "north")
    south = Value("email", "em_s", "ben@example.org", "account:7", "south")
    with opened(place) as vault:
        assert vault.put([north, south]) == 2
        assert [each.raw for each in vault.export("north", "account:7")] == ["ann@example.com"]
        assert vault.erase("north", "account:7") == 1
        assert vault.export("north", "account:7") == []
        assert [each.raw for each in vault.export("south", "account:7")] == ["ben@example.org"]
        assert vault.erase("elsewhere", "account:7") == 0


def test_a_new_master_key_opens_everything_and_the_old_one_nothing(place: tuple[Path, Path]) -> None:
    with opened(place) as vault:
        vault.put(VALUES)
    old = place[1].read_text()
    with closing(sqlite3.connect(place[0])) as connection:
        wrapped = [row[0] for row in connection.execute("select wrapped_key from people limit 5")]
    assert all(files_hold(place, each) for each in wrapped)
    assert rotate_master(*place, VERSION) == len(VALUES)
    assert place[1].read_text() != old
    assert place[1].stat().st_mode & 0o777 == 0o600
    assert not next_key_path(place[1]).exists()
    assert not any(files_hold(place, each) for each in wrapped)
    with opened(place) as vault:
        assert vault.reveal(list(RAW)) == RAW
        assert vault.put([NEW]) == 1
    place[1].write_text(old)
    with pytest.raises(DamagedError, match="not the one"):
        opened(place)


@pytest.mark.parametrize("point", ["replace_file", "_rewrap", "seal"])
def test_a_rotation_that_dies_before_its_commit_changes_nothing(
    place: tuple[Path, Path], point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(place) as vault:
        vault.put(VALUES[:20])
    old = place[1].read_text()

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_rewrapping, point, die)
    with pytest.raises(KeyboardInterrupt):
        rotate_master(*place, VERSION)
    monkeypatch.undo()
    assert place[1].read_text() == old
    with opened(place) as vault:
        assert len(vault.reveal(list(RAW))) == 20
    assert rotate_master(*place, VERSION) == 20


def test_a_rotation_that_dies_behind_its_commit_is_finished_by_the_next_opening(
    place: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(place) as vault:
        vault.put(VALUES[:20])
    old = place[1].read_text()
    replace = Path.replace

    def die(path: Path, target: Path) -> Path:
        if path.name.endswith(".next"):
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        rotate_master(*place, VERSION)
    monkeypatch.undo()
    assert place[1].read_text() == old
    assert next_key_path(place[1]).exists()
    with opened(place) as vault:
        assert len(vault.reveal(list(RAW))) == 20
    assert place[1].read_text() != old
    assert not next_key_path(place[1]).exists()
    assert rotate_master(*place, VERSION) == 20


def test_who_opened_the_vault_before_a_rotation_makes_no_key_that_nobody_opens(place: tuple[Path, Path]) -> None:
    with opened(place) as vault:
        vault.put(VALUES[:2])
        rotate_master(*place, VERSION)
        with pytest.raises(StoreError, match="exchanged meanwhile"):
            vault.put([NEW])
    with opened(place) as vault:
        assert vault.put([NEW]) == 1
        assert len(vault.reveal(list(RAW))) == 2


def make_first_version(place: tuple[Path, Path], rows: list[tuple[str, str, str, str]]) -> None:
    """A vault as version 1 wrote it: people by subject alone."""
    master = AESGCM(load_master_key(place[1], may_make=True))
    with closing(sqlite3.connect(place[0])) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(
            "create table about (version integer not null, proof blob not null, erasures integer not null);"
            "create table people (subject text primary key, wrapped_key blob not null, made_at integer not null)"
            " without rowid;"
            "create table raw_values (subject text not null references people, field text not null, token text not"
            " null, sealed blob not null, first_seen integer not null, last_seen integer not null,"
            " primary key (subject, field, token)) without rowid;"
            "create index raw_values_token on raw_values (token);"
            "create index raw_values_field on raw_values (field, last_seen);"
        )
        connection.execute("insert into about values (1, ?, 0)", (seal(master, b"", b"proof"),))
        for subject, field, token, raw in rows:
            person = subject.encode().ljust(32, b"-")
            connection.execute(
                "insert or ignore into people values (?, ?, 5)", (subject, seal(master, person, bind("key", subject)))
            )
            sealed = seal(AESGCM(person), raw.encode(), bind("value", subject, field, token))
            connection.execute("insert into raw_values values (?, ?, ?, ?, 5, 6)", (subject, field, token, sealed))


ROWS = [
    ("account:7", "email", "em_n", "ann@example.com"), ("account:7", "email", "em_s", "ben@example.org"),
    ("account:8", "phone", "ph_l", "+442079460018"),
]  # fmt: skip


def test_a_vault_of_before_is_told_apart_by_shop_with_new_keys(place: tuple[Path, Path]) -> None:
    make_first_version(place, ROWS)
    old = secrets_of(place)
    shops = {"em_n": "north", "em_s": "south"}
    with opened(place, find_shops=lambda tokens: {each: shops[each] for each in tokens if each in shops}) as vault:
        assert [each.raw for each in vault.export("north", "account:7")] == ["ann@example.com"]
        (south,) = vault.export("south", "account:7")
        assert (south.raw, south.first_seen, south.last_seen) == ("ben@example.org", 5, 6)
        # Of two known shops neither is guessed.
        assert [each.raw for each in vault.export("default", "account:8")] == ["+442079460018"]
    assert not any(files_hold(place, each) for each in old)
    with opened(place) as vault:
        assert vault.erase("north", "account:7") == 1
        assert len(vault.export("south", "account:7")) == 1
    assert rotate_master(*place, VERSION) == 2


def test_a_vault_of_one_shop_belongs_to_it(place: tuple[Path, Path]) -> None:
    make_first_version(place, ROWS)
    with opened(place, find_shops=lambda tokens: {"em_n": "north", "em_s": "north"}) as vault:
        assert len(vault.export("north", "account:7")) == 2
        assert len(vault.export("north", "account:8")) == 1


def test_an_upgrade_that_fails_leaves_the_vault_as_it_was(place: tuple[Path, Path]) -> None:
    make_first_version(place, ROWS)
    with pytest.raises(StoreError, match="start floorwalker serve"):
        opened(place)
    with pytest.raises(UsageError, match="version 1"):
        rotate_master(*place, VERSION)

    def die(_: object) -> dict[str, str]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened(place, find_shops=die)
    with opened(place, find_shops=lambda tokens: dict.fromkeys(tokens, "north")) as vault:
        assert len(vault.export("north", "account:7")) == 2


def test_an_empty_vault_of_before_needs_nobody_to_ask(place: tuple[Path, Path]) -> None:
    make_first_version(place, [])
    with opened(place) as vault:
        assert vault.put(VALUES[:1]) == 1
