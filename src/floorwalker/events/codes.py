"""Codes of what an event says of its browser, connection, card and reason: words as numbers that can be compared.

A code is a hash of the text alone, the same in every process and shop; it is no secret, and names no person. The names
of people and things have keyed hashes instead (`floorwalker.events.entities`).
"""

from __future__ import annotations

from collections.abc import Sequence

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
_MOST_KNOWN = 1 << 16
_SECRET = bytes(16)


def code_of(text: str | None) -> int:
    """The code of a text: SipHash-2-4 under a key of zeros, never 0; 0 for none.

    >>> code_of(None), code_of("mobile") == code_of("mobile") != code_of("hosting")
    (0, True)
    """
    return _KNOWN[text]


class _Codes(dict[str | None, int]):
    """Codes as they are met; most events say what others said before. It is emptied when it is full."""

    def __missing__(self, text: str | None) -> int:
        try:
            from siphash24 import siphash24
        except ImportError as error:
            raise MissingExtraError("siphash24", "serve") from error
        if len(self) >= _MOST_KNOWN:
            self.clear()
        code = 0
        if text is not None:
            code = siphash24(text.encode("utf-8", "surrogatepass"), key=_SECRET).intdigest() & 0xFFFFFFFFFFFFFFFF or 1
        self[text] = code
        return code


_KNOWN = _Codes()


def codes_of_texts(texts: Sequence[str | None]) -> NDArray[np.uint64]:
    """Codes of many texts: uint64 [n]."""
    return np.array([_KNOWN[text] for text in texts], np.uint64)


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
        known = _KNOWN
        return np.array([[known[texts[name][0]] if name in texts else 0] for name in CODED], np.uint64)
    found = np.zeros((len(CODED), count), np.uint64)
    for place, name in enumerate(CODED):
        column = texts.get(name)
        if column is not None and column.count(None) != count:
            found[place] = codes_of_texts(column)
    return found
