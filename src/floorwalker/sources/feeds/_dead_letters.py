"""The file of records that became no event."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from floorwalker.events.cards import find_card_number
from floorwalker.events.secrets import is_secret, names_secret
from floorwalker.sources.feeds._base import Refused

RECORD_CHARACTERS = 16_384
"""How much of a record is kept."""


class DeadLetters:
    """Poison records as JSON lines: `at`, `feed`, `place`, `field`, `reason`, `record`.

    The file is readable by its owner alone, for records hold personal data. A record that may hold a card number or a
    password is not written at all: its place says where it can be found, and `withheld` says why it is missing.

    Parameters
    ----------
    path : the file; it is appended to, its folder is made.
    keep_records : whether the records themselves are written, beside place and reason.
    """

    def __init__(self, path: Path, *, keep_records: bool = True) -> None:
        self.path = path
        self.keep_records = keep_records
        self.counts: Counter[str] = Counter()

    def write(self, feed: str, refused: Sequence[Refused], *, now: int) -> None:
        """Append these records; when this returns they survive a loss of power."""
        if not refused:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = b"".join(msgspec.json.encode(self._entry(feed, one, now)) + b"\n" for one in refused)
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            view = memoryview(lines)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        self.counts.update(one.field for one in refused)

    def _entry(self, feed: str, one: Refused, now: int) -> dict[str, object]:
        entry: dict[str, object] = {
            "at": now, "feed": feed, "place": one.place, "field": one.field, "reason": one.reason,
        }  # fmt: skip
        if not self.keep_records:
            return entry
        if withheld := why_withheld(one.record):
            return {**entry, "withheld": withheld}
        return {**entry, "record": one.record[:RECORD_CHARACTERS].encode("utf-8", "backslashreplace").decode()}


def why_withheld(record: str) -> str:
    """Why a record may not be written down, or an empty text.

    >>> why_withheld('{"note": "card 4111 1111 1111 1111"}'), why_withheld('{"password": "x"}'), why_withheld("a,b")
    ('it may hold a card number', 'it may hold a password', '')
    """
    if find_card_number(record) is not None:
        return "it may hold a card number"
    if names_secret(record):
        return "it may hold a password"
    try:
        values = msgspec.json.decode(record.encode("utf-8", "replace"))
    except msgspec.DecodeError:
        return ""
    return "it may hold a password" if _holds_secret(values) else ""


def _holds_secret(value: object) -> bool:
    if isinstance(value, dict):
        return any(is_secret(str(name), inner) or _holds_secret(inner) for name, inner in value.items())
    return isinstance(value, list) and any(map(_holds_secret, value))
