"""The rules of an installation: read from its folder, and every set that ever decided, kept under its version."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import msgspec
import zstandard

from floorwalker.detectors.rules import DEFAULT_LIMITS, STARTER, Fault, Kind, Lists, RuleError, RuleTable, Schema
from floorwalker.detectors.rules.files import read_sources
from floorwalker.errors import FloorwalkerError
from floorwalker.server.installation import Installation
from floorwalker.store._files import make_folder, replace_file
from floorwalker.store.errors import name_storage_error

_VERSION = re.compile(r"^[0-9a-f]{16}$")
_MOST_BYTES = 512 * 1024 * 1024


def read_rules(installation: Installation) -> dict[str, str]:
    """Texts of all rules by path: the starter rules of the package, then the shop's own below `rules`.

    A rule of the shop with the path of a starter rule takes its place. Raises `RuleError` for files that cannot be
    read.
    """
    texts, faults = _read(installation)
    if faults:
        raise RuleError(faults)
    return texts


def load_rules(
    installation: Installation,
    *,
    schema: Schema,
    lists: Lists | None = None,
    previous: RuleTable | None = None,
    between: Callable[[], None] | None = None,
) -> RuleTable:
    """The table of all rules of an installation; the parameters are those of `RuleTable.load`.

    Raises `RuleError` with every fault of every file.
    """
    texts, faults = _read(installation)
    checked = previous or _load_starter(tuple(schema.items()))
    try:
        table = RuleTable.load(texts, schema=schema, lists=lists, previous=checked, between=between)
    except RuleError as error:
        raise RuleError([*faults, *error.faults]) from error
    if faults:
        raise RuleError(faults)
    return table


@lru_cache(maxsize=2)
def _load_starter(fields: tuple[tuple[str, Kind], ...]) -> RuleTable:
    """The rules of the package, which are checked once in a process."""
    return RuleTable.load(STARTER, schema=dict(fields))


def _read(installation: Installation) -> tuple[dict[str, str], list[Fault]]:
    texts, faults = read_sources(STARTER, DEFAULT_LIMITS)
    if installation.rules.is_dir():
        own, wrong = read_sources(installation.rules, DEFAULT_LIMITS)
        texts = {**texts, **own}
        faults += wrong
    return texts, faults


def sign_rules(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    """What changes with any rule file: path, time of change, size and inode of each; empty without the folder."""
    found = []
    for path in folder.rglob("*"):
        if path.suffix not in (".yaml", ".yml"):
            continue
        try:
            seen = path.stat()
        except OSError:
            # Gone since it was listed: the next look tells.
            continue
        found.append((str(path), seen.st_mtime_ns, seen.st_size, seen.st_ino))
    return tuple(sorted(found))


class RuleSets:
    """Sets of rules as they once decided, one packed file a version; a set is never changed.

    Parameters
    ----------
    folder : made where missing.

    >>> import tempfile
    >>> sets = RuleSets(Path(tempfile.mkdtemp()))
    >>> sets.find("0123456789abcdef") is None
    True
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, table: RuleTable) -> None:
        """Put a table's files on the disk, before the first decision is made with it."""
        path = self._path(table.version)
        if path.exists():
            return
        packed = zstandard.ZstdCompressor(level=9).compress(msgspec.json.encode(dict(table.sources)))
        try:
            make_folder(self.folder)
            replace_file(path, packed)
        except OSError as error:
            raise name_storage_error(error, "write to", self.folder) from error

    def find(self, version: str) -> dict[str, str] | None:
        """The texts of a set by path; None where it is not kept, or damaged."""
        if not _VERSION.match(version):
            return None
        try:
            packed = self._path(version).read_bytes()
            text = zstandard.ZstdDecompressor().decompress(packed, max_output_size=_MOST_BYTES)
            return msgspec.json.decode(text, type=dict[str, str])
        except (OSError, zstandard.ZstdError, msgspec.MsgspecError):
            return None

    def load(self, version: str, *, schema: Schema, lists: Lists | None = None) -> RuleTable | None:
        """The table of a version again; None where it is not kept, or makes another table with today's program."""
        texts = self.find(version)
        if texts is None:
            return None
        try:
            table = RuleTable.load(texts, schema=schema, lists=lists)
        except FloorwalkerError:
            return None
        return table if table.version == version else None

    def adopted(self) -> str:
        """The version that was put to work last; "" where none was."""
        try:
            return (self.folder / "adopted").read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def note_adopted(self, version: str) -> None:
        """Remember which version is at work, so that a start with other rules is journalled."""
        try:
            make_folder(self.folder)
            replace_file(self.folder / "adopted", version.encode() + b"\n")
        except OSError as error:
            raise name_storage_error(error, "write to", self.folder) from error

    def _path(self, version: str) -> Path:
        return self.folder / f"{version}.json.zst"


__all__ = ["RuleSets", "load_rules", "read_rules", "sign_rules"]
