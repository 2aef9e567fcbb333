from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from floorwalker.errors import ArtefactError, UsageError
from floorwalker.pipeline.recent import EVENTS_EACH, RecentEvents
from floorwalker.pipeline.window import EventWindow

CAPACITY = 8
# Keys that fall on few slots, so that chains grow, wrap around and are closed again.
KEYS = st.integers(1, 40).map(lambda key: (key % 5) + 16 * (key // 5) + 1)


@given(st.lists(st.lists(KEYS, max_size=6), max_size=40))
def test_the_window_is_a_dictionary_of_the_last_ids(batches: list[list[int]]) -> None:
    window, oracle, sequence = EventWindow(CAPACITY), OrderedDict[int, int](), 0
    for batch in batches:
        fresh = [key for key in dict.fromkeys(batch) if key not in oracle]
        window.add(np.array(fresh, np.uint64), np.arange(sequence, sequence + len(fresh)))
        for key in fresh:
            oracle[key] = sequence
            sequence += 1
            if len(oracle) > CAPACITY:
                oracle.popitem(last=False)
        asked = list(range(1, 160))
        found = window.find(np.array(asked, np.uint64)).tolist()
        assert found == [oracle.get(key, -1) for key in asked]


@given(st.lists(KEYS, unique=True, max_size=20), st.lists(KEYS, unique=True, max_size=20))
def test_a_restored_window_goes_on_as_the_first(before: list[int], after: list[int]) -> None:
    first, second = EventWindow(CAPACITY), EventWindow(CAPACITY)
    first.add(np.array(before, np.uint64), np.arange(len(before)))
    second.restore({name: array.copy() for name, array in first.state().items()})
    more = np.array([key for key in after if key not in before], np.uint64)
    for window in (first, second):
        window.add(more, 100 + np.arange(len(more)))
    for name, array in first.state().items():
        assert np.array_equal(array, second.state()[name])


def test_a_state_of_another_size_is_refused() -> None:
    with pytest.raises(ArtefactError, match="capacity"):
        EventWindow(16).restore(EventWindow(8).state())
    with pytest.raises(UsageError, match="power of two"):
        EventWindow(12)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=60))
def test_recent_events_are_the_last_of_each_entity(pairs: list[tuple[int, int]]) -> None:
    recent = RecentEvents(64)
    oracle: dict[int, list[int]] = {}
    for sequence, (account, device) in enumerate(pairs):
        recent.add(np.array([[account], [device]], np.uint64), np.array([sequence]))
        for key in {account, device} - {0}:
            oracle.setdefault(key, []).append(sequence)
    for key in range(1, 8):
        # An event in which an entity plays two parts takes two of its places.
        found = recent.find(key)
        assert found == oracle.get(key, [])[::-1][: len(found)]
        assert len(found) >= min(len(oracle.get(key, [])), EVENTS_EACH // 2)


def test_a_full_set_gives_up_the_entity_unused_longest() -> None:
    recent = RecentEvents(4)
    for sequence, key in enumerate([1, 2, 3, 4, 1, 5]):
        recent.add(np.array([[key]], np.uint64), np.array([sequence]))
    assert [recent.find(key) for key in (1, 2, 3, 4, 5)] == [[4, 0], [], [2], [3], [5]]
