"""The vault: sealed, exported, erased for certain, and shut to everyone without the key."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from floorwalker.store.errors import (
    ClosedError,
    DamagedError,
    LockedError,
    NewerVersionError,
    ReadOnlyStorageError,
    StorageFullError,
    StoreError,
)
from floorwalker.store.vault import DAY, SealedValue, Vault


@dataclass(frozen=True)
class Value:
    field: str
    token: str
    raw: str
    subject: str
    shop: str = "default"


SHOP = "default"
MAIL = Value("email", "em_1", "ann@example.com", "ann")
PHONE = Value("phone", "ph_1", "+49 30 901820", "ann")
OTHER = Value("email", "em_2", "bob@example.org", "bob")


class Clock:
    def __init__(self) -> None:
        self.now = 100 * DAY

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault(tmp_path: Path, clock: Clock) -> Vault:
    return Vault(tmp_path / "vault.sqlite", tmp_path / "keys" / "master.key", clock=clock, busy_seconds=0.1)


def reopen(vault: Vault, clock: Clock) -> Vault:
    vault.close()
    return Vault(vault.path, vault.path.parent / "keys" / "master.key", clock=clock, busy_seconds=0.1)


def stored_bytes(vault: Vault) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(vault.path.parent.glob("vault.sqlite*")))


def test_what_is_put_is_exported_and_revealed(vault: Vault, clock: Clock) -> None:
    assert vault.put([MAIL, PHONE, OTHER]) == 3
    clock.now += 3 * DAY
    assert vault.put([MAIL]) == 0
    vault = reopen(vault, clock)
    found = vault.export(SHOP, "ann")
    exported = [(each.field, each.token, each.raw, each.first_seen, each.last_seen) for each in found]
    assert exported == [
        ("email", "em_1", "ann@example.com", 100 * DAY, 103 * DAY),
        ("phone", "ph_1", "+49 30 901820", 100 * DAY, 100 * DAY),
    ]
    assert vault.reveal(["em_2", "em_1", "em_9"]) == {"em_2": "bob@example.org", "em_1": "ann@example.com"}
    assert vault.export(SHOP, "nobody") == []


def test_nothing_raw_reaches_the_disk(vault: Vault) -> None:
    vault.put([MAIL, PHONE])
    found = stored_bytes(vault)
    assert b"em_1" in found
    for value in (MAIL, PHONE):
        assert value.raw.encode() not in found


def test_equal_values_are_sealed_differently(vault: Vault) -> None:
    vault.put([MAIL, Value("email", "em_1", MAIL.raw, "bob")])
    with sqlite3.connect(vault.path) as connection:
        sealed = [row[0] for row in connection.execute("select sealed from raw_values")]
    connection.close()
    assert len(set(sealed)) == 2


def test_erasing_removes_the_key_from_every_file(vault: Vault, clock: Clock) -> None:
    vault.put([MAIL, PHONE, OTHER])
    connection = sqlite3.connect(vault.path)
    key = connection.execute("select wrapped_key from people where subject = 'ann'").fetchone()[0]
    sealed = connection.execute("select sealed from raw_values where subject = 'ann'").fetchone()[0]
    connection.close()
    assert key in stored_bytes(vault)
    assert vault.erase(SHOP, "ann") == 2
    assert key not in stored_bytes(vault)
    assert sealed not in stored_bytes(vault)
    assert vault.export(SHOP, "ann") == []
    assert vault.reveal(["em_1", "em_2"]) == {"em_2": "bob@example.org"}
    assert vault.erase(SHOP, "ann") == 0
    # A person who comes back begins anew, under another key.
    assert vault.put([MAIL]) == 1
    assert reopen(vault, clock).reveal(["em_1"]) == {"em_1": "ann@example.com"}


def test_a_person_erased_by_another_process_is_not_sealed_under_the_lost_key(vault: Vault, clock: Clock) -> None:
    vault.put([MAIL])
    with Vault(vault.path, vault.path.parent / "keys" / "master.key", clock=clock) as other:
        assert other.erase(SHOP, "ann") == 1
    assert vault.put([MAIL, PHONE]) == 2
    assert {each.raw for each in vault.export(SHOP, "ann")} == {MAIL.raw, PHONE.raw}


def test_sealed_values_travel_and_are_kept_later(vault: Vault, clock: Clock) -> None:
    sealed = vault.seal([MAIL, PHONE, MAIL])
    assert [each.key for each in sealed] == [(SHOP, "ann", "email", "em_1"), (SHOP, "ann", "phone", "ph_1")]
    assert vault.export(SHOP, "ann") == []
    vault = reopen(vault, clock)
    assert vault.keep([SealedValue(*each.key, each.sealed, each.seen_at) for each in sealed]) == 2
    assert vault.keep(sealed) == 0
    assert {each.raw for each in vault.export(SHOP, "ann")} == {MAIL.raw, PHONE.raw}
    assert vault.seal([MAIL, PHONE]) == []
    clock.now += DAY
    assert len(vault.seal([MAIL, PHONE])) == 2


@pytest.mark.parametrize("returns", [False, True])
def test_what_was_sealed_before_an_erasure_is_dropped(vault: Vault, returns: bool) -> None:
    sealed = vault.seal([MAIL, OTHER])
    vault.erase(SHOP, "ann")
    if returns:
        vault.put([PHONE])
    assert vault.keep(sealed) == 1
    assert [each.raw for each in vault.export(SHOP, "ann")] == ([PHONE.raw] if returns else [])
    assert vault.reveal(["em_1", "em_2"]) == {"em_2": OTHER.raw}


def test_sealing_goes_on_while_another_thread_keeps(vault: Vault) -> None:
    people = [Value("email", f"em_{i}", f"p{i}@example.com", f"p{i}") for i in range(300)]
    with ThreadPoolExecutor(3) as pool:
        kept = list(pool.map(lambda i: vault.put(people[i : i + 10]), range(0, 300, 10)))
    assert kept == [10] * 30
    assert vault.reveal([each.token for each in people]) == {each.token: each.raw for each in people}


def test_old_values_are_swept_by_field(vault: Vault, clock: Clock) -> None:
    vault.put([MAIL, PHONE, OTHER])
    clock.now += 30 * DAY
    vault.put([OTHER])
    clock.now += 1
    assert vault.sweep({"email": 30 * DAY}) == 1
    assert [each.field for each in vault.export(SHOP, "ann")] == ["phone"]
    assert vault.sweep({"phone": 0}) == 1
    connection = sqlite3.connect(vault.path)
    assert connection.execute("select subject from people").fetchall() == [("bob",)]
    connection.close()


def test_the_master_key_is_for_its_owner_only(vault: Vault, clock: Clock) -> None:
    path = vault.path.parent / "keys" / "master.key"
    assert path.stat().st_mode & 0o777 == 0o600
    vault.put([MAIL])
    files = sorted(vault.path.parent.glob("vault.sqlite*"))
    assert [file.name for file in files] == ["vault.sqlite", "vault.sqlite-shm", "vault.sqlite-wal"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    path.chmod(0o640)
    with pytest.raises(StoreError, match="mode 0640; allowed: 0600"):
        reopen(vault, clock)


def test_a_missing_wrong_or_broken_master_key_is_refused(vault: Vault, clock: Clock) -> None:
    vault.put([MAIL])
    path = vault.path.parent / "keys" / "master.key"
    kept = path.read_text()
    path.write_text("ab" * 32)
    with pytest.raises(DamagedError, match="is not the one that"):
        reopen(vault, clock)
    path.write_text("not hexadecimal")
    with pytest.raises(DamagedError, match="64 hexadecimal digits"):
        reopen(vault, clock)
    path.unlink()
    with pytest.raises(DamagedError, match="is missing"):
        reopen(vault, clock)
    assert not path.exists()
    path.touch(0o600)
    path.write_text(kept)
    assert reopen(vault, clock).reveal(["em_1"]) == {"em_1": MAIL.raw}


def test_moving_a_sealed_value_to_another_person_or_field_is_noticed(vault: Vault) -> None:
    vault.put([MAIL, PHONE, OTHER])
    with sqlite3.connect(vault.path) as connection:
        connection.execute("update raw_values set field = 'name' where token = 'ph_1'")
    connection.close()
    with pytest.raises(DamagedError, match="'name' of 'ann'"):
        vault.reveal(["ph_1"])
    with sqlite3.connect(vault.path) as connection:
        wrapped = connection.execute("select wrapped_key from people where subject = 'bob'").fetchone()
        connection.execute("update people set wrapped_key = ? where subject = 'ann'", wrapped)
    connection.close()
    with pytest.raises(DamagedError, match="the key of 'ann'"):
        vault.export(SHOP, "ann")


def test_a_failing_batch_leaves_nothing(vault: Vault) -> None:
    with pytest.raises(UnicodeEncodeError):
        vault.put([MAIL, Value("email", "em_3", "\udc80", "bob")])
    assert vault.export(SHOP, "ann") == []
    assert vault.put([MAIL]) == 1


def test_a_locked_closed_or_newer_vault_says_so(vault: Vault, clock: Clock) -> None:
    other = sqlite3.connect(vault.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LockedError):
        vault.put([MAIL])
    other.execute("ROLLBACK")
    assert vault.put([MAIL]) == 1
    other.execute("update about set version = 3")
    other.close()
    with pytest.raises(NewerVersionError):
        reopen(vault, clock)
    with pytest.raises(ClosedError):
        vault.put([MAIL])


def _put_and_die(path: Path) -> None:
    vault = Vault(path / "vault.sqlite", path / "master.key", clock=lambda: 0)
    vault.put([MAIL])
    os._exit(9)


def test_what_put_returned_for_survives_the_process(tmp_path: Path) -> None:
    child = multiprocessing.get_context("spawn").Process(target=_put_and_die, args=(tmp_path,))
    child.start()
    child.join()
    assert child.exitcode == 9
    with Vault(tmp_path / "vault.sqlite", tmp_path / "master.key", clock=lambda: 0) as vault:
        assert vault.reveal(["em_1"]) == {"em_1": MAIL.raw}


def test_a_full_or_read_only_disk_is_named(small_disk: Any, clock: Clock) -> None:
    folder = small_disk.mount("400k")
    with Vault(folder / "vault.sqlite", folder / "master.key", clock=clock) as vault:
        vault.put([MAIL])
        people = [Value("email", f"em_{i}", f"p{i}@example.com", f"p{i}") for i in range(3000)]
        with pytest.raises(StorageFullError, match="free space"):
            vault.put(people)
        assert vault.reveal(["em_1"]) == {"em_1": MAIL.raw}
    with Vault(folder / "vault.sqlite", folder / "master.key", clock=clock) as vault:
        assert vault.put(people[:9]) == 9
    small_disk.remount("ro")
    with pytest.raises(ReadOnlyStorageError):
        Vault(folder / "vault.sqlite", folder / "master.key", clock=clock)


def test_the_vault_pauses_between_values(tmp_path: Path, clock: Clock) -> None:
    paused: list[int] = []
    vault = Vault(tmp_path / "v.sqlite", tmp_path / "v.key", clock=clock, pause=lambda: paused.append(1))
    values = [Value("email", f"em_{number}", f"{number}@example.com", f"a-{number % 5}") for number in range(20)]
    assert vault.put(values) == 20
    # Each is sealed and kept, and each person gets a key.
    assert len(paused) == 20 + 20 + 5
    assert len(vault.reveal([value.token for value in values])) == 20
    vault.close()
