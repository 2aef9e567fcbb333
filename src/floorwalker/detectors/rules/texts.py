"""Text terms: fields as code points in one flat array, patterns laid out for `text_kernel`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.rules import terms
from floorwalker.detectors.rules.text_kernel import (
    ANY,
    CONSTANTS,
    CONTAINED,
    FALSE,
    LIKE,
    MISSING,
    ONE,
    PREFIXES,
    SUFFIXES,
    TRUE,
    UNKNOWN,
    hash_letters,
)

SEEN_START = 20_000
SEEN_END = 200
"""Patterns see a text's first 20,000 and last 200 characters, which is more than an event may carry."""

TextColumns = Mapping[str, Sequence[str | None]]
_KINDS = {"prefix": PREFIXES, "suffix": SUFFIXES, "contains": CONTAINED, "like": LIKE}


@dataclass(frozen=True, eq=False)
class Patterns:
    """All text terms of a table, text by text.

    Parameters
    ----------
    texts : the C distinct texts that terms look at.
    several : their terms, in the order of the table.
    layout : int32 [C, 8]: the text's first term, and where its patterns of each kind begin and end.
    patterns, hashes, letters : see `text_kernel.match_patterns`.
    """

    texts: tuple[terms.Text, ...]
    count: int
    layout: NDArray[np.int32]
    patterns: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    letters: NDArray[np.uint32]


def lay_out(terms_by_text: Mapping[terms.Text, Sequence[terms.TextTerm]]) -> Patterns:
    """Patterns in flat arrays; term `k` is the `k`-th of all texts' terms one after another."""
    layout: list[list[int]] = []
    rows: list[tuple[int, int, int]] = []
    hashes: list[int] = []
    letters: list[int] = []
    number = 0
    for several in terms_by_text.values():
        kinds: list[list[tuple[int, list[int], int]]] = [[] for _ in range(6)]
        first_term = number
        for term in several:
            if isinstance(term, terms.TextIn):
                for value in term.values:
                    code_points = [ord(character) for character in value]
                    kinds[CONSTANTS].append((_hash(code_points), code_points, number))
            elif isinstance(term, terms.TextLike):
                kinds[_KINDS[term.kind]].append((0, _pattern_letters(term), number))
            else:
                kinds[MISSING].append((0, [], number))
            number += 1
        kinds[CONSTANTS].sort()
        bounds = [first_term]
        for patterns in kinds:
            bounds.append(len(rows))
            for code, code_points, term_number in patterns:
                rows.append((len(letters), len(letters) + len(code_points), term_number))
                hashes.append(code)
                letters += code_points
        layout.append([*bounds, len(rows)])
    return Patterns(
        tuple(terms_by_text),
        number,
        np.array(layout, np.int32).reshape(len(layout), 8),
        np.array(rows, np.int32).reshape(len(rows), 3),
        np.array(hashes, np.uint64),
        np.array(letters, np.uint32),
    )


def _hash(code_points: list[int]) -> int:
    with np.errstate(over="ignore"):
        return int(hash_letters(np.array(code_points, np.uint32), 0, len(code_points)))


def _pattern_letters(term: terms.TextLike) -> list[int]:
    if term.kind != "like":
        return [ord(character) for character in term.pattern]
    return [{"%": ANY, "_": ONE}.get(character, ord(character)) for character in term.pattern]


def encode_texts(
    texts: Sequence[terms.Text | None], columns: TextColumns, n: int
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The texts of n events as code points: a flat array, and int64 [2, n, C] starts and ends.

    A missing text starts at -1, and so does one that is not asked for (None).

    >>> country = terms.Text((terms.Piece("country", False, False),))
    >>> letters, (starts, ends) = encode_texts([country], {"country": ["DE", None, "F"]}, 3)
    >>> letters.tolist(), starts[:, 0].tolist(), ends[:, 0].tolist()
    ([68, 69, 70], [0, -1, 2], [2, 2, 3])
    """
    parts: list[str] = []
    lengths: list[int] = []
    if n == 1:
        return _encode_single(texts, columns)
    for text in texts:
        values = [None] * n if text is None else read_text(text, columns, n)
        sizes_here = [-1 if value is None else len(value) for value in values]
        if max(sizes_here) > SEEN_START + SEEN_END:
            values = [_shorten(value) for value in values]
            sizes_here = [-1 if value is None else len(value) for value in values]
        lengths += sizes_here
        parts += filter(None, values)
    # A lone surrogate is no character, but a client may send one.
    letters = np.frombuffer("".join(parts).encode("utf-32-le", "surrogatepass"), np.uint32)
    sizes = np.array(lengths, np.int64).reshape(len(texts), n)
    ends = np.maximum(sizes, 0).ravel().cumsum().reshape(sizes.shape)
    starts = np.where(sizes < 0, -1, ends - sizes)
    return letters, np.array([starts.T, ends.T])


def _encode_single(
    texts: Sequence[terms.Text | None], columns: TextColumns
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """As `encode_texts` for one event, in a quarter of the time."""
    parts: list[str] = []
    starts, ends = [-1] * len(texts), []
    at = 0
    for place, text in enumerate(texts):
        if text is not None and (value := _read_single(text, columns)) is not None:
            if len(value) > SEEN_START + SEEN_END:
                value = _shorten(value) or ""
            parts.append(value)
            starts[place] = at
            at += len(value)
        ends.append(at)
    if not parts:
        return _NO_LETTERS, _no_bounds(len(texts))
    letters = np.frombuffer("".join(parts).encode("utf-32-le", "surrogatepass"), np.uint32)
    return letters, np.array([[starts], [ends]], np.int64)


_NO_LETTERS: NDArray[np.uint32] = np.frombuffer(b"", np.uint32)


@lru_cache(maxsize=64)
def _no_bounds(count: int) -> NDArray[np.int64]:
    """As `_encode_single` gives them where all of so many texts are missing: for reading only."""
    return np.array([[[-1] * count], [[0] * count]], np.int64)


def _read_single(text: terms.Text, columns: TextColumns) -> str | None:
    """As `read_text` for one event."""
    for piece in text.pieces:
        if piece.constant:
            value: str | None = piece.value
        else:
            column = columns.get(piece.value)
            value = None if column is None else column[0]
        if value is not None:
            return value.lower() if piece.lowered else value
    return None


def _shorten(value: str | None) -> str | None:
    if value is None or len(value) <= SEEN_START + SEEN_END:
        return value
    return f"{value[:SEEN_START]}\0{value[-SEEN_END:]}"


def read_text(text: terms.Text, columns: TextColumns, n: int) -> Sequence[str | None]:
    """The text of each event: of the first piece that is not missing, in lower case where asked for."""
    if len(text.pieces) == 1:
        return _read_piece(text.pieces[0], columns, n)
    several = [_read_piece(piece, columns, n) for piece in text.pieces]
    return [next((text for text in row if text is not None), None) for row in zip(*several, strict=True)]


def _read_piece(piece: terms.Piece, columns: TextColumns, n: int) -> Sequence[str | None]:
    if piece.constant:
        return [piece.value.lower() if piece.lowered else piece.value] * n
    column = columns.get(piece.value)
    if column is None:
        return [None] * n
    return [None if text is None else text.lower() for text in column] if piece.lowered else column


def same_texts(term: terms.SameText, columns: TextColumns, n: int) -> list[int]:
    """Truth values of a comparison of two texts of the same event."""
    return [
        UNKNOWN if left is None or right is None else (TRUE if left == right else FALSE)
        for left, right in zip(read_text(term.left, columns, n), read_text(term.right, columns, n), strict=True)
    ]
