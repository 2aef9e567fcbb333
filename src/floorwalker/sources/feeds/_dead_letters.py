"""The file of records that became no event."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from floorwalker.events.cards import find_card_number
from floorwalker.events.secrets import is_secret, names_secret
from floorwalker.sources.feeds._base import Refused

RECORD_CHARACTERS = 16_384
"""How much of a record is kept."""

_WHY_WITHHELD = "it may hold a password"
_NAME_CHARACTERS = 128
_SPACES = re.compile(r"\s+")
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
_NAME_ENDS = re.compile(r"""(?<=[\w"'\\ ])[:=]""")
_NO_NAME = re.compile(r"[^\w .\-]")


@dataclass(frozen=True)
class WithheldRecord(Refused):
    """A poison record whose text must not be written, though the text alone does not show it.

    Parameters
    ----------
    withheld : why.
    """

    withheld: str = _WHY_WITHHELD


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
        withheld = one.withheld if isinstance(one, WithheldRecord) else why_withheld(one.record)
        if withheld:
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
        return _WHY_WITHHELD
    try:
        secret = _holds_secret(msgspec.json.decode(record.encode("utf-8", "replace")))
    except (msgspec.DecodeError, RecursionError):
        # What cannot be taken apart is searched as it stands, for a broken record may hold a password as well.
        secret = _names_secret_anywhere(record)
    return _WHY_WITHHELD if secret else ""


def may_be_secret(name: str) -> bool:
    """Whether what stands under a name may be a password or a security code; `login.pin` counts like `pin`.

    >>> may_be_secret("PIN"), may_be_secret("login.pin"), may_be_secret("shipping_address.city")
    (True, True, False)
    """
    return is_secret(name, "?") or is_secret(name.rpartition(".")[2], "?")


def _holds_secret(value: object) -> bool:
    if isinstance(value, dict):
        return any(_is_secret_pair(str(name), inner) or _holds_secret(inner) for name, inner in value.items())
    if isinstance(value, str):
        # A text may be an object in its turn, as lists of objects are in a mapped table.
        return "{" in value and _names_secret_anywhere(value)
    return isinstance(value, list) and any(map(_holds_secret, value))


def _is_secret_pair(name: str, value: object) -> bool:
    return is_secret(name, value) or is_secret(name.rpartition(".")[2], value)


def _names_secret_anywhere(text: str) -> bool:
    """Whether a secret's name stands before a colon or an equals sign, quoted or not, however spaced or escaped."""
    text = _SPACES.sub(" ", _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text))
    for found in _NAME_ENDS.finditer(text):
        before = text[max(0, found.start() - _NAME_CHARACTERS) : found.start()].rstrip("\"'\\ ")
        name = _NO_NAME.split(before)[-1]
        if may_be_secret(name) or may_be_secret(name.rpartition(" ")[2]):
            return True
    return False
