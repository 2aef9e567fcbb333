"""The vault of an installation, opened; one that did not know of shops learns them from the journal."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from floorwalker.errors import UsageError
from floorwalker.server.installation import Installation
from floorwalker.store._rewrapping import rotate_master
from floorwalker.store.errors import LockedError
from floorwalker.store.journal import read_journal
from floorwalker.store.lock import OwnerLock
from floorwalker.store.vault import VERSION, Vault

_TOKEN = re.compile(rb"(?:em|ph|ip|ad|dp|ac)[1-9][0-9]{0,3}_[a-z2-7]{26}")


class _Event(msgspec.Struct):
    shop: str = "default"


class _Record(msgspec.Struct):
    event: _Event | None = None


_decoder = msgspec.msgpack.Decoder(_Record)


def open_vault(installation: Installation, *, clock: Callable[[], int]) -> Vault:
    """The vault, brought to today's form where an older version made it, which reads the journal once.

    Raises what `Vault` raises.
    """
    return Vault(
        installation.vault,
        installation.vault_key,
        clock=clock,
        find_shops=lambda tokens: find_shops(installation, tokens),
    )


def rotate_master_key(installation: Installation, *, clock: Callable[[], int]) -> int:
    """Bring the vault under a new master key; returns the number of personal keys.

    Raises `UsageError` where there is no vault, or a server runs in the folder: it would go on with the old key.
    """
    if not installation.vault.exists():
        raise UsageError(
            f"{installation.folder} holds no {installation.vault.name}",
            fix="give the --folder that the server was given",
        )
    installation.journal.mkdir(parents=True, exist_ok=True)
    try:
        # While this is held no server starts in the folder.
        lock = OwnerLock(installation.journal)
    except LockedError as error:
        raise UsageError(str(error.given), fix="stop the server, rotate, and start it again") from error
    try:
        open_vault(installation, clock=clock).close()
        return rotate_master(installation.vault, installation.vault_key, VERSION)
    finally:
        lock.release()


def find_shops(installation: Installation, tokens: Sequence[str]) -> dict[str, str]:
    """The shop of each of these tokens that stands in an event of the journal.

    A token is made of its shop's name among other things, so it belongs to one shop.
    """
    wanted = {token.encode() for token in tokens}
    found: dict[str, str] = {}
    if not wanted or not installation.journal.is_dir():
        return found
    for _, data in read_journal(installation.journal):
        here = wanted.intersection(_TOKEN.findall(data))
        if not here:
            continue
        record = _decoder.decode(data)
        if record.event is not None:
            found.update((token.decode(), record.event.shop) for token in here)
            wanted -= here
    return found
