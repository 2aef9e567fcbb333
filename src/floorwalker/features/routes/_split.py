"""Cut request targets into segments, parts of segments and query keys: one pass over the bytes, no Python objects.

A *segment* stands between slashes; a *part* stands between the delimiters inside a segment (`-`, `_`, `.`, `,`, `|`
…) or
where a short run of letters meets digits (`n70012`). Percent-encoding is undone first, so that a Persian name
counts as letters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.routes._words import SESSION_PARAMETERS, TRACKING_PREFIXES, tracking_table, word_table
from floorwalker.kernels import kernel

MAX_SEGMENTS = 12
MAX_PARTS = 10
MAX_KEYS = 8
HEAD_PARTS = 6

(
    EMPTY,
    LOWER,
    MIXED,
    UPPER,
    DIGITS_2,
    DIGITS_5,
    DIGITS_9,
    DIGITS_LONG,
    HEX,
    ALNUM_LOWER,
    ALNUM_UPPER,
    ALNUM_MIXED,
    YEAR,
    FOREIGN,
    OTHER,
    UUID,
    SIZE,
) = range(17)
"""Shapes of a part, by the characters that it is made of."""

SHAPE_NAMES = (
    "empty", "lower", "mixed", "upper", "digits_2", "digits_5", "digits_9", "digits_long", "hex", "alnum_lower",
    "alnum_upper", "alnum_mixed", "year", "foreign", "other", "uuid", "size",
)  # fmt: skip

DELIMITERS = b"-_.,|;=:~!+@()[]*'$& "
"""Inside a segment; code 0 is the segment's begin, code 1 + k the k-th of these, `GLUED` a letter that meets a
digit."""
DOT = DELIMITERS.index(b".") + 1
GLUED = len(DELIMITERS) + 1
DELIMITER_CODES = len(DELIMITERS) + 2

_TABLE = np.zeros(256, np.uint8)
for _code, _byte in enumerate(DELIMITERS, start=1):
    _TABLE[_byte] = _code
_HEX = np.full(256, 255, np.uint8)
for _code, _byte in enumerate(b"0123456789abcdef"):
    _HEX[_byte] = _code
for _code, _byte in enumerate(b"ABCDEF"):
    _HEX[_byte] = 10 + _code
_KEEP_ENCODED = np.zeros(256, np.bool_)
for _byte in b"/?#&=%;\x00":
    _KEEP_ENCODED[_byte] = True


def _pack(texts: tuple[str, ...]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    joined = "".join(texts).encode()
    return np.frombuffer(joined, np.uint8).copy(), np.cumsum([0, *[len(text) for text in texts]])


_SESSIONS, _SESSION_ENDS = _pack(SESSION_PARAMETERS)
_PREFIXES, _PREFIX_ENDS = _pack(TRACKING_PREFIXES)


@dataclass(frozen=True)
class SplitTargets:
    """`n` targets, cut; everything that belongs to target i lies between `…_of[i]` and `…_of[i + 1]`.

    Parameters
    ----------
    text, offsets : the decoded bytes, uint8, and where each target begins in them, int64 [n + 1].
    segment_of : int32 [n + 1], into the segments.
    segment_hash, segment_start, segment_end : uint64, int32, int32 [segments]; starts are relative to the target's
    begin.
    slash : bool [n], the path ends in a slash.
    part_of : int32 [segments + 1], into the parts.
    part_hash, part_start, part_end, part_shape, part_delimiter, part_word : [parts].
    key_of : int32 [n + 1], into the query keys, tracking keys left out.
    key_hash, value_hash, key_start, key_end, value_start, value_end, value_shape, key_word, value_word : [keys].
    """

    text: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    segment_of: NDArray[np.int32]
    segment_hash: NDArray[np.uint64]
    segment_start: NDArray[np.int32]
    segment_end: NDArray[np.int32]
    slash: NDArray[np.bool_]
    part_of: NDArray[np.int32]
    part_hash: NDArray[np.uint64]
    part_start: NDArray[np.int32]
    part_end: NDArray[np.int32]
    part_shape: NDArray[np.uint8]
    part_delimiter: NDArray[np.uint8]
    part_word: NDArray[np.uint8]
    key_of: NDArray[np.int32]
    key_hash: NDArray[np.uint64]
    value_hash: NDArray[np.uint64]
    key_start: NDArray[np.int32]
    key_end: NDArray[np.int32]
    value_start: NDArray[np.int32]
    value_end: NDArray[np.int32]
    value_shape: NDArray[np.uint8]
    key_word: NDArray[np.uint8]
    value_word: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def slice_text(self, target: int, start: int, end: int) -> str:
        """A piece of a target as a person reads it."""
        base = int(self.offsets[target])
        return bytes(self.text[base + start : base + end]).decode("utf-8", "replace")


@kernel
def _decode(
    arena: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    first: int,
    hex_value: NDArray[np.uint8],
    keep: NDArray[np.bool_],
    sessions: NDArray[np.uint8],
    session_ends: NDArray[np.int64],
    text: NDArray[np.uint8],
    ends: NDArray[np.int64],
) -> int:
    out = 0
    for row in range(len(offsets) - 1 - first):
        at, stop = offsets[first + row], offsets[first + row + 1]
        # An absolute form (`GET http://shop/x`) names the host again.
        if stop - at > 7 and arena[at] == 104 and arena[at + 4] in (58, 115):
            scheme = 0
            for ahead in range(at + 4, min(at + 8, stop - 2)):
                if arena[ahead] == 58 and arena[ahead + 1] == 47 and arena[ahead + 2] == 47:
                    scheme = ahead + 3
                    break
            if scheme > 0:
                at = scheme
                while at < stop and arena[at] != 47 and arena[at] != 63:
                    at += 1
        in_path = True
        while at < stop:
            byte = arena[at]
            if byte == 35:
                break
            if byte == 63:
                in_path = False
            if byte == 59 and in_path:
                skipped = 0
                for k in range(len(session_ends) - 1):
                    width = session_ends[k + 1] - session_ends[k]
                    if at + 1 + width < stop and arena[at + 1 + width] == 61:
                        same = True
                        for j in range(width):
                            if arena[at + 1 + j] | 32 != sessions[session_ends[k] + j]:
                                same = False
                                break
                        if same:
                            skipped = at + 2 + width
                            break
                if skipped > 0:
                    while skipped < stop and arena[skipped] != 59 and arena[skipped] != 47 and arena[skipped] != 63:
                        skipped += 1
                    at = skipped
                    continue
            if byte == 37 and at + 2 < stop and hex_value[arena[at + 1]] < 16 and hex_value[arena[at + 2]] < 16:
                value = hex_value[arena[at + 1]] * 16 + hex_value[arena[at + 2]]
                if not keep[value]:
                    text[out] = value
                    out += 1
                    at += 3
                    continue
            text[out] = byte
            out += 1
            at += 1
        ends[row + 1] = out
    return out


@kernel
def _is_uuid(text: NDArray[np.uint8], at: int, stop: int, hex_value: NDArray[np.uint8]) -> bool:
    if stop - at < 36:
        return False
    for k in range(36):
        byte = text[at + k]
        if k == 8 or k == 13 or k == 18 or k == 23:
            if byte != 45:
                return False
        elif hex_value[byte] > 15:
            return False
    return True


@kernel
def _shape(lower: int, upper: int, digit: int, foreign: int, other: int, hexes: int, length: int, year: bool) -> int:
    if length == 0:
        return 0
    if foreign > 0:
        return 13
    if other > 0:
        return 14
    if digit == length:
        if year:
            return 12
        if length <= 2:
            return 4
        if length <= 5:
            return 5
        if length <= 9:
            return 6
        return 7
    if digit == 0:
        if length >= 16 and hexes == length:
            return 8
        if upper == 0:
            return 1
        if lower == 0:
            return 3
        return 2
    if hexes == length and length >= 6 and (upper == 0 or lower == 0):
        return 8
    if upper == 0:
        return 9
    if lower == 0:
        return 10
    return 11


@kernel
def _word_class(value: np.uint64, keys: NDArray[np.uint64], classes: NDArray[np.uint8]) -> int:
    mask = len(keys) - 1
    slot = np.int64(value & np.uint64(mask))
    while keys[slot] != np.uint64(0):
        if keys[slot] == value:
            return int(classes[slot])
        slot = (slot + 1) & mask
    return 0


@kernel
def _measure(
    text: NDArray[np.uint8], start: int, stop: int, seed: np.uint64, hex_value: NDArray[np.uint8]
) -> tuple[np.uint64, np.uint64, int]:
    """Keyed hash, word hash and shape of a span."""
    keyed = seed
    plain = np.uint64(0xCBF29CE484222325)
    prime = np.uint64(0x100000001B3)
    lower, upper, digit, foreign, other, hexes = 0, 0, 0, 0, 0, 0
    for at in range(start, stop):
        byte = text[at]
        keyed = (keyed ^ np.uint64(byte)) * prime
        folded = byte
        if 65 <= byte <= 90:
            upper += 1
            folded = byte + 32
        elif 97 <= byte <= 122:
            lower += 1
        elif 48 <= byte <= 57:
            digit += 1
        elif byte >= 128:
            foreign += 1
        else:
            other += 1
        if hex_value[byte] < 16:
            hexes += 1
        plain = (plain ^ np.uint64(folded)) * prime
    keyed ^= keyed >> np.uint64(29)
    keyed *= np.uint64(0xBF58476D1CE4E5B9)
    keyed ^= keyed >> np.uint64(32)
    length = stop - start
    year = length == 4 and (
        (text[start] == 49 and text[start + 1] == 57) or (text[start] == 50 and text[start + 1] == 48)
    )
    shape = _shape(lower, upper, digit, foreign, other, hexes, length, year)
    if lower == 1 and digit == length - 1 and digit >= 2:
        for at in range(start + 1, stop - 1):
            if text[at] == 120:
                shape = 16
    return keyed, plain, shape


@kernel
def _cut(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    seed: np.uint64,
    table: NDArray[np.uint8],
    hex_value: NDArray[np.uint8],
    word_keys: NDArray[np.uint64],
    word_classes: NDArray[np.uint8],
    tracking: NDArray[np.uint64],
    prefixes: NDArray[np.uint8],
    prefix_ends: NDArray[np.int64],
    segment_of: NDArray[np.int32],
    segments: NDArray[np.int32],
    segment_hash: NDArray[np.uint64],
    slash: NDArray[np.bool_],
    part_of: NDArray[np.int32],
    parts: NDArray[np.int32],
    part_hash: NDArray[np.uint64],
    key_of: NDArray[np.int32],
    keys: NDArray[np.int32],
    key_hash: NDArray[np.uint64],
) -> tuple[int, int, int]:
    n_segment, n_part, n_key = 0, 0, 0
    part_of[0] = 0
    for row in range(len(offsets) - 1):
        base, stop = offsets[row], offsets[row + 1]
        segment_of[row], key_of[row] = n_segment, n_key
        query = base
        while query < stop and text[query] != 63:
            query += 1
        slash[row] = query > base + 1 and text[query - 1] == 47
        at = base
        found = 0
        while at < query:
            while at < query and text[at] == 47:
                at += 1
            if at == query:
                break
            end = at
            found += 1
            if found == 12:
                end = query
            else:
                while end < query and text[end] != 47:
                    end += 1
            whole, _, _ = _measure(text, at, end, seed, hex_value)
            segment_hash[n_segment] = whole
            segments[n_segment, 0], segments[n_segment, 1] = at - base, end - base
            first_part = n_part
            begin, delimiter = at, 0
            while begin <= end:
                # One part: up to the next delimiter, or to the digits behind one to three letters.
                finish = begin
                if end - begin >= 36 and _is_uuid(text, begin, end, hex_value):
                    finish = begin + 36
                else:
                    while finish < end and table[text[finish]] == 0:
                        finish += 1
                glued = False
                if finish - begin >= 3:
                    letters = begin
                    while letters < finish and (65 <= text[letters] <= 90 or 97 <= text[letters] <= 122):
                        letters += 1
                    if 1 <= letters - begin <= 3 and finish - letters >= 2:
                        digits = letters
                        while digits < finish and 48 <= text[digits] <= 57:
                            digits += 1
                        if digits == finish:
                            finish, glued = letters, True
                keyed, plain, shape = _measure(text, begin, finish, seed, hex_value)
                if finish - begin == 36 and _is_uuid(text, begin, finish, hex_value):
                    shape = 15
                if n_part - first_part == 10:
                    # Long names: the first six and the last four parts are kept.
                    for k in range(first_part + 6, first_part + 9):
                        part_hash[k] = part_hash[k + 1]
                        for field in range(5):
                            parts[k, field] = parts[k + 1, field]
                    n_part -= 1
                part_hash[n_part] = keyed
                parts[n_part, 0], parts[n_part, 1] = begin - base, finish - base
                parts[n_part, 2], parts[n_part, 3] = shape, delimiter
                parts[n_part, 4] = _word_class(plain, word_keys, word_classes) if finish - begin <= 24 else 0
                n_part += 1
                if glued:
                    begin, delimiter = finish, 22
                else:
                    delimiter = table[text[finish]] if finish < end else 0
                    begin = finish + 1
                    if finish >= end:
                        break
            n_segment += 1
            part_of[n_segment] = n_part
            at = end
        at = query + 1
        while at < stop and n_key - key_of[row] < 8:
            end = at
            while end < stop and text[end] != 38:
                end += 1
            equals = at
            while equals < end and text[equals] != 61:
                equals += 1
            name_end = at
            clean = equals > at and equals < end
            while name_end < equals and text[name_end] != 91:
                byte = text[name_end]
                if not (
                    48 <= byte <= 57
                    or 65 <= byte <= 90
                    or 97 <= byte <= 122
                    or byte == 95
                    or byte == 45
                    or byte == 46
                    or byte == 58
                ):
                    clean = False
                name_end += 1
            if clean and name_end > at and name_end - at <= 40:
                keyed, plain, _ = _measure(text, at, name_end, seed, hex_value)
                dropped = False
                place = np.searchsorted(tracking, plain)
                if place < len(tracking) and tracking[place] == plain:
                    dropped = True
                for k in range(len(prefix_ends) - 1):
                    width = prefix_ends[k + 1] - prefix_ends[k]
                    if name_end - at > width:
                        same = True
                        for j in range(width):
                            if text[at + j] != prefixes[prefix_ends[k] + j]:
                                same = False
                                break
                        if same:
                            dropped = True
                for k in range(key_of[row], n_key):
                    if key_hash[k, 0] == keyed:
                        dropped = True
                if not dropped:
                    value, said, shape = _measure(text, equals + 1, end, seed, hex_value)
                    key_hash[n_key, 0], key_hash[n_key, 1] = keyed, value
                    keys[n_key, 0], keys[n_key, 1] = at - base, name_end - base
                    keys[n_key, 2], keys[n_key, 3] = equals + 1 - base, end - base
                    keys[n_key, 4] = shape
                    keys[n_key, 5] = _word_class(plain, word_keys, word_classes)
                    keys[n_key, 6] = _word_class(said, word_keys, word_classes)
                    n_key += 1
            at = end + 1
    segment_of[len(offsets) - 1], key_of[len(offsets) - 1] = n_segment, n_key
    return n_segment, n_part, n_key


def split_targets(
    arena: NDArray[np.uint8], offsets: NDArray[np.int64], *, first: int = 0, seed: int = 0, words: bool = True
) -> SplitTargets:
    """Cut the targets first, first + 1, … of a string table.

    Parameters
    ----------
    arena, offsets : the table's bytes and where each text begins.
    seed : key of the hashes; visitors choose URLs, so a fixed hash would let them collide at will.
    words : whether to look words up; switched off to measure what the word table brings.

    >>> table = np.frombuffer(b"/p/red-shoe-12?utm_source=x&size=4", np.uint8)
    >>> cut = split_targets(table, np.array([0, len(table)]))
    >>> [cut.slice_text(0, s, e) for s, e in zip(cut.part_start, cut.part_end)]
    ['p', 'red', 'shoe', '12']
    >>> [cut.slice_text(0, s, e) for s, e in zip(cut.key_start, cut.key_end)]
    ['size']
    """
    count = len(offsets) - 1 - first
    size = int(offsets[-1] - offsets[first])
    text = np.empty(size + 1, np.uint8)
    ends = np.zeros(count + 1, np.int64)
    written = _decode(arena, offsets, first, _HEX, _KEEP_ENCODED, _SESSIONS, _SESSION_ENDS, text, ends)
    text = text[:written]
    slashes = int(np.count_nonzero(text == 47))
    segment_room = min(slashes + count, count * MAX_SEGMENTS) + 1
    part_room = 2 * (int(np.count_nonzero(_TABLE[text])) + segment_room) + 2
    key_room = min(int(np.count_nonzero((text == 38) | (text == 63))), count * MAX_KEYS) + 1
    segments, segment_hash = np.empty((segment_room, 2), np.int32), np.empty(segment_room, np.uint64)
    parts, part_hash = np.empty((part_room, 5), np.int32), np.empty(part_room, np.uint64)
    keys, key_hash = np.empty((key_room, 7), np.int32), np.empty((key_room, 2), np.uint64)
    segment_of, key_of = np.zeros(count + 1, np.int32), np.zeros(count + 1, np.int32)
    part_of, slash = np.zeros(segment_room + 1, np.int32), np.zeros(count, np.bool_)
    word_keys, word_classes = word_table(empty=not words)
    key = np.uint64((seed * 0x9E3779B97F4A7C15 + 0xD6E8FEB86659FD93) & 0xFFFFFFFFFFFFFFFF)
    with np.errstate(over="ignore"):
        s, p, k = _cut(
            text, ends, key, _TABLE, _HEX, word_keys, word_classes, tracking_table(), _PREFIXES, _PREFIX_ENDS,
            segment_of, segments, segment_hash, slash, part_of, parts, part_hash, key_of, keys, key_hash,
        )  # fmt: skip
    narrow = parts[:p, 2:].astype(np.uint8)
    return SplitTargets(
        text, ends, segment_of, segment_hash[:s], segments[:s, 0], segments[:s, 1], slash,
        part_of[: s + 1], part_hash[:p], parts[:p, 0], parts[:p, 1], narrow[:, 0], narrow[:, 1], narrow[:, 2],
        key_of, key_hash[:k, 0], key_hash[:k, 1], keys[:k, 0], keys[:k, 1], keys[:k, 2], keys[:k, 3],
        keys[:k, 4].astype(np.uint8), keys[:k, 5].astype(np.uint8), keys[:k, 6].astype(np.uint8),
    )  # fmt: skip
