"""Kernels over the values of request parameters: transitions between classes of characters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel

CLASSES = 40
"""Edge, lower, upper, digit, letter beyond ASCII, blank, control, other, and each of the 32 symbols of ASCII."""

EDGE, LOWER, UPPER, DIGIT, FOREIGN, BLANK, CONTROL, OTHER = range(8)
FIRST_SYMBOL = 8


def _class_table() -> NDArray[np.uint8]:
    table = np.full(128, CONTROL, np.uint8)
    symbols = 0
    for code in range(32, 127):
        character = chr(code)
        if character.islower():
            table[code] = LOWER
        elif character.isupper():
            table[code] = UPPER
        elif character.isdigit():
            table[code] = DIGIT
        elif character == " ":
            table[code] = BLANK
        else:
            table[code] = FIRST_SYMBOL + symbols
            symbols += 1
    return table


_ASCII = _class_table()


def class_codes(codes: NDArray[np.uint32], kinds: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [characters]: the class of each character; kinds as of `_characters`."""
    small = codes < 128
    beyond = np.where((kinds == 1) | (kinds == 3), FOREIGN, OTHER).astype(np.uint8)
    answer: NDArray[np.uint8] = np.where(small, _ASCII[np.minimum(codes, 127)], beyond)
    return answer


def name_class(place: int) -> str:
    """A class in words, for reasons."""
    if place >= FIRST_SYMBOL:
        return repr(chr(int(np.flatnonzero(place == _ASCII)[0])))
    words = ("edge", "small letter", "capital", "digit", "letter beyond ASCII", "blank", "control character", "symbol")
    return words[place]


@kernel
def count_transitions(
    classes: NDArray[np.uint8], stops: NDArray[np.int64], keys: NDArray[np.int64], counts: NDArray[np.float32]
) -> None:
    """Add to `counts[key, from, to]` the transitions of each value, with edges at both ends."""
    for value in range(len(stops) - 1):
        before = 0
        for place in range(stops[value], stops[value + 1]):
            here = classes[place]
            counts[keys[value], before, here] += 1
            before = here
        counts[keys[value], before, 0] += 1


@kernel
def surprise_of_values(
    classes: NDArray[np.uint8],
    codes: NDArray[np.uint32],
    stops: NDArray[np.int64],
    keys: NDArray[np.int64],
    surprise: NDArray[np.float32],
    seen: NDArray[np.bool_],
    answer: NDArray[np.float32],
    oddest: NDArray[np.uint8],
) -> None:
    """Per value: mean and highest surprise of its transitions, characters of a class its key never had, entropy.

    `surprise` [keys, from, to] is -ln p; `answer` [values, 4]; `oddest` [values] the class with the highest surprise.
    """
    for value in range(len(stops) - 1):
        key = keys[value]
        before = 0
        total = 0.0
        highest = 0.0
        new = 0
        here: Any = 0
        odd: Any = 0
        start, stop = stops[value], stops[value + 1]
        for place in range(start, stop + 1):
            here = np.int64(classes[place]) if place < stop else 0
            cost = float(surprise[key, before, here])
            total += cost
            if cost > highest:
                highest = cost
                odd = here if here > 0 else before
            if here > 0 and not seen[key, here]:
                new += 1
            before = here
        length = stop - start
        answer[value, 0] = total / (length + 1)
        answer[value, 1] = highest
        answer[value, 2] = new
        oddest[value] = odd
        entropy = 0.0
        if length > 0:
            ordered = np.sort(codes[start:stop].astype(np.int64))
            run = 1
            for place in range(1, length + 1):
                if place < length and ordered[place] == ordered[place - 1]:
                    run += 1
                else:
                    share = run / length
                    entropy -= share * np.log(share)
                    run = 1
        answer[value, 3] = entropy


@kernel
def hash_values(
    classes: NDArray[np.uint8], codes: NDArray[np.uint32], stops: NDArray[np.int64], answer: NDArray[np.int64]
) -> None:
    """Hashes of each value at three levels, `answer` [values, 3]: itself; the classes of its characters in order; those
    classes with repetitions taken together, in which `12-ab` is `1-a`."""
    for value in range(len(stops) - 1):
        whole: Any = 2166136261
        exact: Any = 2166136261
        rough: Any = 2166136261
        before: Any = -1
        for place in range(stops[value], stops[value + 1]):
            here = np.int64(classes[place])
            whole = ((whole ^ np.int64(codes[place])) * 16777619) & 0xFFFFFFFF
            exact = ((exact ^ here) * 16777619) & 0xFFFFFFFF
            if here != before:
                rough = ((rough ^ here) * 16777619) & 0xFFFFFFFF
            before = here
        answer[value, 0] = whole
        answer[value, 1] = exact
        answer[value, 2] = rough
