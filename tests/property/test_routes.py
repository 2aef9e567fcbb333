"""Whatever visitors send: routes are given, bounded, and independent of the order of asking."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.features.routes import RouteTable
from floorwalker.features.routes._split import MAX_KEYS, MAX_SEGMENTS, split_targets
from floorwalker.store.strings import StringTable

PIECE = st.one_of(
    st.sampled_from(
        [
            "a",
            "p",
            "cart",
            "add",
            "remove",
            "12",
            "x-1",
            "%D8%A7",
            "%2F",
            "..",
            "a;b=1",
            "b1,p2|c",
            "?",
            "&",
            "=",
            "k=v",
            "//",
            "#",
        ]
    ),
    st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=8),
)
TARGET = st.lists(PIECE, max_size=12).map(lambda pieces: "/" + "/".join(pieces))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=20))
def test_any_bytes_are_cut_within_bounds(texts: list[bytes]) -> None:
    ends = np.cumsum([0, *[len(text) for text in texts]])
    cut = split_targets(np.frombuffer(b"".join(texts), np.uint8), ends)
    assert len(cut) == len(texts)
    assert (np.diff(cut.segment_of) <= MAX_SEGMENTS).all()
    assert (np.diff(cut.key_of) <= MAX_KEYS).all()
    assert (cut.part_end >= cut.part_start).all()
    assert (np.diff(cut.part_of) >= 1).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(TARGET, min_size=1, max_size=40), st.lists(TARGET, max_size=20))
def test_every_target_gets_a_route_and_keeps_it(known: list[str], later: list[str]) -> None:
    texts = StringTable(seed=0)
    texts.intern_texts(known)
    table = RouteTable.learn(texts, np.ones(len(texts), np.int64))
    first = table.assign(texts, 0)
    texts.intern_texts(later)
    whole = table.assign(texts, 0)
    assert len(whole) == len(texts)
    assert ((whole >= 0) & (whole < len(table.routes))).all()
    assert np.array_equal(whole[: len(first)], first)
    assert np.array_equal(table.assign(texts, 0), whole)
    restored = RouteTable.from_state(table.state())
    assert np.array_equal(restored.assign(texts, 0), whole)
    assert len(table.routes) == len(table.roles)
