"""The way out of a damaged journal: what a repair would do, and doing it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func, select

from floorwalker.errors import UsageError
from floorwalker.server.installation import Installation
from floorwalker.store._manifest import ENDING, read_manifest
from floorwalker.store.errors import StoreError
from floorwalker.store.journal import Repair, repair_journal
from floorwalker.store.ledger import Ledger
from floorwalker.store.ledger.tables import projections
from floorwalker.store.lock import OwnerLock


def find_least(installation: Installation, database: str = "") -> dict[str, int]:
    """The highest sequences that snapshots and ledger name: what a repaired journal must not fall below.

    Parameters
    ----------
    installation : the folder.
    database : URL of the ledger, where it is not in the folder.

    What cannot be read is left out: damaged snapshots, a ledger that is not there.
    """
    found = {"snapshots": 0, "ledger": 0}
    for path in installation.snapshots.glob(f"*{ENDING}") if installation.snapshots.is_dir() else ():
        try:
            found["snapshots"] = max(found["snapshots"], read_manifest(path).head.sequence)
        except (StoreError, OSError):
            continue
    if database or (installation.folder / "ledger.sqlite").exists():
        ledger = Ledger(database or installation.ledger_url)
        try:
            query = select(func.max(projections.c.sequence))
            found["ledger"] = ledger.read(lambda connection: connection.execute(query).scalar_one_or_none()) or 0
        finally:
            ledger.close()
    return found


def rehearse_repair(installation: Installation, *, at_least: int) -> Repair:
    """What `repair` would do, found out on links to the journal's files; the journal is not changed.

    A damaged segment is written once beside the journal and removed again, so there must be room for it. Raises
    `LockedError` while a process owns the journal.
    """
    _check(installation)
    lock = OwnerLock(installation.journal)
    try:
        with TemporaryDirectory(dir=installation.folder, prefix="repair-") as name:
            for path in installation.journal.iterdir():
                if path.is_file() and path != lock.path:
                    _link(path, Path(name) / path.name)
            found = repair_journal(Path(name), at_least=at_least)
    finally:
        lock.release()
    return Repair(found.lost, tuple(installation.journal / path.name for path in found.changed))


def repair(installation: Installation, *, at_least: int) -> Repair:
    """Repair the journal; originals of changed files stay beside them with the ending `.damaged`."""
    _check(installation)
    return repair_journal(installation.journal, at_least=at_least)


def _check(installation: Installation) -> None:
    if not installation.journal.is_dir():
        raise UsageError(f"{installation.folder} holds no journal", fix="give the --folder that the server was given")


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Some file systems know no links.
        shutil.copy2(source, target)
