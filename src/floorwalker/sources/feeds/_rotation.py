"""Where the generations of a rotated log are."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from floorwalker.errors import InputError
from floorwalker.sources.feeds._lines import LineReader

_STAMP = r"\d+(?:[-_.:T]\d+)*Z?"
_DATE = r"(?=(?:[-_.:T]?\d){6})" + _STAMP
_PACKED = r"(?:\.(?:gz|bz2|xz|zst|zstd))?"


@dataclass(frozen=True)
class Generation:
    """One file of a rotated log.

    Parameters
    ----------
    path : where it is now.
    mark : its fingerprint.
    changed_at : when it was last written, nanoseconds since 1970-01-01 UTC.
    """

    path: Path
    mark: str
    changed_at: int


def log_fingerprint(path: Path) -> str:
    """A hash of the first request line of a log, packed or plain; empty where there is none yet.

    Comment lines, empty lines and the run of NUL bytes that copying and truncating may leave are stepped over: every
    generation begins with the same ones. A first line that is still being written has no fingerprint.
    """
    try:
        return mark_of_lines(line + b"\n" for line, _, _ in LineReader(path, whole_only=True))
    except (InputError, OSError):
        return ""


def mark_of_lines(lines: Iterable[bytes]) -> str:
    """As `log_fingerprint`, of lines that are already at hand."""
    for line in lines:
        bare = line.strip(b"\0\r\n ")
        if bare and not bare.startswith(b"#") and line.endswith(b"\n"):
            return hashlib.blake2b(bare, digest_size=16).hexdigest()
    return ""


def _name_pattern(name: str) -> re.Pattern[str]:
    """The names that a log has after its rotation; another log beside it that begins with the same letters has none.

    A number or a date stands behind the name (`access.log.1`, `access.log-20251001.gz`) or before its suffix
    (`access.1.log`, `access-20251001.log`), where `-` and `_` want a date: `access-2.log` may be another server's.

    >>> pattern = _name_pattern("access.log")
    >>> [bool(pattern.fullmatch(name)) for name in ("access.log-20251001-1759276800.gz", "access-api.log")]
    [True, False]
    """
    stem, suffix = os.path.splitext(name)
    behind = rf"{re.escape(name)}(?:[-._]{_STAMP}|\.old)?{_PACKED}"
    if not suffix:
        return re.compile(behind)
    inside = rf"{re.escape(stem)}(?:\.{_STAMP}|[-_]{_DATE}){re.escape(suffix)}{_PACKED}"
    return re.compile(f"{behind}|{inside}")


def _generations(path: Path) -> list[Path]:
    """The log and the files beside it whose names are its own after a rotation."""
    try:
        names = os.listdir(path.parent)
    except OSError:
        return []
    pattern = _name_pattern(path.name)
    return [path.parent / name for name in sorted(names) if pattern.fullmatch(name) and (path.parent / name).is_file()]


def _look(path: Path) -> Generation | None:
    try:
        changed = os.stat(path).st_mtime_ns
    except OSError:
        return None
    mark = log_fingerprint(path)
    return Generation(path, mark, changed) if mark else None


def find_generation(path: Path, mark: str) -> Generation | None:
    """The file that holds the generation with this fingerprint; of several (a copy and its packed twin) the longest."""
    own = _look(path)
    if own is not None and own.mark == mark:
        return own
    found = [one for name in _generations(path) if name != path and (one := _look(name)) is not None]
    same = [one for one in found if one.mark == mark]
    return max(same, key=lambda one: (_plain_size(one.path), one.path.name), default=None)


def _plain_size(path: Path) -> int:
    last = 0
    for _, end, _ in LineReader(path):
        last = end
    return last


def later_generations(path: Path, known: set[str], changed_at: int) -> list[Generation]:
    """The generations that were last written after a time and are not known, the oldest first; the log is the last."""
    seen = set(known)
    found: list[Generation] = []
    others = [one for name in _generations(path) if name != path and (one := _look(name)) is not None]
    for one in sorted(others, key=lambda one: (one.changed_at, one.path.name)):
        if one.mark not in seen and one.changed_at >= changed_at:
            seen.add(one.mark)
            found.append(one)
    own = _look(path)
    if own is not None and own.mark not in seen:
        found.append(own)
    return found
