"""Journal records as columns, straight from their bytes: what features read, without an object for each event.

>>> from floorwalker.events.bulk.taking import BulkTaker
>>> from floorwalker.events.entities import EntityKeyer
>>> from floorwalker.events.identity import Tokeniser
>>> text = b'{"id": "e-1", "type": "logout", "at": 1760000000000000, "account": "a-1"}'
>>> taken = BulkTaker(Tokeniser(bytes(32)), seed=bytes(32)).take(text, [0], [len(text)], now=1760000000000000)
>>> keyer = EntityKeyer(bytes(16))
>>> read = PackedReader(keyer, bytes(16), lambda shop: b"").read(taken.data, taken.starts, taken.stops)
>>> int(read.batch.keys["account"][0]) == keyer.key("default", "account", "a-1"), read.is_event.tolist()
(True, [True])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError
from floorwalker.events.batch import KEY_PLACES, NUMBER_FIELDS, NUMBER_PLACES, Columns, EventBatch, make_batch
from floorwalker.events.bulk._columns import (
    OTHER,
    READ,
    UNSURE,
    Filled,
    Judged,
    Room,
    Shops,
    add_judged,
)
from floorwalker.events.bulk._filling import fill_columns
from floorwalker.events.bulk._schema import FIELDS, RECORD_HEAD, longest_suspect, make_schema
from floorwalker.events.codec import unpack_event
from floorwalker.events.entities import ENTITIES, EntityKeyer
from floorwalker.events.event import Event
from floorwalker.events.parts import NO_PARTS, Parts
from floorwalker.events.placeholders import judge

_MOST_SHOPS = 256
_JUDGED = 1 << 18
_ROUNDS = 4
_PADDING = 16
_TAIL = len(RECORD_HEAD) - 1


@dataclass(frozen=True)
class PackedEvents:
    """Events out of records.

    Parameters
    ----------
    is_event : bool [n], the records that hold an event; the rest of the columns is about these, in their order.
    batch : the events' columns. `keys` has one more, `country`; `id` and `texts` are empty.
    id_keys : uint64 [m], keyed hashes of the events' ids.
    urls : uint8, the URLs of the events, "" for none, each ended by a zero byte.
    """

    is_event: NDArray[np.bool_]
    batch: EventBatch
    id_keys: NDArray[np.uint64]
    urls: NDArray[np.uint8]


class PackedReader:
    """Reads the records of told events and of decided ones; of these, the event only.

    The columns are those that `make_batch` gives for the same events, bit for bit: for the few that the kernel cannot
    read (of a newer version, of a shop not met before) it is asked itself.

    Parameters
    ----------
    keyer : makes the keys of entities.
    id_secret : 16 bytes under which ids are hashed.
    id_prefix : what stands before an id of this shop when it is hashed.
    """

    def __init__(self, keyer: EntityKeyer, id_secret: bytes, id_prefix: Callable[[str], bytes]) -> None:
        self._keyer = keyer
        self._secret = np.frombuffer(id_secret, "<u8", 2).astype(np.uint64)
        self._id_prefix = id_prefix
        self._schema = make_schema()
        self._longest = longest_suspect(self._schema)
        self._judged = Judged(np.zeros(_JUDGED, np.uint64), np.zeros(_JUDGED, np.bool_), np.zeros(1, np.int64))
        self._room = Room(
            np.zeros((FIELDS, 3), np.int64), np.zeros((500, 2, 2), np.int64), np.zeros((500, 2), np.uint64),
            np.zeros((500, 4), np.float64), np.zeros((50, 2), np.int64), np.zeros(8192, np.uint8),
        )  # fmt: skip
        self._real = np.zeros(1, np.float64)
        self._names: list[str] = []
        self._shops = self._gather(["default"])
        self._parts = 1024

    def read(self, data: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64]) -> PackedEvents:
        """Columns of the events of the records ``data[starts[k]:stops[k]]``."""
        n = len(starts)
        starts, stops = np.ascontiguousarray(starts, np.int64), np.ascontiguousarray(stops, np.int64)
        if n and len(data) < int(stops.max()) + _PADDING:
            data = np.concatenate([data, np.zeros(_PADDING, np.uint8)])
        twins: dict[int, Event] = {}
        for _ in range(_ROUNDS):
            filled, unsure = self._fill(data, starts, stops)
            again = len(unsure) > 0
            if again:
                self._judge(data, unsure)
            for row in np.flatnonzero(filled.status == OTHER).tolist():
                if row not in twins:
                    record = data[starts[row] : stops[row]].tobytes()
                    if record[1 : _TAIL + 1] == RECORD_HEAD[1:]:
                        twins[row] = _event_of(record)
                        again = self._meet(twins[row].shop) or again
            if not again:
                break
        for row in np.flatnonzero(filled.status == UNSURE).tolist():
            twins[row] = _event_of(data[starts[row] : stops[row]].tobytes())
        parts = _parts_of(filled)
        rows = [row for row in sorted(twins) if filled.status[row] != READ]
        if rows:
            parts = self._ask_twin(filled, parts, rows, [twins[row] for row in rows])
        return self._finish(filled, parts)

    def _fill(
        self, data: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> tuple[Filled, NDArray[np.uint64]]:
        n = len(starts)
        unsure, count = np.empty((8 * n + 64, 4), np.uint64), np.zeros(1, np.int64)
        while True:
            m = self._parts
            filled = Filled(
                np.zeros(n, np.int8), np.zeros(n, np.int16), np.zeros(n, np.int64), np.zeros(n, np.int64),
                np.zeros((n, 2), np.int64), np.zeros(n, np.uint64), np.zeros((len(ENTITIES), n), np.uint64),
                np.zeros(n, np.uint64), np.full((len(NUMBER_FIELDS), n), np.nan),
                np.empty(int((stops - starts).sum()) + n + 1, np.uint8), np.zeros(1, np.int64), np.empty(m, np.int32),
                np.empty(m, np.int8), np.empty(m, np.uint64), np.empty((m, 4), np.float64), np.zeros(1, np.int64),
            )  # fmt: skip
            with np.errstate(over="ignore"):
                is_done = fill_columns(
                    data, starts, stops, self._longest, self._schema, self._shops, self._judged, self._room,
                    self._real.view(np.uint64), self._real, filled, unsure, count,
                )  # fmt: skip
            if is_done:
                return filled, unsure[: min(int(count[0]), len(unsure))]
            self._parts *= 4

    def _judge(self, data: NDArray[np.uint8], unsure: NDArray[np.uint64]) -> None:
        """Find out which of these names stand for nobody."""
        verdicts = {
            key: judge(ENTITIES[entity], data[start:stop].tobytes().decode("utf-8", "surrogatepass"))
            for entity, start, stop, key in unsure.tolist()
        }
        keys = np.array(list(verdicts), np.uint64)[: _JUDGED // 2]
        add_judged(self._judged, keys, np.array(list(verdicts.values()), np.bool_)[: len(keys)])

    def _meet(self, shop: str) -> bool:
        """Learn the keys of a shop; False where they are known."""
        if shop in self._names:
            return False
        names = self._names if len(self._names) < _MOST_SHOPS else ["default"]
        self._shops = self._gather([*names, shop])
        return True

    def _gather(self, names: Sequence[str]) -> Shops:
        self._names = list(names)
        texts = [name.encode() for name in names]
        prefixes = [self._id_prefix(name) for name in names]
        subkeys = [[np.frombuffer(key, "<u8", 2) for key in self._keyer.subkeys(name)] for name in names]
        return Shops(
            np.frombuffer(b"".join(texts), np.uint8),
            np.cumsum([0, *map(len, texts)]).astype(np.int64),
            np.array(subkeys, np.uint64),
            np.frombuffer(b"".join(prefixes) or b"\x00", np.uint8),
            np.cumsum([0, *map(len, prefixes)]).astype(np.int64),
            self._secret,
        )

    def _ask_twin(self, filled: Filled, parts: Parts, rows: list[int], events: list[Event]) -> Parts:
        """Put the columns of events that the kernel could not read in their places."""
        batch = make_batch(events, self._keyer)
        where = np.array(rows, np.intp)
        filled.types[where], filled.at[where], filled.received_at[where] = batch.type, batch.at, batch.received_at
        for place, name in enumerate(ENTITIES):
            filled.keys[place, where] = batch.keys[name]
        for place, name in enumerate(NUMBER_FIELDS):
            filled.numbers[place, where] = batch.numbers[name]
        filled.status[where] = READ
        urls = filled.urls[: filled.url_at[0]].tobytes().split(b"\x00")[:-1]
        networks, countries = batch.texts["network_country"], batch.texts["country"]
        for row, event, country, other in zip(rows, events, countries, networks, strict=True):
            filled.id_keys[row] = self._hash_id(event)
            filled.countries[row] = code_country(country or other)
            urls[row] = (event.url or "").encode("utf-8", "surrogatepass").replace(b"\x00", b" ")
        joined = b"".join(url + b"\x00" for url in urls)
        filled.urls[: len(joined)] = np.frombuffer(joined, np.uint8)
        filled.url_at[0] = len(joined)
        keep = ~np.isin(parts.row, where)
        row_of = np.concatenate([parts.row[keep], where[batch.parts.row].astype(np.int32)])
        order = np.argsort(row_of, kind="stable")
        return Parts(
            row_of[order],
            np.concatenate([parts.entity[keep], batch.parts.entity])[order],
            np.concatenate([parts.key[keep], batch.parts.key])[order],
            np.concatenate([parts.numbers[:, keep], batch.parts.numbers], axis=1)[:, order],
        )

    def _hash_id(self, event: Event) -> int:
        from siphash24 import siphash24

        text = self._id_prefix(event.shop) + event.id.encode("utf-8", "surrogatepass")
        value: int = siphash24(text, key=self._secret.astype("<u8").tobytes()).intdigest() & 0xFFFFFFFFFFFFFFFF
        return value or 1

    @staticmethod
    def _finish(filled: Filled, parts: Parts) -> PackedEvents:
        is_event = filled.status == READ
        urls = filled.urls[: int(filled.url_at[0])]
        rows = slice(None) if is_event.all() else np.flatnonzero(is_event)
        keys, numbers = filled.keys, filled.numbers
        if not isinstance(rows, slice):
            keys, numbers = keys.take(rows, axis=1), numbers.take(rows, axis=1)
            pieces = urls.tobytes().split(b"\x00")
            urls = np.frombuffer(bytearray(b"".join(pieces[row] + b"\x00" for row in rows.tolist())), np.uint8)
            parts = parts.take(rows, len(is_event))
        batch = EventBatch(
            id=[""] * int(is_event.sum()),
            type=filled.types[rows],
            at=filled.at[rows],
            received_at=filled.received_at[rows],
            keys=Columns(KEY_PLACES, keys).beside("country", filled.countries[rows]),
            numbers=Columns(NUMBER_PLACES, numbers),
            texts={},
            parts=parts,
        )
        return PackedEvents(is_event, batch, filled.id_keys[rows], urls)


def _event_of(record: bytes) -> Event:
    """The event of a record, whether or not a decision stands behind it."""
    import msgspec

    try:
        values = msgspec.msgpack.decode(record, type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError as error:
        raise ArtefactError(f"a journal record cannot be read: {error}") from error
    return unpack_event(bytes(values["event"]))


def _parts_of(filled: Filled) -> Parts:
    count = int(filled.parts[0])
    if not count:
        return NO_PARTS
    return Parts(
        filled.part_rows[:count],
        filled.part_entities[:count],
        filled.part_keys[:count],
        np.ascontiguousarray(filled.part_numbers[:count].T),
    )


def code_country(name: str | None) -> int:
    """The code of a country, made of its name alone, as features know it.

    >>> code_country("de") == code_country("DE") != code_country("AT")
    True
    """
    return int.from_bytes((name or "").strip().upper().encode("utf-8", "replace")[:7], "big")
