"""The kernel that fills the columns of many packed events; what it reads and fills is described in `_columns`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.bulk._columns import (
    _AMOUNT,
    _AT,
    _ATTRIBUTES,
    _BASE,
    _BASE_FIELD,
    _CODED_FIELDS,
    _COUNTRY,
    _COUPON,
    _COUPONS,
    _COUPONS_ROW,
    _DISCOUNT,
    _HEAD,
    _HUBS,
    _ID,
    _IDENTITY,
    _IDENTITY_RECORD,
    _IS_COUNTRY,
    _IS_PRESENT,
    _ITEM,
    _ITEM_FIELD,
    _KIND,
    _LINES,
    _LINES_ROW,
    _LIST_PRICE,
    _NAN,
    _NETWORK_COUNTRY,
    _NO_COUNTRIES,
    _PLACEHOLDERS,
    _QUANTITY,
    _RECEIVED,
    _SELLER,
    _SELLER_FIELD,
    _SHOP,
    _URL,
    BEGIN,
    END,
    NOTHING,
    OTHER,
    READ,
    TEXT,
    TYPE,
    UNSURE,
    WHOLE,
    Filled,
    Judged,
    Room,
    Shops,
    _count_at,
    _field_at,
    _key_of,
    _read_coupons,
    _read_hubs,
    _read_lines,
    _read_value,
    _skip,
)
from floorwalker.events.bulk._inline import (
    flat_kernel,
    whole,
)
from floorwalker.events.bulk._reading import (
    find_word,
)
from floorwalker.events.bulk._schema import (
    GROUP_TYPES,
    RECORD,
    RECORDS,
    Schema,
)
from floorwalker.events.bulk._siphash import (
    hash_span,
)
from floorwalker.kernels import (
    kernel,
)

_NO_KEY = np.uint64(0)


@flat_kernel
def _code_of_country(data: NDArray[np.uint8], start: int, stop: int, spare: NDArray[np.uint8]) -> np.uint64:
    """The code of a country in any case; 0 for a name that stands for none."""
    size = 0
    for at in range(start, stop):
        byte = data[at]
        spare[size] = byte - 32 if 97 <= byte <= 122 else byte
        size += 1
    if size == 2:
        word = whole(spare[0]) << 8 | whole(spare[1])
        for place in range(len(_NO_COUNTRIES)):
            if word == _NO_COUNTRIES[place]:
                return _NO_KEY
    hashed = hash_span(spare, 0, size, _NO_KEY, _NO_KEY)
    return hashed if hashed != _NO_KEY else np.uint64(1)


@flat_kernel
def _shop_of(data: NDArray[np.uint8], start: int, stop: int, shops: Shops) -> int:
    for shop in range(len(shops.name_at) - 1):
        begin = shops.name_at[shop]
        if shops.name_at[shop + 1] - begin != stop - start:
            continue
        same = True
        for step in range(stop - start):
            if shops.names[begin + step] != data[start + step]:
                same = False
                break
        if same:
            return shop
    return -1


@flat_kernel
def _read_event(
    data: NDArray[np.uint8], at: int, stop: int, row: int, schema: Schema, room: Room, bits: NDArray[np.uint64],
    real: NDArray[np.float64], numbers: NDArray[np.float64],
) -> int:  # fmt: skip
    """Note every value of the packed event at `at`; returns its hubs as bits, -1 where it cannot be read."""
    spans = room.spans
    for field in range(len(spans)):
        spans[field, TYPE] = NOTHING
    numbers[_LINES_ROW, row] = 0.0
    numbers[_COUPONS_ROW, row] = 0.0
    hubs = whole(0)
    has_identity = False
    pairs = _count_at(data, at, stop, 0x80, 0xDE) if at < stop else -1
    if pairs < 0:
        return -1
    at += 1 if data[at] < 0xC0 else 3
    for _ in range(pairs):
        field = _field_at(data, at, stop, 0, schema)
        if field < 0:
            return -1
        at += 1 + (whole(data[at]) & 31)
        if field == _LINES:
            at = _read_lines(data, at, stop, row, schema, room, bits, real, numbers)
        elif field == _COUPONS:
            at = _read_coupons(data, at, stop, row, room, numbers)
        elif schema.kinds[field] == RECORD or field == _IDENTITY:
            record = _IDENTITY_RECORD if field == _IDENTITY else schema.inner[field]
            has_identity = has_identity or field == _IDENTITY
            inner = _count_at(data, at, stop, 0x80, 0xDE)
            if inner < 0:
                return -1
            at += 1 if data[at] < 0xC0 else 3
            for _ in range(inner):
                below = _field_at(data, at, stop, record, schema)
                if below < 0:
                    return -1
                at += 1 + (whole(data[at]) & 31)
                if below == _HUBS:
                    hubs = _read_hubs(data, at, stop, schema)
                    if hubs < 0:
                        return -1
                    at = _skip(data, at, stop)
                elif below == _PLACEHOLDERS:
                    at = _skip(data, at, stop)
                else:
                    at = _read_value(data, at, stop, below, row, schema, spans, bits, real, numbers)
                if at < 0:
                    return -1
        elif schema.kinds[field] == RECORDS or field == _ATTRIBUTES:
            at = _skip(data, at, stop)
        else:
            at = _read_value(data, at, stop, field, row, schema, spans, bits, real, numbers)
        if at < 0 or at > stop:
            return -1
    if not has_identity or spans[_ID, TYPE] != TEXT or spans[_KIND, TYPE] != TEXT or spans[_AT, TYPE] != WHOLE:
        return -1
    return hubs


@flat_kernel
def _join(numbers: NDArray[np.float64], part: int, number: int, value: float) -> None:
    """Add to a sum that is NaN until something has been added."""
    before = numbers[part, number]
    numbers[part, number] = value if np.isnan(before) else before + value


@flat_kernel
def _new_part(filled: Filled, row: int, entity: int, key: np.uint64, first: int) -> int:
    """The part of this key among those of this event and entity, which begin at `first`; made where missing."""
    last = filled.parts[0]
    for part in range(first, last):
        if filled.part_keys[part] == key:
            return part
    filled.part_rows[last] = row
    filled.part_entities[last] = entity
    filled.part_keys[last] = key
    for number in range(4):
        filled.part_numbers[last, number] = _NAN
    filled.parts[0] = last + 1
    return whole(last)


@flat_kernel
def _put_coupons(
    row: int, coupons: int, keys: NDArray[np.uint64], numbers: NDArray[np.float64], filled: Filled
) -> None:
    """The parts of an event with several coupons; each has the event's own numbers."""
    first = filled.parts[0]
    for coupon in range(coupons):
        if keys[coupon, 0] != np.uint64(0):
            part = _new_part(filled, row, _COUPON, keys[coupon, 0], first)
            filled.part_numbers[part, 0] = numbers[_QUANTITY, row]
            filled.part_numbers[part, 1] = numbers[_BASE, row]
            filled.part_numbers[part, 2] = numbers[_LIST_PRICE, row]
            filled.part_numbers[part, 3] = numbers[_DISCOUNT, row]
    if filled.parts[0] - first < 2:
        filled.parts[0] = first


@flat_kernel
def _put_lines(
    row: int, lines: int, side: int, own: np.uint64, is_own_apart: bool, base: float, room: Room,
    numbers: NDArray[np.float64], filled: Filled,
) -> None:  # fmt: skip
    """The parts of an event's lines: its items or its sellers, each with what its lines add up to."""
    first = filled.parts[0]
    entity = _ITEM if side == 0 else _SELLER
    if is_own_apart and own != np.uint64(0):
        part = _new_part(filled, row, entity, own, first)
        filled.part_numbers[part, 0] = numbers[_QUANTITY, row]
    for line in range(lines):
        key = room.line_keys[line, side]
        if key == np.uint64(0):
            continue
        part = _new_part(filled, row, entity, key, first)
        pieces = room.line_numbers[line, 0]
        _join(filled.part_numbers, part, 0, pieces)
        for number in range(1, 4):
            price = room.line_numbers[line, number]
            if not np.isnan(price):
                _join(filled.part_numbers, part, number, pieces * price)
    plain = numbers[_AMOUNT, row]
    if not np.isnan(base) and not np.isnan(plain) and plain != 0.0:
        for part in range(first, filled.parts[0]):
            filled.part_numbers[part, 1] = filled.part_numbers[part, 1] * base / plain


@kernel
def fill_columns(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    longest: int,
    schema: Schema,
    shops: Shops,
    judged: Judged,
    room: Room,
    bits: NDArray[np.uint64],
    real: NDArray[np.float64],
    filled: Filled,
    unsure: NDArray[np.uint64],
    count: NDArray[np.int64],
) -> bool:
    """Read the journal records ``data[starts[k]:stops[k]]`` into columns; False where the room for parts is too small.

    Parameters
    ----------
    longest : bytes of the longest text that may stand for nobody.
    bits, real : one number, the same memory.
    unsure : uint64 [m, 4], filled: entity, span and key of names to be judged; the columns are to be filled again then.
    count : int64 [1], filled: how many these are.

    `data` must go on for 16 bytes behind the last record.
    """
    spans = room.spans
    count[0] = 0
    filled.url_at[0] = 0
    filled.parts[0] = 0
    for row in range(len(starts)):
        filled.status[row] = OTHER
        filled.urls[filled.url_at[0]] = 0
        filled.url_at[0] += 1
        start, stop = starts[row], stops[row]
        if stop - start <= len(_HEAD) or not 0x82 <= data[start] <= 0x84:
            continue
        same = True
        for step in range(1, len(_HEAD)):
            if data[start + step] != _HEAD[step]:
                same = False
                break
        if not same:
            continue
        hubs = _read_event(data, start + len(_HEAD), stop, row, schema, room, bits, real, filled.numbers)
        if hubs < 0:
            continue
        shop = 0
        if spans[_SHOP, TYPE] == TEXT:
            shop = _shop_of(data, spans[_SHOP, BEGIN], spans[_SHOP, END], shops)
            if shop < 0:
                continue
        country = np.uint64(0)
        if spans[_COUNTRY, TYPE] == TEXT or spans[_NETWORK_COUNTRY, TYPE] == TEXT:
            field = _COUNTRY if spans[_COUNTRY, TYPE] == TEXT else _NETWORK_COUNTRY
            begin, end = spans[field, BEGIN], spans[field, END]
            if end - begin != 2 or not (97 <= data[begin] | 32 <= 122 and 97 <= data[begin + 1] | 32 <= 122):
                continue
            country = np.uint64(data[begin] & 0xDF) << np.uint64(8) | np.uint64(data[begin + 1] & 0xDF)
        before = count[0]
        numbers = filled.numbers
        lines = whole(numbers[_LINES_ROW, row])
        coupons = whole(numbers[_COUPONS_ROW, row])
        if filled.parts[0] + 2 * lines + coupons + 2 > len(filled.part_rows):
            return False
        # The keys of the event's own names.
        for field in range(len(spans)):
            entity = schema.entity_rows[field]
            if entity < 0:
                continue
            filled.keys[entity, row] = np.uint64(0)
            if spans[field, TYPE] == TEXT and not hubs >> entity & 1:
                filled.keys[entity, row] = _key_of(
                    entity, data, spans[field, BEGIN], spans[field, END], shop, longest, schema, shops, judged, unsure,
                    count, row,
                )  # fmt: skip
        filled.keys[_COUPON, row] = np.uint64(0)
        if coupons and not hubs >> _COUPON & 1:
            for coupon in range(coupons if coupons > 1 else 1):
                room.line_keys[coupon, 0] = _key_of(
                    _COUPON, data, room.coupons[coupon, 0], room.coupons[coupon, 1], shop, longest, schema, shops,
                    judged, unsure, count, row,
                )  # fmt: skip
            filled.keys[_COUPON, row] = room.line_keys[0, 0]
        base = _NAN
        if spans[_BASE_FIELD, TYPE] == WHOLE:
            base = numbers[_BASE, row]
        else:
            numbers[_BASE, row] = numbers[_AMOUNT, row]
        if coupons > 1 and not hubs >> _COUPON & 1 and count[0] == before:
            _put_coupons(row, coupons, room.line_keys, numbers, filled)
        # Items and sellers of the lines; a line without one is about the event's own.
        for side in range(2):
            entity = _ITEM if side == 0 else _SELLER
            field = _ITEM_FIELD if side == 0 else _SELLER_FIELD
            if lines == 0 or hubs >> entity & 1:
                continue
            is_own = spans[field, TYPE] == TEXT
            own = filled.keys[entity, row]
            is_own_apart = is_own
            for line in range(lines):
                begin, end = room.lines[line, side, 0], room.lines[line, side, 1]
                if end == 0:
                    room.line_keys[line, side] = own if is_own else np.uint64(0)
                    is_own_apart = False
                    continue
                room.line_keys[line, side] = _key_of(
                    entity, data, begin, end, shop, longest, schema, shops, judged, unsure, count, row
                )
                if is_own and end - begin == spans[field, END] - spans[field, BEGIN]:
                    same = True
                    for step in range(end - begin):
                        if data[begin + step] != data[spans[field, BEGIN] + step]:
                            same = False
                            break
                    if same:
                        is_own_apart = False
            if not is_own:
                filled.keys[entity, row] = room.line_keys[0, side]
            if count[0] == before:
                _put_lines(row, lines, side, own if is_own else np.uint64(0), is_own_apart, base, room, numbers, filled)
        if count[0] != before:
            filled.status[row] = UNSURE
            continue
        filled.status[row] = READ
        filled.types[row] = find_word(
            GROUP_TYPES, data, spans[_KIND, BEGIN], spans[_KIND, END], schema.slots, schema.entries, schema.spelling
        )
        filled.at[row] = spans[_AT, BEGIN]
        filled.received_at[row] = spans[_RECEIVED, BEGIN] if spans[_RECEIVED, TYPE] == WHOLE else 0
        filled.ids[row, 0] = spans[_ID, BEGIN]
        filled.ids[row, 1] = spans[_ID, END]
        filled.countries[row] = country
        for code in range(len(_CODED_FIELDS)):
            field = _CODED_FIELDS[code]
            filled.codes[code, row] = _NO_KEY
            if spans[field, TYPE] != TEXT:
                continue
            if _IS_PRESENT[code]:
                filled.codes[code, row] = np.uint64(1)
            elif _IS_COUNTRY[code]:
                filled.codes[code, row] = _code_of_country(data, spans[field, BEGIN], spans[field, END], room.id)
            else:
                hashed = hash_span(data, spans[field, BEGIN], spans[field, END], _NO_KEY, _NO_KEY)
                filled.codes[code, row] = hashed if hashed != _NO_KEY else np.uint64(1)
        size = 0
        for at in range(shops.prefix_at[shop], shops.prefix_at[shop + 1]):
            room.id[size] = shops.prefixes[at]
            size += 1
        for at in range(spans[_ID, BEGIN], spans[_ID, END]):
            room.id[size] = data[at]
            size += 1
        key = hash_span(room.id, 0, size, shops.secret[0], shops.secret[1])
        filled.id_keys[row] = key if key != np.uint64(0) else np.uint64(1)
        if spans[_URL, TYPE] == TEXT:
            at = filled.url_at[0] - 1
            for step in range(spans[_URL, BEGIN], spans[_URL, END]):
                filled.urls[at] = data[step]
                at += 1
            filled.urls[at] = 0
            filled.url_at[0] = at + 1
    return True
