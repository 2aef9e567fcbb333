"""What is already known of raw personal values: their tokens and facts, and which of them the vault has for whom.

Working out a token takes a thousand times as long as looking it up, and the same few customers come again and again.
Values are known by two SipHashes of 64 bits under secrets of this process: nobody can choose two that are mixed up,
and no raw value is kept here. The tables are bounded; a full one is emptied.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.bulk._inline import flat_kernel, whole
from floorwalker.events.bulk._siphash import hash_words_and_span
from floorwalker.kernels import kernel

ENTRIES = 1 << 17
"""Values known at once."""
ARENA_BYTES = 1 << 24
SENT_MARKS = 1 << 19
"""Marks of values that the vault was given; half of them may be used."""

TOKEN_AT, TOKEN_LENGTH, FACTS_AT, FACTS_LENGTH, FACTS_COUNT, VERDICT = range(6)
"""Columns of an entry: its packed token, or what takes the value's place; the packed facts that go into the identity;
how many these are; what it is."""

PERSONAL, HUB, NOBODY, CHANGED = 1, 2, 4, 8
"""What an entry is, as bits: a raw value for the vault; a hub; a placeholder; something takes its place."""

EMAIL, PHONE, IP, SHIPPING, BILLING, CARD, NAME = range(1, 8)
"""Kinds of entry. From `NAME` on: `NAME` plus the number of the field that holds a name."""

_U8, _U1, _U0 = np.uint64(8), np.uint64(1), np.uint64(0)


class Known(NamedTuple):
    """The tables.

    Parameters
    ----------
    secrets : uint64 [4].
    slots : int32, open table of entries, -1 for free.
    hashes : uint64 [e, 2].
    entries : int64 [e, 6], see `TOKEN_AT`.
    arena : uint8.
    used : int64 [3]: entries, bytes of the arena, marks.
    marks : uint64, open set of what the vault was given; 0 for free.
    """

    secrets: NDArray[np.uint64]
    slots: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    entries: NDArray[np.int64]
    arena: NDArray[np.uint8]
    used: NDArray[np.int64]
    marks: NDArray[np.uint64]


def make_known(seed: bytes, entries: int = ENTRIES, arena_bytes: int = ARENA_BYTES, marks: int = SENT_MARKS) -> Known:
    """Empty tables under secrets of 32 bytes; the numbers are powers of two."""
    return Known(
        np.frombuffer(seed, "<u8", 4).astype(np.uint64),
        np.full(2 * entries, -1, np.int32),
        np.zeros((entries, 2), np.uint64),
        np.zeros((entries, 6), np.int64),
        np.zeros(arena_bytes, np.uint8),
        np.zeros(3, np.int64),
        np.zeros(marks, np.uint64),
    )


def forget_entries(known: Known) -> None:
    """Empty the table of values."""
    known.slots[:] = -1
    known.used[:2] = 0


def forget_marks(known: Known) -> None:
    """Forget what the vault was given: all of it is given again."""
    known.marks[:] = 0
    known.used[2] = 0


@flat_kernel
def find_entry(
    known: Known, kind: int, place: np.uint64, data: NDArray[np.uint8], start: int, stop: int, adds: bool
) -> int:
    """The entry of a value; -1 where it is not known, or, if it shall be added, where there is no room.

    Parameters
    ----------
    kind : see `EMAIL`.
    place : what the value's meaning depends on beside itself: the shop, the country.
    """
    secrets = known.secrets
    first = hash_words_and_span(np.uint64(kind), place, 2, data, start, stop, secrets[0], secrets[1])
    second = hash_words_and_span(np.uint64(kind), place, 2, data, start, stop, secrets[2], secrets[3])
    mask = len(known.slots) - 1
    slot = whole(first & np.uint64(mask))
    while known.slots[slot] >= 0:
        entry = known.slots[slot]
        if known.hashes[entry, 0] == first and known.hashes[entry, 1] == second:
            return whole(entry)
        slot = (slot + 1) & mask
    if not adds or known.used[0] == len(known.entries):
        return -1
    made = known.used[0]
    known.used[0] += 1
    known.slots[slot] = made
    known.hashes[made, 0] = first
    known.hashes[made, 1] = second
    return whole(made)


@flat_kernel
def mark_of(known: Known, person: np.uint64, entry: int, field: int, data: NDArray[np.uint8]) -> np.uint64:
    """The mark of one value of one person in one field."""
    secrets = known.secrets
    mixed = hash_words_and_span(
        person, known.hashes[entry, 1] ^ np.uint64(field), 2, data, 0, 0, secrets[0], secrets[3]
    )
    return mixed if mixed != _U0 else _U1


@flat_kernel
def is_marked(known: Known, mark: np.uint64, adds: bool) -> bool:
    """Whether the vault was given what this mark stands for; with `adds`, from now on it was."""
    mask = len(known.marks) - 1
    slot = whole((mark >> _U8) & np.uint64(mask))
    while known.marks[slot] != _U0:
        if known.marks[slot] == mark:
            return True
        slot = (slot + 1) & mask
    if adds and 2 * known.used[2] < len(known.marks):
        known.marks[slot] = mark
        known.used[2] += 1
    return False


@kernel
def add_entries(known: Known, facts: NDArray[np.int64], data: NDArray[np.uint8], packed: NDArray[np.uint8]) -> None:
    """Learn what became of values, as far as there is room.

    Parameters
    ----------
    facts : int64 [n, 7]: kind and place as in `find_entry`; the end of the value in `data`, the end of its token and
        of its facts in `packed`; how many facts; the verdict.
    data : the values behind one another, `packed` their tokens and facts.
    """
    begin = whole(0)
    start = whole(0)
    for row in range(len(facts)):
        stop, token_stop, facts_stop = facts[row, 2], facts[row, 3], facts[row, 4]
        length = facts_stop - begin
        if known.used[1] + length <= len(known.arena):
            entry = find_entry(known, facts[row, 0], np.uint64(facts[row, 1]), data, start, stop, True)
            if entry >= 0:
                at = known.used[1]
                known.used[1] += length
                for step in range(length):
                    known.arena[at + step] = packed[begin + step]
                known.entries[entry, TOKEN_AT] = at
                known.entries[entry, TOKEN_LENGTH] = token_stop - begin
                known.entries[entry, FACTS_AT] = at + token_stop - begin
                known.entries[entry, FACTS_LENGTH] = facts_stop - token_stop
                known.entries[entry, FACTS_COUNT] = facts[row, 5]
                known.entries[entry, VERDICT] = facts[row, 6]
        start = stop
        begin = facts_stop


@kernel
def add_marks(known: Known, marks: NDArray[np.int64]) -> None:
    """From now on the vault was given what these marks stand for."""
    for row in range(len(marks)):
        is_marked(known, np.uint64(marks[row]), True)
