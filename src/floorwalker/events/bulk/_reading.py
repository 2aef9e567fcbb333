"""The kernel that takes one event's JSON apart: each value checked against its field's kind and bounds.

It accepts what `floorwalker.events.decode.decode_event` accepts, or says -1 and leaves the event to it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.bulk import _values
from floorwalker.events.bulk._inline import flat_kernel, inline_kernel, whole
from floorwalker.events.bulk._packing import (
    copy_span,
    put_list_head,
    put_map_head,
    put_real,
    put_text_head,
    put_whole,
)
from floorwalker.events.bulk._schema import (
    CAPITALS,
    DIGITS,
    GROUP_WORDS,
    REAL,
    RECORD,
    RECORDS,
    TEXT,
    TEXTS,
    TRUTH,
    WHOLE,
    WORD,
    Schema,
)
from floorwalker.events.bulk._texts import CHARACTERS, FLAGS, MAIL, NOT_ASCII, VALUE, read_number, read_text, skip_space
from floorwalker.events.bulk._values import Values

SEEN, PRESENT, MADE_AT, COUNT = 3, 4, 5, 6
"""What is left in `Values.mark`: sets of fields as bits, the end of what was made, a number of parts."""


@flat_kernel
def find_word(
    group: int, data: NDArray[np.uint8], start: int, stop: int, slots: NDArray[np.int32],
    entries: NDArray[np.int64], spelling: NDArray[np.uint8],
) -> int:  # fmt: skip
    """The value of a word of the dictionary; -1 where it is not there."""
    code = whole(group + 7)
    for at in range(start, stop):
        code = (code * 31 + whole(data[at])) & 0x3FFFFFFF
    slot = (code ^ code >> 15) & (len(slots) - 1)
    length = stop - start
    while slots[slot] >= 0:
        entry = slots[slot]
        begin = entries[entry, 1]
        if entries[entry, 0] == group and entries[entry, 2] - begin == length:
            same = True
            for step in range(length):
                if spelling[begin + step] != data[start + step]:
                    same = False
                    break
            if same:
                return whole(entries[entry, 3])
        slot = (slot + 1) & (len(slots) - 1)
    return -1


@flat_kernel
def _is_literal(body: NDArray[np.uint8], at: int, stop: int, second: int, third: int, fourth: int) -> bool:
    return bool(at + 4 <= stop and body[at + 1] == second and body[at + 2] == third and body[at + 3] == fourth)


@flat_kernel
def _fits_shape(body: NDArray[np.uint8], start: int, stop: int, low: int, high: int, lengths: int) -> bool:
    length = stop - start
    if length > 40 or not (lengths >> length) & 1:
        return False
    is_fit = True
    for at in range(start, stop):
        is_fit = is_fit and low <= body[at] <= high
    return is_fit


@inline_kernel
def _read_scalar(
    body: NDArray[np.uint8],
    at: int,
    stop: int,
    field: int,
    schema: Schema,
    characters: NDArray[np.int8],
    values: Values,
) -> int:
    """The place behind the value at `at`, which is put in the field's row; -1 where it does not fit beyond doubt."""
    spans, mark = values.spans, values.mark
    kind = schema.kinds[field]
    first = body[at]
    if first == 110:
        if not schema.nullable[field] or not _is_literal(body, at, stop, 117, 108, 108):
            return -1
        spans[field, _values.TYPE] = _values.ABSENT
        return at + 4
    if kind in (WHOLE, REAL):
        end = read_number(body, at, stop, kind == REAL, mark, values.reals, field)
        if end < 0:
            return -1
        if kind == WHOLE:
            if mark[VALUE] < schema.low[field] or mark[VALUE] > schema.high[field]:
                return -1
            spans[field, _values.TYPE] = _values.NUMBER
            spans[field, _values.START] = mark[VALUE]
        else:
            if not schema.real_low[field] <= values.reals[field] <= schema.real_high[field]:
                return -1
            spans[field, _values.TYPE] = _values.REAL_NUMBER
        return end
    if kind == TRUTH:
        if first == 116 and _is_literal(body, at, stop, 114, 117, 101):
            spans[field, _values.TYPE] = _values.TRUE
            return at + 4
        if first == 102 and at + 5 <= stop and _is_literal(body, at + 1, stop, 108, 115, 101):
            spans[field, _values.TYPE] = _values.FALSE
            return at + 5
        return -1
    if first != 34:
        return -1
    start = at + 1
    end = read_text(body, start, stop, schema.classes, characters, mark)
    if end < 0:
        return -1
    if kind == TEXT:
        if mark[CHARACTERS] < schema.low[field] or mark[CHARACTERS] > schema.high[field]:
            return -1
    elif kind == WORD:
        if find_word(GROUP_WORDS + field, body, start, end, schema.slots, schema.entries, schema.spelling) < 0:
            return -1
    elif kind == DIGITS:
        if not _fits_shape(body, start, end, 48, 57, schema.high[field]):
            return -1
    elif kind == CAPITALS:
        if not _fits_shape(body, start, end, 65, 90, schema.high[field]):
            return -1
    else:
        return -1
    spans[field, _values.TYPE] = _values.SENT
    spans[field, _values.START] = start
    spans[field, _values.STOP] = end
    spans[field, _values.FLAGS] = mark[FLAGS]
    return end + 1


@inline_kernel
def _read_name(
    body: NDArray[np.uint8], at: int, stop: int, record: int, schema: Schema, mark: NDArray[np.int64]
) -> int:
    """The field that a name and its colon stand for; the place behind them in ``mark[VALUE]``. -1 for any doubt."""
    if at >= stop or body[at] != 34:
        return -1
    end = at + 1
    while end < stop and body[end] != 34:
        end += 1
    if end - at > 40:
        return -1
    field = find_word(record, body, at + 1, end, schema.slots, schema.entries, schema.spelling)
    at = skip_space(body, end + 1, stop)
    if field < 0 or at >= stop or body[at] != 58:
        return -1
    mark[VALUE] = skip_space(body, at + 1, stop)
    return field


@flat_kernel
def _read_record(
    body: NDArray[np.uint8], at: int, stop: int, record: int, schema: Schema, characters: NDArray[np.int8],
    values: Values, made_at: int,
) -> int:  # fmt: skip
    """The place behind the flat record at `at`, which is packed into `values.made` from `made_at` on."""
    mark = values.mark
    if at >= stop or body[at] != 123:
        return -1
    base = schema.record_at[record]
    seen = whole(0)
    at = skip_space(body, at + 1, stop)
    if at < stop and body[at] == 125:
        at += 1
    else:
        while True:
            field = _read_name(body, at, stop, record, schema, mark)
            if field < 0:
                return -1
            at = mark[VALUE]
            bit = whole(1) << (field - base)
            if seen & bit or at >= stop:
                return -1
            seen |= bit
            at = _read_scalar(body, at, stop, field, schema, characters, values)
            if at < 0:
                return -1
            if values.spans[field, _values.TYPE] == _values.ABSENT:
                # A name twice is refused, a null is as good as nothing: the bit stays in `seen` and out of the count.
                pass
            at = skip_space(body, at, stop)
            if at >= stop:
                return -1
            if body[at] == 125:
                at += 1
                break
            if body[at] != 44:
                return -1
            at = skip_space(body, at + 1, stop)
    count = 0
    for field in range(base, schema.record_at[record + 1]):
        if seen >> (field - base) & 1 and values.spans[field, _values.TYPE] != _values.ABSENT:
            count += 1
    made_at = put_map_head(values.made, made_at, count, schema.record_at[record + 1] - base)
    for field in range(base, schema.record_at[record + 1]):
        if seen >> (field - base) & 1 and values.spans[field, _values.TYPE] != _values.ABSENT:
            made_at = put_field(values.made, made_at, field, body, schema, values)
    mark[SEEN] = seen
    mark[MADE_AT] = made_at
    return at


@flat_kernel
def _may_be_personal(body: NDArray[np.uint8], record: int, seen: int, schema: Schema, values: Values) -> bool:
    """Whether a text of the record just read may be or hold an e-mail address or a telephone number."""
    spans = values.spans
    base = schema.record_at[record]
    for field in range(base, schema.record_at[record + 1]):
        if (
            seen >> (field - base) & 1
            and spans[field, _values.TYPE] == _values.SENT
            and (spans[field, _values.FLAGS] & MAIL or body[spans[field, _values.START]] == 43)
        ):
            return True
    return False


@flat_kernel
def put_name(out: NDArray[np.uint8], at: int, field: int, schema: Schema) -> int:
    """The name of a field, packed."""
    start, stop = schema.name_at[field], schema.name_at[field + 1]
    out[at] = 0xA0 | (stop - start)
    return copy_span(out, at + 1, schema.spelling, start, stop)


@flat_kernel
def put_field(
    out: NDArray[np.uint8], at: int, field: int, body: NDArray[np.uint8], schema: Schema, values: Values
) -> int:
    """The name and the value of a field, packed; not for `BORROWED` values."""
    at = put_name(out, at, field, schema)
    spans = values.spans
    kind = spans[field, _values.TYPE]
    if kind == _values.SENT:
        start, stop = spans[field, _values.START], spans[field, _values.STOP]
        at = put_text_head(out, at, stop - start)
        return copy_span(out, at, body, start, stop)
    if kind == _values.NUMBER:
        return put_whole(out, at, spans[field, _values.START])
    if kind == _values.REAL_NUMBER:
        return put_real(out, at, values.bits[field])
    if kind == _values.MADE:
        return copy_span(out, at, values.made, spans[field, _values.START], spans[field, _values.STOP])
    out[at] = 0xC3 if kind == _values.TRUE else 0xC2
    return at + 1


@flat_kernel
def _read_list(
    body: NDArray[np.uint8], at: int, stop: int, field: int, schema: Schema, characters: NDArray[np.int8],
    values: Values, made_at: int,
) -> int:  # fmt: skip
    """The place behind the list at `at`, which is packed into `values.made` from `made_at` on."""
    mark = values.mark
    if at >= stop or body[at] != 91:
        return -1
    parts = made_at + 3
    count = 0
    at = skip_space(body, at + 1, stop)
    if at < stop and body[at] == 93:
        at += 1
    else:
        while True:
            if schema.kinds[field] == RECORDS:
                at = _read_record(body, at, stop, schema.inner[field], schema, characters, values, parts)
                if at < 0 or _may_be_personal(body, schema.inner[field], mark[SEEN], schema, values):
                    return -1
                parts = mark[MADE_AT]
            else:
                if at >= stop or body[at] != 34:
                    return -1
                end = read_text(body, at + 1, stop, schema.classes, characters, mark)
                if end < 0 or mark[CHARACTERS] < 1 or mark[CHARACTERS] > schema.inner[field] or mark[FLAGS] & MAIL:
                    return -1
                parts = put_text_head(values.made, parts, end - at - 1)
                parts = copy_span(values.made, parts, body, at + 1, end)
                at = end + 1
            count += 1
            at = skip_space(body, at, stop)
            if at >= stop or count > schema.high[field]:
                return -1
            if body[at] == 93:
                at += 1
                break
            if body[at] != 44:
                return -1
            at = skip_space(body, at + 1, stop)
    # The head is three bytes or one; what stands behind it need not move, for it is copied once more anyway.
    start = made_at if count > 15 else made_at + 2
    put_list_head(values.made, start, count)
    values.spans[field, _values.TYPE] = _values.MADE
    values.spans[field, _values.START] = start
    values.spans[field, _values.STOP] = parts
    values.spans[field, _values.FLAGS] = count
    mark[MADE_AT] = parts
    return at


@inline_kernel
def read_event(
    body: NDArray[np.uint8], start: int, stop: int, schema: Schema, characters: NDArray[np.int8], values: Values
) -> int:
    """The set of fields that an event's text gives, as bits; -1 where the twin must look. Nulls and empty lists are
    not given; their values are in `values`."""
    mark = values.mark
    if stop - start > len(values.made) // 4:
        return -1
    at = skip_space(body, start, stop)
    if at >= stop or body[at] != 123:
        return -1
    at = skip_space(body, at + 1, stop)
    seen = whole(0)
    present = whole(0)
    made_at = 0
    while True:
        field = _read_name(body, at, stop, 0, schema, mark)
        if field < 0:
            return -1
        at = mark[VALUE]
        bit = whole(1) << field
        if seen & bit or at >= stop:
            return -1
        seen |= bit
        kind = schema.kinds[field]
        is_given = True
        if kind in (RECORD, RECORDS, TEXTS) and body[at] != 110:
            if kind == RECORD:
                at = _read_record(body, at, stop, schema.inner[field], schema, characters, values, made_at)
                if at < 0:
                    return -1
                values.spans[field, _values.TYPE] = _values.MADE
                values.spans[field, _values.START] = made_at
                values.spans[field, _values.STOP] = mark[MADE_AT]
                values.spans[field, _values.FLAGS] = mark[SEEN]
            else:
                at = _read_list(body, at, stop, field, schema, characters, values, made_at)
                if at < 0:
                    return -1
                is_given = values.spans[field, _values.FLAGS] > 0
            made_at = mark[MADE_AT]
        else:
            at = _read_scalar(body, at, stop, field, schema, characters, values)
            if at < 0:
                return -1
            is_given = values.spans[field, _values.TYPE] != _values.ABSENT
        if is_given:
            present |= bit
        at = skip_space(body, at, stop)
        if at >= stop:
            return -1
        if body[at] == 125:
            break
        if body[at] != 44:
            return -1
        at = skip_space(body, at + 1, stop)
    if skip_space(body, at + 1, stop) != stop:
        return -1
    return present


__all__ = ["NOT_ASCII", "find_word", "put_field", "put_name", "read_event"]
