"""Texts as flat arrays of code points, and what kind of character each is: the ground of every text kernel."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import InputError

SPACE, LETTER, SYMBOL, IDEOGRAPH = 0, 1, 2, 3
"""Kinds: white space and control; part of a word; a token of its own; a word of one character."""

_UNKNOWN = 255
_kinds = np.full(0x110000, _UNKNOWN, np.uint8)

# Scripts written without spaces between words: each character counts as a word, so pairs of words are pairs of
# characters, which is how such texts are searched as well.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


@dataclass(frozen=True, eq=False)
class Codes:
    """Texts end to end.

    Parameters
    ----------
    values : uint32 [characters], Unicode code points.
    kinds : uint8 [characters], one of `SPACE`, `LETTER`, `SYMBOL`, `IDEOGRAPH`.
    stops : int64 [texts + 1], the first is 0; text `i` is `values[stops[i]:stops[i + 1]]`.
    """

    values: NDArray[np.uint32]
    kinds: NDArray[np.uint8]
    stops: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.stops) - 1


def as_codes(texts: Sequence[str]) -> Codes:
    """The code points of these texts and their kinds.

    >>> codes = as_codes(["ab!", ""])
    >>> codes.values.tolist(), codes.kinds.tolist(), codes.stops.tolist()
    ([97, 98, 33], [1, 1, 2], [0, 3, 3])
    """
    stops = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=stops[1:])
    values = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    return Codes(values, kinds_of(values), stops)


def kinds_of(values: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The kind of each code point; asked of Python once for each character that was ever seen."""
    kinds = _kinds[values]
    if (kinds == _UNKNOWN).any():
        for code in np.unique(values[kinds == _UNKNOWN]).tolist():
            _kinds[code] = _kind_of(code)
        kinds = _kinds[values]
    answer: NDArray[np.uint8] = kinds
    return answer


def _kind_of(code: int) -> int:
    character = chr(code)
    if any(low <= code <= high for low, high in _UNSPACED):
        return IDEOGRAPH if character.isalnum() else LETTER
    category = unicodedata.category(character)
    if category[0] in "LNM":
        return LETTER
    return SPACE if category[0] in "ZC" else SYMBOL


def as_texts(texts: Sequence[Any], *, name: str = "texts") -> list[str]:
    """The texts as they were given, checked; None (a review without words) becomes an empty text.

    Errors
    ------
    InputError : one is neither a text nor None, or a single text was given in place of many.
    """
    if isinstance(texts, str | bytes):
        raise InputError(f"{name} is one text", allowed="a list of texts", fix="put it into a list")
    answer = []
    for row, text in enumerate(texts):
        if text is None:
            answer.append("")
        elif isinstance(text, str):
            answer.append(str(text))
        elif isinstance(text, float) and text != text:
            # Missing texts in a data frame.
            answer.append("")
        else:
            raise InputError(f"{name}[{row}] is {type(text).__name__}", allowed="texts, and None where there is none")
    return answer


def without_marks(text: str) -> str:
    """The text without accents and tone marks: what a writer who leaves them out would have written.

    >>> without_marks("Sản phẩm đẹp, café")
    'San pham dep, cafe'
    """
    if text.isascii():
        return text
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", plain).replace("đ", "d").replace("Đ", "D")
