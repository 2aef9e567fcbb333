"""Codes of what an event says of its browser, connection, card and reason: words as numbers that can be compared.

A code is a hash of the text alone, the same in every process and shop; it is no secret, and names no person. The names
of people and things have keyed hashes instead (`floorwalker.events.entities`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import MissingExtraError
from floorwalker.events.batch import EventBatch

CODED: tuple[str, ...] = (
    "user_agent", "language", "channel", "country", "reason", "shipping_method", "referrer", "network_ja4",
    "network_kind", "network_country", "device_kind", "device_os", "device_screen", "device_fingerprint",
    "card_issuer_country", "card_funding", "phone_country", "delivery_point", "billing_point",
)  # fmt: skip
"""Texts of events that have a code, by their names in `floorwalker.events.batch.TEXT_FIELDS`."""
CODE_NAMES: tuple[str, ...] = tuple(f"code_{name}" for name in CODED)
"""What the codes are called where they stand beside the keys of a batch that has no texts."""
CODE_PLACES = {name: place for place, name in enumerate(CODED)}
PRESENT: frozenset[str] = frozenset({"referrer"})
"""Of which the code only says that there is one: nearly every event has another."""
COUNTRIES: frozenset[str] = frozenset({"country", "network_country", "card_issuer_country", "phone_country"})
"""Countries: their codes do not look at case, and names that stand for no country have none."""
NO_COUNTRY: frozenset[str] = frozenset({"XX", "ZZ", "T1", "EU", "AP"})
"""What databases of addresses say where they do not know, or know a region or a Tor exit alone."""
_MOST_KNOWN, _LONGEST_KNOWN = 1 << 16, 256
_SECRET = bytes(16)


def code_of(text: str | None) -> int:
    """The code of a text: SipHash-2-4 under a key of zeros, never 0; 0 for none.

    >>> code_of(None), code_of("mobile") == code_of("mobile") != code_of("hosting")
    (0, True)
    """
    return _KNOWN[text]


class _Codes(dict[str | None, int]):
    """Codes as they are met; most events say what others said before. It is emptied when it is full, and keeps no long
    texts: who sends a new one each time shall fill no memory."""

    def __missing__(self, text: str | None) -> int:
        try:
            from siphash24 import siphash24
        except ImportError as error:
            raise MissingExtraError("siphash24", "serve") from error
        code = 0
        if text is not None:
            code = siphash24(text.encode("utf-8", "surrogatepass"), key=_SECRET).intdigest() & 0xFFFFFFFFFFFFFFFF or 1
            if len(text) > _LONGEST_KNOWN:
                return code
        if len(self) >= _MOST_KNOWN:
            self.clear()
        self[text] = code
        return code


_KNOWN = _Codes()


def _code(name: str, text: str | None) -> int:
    """The code of what stands in the field of this name."""
    if text is None:
        return 0
    if name in PRESENT:
        return 1
    if name in COUNTRIES:
        # Of the letters of ASCII alone, as the kernel that reads the journal.
        text = text.upper() if text.isascii() else _ascii_upper(text)
        return 0 if text in NO_COUNTRY else _KNOWN[text]
    return _KNOWN[text]


def _ascii_upper(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").upper().decode("utf-8", "surrogatepass")


def code_rows(batch: EventBatch) -> NDArray[np.uint64]:
    """uint64 [len(CODED), n], the codes of the events in the order of `CODED`; 0 where nothing was said.

    They stand beside the batch's keys where it was read from the journal or a recording, else they are made of its
    texts.

    >>> from floorwalker.events.batch import make_batch
    >>> from floorwalker.events.entities import EntityKeyer
    >>> from floorwalker.events.event import Event
    >>> batch = make_batch([Event(id="e-1", type="page_view", at=7, channel="web")], EntityKeyer(bytes(16)))
    >>> bool(code_rows(batch)[CODE_PLACES["channel"], 0] == code_of("web"))
    True
    """
    keys = batch.keys
    if CODE_NAMES[0] in keys:
        return np.stack([keys[name] for name in CODE_NAMES])
    count, texts = len(batch.type), batch.texts
    if count == 1:
        # Of one event most is missing, and a call for each would take as long as all else.
        said = [texts[name][0] if name in texts else None for name in CODED]
        row = [0 if text is None else _code(name, text) for name, text in zip(CODED, said, strict=True)]
        return np.array(row, np.uint64).reshape(-1, 1)
    found = np.zeros((len(CODED), count), np.uint64)
    for place, name in enumerate(CODED):
        column = texts.get(name)
        if column is not None and column.count(None) != count:
            found[place] = [_code(name, text) for text in column]
    return found
