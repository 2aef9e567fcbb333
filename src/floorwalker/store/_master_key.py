"""The key above all keys: a file that only its owner reads."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from floorwalker.store._files import make_folder, sync_folder, write_all
from floorwalker.store.errors import DamagedError, StoreError, name_storage_error

KEY_BYTES = 32


def load_master_key(path: Path, *, may_make: bool) -> bytes:
    """The 32 bytes in the file (as 64 hexadecimal digits), made on first use with mode 0600.

    Parameters
    ----------
    path : the file.
    may_make : False where values are already sealed under it: a new key could not open them.

    Raises `DamagedError` where it is missing or no key, and `StoreError` where others may read it.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(KEY_BYTES * 2 + 2).strip()
    except FileNotFoundError:
        if not may_make:
            raise DamagedError(
                f"the master key {path} is missing", path=path,
                fix="restore it from your backup of keys: without it no personal value can be read again",
            ) from None  # fmt: skip
        return _make(path)
    except OSError as error:
        raise name_storage_error(error, "read the master key", path) from error
    if mode & 0o077:
        raise StoreError(f"the master key {path} has mode {mode:04o}", allowed="0600", fix=f"chmod 600 {path}")
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise DamagedError(
            f"the master key {path} is not {KEY_BYTES * 2} hexadecimal digits", path=path,
            fix="restore it from your backup of keys",
        )  # fmt: skip
    return key


def _make(path: Path) -> bytes:
    key = secrets.token_bytes(KEY_BYTES)
    try:
        make_folder(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            write_all(descriptor, key.hex().encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(path.parent)
    except OSError as error:
        raise name_storage_error(error, "make the master key", path) from error
    return key
