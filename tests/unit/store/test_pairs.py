"""Codes for pairs of integers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from floorwalker.store.pairs import PairTable

whole = st.integers(-(2**62), 2**62)


@given(st.lists(st.lists(st.tuples(whole, whole), max_size=50), max_size=5), st.integers(0, 2**63))
def test_codes_are_given_in_the_order_of_first_meeting(batches: list[list[tuple[int, int]]], seed: int) -> None:
    table = PairTable(seed=seed)
    known: dict[tuple[int, int], int] = {}
    for batch in batches:
        first = np.array([pair[0] for pair in batch], np.int64)
        second = np.array([pair[1] for pair in batch], np.int64)
        expected = [known.setdefault(pair, len(known)) for pair in batch]
        assert table.intern(first, second).tolist() == expected
    assert [tuple(pair) for pair in table.keys.tolist()] == list(known)


def test_it_grows_far_beyond_its_first_size() -> None:
    table = PairTable(seed=1)
    keys = np.arange(200_000, dtype=np.int64)
    for start in range(0, len(keys), 7_000):
        table.intern(keys[start : start + 7_000], keys[start : start + 7_000] % 97)
    assert len(table) == len(keys)
    assert table.intern(keys, keys % 97).tolist() == keys.tolist()
