"""Interning: codes by order of arrival, whatever the seed; equality always checked; growth and caps."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.store._hashing import hash_spans, make_keys
from floorwalker.store.strings import StringTable


def spans_of(texts: list[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A buffer and the spans of these texts in it."""
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    starts = ends - np.array([len(text) for text in texts], np.int64)
    return np.frombuffer(b"".join(texts) + bytes(16), np.uint8), starts, ends


def expected_codes(texts: list[bytes]) -> list[int]:
    """The slow oracle: a dictionary."""
    codes: dict[bytes, int] = {}
    return [-1 if text in {b"", b"-"} else codes.setdefault(text, len(codes)) for text in texts]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=60), st.integers(0, 3))
def test_codes_match_a_dictionary(texts: list[bytes], seed: int) -> None:
    table = StringTable(seed=seed)
    buffer, starts, ends = spans_of(texts)
    codes = table.intern(buffer, starts, ends)
    assert codes.dtype == np.int32
    assert codes.tolist() == expected_codes(texts)
    known = list(dict.fromkeys(text for text in texts if text not in {b"", b"-"}))
    assert len(table) == len(known)
    kept = [bytes(table.arena[a:b]) for a, b in zip(table.offsets[:-1], table.offsets[1:], strict=True)]
    assert kept == known


def test_growth_keeps_every_text() -> None:
    texts = [f"/product/{number}".encode() for number in range(20_000)]
    table = StringTable(seed=5)
    first = table.intern(*spans_of(texts))
    again = table.intern(*spans_of(texts[::-1]))
    assert first.tolist() == list(range(20_000))
    assert again.tolist() == first.tolist()[::-1]
    assert table.since(19_998).to_list() == ["/product/19998", "/product/19999"]


def test_equal_hashes_of_different_texts_stay_apart() -> None:
    table = StringTable(seed=5)
    buffer, starts, ends = spans_of([b"a", b"b", b"a", b"ab"])
    codes = table.intern_hashed(buffer, starts, ends, np.full(4, 7, np.uint64))
    assert codes.tolist() == [0, 1, 0, 2]


def test_hash_depends_on_seed_length_and_every_byte() -> None:
    text = bytes(range(1, 41)) * 60
    variants = [text, text[:-1], text + b"\0"]
    variants += [text[:k] + bytes([text[k] ^ 128]) + text[k + 1 :] for k in range(0, len(text), 7)]
    hashes = np.empty(len(variants), np.uint64)
    with np.errstate(over="ignore"):
        hash_spans(*spans_of(variants), make_keys(1), hashes)
        other = np.empty(len(variants), np.uint64)
        hash_spans(*spans_of(variants), make_keys(2), other)
    assert len(set(hashes.tolist())) == len(variants)
    assert not set(hashes.tolist()) & set(other.tolist())


def test_hash_does_not_depend_on_what_stands_around_a_span() -> None:
    buffer = np.frombuffer(b"xx/cart?yyyyyyyyyyyyyyyyyyyyyyyyyyyyy/cart?zz" + bytes(16), np.uint8)
    codes = StringTable(seed=3).intern(buffer, np.array([2, 37]), np.array([8, 43]))
    assert codes.tolist() == [0, 0]


def test_texts_past_the_capacity_share_one_code() -> None:
    table = StringTable(seed=1, capacity=2)
    codes = table.intern_texts(["a", "b", "c", "a", "d"])
    assert codes.tolist() == [0, 1, table.overflow, 0, table.overflow]
    assert table.intern_texts(["c", "b"]).tolist() == [table.overflow, 1]
    assert table.refused == 3
    assert table.text(table.overflow) == "(overflow)"


def test_soft_capacity_leaves_new_texts_to_the_caller() -> None:
    table = StringTable(seed=1, capacity=10)
    table.intern_texts(["a"])
    buffer, starts, ends = spans_of([b"a", b"b"])
    hashes = np.empty(2, np.uint64)
    with np.errstate(over="ignore"):
        hash_spans(buffer, starts, ends, table.keys, hashes)
    assert table.intern_hashed(buffer, starts, ends, hashes, soft_capacity=1).tolist() == [0, -2]
    assert (len(table), table.refused) == (1, 0)


def test_texts_are_shown_whatever_their_bytes() -> None:
    table = StringTable(seed=1)
    codes = table.intern_texts([b"caf\xc3\xa9", b"\xff\xfe", "ok", "-"])
    assert table.texts(codes).to_list() == ["café", "\ufffd\ufffd", "ok", None]
    assert table.since(0).to_list() == ["café", "\ufffd\ufffd", "ok"]
    assert table.since(3).dtype == pl.String
    assert table.text(-1) == ""
    with pytest.raises(IndexError, match="code 9"):
        table.text(9)


def test_a_buffer_without_room_behind_is_taken() -> None:
    buffer = np.frombuffer(b"/cart", np.uint8)
    assert StringTable(seed=1).intern(buffer, np.array([0]), np.array([5])).tolist() == [0]


def test_capacity_must_be_positive() -> None:
    with pytest.raises(ValueError, match="capacity"):
        StringTable(seed=1, capacity=0)
