"""Records as columns, with the texts of the few events whose texts are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content.read_types import READ_TYPES
from floorwalker.errors import ArtefactError
from floorwalker.events.bulk.packed import PackedEvents, PackedReader
from floorwalker.events.codec import unpack_event
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.types import TYPE_CODES

TEXTS = ("written", "currency")
"""Columns of `batch.texts` that the detectors of texts read."""


class TextReader(PackedReader):
    """As `PackedReader`, and where it is asked to, with what people wrote in reviews, listings and messages.

    Without these, a replay would leave the memory of texts empty, which was filled while the server answered.

    Parameters
    ----------
    keyer, id_secret, id_prefix : as of `PackedReader`.
    texts : whether texts are wanted; these few events are decoded one by one.
    types : of events whose texts are read.
    """

    def __init__(
        self,
        keyer: EntityKeyer,
        id_secret: bytes,
        id_prefix: Callable[[str], bytes],
        *,
        texts: bool,
        types: Sequence[str] = READ_TYPES,
    ) -> None:
        super().__init__(keyer, id_secret, id_prefix)
        self._texts = texts
        self._read_types = np.array([TYPE_CODES[name] for name in types], np.int16)

    def read(self, data: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64]) -> PackedEvents:
        """Columns of the events of the records ``data[starts[k]:stops[k]]``; `batch.texts` holds `TEXTS`."""
        packed = super().read(data, starts, stops)
        if not self._texts:
            return packed
        places = np.flatnonzero(packed.is_event)
        written: list[str | None] = [None] * len(places)
        currency: list[str | None] = [None] * len(places)
        for row in np.flatnonzero(np.isin(packed.batch.type, self._read_types)).tolist():
            place = places[row]
            record = data[starts[place] : stops[place]].tobytes()
            try:
                event = unpack_event(bytes(msgspec.msgpack.decode(record, type=dict[str, msgspec.Raw])["event"]))
            except (msgspec.MsgspecError, KeyError) as error:
                raise ArtefactError(f"a journal record cannot be read: {error}") from error
            written[row], currency[row] = event.text, event.currency
        texts = dict(zip(TEXTS, (written, currency), strict=True))
        return replace(packed, batch=replace(packed.batch, texts={**packed.batch.texts, **texts}))
