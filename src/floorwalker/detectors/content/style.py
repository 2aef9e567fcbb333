"""How a text is written, in any script: lengths, repetition, punctuation, capitals, digits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content._characters import IDEOGRAPH, LETTER, SYMBOL, as_codes
from floorwalker.detectors.content._gram_kernels import split_words
from floorwalker.kernels import kernel

_MARKS: Final = ".,!?'\"()-:;/&$%*#@+~"
_MARK_CODES = np.array([ord(mark) for mark in _MARKS], np.int64)

STYLE_FEATURES: Final = (
    "log_characters",
    "log_words",
    "characters_a_word",
    "different_words",
    "log_sentences",
    "words_a_sentence",
    "capitals",
    "digits",
    "symbols",
    "spaces",
    "beyond_ascii",
    "longest_run",
    "repeated_characters",
    "different_characters",
    "words_all_capitals",
    "lines",
    *(f"mark_{place}" for place in range(len(_MARKS))),
)
"""Names of the columns; shares are of characters, `mark_i` is the square root of the share of the i-th of the marks."""


@kernel
def _style_rows(
    codes: NDArray[np.uint32],
    kinds: NDArray[np.uint8],
    capital: NDArray[np.bool_],
    digit: NDArray[np.bool_],
    stops: NDArray[np.int64],
    marks: NDArray[np.int64],
    answer: NDArray[np.float32],
) -> None:
    for text in range(len(stops) - 1):
        start, stop = stops[text], stops[text + 1]
        length = stop - start
        if length == 0:
            continue
        words = np.empty(length + 2, np.int64)
        many = split_words(codes, kinds, start, stop, words)
        ordered = np.sort(words[:many])
        different = 0
        for place in range(many):
            if place == 0 or ordered[place] != ordered[place - 1]:
                different += 1
        seen = np.sort(codes[start:stop].astype(np.int64))
        characters = 0
        for place in range(length):
            if place == 0 or seen[place] != seen[place - 1]:
                characters += 1
        capitals = digits = symbols = spaces = beyond = repeated = sentences = lines = shouted = 0
        run = longest = 1
        word_length = 0
        word_capitals = 0
        of_marks = np.zeros(len(marks), np.int64)
        for place in range(start, stop):
            code = np.int64(codes[place])
            kind = kinds[place]
            if capital[place]:
                capitals += 1
            if digit[place]:
                digits += 1
            if kind == 2:
                symbols += 1
            if kind == 0:
                spaces += 1
            if code > 127:
                beyond += 1
            if code == 10:
                lines += 1
            if place > start and code == codes[place - 1]:
                run += 1
                repeated += 1
                longest = max(longest, run)
            else:
                run = 1
            ends = code == 46 or code == 33 or code == 63 or code == 0x3002 or code == 0xFF01 or code == 0xFF1F
            if ends and run == 1:
                sentences += 1
            if code < 128:
                for mark in range(len(marks)):
                    if marks[mark] == code:
                        of_marks[mark] += 1
            if kind == 1:
                word_length += 1
                if capital[place]:
                    word_capitals += 1
            if kind != 1 or place == stop - 1:
                if word_length > 1 and word_capitals == word_length:
                    shouted += 1
                word_length = 0
                word_capitals = 0
        sentences = max(sentences, 1)
        row = answer[text]
        row[0] = np.log1p(float(length))
        row[1] = np.log1p(float(many))
        row[2] = (length - spaces) / max(many, 1)
        row[3] = different / max(many, 1)
        row[4] = np.log1p(float(sentences))
        row[5] = np.log1p(many / sentences)
        row[6] = capitals / length
        row[7] = digits / length
        row[8] = symbols / length
        row[9] = spaces / length
        row[10] = beyond / length
        row[11] = np.log1p(float(longest))
        row[12] = repeated / length
        row[13] = characters / length
        row[14] = shouted / max(many, 1)
        row[15] = np.log1p(float(lines))
        for mark in range(len(marks)):
            row[16 + mark] = np.sqrt(of_marks[mark] / length)


def style_rows(texts: Sequence[str]) -> NDArray[np.float32]:
    """float32 [n, `len(STYLE_FEATURES)`]; an empty text is a row of zeros.

    >>> rows = style_rows(["Great SHOP!!", ""])
    >>> round(float(rows[0, STYLE_FEATURES.index("capitals")]), 3), float(rows[1].sum())
    (0.417, 0.0)
    """
    codes = as_codes(texts)
    answer = np.zeros((len(texts), len(STYLE_FEATURES)), np.float32)
    unique, places = np.unique(codes.values, return_inverse=True)
    letters = [chr(code) for code in unique.tolist()]
    capital = np.array([letter.isupper() for letter in letters], np.bool_)[places] if letters else np.zeros(0, np.bool_)
    digit = np.array([letter.isdigit() for letter in letters], np.bool_)[places] if letters else np.zeros(0, np.bool_)
    _style_rows(codes.values, codes.kinds, capital, digit, codes.stops, _MARK_CODES, answer)
    return answer


def count_words(texts: Sequence[str]) -> NDArray[np.int64]:
    """Tokens of each text: words, ideographs and symbols.

    >>> count_words(["good shop!", "很好"]).tolist()
    [3, 2]
    """
    codes = as_codes(texts)
    inside = codes.kinds == LETTER
    before = np.concatenate([[False], inside[:-1]])
    before[codes.stops[:-1][codes.stops[:-1] < len(before)]] = False
    starts = (inside & ~before) | (codes.kinds == SYMBOL) | (codes.kinds == IDEOGRAPH)
    total = np.concatenate([[0], np.cumsum(starts)])
    answer: NDArray[np.int64] = (total[codes.stops[1:]] - total[codes.stops[:-1]]).astype(np.int64)
    return answer
