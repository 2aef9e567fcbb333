"""The kernel that takes many events in: JSON texts to the journal's records, personal values to tokens.

What it writes is what `encode_record(EventRecord(event=normalise(decode_event(text))))` gives, byte for byte. It does
so only where it understands everything and knows the token of every personal value; the rest it hands back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.bulk import _known, _values
from floorwalker.events.bulk._inline import flat_kernel, inline_kernel, whole
from floorwalker.events.bulk._known import Known, find_entry, is_marked, mark_of
from floorwalker.events.bulk._packing import copy_span, put_list_head, put_map_head
from floorwalker.events.bulk._reading import find_word, put_field, put_name, read_event
from floorwalker.events.bulk._schema import GROUP_NOBODY, GROUP_TYPES, RECORD_HEAD, F, I, Schema
from floorwalker.events.bulk._siphash import hash_words_and_span
from floorwalker.events.bulk._texts import MAIL, NOT_ASCII
from floorwalker.events.bulk._values import Values
from floorwalker.kernels import kernel

DONE, TWIN, UNKNOWN = 0, 1, 2
"""What became of an event: its record is written; its text needs the twin; values of it are not known yet."""

NOW, LATEST, EARLIEST = range(3)
"""Limits: our clock, and the bounds of the event's time."""

ROW, KIND, FIELD, BEGIN, END, ENTRY, WHOSE, WHOSE_BEGIN, WHOSE_END, SHOP_BEGIN, SHOP_END = range(11)
"""Columns of what is asked for: values to learn (up to `END`; what their meaning depends on is in `ENTRY`), and values
to give to the vault, with their entry, their mark in `KIND`, whose they are, and their shop (0 and 0 where it is not
said). `OWN` is the value's own token, `SAID` the account's name, `NAMED` the token of the entry of that name, `TOKEN`
that of another entry."""
OWN, SAID, TOKEN, NAMED = 0, 1, 2, 3

_SHOP, _ID, _KIND, _AT, _RECEIVED = F["shop"], F["id"], F["type"], F["at"], F["received_at"]
_VERSION, _IDENTITY, _CARD, _BIN = F["schema_version"], F["identity"], F["card"], F["bin"]
_ACCOUNT, _EMAIL, _PHONE, _IP, _COUNTRY = F["account"], F["email"], F["phone"], F["ip"], F["country"]
_SHIPPING, _BILLING = F["shipping_address"], F["billing_address"]
_NAMED = np.array([F[name] for name in ("account", "inviter", "recipient", "seller", "session", "device", "payment")])
_WATCHED = np.array(
    [F[name] for name in ("account", "session", "device", "payment", "bin", "item", "seller", "inviter")]
)
_CLEANED = np.array([F[name] for name in ("url", "referrer", "reason", "text", "order", "item", "promotion", "group")])
_PLACEHOLDERS, _HUBS = I["placeholders"], I["hubs"]
_NOBODY_ORDER = np.array([_EMAIL, _PHONE, _IP, *_WATCHED])
_HUB_ORDER = np.array([I["email_domain"], _IP, I["ip_network"], I["delivery_point"], *_WATCHED])
"""Entities in the order in which `normalise` names placeholders and hubs."""
_FIRST_WATCHED_NOBODY, _FIRST_WATCHED_HUB = 3, 4
_HUB_DOMAIN, _HUB_IP, _HUB_POINT = 1, 6, 8
WATCH = 200
"""Kinds of entries from here on: what is to be said of a name that may stand for nobody or be a hub."""

_HEAD = np.frombuffer(RECORD_HEAD, np.uint8)
_DEFAULT_SHOP = np.frombuffer(b"default", np.uint8)
_ONE: Any = np.int64(1)
_SLACK = 400


@flat_kernel
def _has(present: int, field: int) -> bool:
    return bool(present >> field & 1)


@flat_kernel
def may_be_nobody(body: NDArray[np.uint8], start: int, stop: int, longest: int, schema: Schema) -> bool:
    """Whether a name needs a look at whether it stands for nobody: never False for one that does."""
    if body[start] <= 32 or body[stop - 1] <= 32:
        return True
    if stop - start <= longest:
        code = whole(GROUP_NOBODY + 7)
        for at in range(start, stop):
            byte = whole(body[at])
            if 65 <= byte <= 90:
                byte += 32
            code = (code * 31 + byte) & 0x3FFFFFFF
        slot = (code ^ code >> 15) & (len(schema.slots) - 1)
        while schema.slots[slot] >= 0:
            entry = schema.slots[slot]
            # The same hash and group are enough of a doubt.
            if (
                schema.entries[entry, 0] == GROUP_NOBODY
                and schema.entries[entry, 2] - schema.entries[entry, 1] == stop - start
            ):
                return True
            slot = (slot + 1) & (len(schema.slots) - 1)
    # One character again and again, whatever parts it.
    first = whole(-1)
    for at in range(start, stop):
        byte = whole(body[at])
        if (
            byte == 32
            or byte == 9
            or byte == 58
            or byte == 46
            or byte == 45
            or byte == 95
            or byte == 123
            or byte == 125
        ):
            continue
        if 65 <= byte <= 90:
            byte += 32
        if first < 0:
            first = byte
        elif byte != first:
            return False
    return True


@flat_kernel
def _is_same(left: NDArray[np.uint8], start: int, stop: int, right: NDArray[np.uint8]) -> bool:
    if stop - start != len(right):
        return False
    is_same = True
    for step in range(len(right)):
        is_same = is_same and left[start + step] == right[step]
    return bool(is_same)


@inline_kernel
def _is_complete(
    present: int, body: NDArray[np.uint8], values: Values, schema: Schema, limits: NDArray[np.int64],
    shop: NDArray[np.uint8],
) -> bool:  # fmt: skip
    """Whether the event has what its type needs, at a time that can be, of the shop that the caller speaks for."""
    spans = values.spans
    if not (_has(present, _ID) and _has(present, _KIND) and _has(present, _AT)):
        return False
    if _has(present, _VERSION) and spans[_VERSION, _values.START] != 1:
        return False
    at = spans[_AT, _values.START]
    if at > limits[LATEST] or at < limits[EARLIEST]:
        return False
    if len(shop):
        if _has(present, _SHOP):
            if not _is_same(body, spans[_SHOP, _values.START], spans[_SHOP, _values.STOP], shop):
                return False
        elif not _is_same(_DEFAULT_SHOP, 0, len(_DEFAULT_SHOP), shop):
            return False
    start, stop = spans[_KIND, _values.START], spans[_KIND, _values.STOP]
    code = find_word(GROUP_TYPES, body, start, stop, schema.slots, schema.entries, schema.spelling)
    if code < 0:
        return False
    for column in range(schema.needs.shape[1]):
        if schema.needs[code, column] >= 0 and not present & schema.needs[code, column]:
            return False
    is_clean = True
    for field in _CLEANED:
        is_clean = is_clean and not (_has(present, field) and spans[field, _values.FLAGS] & MAIL)
    return bool(is_clean)


@flat_kernel
def _ask(
    asked: NDArray[np.int64], count: int, row: int, kind: int, field: int, place: np.uint64, start: int, stop: int
) -> int:
    if count < len(asked):
        asked[count, ROW] = row
        asked[count, KIND] = kind
        asked[count, FIELD] = field
        asked[count, BEGIN] = start
        asked[count, END] = stop
        asked[count, ENTRY] = whole(place)
    return count + 1


@kernel
def take_rows(
    body: NDArray[np.uint8],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    rows: NDArray[np.int64],
    schema: Schema,
    known: Known,
    characters: NDArray[np.int8],
    longest: int,
    values: Values,
    limits: NDArray[np.int64],
    shop: NDArray[np.uint8],
    out: NDArray[np.uint8],
    at: int,
    places: NDArray[np.int64],
    status: NDArray[np.int8],
    asked: NDArray[np.int64],
    unsent: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> int:
    """Write the records of the events `rows` of ``body[starts[row]:stops[row]]`` into `out` from `at` on.

    Parameters
    ----------
    longest : bytes of the longest text that may stand for nobody.
    shop : the only shop that the caller speaks for; empty for any.
    places : int64 [n, 2], filled: where each record stands in `out`.
    status : int8 [n], filled, see `DONE`.
    asked, unsent : filled, see `ROW`: values to be learned, values to be given to the vault.
    counts : int64 [2], filled: how many of these there are.

    Returns the place in `out` behind the last record.
    """
    spans = values.spans
    entry_of = np.full(len(spans), -1, np.int64)
    counts[:] = 0
    for row in rows:
        status[row] = TWIN
        present = read_event(body, starts[row], stops[row], schema, characters, values)
        if present < 0 or not _is_complete(present, body, values, schema, limits, shop):
            continue
        secrets = known.secrets
        if _has(present, _SHOP):
            place = hash_words_and_span(
                secrets[0], secrets[0], 0, body, spans[_SHOP, _values.START], spans[_SHOP, _values.STOP], secrets[1],
                secrets[2],
            )  # fmt: skip
        else:
            place = hash_words_and_span(
                secrets[0], secrets[0], 0, _DEFAULT_SHOP, 0, len(_DEFAULT_SHOP), secrets[1], secrets[2]
            )
        before = counts[0]
        nobody = whole(0)
        hubs = whole(0)
        room = whole(0)
        # E-mail, telephone, address of the client: a token, and facts.
        for step in range(3):
            field = _EMAIL if step == 0 else (_PHONE if step == 1 else _IP)
            entry_of[field] = -1
            if not _has(present, field):
                continue
            kind = _known.EMAIL if step == 0 else (_known.PHONE if step == 1 else _known.IP)
            where = place
            if step == 1:
                # The country says how a number is to be read: the event's, or that of the place of delivery.
                if _has(present, _COUNTRY):
                    begin, end = spans[_COUNTRY, _values.START], spans[_COUNTRY, _values.STOP]
                    where = hash_words_and_span(place, place, 1, body, begin, end, secrets[1], secrets[2])
                elif _has(present, _SHIPPING):
                    begin, end = spans[_SHIPPING, _values.START], spans[_SHIPPING, _values.STOP]
                    where = hash_words_and_span(place, place, 1, values.made, begin, end, secrets[1], secrets[2])
            start, stop = spans[field, _values.START], spans[field, _values.STOP]
            entry = find_entry(known, kind, where, body, start, stop, False)
            entry_of[field] = entry
            if entry < 0:
                counts[0] = _ask(asked, counts[0], row, kind, field, where, start, stop)
                continue
            verdict = known.entries[entry, _known.VERDICT]
            if verdict & _known.NOBODY:
                nobody |= _ONE << step
            if verdict & _known.HUB:
                hubs |= _HUB_DOMAIN if step == 0 else (_HUB_IP if step == 2 else 0)
            room += known.entries[entry, _known.TOKEN_LENGTH] + known.entries[entry, _known.FACTS_LENGTH]
        # Both postal addresses: facts only.
        for step in range(2):
            field = _SHIPPING if step == 0 else _BILLING
            entry_of[field] = -1
            if not _has(present, field):
                continue
            kind = _known.SHIPPING if step == 0 else _known.BILLING
            start, stop = spans[field, _values.START], spans[field, _values.STOP]
            entry = find_entry(known, kind, place, values.made, start, stop, False)
            entry_of[field] = entry
            if entry < 0:
                counts[0] = _ask(asked, counts[0], row, kind, field, place, 0, 0)
                continue
            if known.entries[entry, _known.VERDICT] & _known.HUB:
                hubs |= _HUB_POINT
            room += known.entries[entry, _known.FACTS_LENGTH]
        # The card and its first digits: the card in plain words.
        entry_of[_CARD] = -1
        if _has(present, _CARD) or _has(present, _BIN):
            where = np.uint64(0)
            if _has(present, _BIN):
                where = hash_words_and_span(
                    secrets[0], secrets[0], 0, body, spans[_BIN, _values.START], spans[_BIN, _values.STOP], secrets[1],
                    secrets[2],
                )  # fmt: skip
            start = stop = 0
            if _has(present, _CARD):
                start, stop = spans[_CARD, _values.START], spans[_CARD, _values.STOP]
            entry = find_entry(known, _known.CARD, where, values.made, start, stop, False)
            entry_of[_CARD] = entry
            if entry < 0:
                counts[0] = _ask(asked, counts[0], row, _known.CARD, _CARD, where, 0, 0)
            else:
                room += known.entries[entry, _known.TOKEN_LENGTH]
        # Names that are e-mail addresses or telephone numbers.
        for field in _NAMED:
            entry_of[field] = -1
            if not _has(present, field):
                continue
            start, stop = spans[field, _values.START], spans[field, _values.STOP]
            if not spans[field, _values.FLAGS] & MAIL and body[start] != 43:
                continue
            entry = find_entry(known, _known.NAME + field, place, body, start, stop, False)
            entry_of[field] = entry
            if entry < 0:
                counts[0] = _ask(asked, counts[0], row, _known.NAME + field, field, place, start, stop)
            else:
                room += known.entries[entry, _known.TOKEN_LENGTH]
        # Names that may stand for nobody, or for many.
        for step in range(len(_WATCHED)):
            field = _WATCHED[step]
            if not _has(present, field):
                continue
            start, stop = spans[field, _values.START], spans[field, _values.STOP]
            if not spans[field, _values.FLAGS] & NOT_ASCII and not may_be_nobody(body, start, stop, longest, schema):
                continue
            entry = find_entry(known, WATCH + field, place, body, start, stop, False)
            if entry < 0:
                counts[0] = _ask(asked, counts[0], row, WATCH + field, field, place, start, stop)
                continue
            if known.entries[entry, _known.VERDICT] & _known.NOBODY:
                nobody |= _ONE << (_FIRST_WATCHED_NOBODY + step)
            elif known.entries[entry, _known.VERDICT] & _known.HUB:
                hubs |= _ONE << (_FIRST_WATCHED_HUB + step)
        if counts[0] != before:
            status[row] = UNKNOWN
            continue
        if at + 2 * (stops[row] - starts[row]) + room + _SLACK > len(out) or counts[1] + 16 > len(unsent):
            continue
        status[row] = DONE
        _list_unsent(row, place, present, nobody, entry_of, body, values, known, unsent, counts)
        places[row, 0] = at
        at = _put_record(out, at, present, nobody, hubs, entry_of, body, schema, known, values, limits[NOW])
        places[row, 1] = at
    return at


@inline_kernel
def _list_unsent(
    row: int, place: np.uint64, present: int, nobody: int, entry_of: NDArray[np.int64], body: NDArray[np.uint8],
    values: Values, known: Known, unsent: NDArray[np.int64], counts: NDArray[np.int64],
) -> None:  # fmt: skip
    """Note the personal values of one event that the vault was not given yet for this person."""
    spans = values.spans
    secrets = known.secrets
    whose, begin, end = OWN, whole(0), whole(0)
    person = place
    if _has(present, _ACCOUNT) and not nobody >> _FIRST_WATCHED_NOBODY & 1:
        begin, end = spans[_ACCOUNT, _values.START], spans[_ACCOUNT, _values.STOP]
        person = hash_words_and_span(place, place, 1, body, begin, end, secrets[1], secrets[3])
        whose = SAID
        entry = entry_of[_ACCOUNT]
        if entry >= 0 and known.entries[entry, _known.VERDICT] & _known.CHANGED:
            whose, begin = NAMED, entry
    elif _has(present, _EMAIL) and not nobody & 1:
        whose, begin = TOKEN, entry_of[_EMAIL]
        person = known.hashes[begin, 0]
    elif _has(present, _PHONE) and not nobody & 2:
        whose, begin = TOKEN, entry_of[_PHONE]
        person = known.hashes[begin, 0]
    for step in range(5 + len(_NAMED)):
        field = _NAMED[step - 5] if step >= 5 else _IP
        if step == 0:
            field = _EMAIL
        elif step == 1:
            field = _PHONE
        elif step == 3:
            field = _SHIPPING
        elif step == 4:
            field = _BILLING
        entry = entry_of[field]
        if not _has(present, field) or entry < 0 or not known.entries[entry, _known.VERDICT] & _known.PERSONAL:
            continue
        if is_marked(known, mark_of(known, person, entry, field, body), False):
            continue
        count = counts[1]
        unsent[count, ROW] = row
        unsent[count, FIELD] = field
        unsent[count, BEGIN] = spans[field, _values.START]
        unsent[count, END] = spans[field, _values.STOP]
        unsent[count, ENTRY] = entry
        unsent[count, WHOSE] = whose
        unsent[count, WHOSE_BEGIN] = begin
        unsent[count, WHOSE_END] = end
        unsent[count, SHOP_BEGIN] = spans[_SHOP, _values.START] if _has(present, _SHOP) else 0
        unsent[count, SHOP_END] = spans[_SHOP, _values.STOP] if _has(present, _SHOP) else 0
        unsent[count, KIND] = whole(mark_of(known, person, entry, field, body))
        counts[1] += 1


@inline_kernel
def _put_record(
    out: NDArray[np.uint8], at: int, present: int, nobody: int, hubs: int, entry_of: NDArray[np.int64],
    body: NDArray[np.uint8], schema: Schema, known: Known, values: Values, now: int,
) -> int:  # fmt: skip
    """Pack the record of one event; returns the place behind it."""
    spans = values.spans
    entries = known.entries
    fields = present & ~(_ONE << _VERSION | _ONE << _SHIPPING | _ONE << _BILLING)
    fields |= _ONE << _RECEIVED | _ONE << _IDENTITY
    spans[_RECEIVED, _values.TYPE] = _values.NUMBER
    spans[_RECEIVED, _values.START] = now
    if nobody & 1:
        fields &= ~(_ONE << _EMAIL)
    if nobody & 2:
        fields &= ~(_ONE << _PHONE)
    if nobody & 4:
        fields &= ~(_ONE << _IP)
    card = entry_of[_CARD]
    if card >= 0 and entries[card, _known.TOKEN_LENGTH] > 0:
        fields |= _ONE << _CARD
    count = 0
    for field in range(schema.record_at[1]):
        count += fields >> field & 1
    at = copy_span(out, at, _HEAD, 0, len(_HEAD))
    at = put_map_head(out, at, count, schema.record_at[1])
    for field in range(schema.record_at[1]):
        if not fields >> field & 1:
            continue
        if field == _IDENTITY:
            at = put_name(out, at, field, schema)
            at = _put_identity(out, at, nobody, hubs, entry_of, schema, known)
            continue
        entry = entry_of[field]
        if entry >= 0 and entries[entry, _known.VERDICT] & _known.CHANGED:
            at = put_name(out, at, field, schema)
            begin = entries[entry, _known.TOKEN_AT]
            at = copy_span(out, at, known.arena, begin, begin + entries[entry, _known.TOKEN_LENGTH])
        else:
            at = put_field(out, at, field, body, schema, values)
    return at


@inline_kernel
def _put_identity(
    out: NDArray[np.uint8], at: int, nobody: int, hubs: int, entry_of: NDArray[np.int64], schema: Schema, known: Known
) -> int:
    entries = known.entries
    head = at
    at += 3
    count = 0
    for step in range(5):
        field = _EMAIL if step == 0 else (_PHONE if step == 1 else _IP)
        if step == 2:
            field = _SHIPPING
        elif step == 3:
            field = _BILLING
        entry = entry_of[field]
        if entry >= 0:
            begin = entries[entry, _known.FACTS_AT]
            at = copy_span(out, at, known.arena, begin, begin + entries[entry, _known.FACTS_LENGTH])
            count += entries[entry, _known.FACTS_COUNT]
    for step in range(2):
        chosen = nobody if step == 0 else hubs
        if not chosen:
            continue
        order = _NOBODY_ORDER if step == 0 else _HUB_ORDER
        parts = 0
        for bit in range(len(order)):
            parts += chosen >> bit & 1
        at = put_name(out, at, _PLACEHOLDERS if step == 0 else _HUBS, schema)
        at = put_list_head(out, at, parts)
        for bit in range(len(order)):
            if chosen >> bit & 1:
                at = put_name(out, at, order[bit], schema)
        count += 1
    put_map_head(out, head, count, 16)
    return at


__all__ = ["take_rows"]
