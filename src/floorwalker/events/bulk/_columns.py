"""The kernel that reads packed events into columns: what `make_batch` makes of the same events, without objects.

Names are hashed under the keys of `floorwalker.events.entities`. A name that may stand for nobody is looked up among
those that were judged before; one that was not is handed back to be judged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from floorwalker.events._columns import GROUPS, NUMBER_FIELDS
from floorwalker.events._facts import Identity, NetworkFacts, OrderLine
from floorwalker.events.bulk._addresses import is_public_four, is_public_six
from floorwalker.events.bulk._inline import flat_kernel, whole
from floorwalker.events.bulk._reading import find_word
from floorwalker.events.bulk._schema import (
    RECORD_HEAD,
    RECORD_TYPES,
    F,
    I,
    Schema,
    place,
)
from floorwalker.events.bulk._siphash import hash_span
from floorwalker.events.bulk._taking import may_be_nobody
from floorwalker.events.codes import CODED, COUNTRIES, NO_COUNTRY, PRESENT
from floorwalker.events.entities import ENTITIES
from floorwalker.kernels import kernel

READ, OTHER, UNSURE = 0, 1, 2
"""What became of a record: its event is in the columns; it is no event, or one that the kernel cannot read; a name in
it has to be judged first."""

NOTHING, TEXT, WHOLE, REAL, TRUTH = range(5)
"""Types of value."""
TYPE, BEGIN, END = range(3)
"""Columns of the room for values; a whole number or a statement stands in `BEGIN`."""

_NAN = np.float64(np.nan)
_ROWS = {name: row for row, name in enumerate(ENTITIES)}
_COUPON, _ITEM, _SELLER = _ROWS["coupon"], _ROWS["item"], _ROWS["seller"]
_IDENTITY, _LINES, _COUPONS = F["identity"], F["lines"], F["coupons"]
_SHOP, _ID, _KIND, _AT, _RECEIVED = F["shop"], F["id"], F["type"], F["at"], F["received_at"]
_ITEM_FIELD, _SELLER_FIELD = F["item"], F["seller"]
_HUBS, _PLACEHOLDERS, _BASE_FIELD, _ATTRIBUTES = I["hubs"], I["placeholders"], I["amount_base_minor"], F["attributes"]
_AMOUNT, _BASE = NUMBER_FIELDS.index("amount_minor"), NUMBER_FIELDS.index("amount_base_minor")
_LIST_PRICE, _DISCOUNT = NUMBER_FIELDS.index("list_price_minor"), NUMBER_FIELDS.index("discount_minor")
_QUANTITY = NUMBER_FIELDS.index("quantity")
_LINES_ROW, _COUPONS_ROW = NUMBER_FIELDS.index("lines"), NUMBER_FIELDS.index("coupons")
_LINE_ITEM, _LINE_SELLER = place(OrderLine, "item"), place(OrderLine, "seller")
_LINE_NUMBERS = np.array(
    [place(OrderLine, name) for name in ("quantity", "price_minor", "list_price_minor", "discount_minor")]
)
_DEFAULT = np.frombuffer(b"default", np.uint8)
_TOKENS = np.array([name in ("email", "phone", "ip", "delivery_point") for name in ENTITIES])
"""Entities whose names are tokens, nearly always."""
_NETWORK = ENTITIES.index("ip_network")
_PLAIN_NAMES = np.array(
    [
        name in ("account", "session", "device", "payment", "inviter", "seller", "item", "promotion", "coupon")
        for name in ENTITIES
    ]
)
"""Entities of which `may_be_nobody` knows those that are certainly somebody; the others are always looked up."""

_NETWORK_COUNTRY = place(NetworkFacts, "country")


def _place_of_text(name: str) -> int:
    """The number of the field that a text of a batch is read from."""
    if name in F:
        return F[name]
    for empty, prefix, _, words in GROUPS.values():
        if name.startswith(prefix) and name[len(prefix) :] in words:
            return place(type(empty), name[len(prefix) :])
    return I[name]


_CODED_FIELDS = np.array([_place_of_text(name) for name in CODED])
"""Numbers of the fields that have codes, in the order of `CODED`."""
_IS_PRESENT = np.array([name in PRESENT for name in CODED])
_IS_COUNTRY = np.array([name in COUNTRIES for name in CODED])
_NO_COUNTRIES = np.array([ord(name[0]) << 8 | ord(name[1]) for name in sorted(NO_COUNTRY)])
_COUNTRY, _URL = F["country"], F["url"]
_MOST_LINES = 500
_IDENTITY_RECORD = RECORD_TYPES.index(Identity)
_HEAD = np.frombuffer(RECORD_HEAD, np.uint8)


class Shops(NamedTuple):
    """The shops that are known, with the keys of their entities and of their event ids.

    Parameters
    ----------
    names : uint8, their names behind one another.
    name_at : int64 [s + 1].
    subkeys : uint64 [s, entities, 2].
    prefixes : uint8, what stands before an event's id when it is hashed.
    prefix_at : int64 [s + 1].
    secret : uint64 [2], under which ids are hashed.
    """

    names: NDArray[np.uint8]
    name_at: NDArray[np.int64]
    subkeys: NDArray[np.uint64]
    prefixes: NDArray[np.uint8]
    prefix_at: NDArray[np.int64]
    secret: NDArray[np.uint64]


class Judged(NamedTuple):
    """Keys of names that were judged.

    Parameters
    ----------
    keys : uint64, an open table, 0 for free; at most half of it is used.
    is_nobody : bool.
    used : int64 [1].
    """

    keys: NDArray[np.uint64]
    is_nobody: NDArray[np.bool_]
    used: NDArray[np.int64]


class Room(NamedTuple):
    """Where a kernel keeps what it read of one event.

    Parameters
    ----------
    spans : int64 [fields, 3], see `TYPE`.
    lines : int64 [500, 2, 2], spans of the items and sellers of the lines.
    line_keys : uint64 [500, 2].
    line_numbers : float64 [500, 4]: pieces, price, list price, discount.
    coupons : int64 [50, 2], spans.
    id : uint8, an id behind its prefix.
    """

    spans: NDArray[np.int64]
    lines: NDArray[np.int64]
    line_keys: NDArray[np.uint64]
    line_numbers: NDArray[np.float64]
    coupons: NDArray[np.int64]
    id: NDArray[np.uint8]


class Filled(NamedTuple):
    """The columns of `n` events, filled by the kernel.

    Parameters
    ----------
    status : int8 [n], see `READ`.
    types : int16 [n].
    at, received_at : int64 [n].
    ids : int64 [n, 2], spans of the events' ids.
    id_keys : uint64 [n].
    keys : uint64 [entities, n].
    countries : uint64 [n].
    codes : uint64 [len(CODED), n], see `floorwalker.events.codes`.
    numbers : float64 [number fields, n], given full of NaN.
    urls : uint8, the events' URLs, each ended by a zero.
    url_at : int64 [1], the end of them.
    part_rows, part_entities, part_keys, part_numbers : the parts, see `floorwalker.events.parts`; numbers are [m, 4].
    parts : int64 [1], how many.
    """

    status: NDArray[np.int8]
    types: NDArray[np.int16]
    at: NDArray[np.int64]
    received_at: NDArray[np.int64]
    ids: NDArray[np.int64]
    id_keys: NDArray[np.uint64]
    keys: NDArray[np.uint64]
    countries: NDArray[np.uint64]
    codes: NDArray[np.uint64]
    numbers: NDArray[np.float64]
    urls: NDArray[np.uint8]
    url_at: NDArray[np.int64]
    part_rows: NDArray[np.int32]
    part_entities: NDArray[np.int8]
    part_keys: NDArray[np.uint64]
    part_numbers: NDArray[np.float64]
    parts: NDArray[np.int64]


@flat_kernel
def _load(data: NDArray[np.uint8], at: int, width: int) -> int:
    """The big-endian integer of so many bytes; of eight, one beyond 2^63 comes out negative."""
    value = whole(0)
    for step in range(width):
        value = value << 8 | whole(data[at + step])
    return value


@flat_kernel
def _text_at(data: NDArray[np.uint8], at: int, stop: int) -> int:
    """Where the text at `at` begins; -1 where there is none."""
    head = whole(data[at])
    if 0xA0 <= head < 0xC0:
        return at + 1
    if head == 0xD9 and at + 2 <= stop:
        return at + 2
    if head == 0xDA and at + 3 <= stop:
        return at + 3
    return -1


@flat_kernel
def _length_at(data: NDArray[np.uint8], at: int) -> int:
    """The bytes of the text at `at`."""
    head = whole(data[at])
    if head < 0xC0:
        return head & 31
    return _load(data, at + 1, 1 if head == 0xD9 else 2)


@flat_kernel
def _count_at(data: NDArray[np.uint8], at: int, stop: int, short: int, wide: int) -> int:
    """The number of parts of the map or list at `at`; -1 where there is none."""
    head = whole(data[at])
    if short <= head < short + 16:
        return head & 15
    if head == wide and at + 3 <= stop:
        return _load(data, at + 1, 2)
    return -1


@flat_kernel
def _skip(data: NDArray[np.uint8], at: int, stop: int) -> int:
    """The place behind the value at `at`, whatever it is; -1 where it does not end."""
    left = whole(1)
    while left > 0:
        if at >= stop:
            return -1
        head = whole(data[at])
        left -= 1
        if head < 0x80 or head >= 0xE0 or 0xC0 <= head <= 0xC3:
            at += 1
        elif head < 0x90:
            left += 2 * (head & 15)
            at += 1
        elif head < 0xA0:
            left += head & 15
            at += 1
        elif head < 0xC0:
            at += 1 + (head & 31)
        elif 0xCA <= head <= 0xD3:
            at += 1 + (4 if head == 0xCA else (8 if head == 0xCB else 1 << ((head - 0xCC) & 3)))
        else:
            width = 0
            if head == 0xD9 or head == 0xC4:
                width = 1
            elif head == 0xDA or head == 0xDC or head == 0xDE or head == 0xC5:
                width = 2
            elif head == 0xDB or head == 0xDD or head == 0xDF or head == 0xC6:
                width = 4
            if width == 0 or at + 1 + width > stop:
                return -1
            size = _load(data, at + 1, width)
            at += 1 + width
            if head == 0xDC or head == 0xDD:
                left += size
            elif head == 0xDE or head == 0xDF:
                left += 2 * size
            else:
                at += size
    return at if at <= stop else -1


@flat_kernel
def _read_value(
    data: NDArray[np.uint8], at: int, stop: int, field: int, row: int, schema: Schema, spans: NDArray[np.int64],
    bits: NDArray[np.uint64], real: NDArray[np.float64], numbers: NDArray[np.float64],
) -> int:  # fmt: skip
    """The place behind the plain value at `at`, which is noted; -1 where it is none."""
    if at + 9 > len(data) or at >= stop:
        return -1
    head = whole(data[at])
    begin = _text_at(data, at, stop)
    if begin >= 0:
        end = begin + _length_at(data, at)
        spans[field, TYPE] = TEXT
        spans[field, BEGIN] = begin
        spans[field, END] = end
        return end if end <= stop else -1
    value = whole(0)
    kind = WHOLE
    if head < 0x80:
        value = head
        at += 1
    elif 0xCC <= head <= 0xCF:
        width = 1 << (head - 0xCC)
        value = _load(data, at + 1, width)
        at += 1 + width
        if value < 0:
            return -1
    elif head == 0xC2 or head == 0xC3:
        kind = TRUTH
        value = head - 0xC2
        at += 1
    elif head == 0xCB:
        kind = REAL
        bits[0] = np.uint64(_load(data, at + 1, 8))
        at += 9
    elif head >= 0xE0:
        value = head - 256
        at += 1
    elif head == 0xD0 and at + 2 <= stop:
        value = whole(data[at + 1]) - 256
        at += 2
    elif head == 0xD1 and at + 3 <= stop:
        value = _load(data, at + 1, 2) - 65536
        at += 3
    else:
        return -1
    spans[field, TYPE] = kind
    spans[field, BEGIN] = value
    number = schema.number_rows[field]
    if number >= 0:
        numbers[number, row] = real[0] if kind == REAL else np.float64(value)
    return at if at <= stop else -1


@flat_kernel
def _field_at(data: NDArray[np.uint8], at: int, stop: int, record: int, schema: Schema) -> int:
    """The field whose name stands at `at`, -1 for none; names are shorter than 32 bytes."""
    if at >= stop or not 0xA0 <= data[at] < 0xC0:
        return -1
    end = at + 1 + (whole(data[at]) & 31)
    if end >= stop:
        return -1
    return find_word(record, data, at + 1, end, schema.slots, schema.entries, schema.spelling)


@flat_kernel
def _read_lines(
    data: NDArray[np.uint8], at: int, stop: int, row: int, schema: Schema, room: Room, bits: NDArray[np.uint64],
    real: NDArray[np.float64], numbers: NDArray[np.float64],
) -> int:  # fmt: skip
    """The place behind the list of order lines at `at`."""
    count = _count_at(data, at, stop, 0x90, 0xDC)
    if count < 0 or count > _MOST_LINES:
        return -1
    at += 1 if data[at] < 0xC0 else 3
    record = schema.inner[_LINES]
    spans = room.spans
    for line in range(count):
        for field in range(schema.record_at[record], schema.record_at[record + 1]):
            spans[field, TYPE] = NOTHING
        if at >= stop:
            return -1
        pairs = _count_at(data, at, stop, 0x80, 0xDE)
        if pairs < 0:
            return -1
        at += 1 if data[at] < 0xC0 else 3
        for _ in range(pairs):
            field = _field_at(data, at, stop, record, schema)
            if field < 0:
                return -1
            at = _read_value(
                data, at + 1 + (whole(data[at]) & 31), stop, field, row, schema, spans, bits, real, numbers
            )
            if at < 0:
                return -1
        for side in range(2):
            field = _LINE_ITEM if side == 0 else _LINE_SELLER
            room.lines[line, side, 0] = spans[field, BEGIN] if spans[field, TYPE] == TEXT else 0
            room.lines[line, side, 1] = spans[field, END] if spans[field, TYPE] == TEXT else 0
        for number in range(4):
            field = _LINE_NUMBERS[number]
            room.line_numbers[line, number] = (
                np.float64(spans[field, BEGIN]) if spans[field, TYPE] == WHOLE else (1.0 if number == 0 else _NAN)
            )
    numbers[_LINES_ROW, row] = count
    return at


@flat_kernel
def _read_coupons(
    data: NDArray[np.uint8], at: int, stop: int, row: int, room: Room, numbers: NDArray[np.float64]
) -> int:
    count = _count_at(data, at, stop, 0x90, 0xDC)
    if count < 0 or count > len(room.coupons):
        return -1
    at += 1 if data[at] < 0xC0 else 3
    for coupon in range(count):
        if at >= stop:
            return -1
        begin = _text_at(data, at, stop)
        if begin < 0:
            return -1
        end = begin + _length_at(data, at)
        if end > stop:
            return -1
        room.coupons[coupon, 0] = begin
        room.coupons[coupon, 1] = end
        at = end
    numbers[_COUPONS_ROW, row] = count
    return at


@flat_kernel
def _read_hubs(data: NDArray[np.uint8], at: int, stop: int, schema: Schema) -> int:
    """The set of entities that the list of hubs at `at` names, as bits; -1 where it cannot be read."""
    count = _count_at(data, at, stop, 0x90, 0xDC)
    if count < 0:
        return -1
    at += 1 if data[at] < 0xC0 else 3
    hubs = whole(0)
    for _ in range(count):
        if at >= stop:
            return -1
        # Behind the last one nothing need stand, unlike behind a name.
        field = _field_at(data, at, stop + 1, 0, schema)
        if field < 0:
            field = _field_at(data, at, stop + 1, _IDENTITY_RECORD, schema)
        if field < 0:
            return -1
        if schema.entity_rows[field] >= 0:
            hubs |= whole(1) << schema.entity_rows[field]
        at += 1 + (whole(data[at]) & 31)
    return hubs


@flat_kernel
def _is_token(data: NDArray[np.uint8], start: int, stop: int) -> bool:
    """Whether a text has the form of a token, which is never a placeholder."""
    if stop - start < 5 or not (97 <= data[start] <= 122 and 97 <= data[start + 1] <= 122):
        return False
    at = start + 2
    while at < stop and 48 <= data[at] <= 57:
        at += 1
    if at == start + 2 or at > start + 6 or at + 1 >= stop or data[at] != 95:
        return False
    for place_of in range(at + 1, stop):
        byte = data[place_of]
        if not (97 <= byte <= 122 or 48 <= byte <= 57):
            return False
    return True


@flat_kernel
def _key_of(
    entity: int, data: NDArray[np.uint8], start: int, stop: int, shop: int, longest: int, schema: Schema,
    shops: Shops, judged: Judged, unsure: NDArray[np.uint64], count: NDArray[np.int64], row: int,
) -> np.uint64:  # fmt: skip
    """The key of one name; 0 for one that stands for nobody. One that must be judged first is put on `unsure`."""
    key = hash_span(data, start, stop, shops.subkeys[shop, entity, 0], shops.subkeys[shop, entity, 1])
    if key == np.uint64(0):
        key = np.uint64(1)
    is_plain = True
    for at in range(start, stop):
        if data[at] >= 128:
            is_plain = False
            break
    if is_plain:
        if _PLAIN_NAMES[entity]:
            if not may_be_nobody(data, start, stop, longest, schema):
                return key
        elif _TOKENS[entity]:
            if _is_token(data, start, stop):
                return key
        elif entity == _NETWORK and (is_public_four(data, start, stop) or is_public_six(data, start, stop)):
            return key
    mask = len(judged.keys) - 1
    slot = whole(key & np.uint64(mask))
    while judged.keys[slot] != np.uint64(0):
        if judged.keys[slot] == key:
            return np.uint64(0) if judged.is_nobody[slot] else key
        slot = (slot + 1) & mask
    if count[0] < len(unsure):
        unsure[count[0], 0] = np.uint64(entity)
        unsure[count[0], 1] = np.uint64(start)
        unsure[count[0], 2] = np.uint64(stop)
        unsure[count[0], 3] = key
    count[0] += 1
    return key


@kernel
def add_judged(judged: Judged, keys: NDArray[np.uint64], is_nobody: NDArray[np.bool_]) -> None:
    """Note how names were judged; a table that is half full is emptied first."""
    if 2 * (judged.used[0] + len(keys)) > len(judged.keys):
        judged.keys[:] = np.uint64(0)
        judged.used[0] = 0
    mask = len(judged.keys) - 1
    for row in range(len(keys)):
        slot = whole(keys[row] & np.uint64(mask))
        while judged.keys[slot] != np.uint64(0) and judged.keys[slot] != keys[row]:
            slot = (slot + 1) & mask
        if judged.keys[slot] == np.uint64(0):
            judged.used[0] += 1
        judged.keys[slot] = keys[row]
        judged.is_nobody[slot] = is_nobody[row]
