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

from collections.abc import Callable, Iterable, Sequence
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
from floorwalker.events.codes import CODE_NAMES, CODED, code_rows
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
    batch : the events' columns. `keys` has `country` and the codes of `floorwalker.events.codes` beside them; `id`
        and `texts` are empty.
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
        filled, unsure = self._fill(data, starts, stops)
        parts = _parts_of(filled)
        for _ in range(_ROUNDS - 1):
            again = len(unsure) > 0
            if again:
                self._judge(data, unsure)
            for row in np.flatnonzero(filled.status == OTHER).tolist():
                if row not in twins:
                    record = data[starts[row] : stops[row]].tobytes()
                    if record[1 : _TAIL + 1] == RECORD_HEAD[1:]:
                        twins[row] = _event_of(record)
            rows = np.array([row for row in sorted(twins) if filled.status[row] == OTHER], np.int64)
            again = self._meet(dict.fromkeys(twins[row].shop for row in rows.tolist())) or again
            if not again:
                break
            rows = np.union1d(np.flatnonzero(filled.status == UNSURE), rows)
            more, unsure = self._fill(data, starts[rows], stops[rows])
            filled.status[rows] = more.status
            parts = _put(filled, parts, rows, more, _parts_of(more), _urls_of(more))
        for row in np.flatnonzero(filled.status == UNSURE).tolist():
            twins[row] = _event_of(data[starts[row] : stops[row]].tobytes())
        rows = np.array([row for row in sorted(twins) if filled.status[row] != READ], np.int64)
        if len(rows):
            parts = self._ask_twin(filled, parts, rows, [twins[row] for row in rows.tolist()])
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
                np.zeros(n, np.uint64), np.zeros((len(CODED), n), np.uint64), np.full((len(NUMBER_FIELDS), n), np.nan),
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

    def _meet(self, shops: Iterable[str]) -> bool:
        """Learn the keys of shops; False where all are known."""
        new = [shop for shop in shops if shop not in self._names]
        if not new:
            return False
        names = self._names if len(self._names) + len(new) <= _MOST_SHOPS else ["default"]
        self._shops = self._gather([*names, *new[: _MOST_SHOPS - len(names)]])
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

    def _ask_twin(self, filled: Filled, parts: Parts, rows: NDArray[np.int64], events: list[Event]) -> Parts:
        """Put the columns of events that the kernel could not read in their places."""
        batch = make_batch(events, self._keyer)
        networks, countries = batch.texts["network_country"], batch.texts["country"]
        urls = [(event.url or "").encode("utf-8", "surrogatepass").replace(b"\x00", b" ") for event in events]
        more = filled._replace(
            status=np.full(len(rows), READ, np.int8), types=batch.type, at=batch.at, received_at=batch.received_at,
            id_keys=np.array([self._hash_id(event) for event in events], np.uint64),
            countries=np.array(
                [code_country(country or other) for country, other in zip(countries, networks, strict=True)], np.uint64
            ),
            codes=code_rows(batch),
            keys=np.array([batch.keys[name] for name in ENTITIES]),
            numbers=np.array([batch.numbers[name] for name in NUMBER_FIELDS]),
        )  # fmt: skip
        return _put(filled, parts, rows, more, batch.parts, urls)

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
        keys, codes, numbers = filled.keys, filled.codes, filled.numbers
        if not isinstance(rows, slice):
            keys, codes, numbers = keys.take(rows, axis=1), codes.take(rows, axis=1), numbers.take(rows, axis=1)
            pieces = urls.tobytes().split(b"\x00")
            urls = np.frombuffer(bytearray(b"".join(pieces[row] + b"\x00" for row in rows.tolist())), np.uint8)
            parts = parts.take(rows, len(is_event))
        batch = EventBatch(
            id=[""] * int(is_event.sum()),
            type=filled.types[rows],
            at=filled.at[rows],
            received_at=filled.received_at[rows],
            keys=Columns(
                KEY_PLACES, keys, {"country": filled.countries[rows], **dict(zip(CODE_NAMES, codes, strict=True))}
            ),
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


def _put(
    filled: Filled, parts: Parts, rows: NDArray[np.int64], more: Filled, more_parts: Parts, urls: list[bytes]
) -> Parts:
    """Put the columns of the events that were read meanwhile in their places; the parts of all.

    Parameters
    ----------
    rows : int64 [m], rising: the places of the events that `more`, `more_parts` and `urls` are of.
    """
    read = np.flatnonzero(more.status == READ)
    where = rows[read]
    filled.status[where] = READ
    filled.types[where], filled.at[where] = more.types[read], more.at[read]
    filled.received_at[where] = more.received_at[read]
    filled.id_keys[where], filled.countries[where] = more.id_keys[read], more.countries[read]
    filled.codes[:, where] = more.codes[:, read]
    filled.keys[:, where], filled.numbers[:, where] = more.keys[:, read], more.numbers[:, read]
    known = _urls_of(filled)
    for row, place in zip(where.tolist(), read.tolist(), strict=True):
        known[row] = urls[place]
    joined = b"".join(url + b"\x00" for url in known)
    filled.urls[: len(joined)] = np.frombuffer(joined, np.uint8)
    filled.url_at[0] = len(joined)
    keep, new = ~np.isin(parts.row, where), np.isin(more_parts.row, read)
    if not new.any() and keep.all():
        return parts
    row_of = np.concatenate([parts.row[keep], rows[more_parts.row[new]].astype(np.int32)])
    order = np.argsort(row_of, kind="stable")
    return Parts(
        row_of[order],
        np.concatenate([parts.entity[keep], more_parts.entity[new]])[order],
        np.concatenate([parts.key[keep], more_parts.key[new]])[order],
        np.concatenate([parts.numbers[:, keep], more_parts.numbers[:, new]], axis=1)[:, order],
    )


def _urls_of(filled: Filled) -> list[bytes]:
    return filled.urls[: filled.url_at[0]].tobytes().split(b"\x00")[:-1]


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
